/* The scheduler: the threads of a block one after the other, each until it waits or ends. */
#include "block.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>

uint3 threadIdx, blockIdx;
dim3 blockDim, gridDim;

namespace simt {

const launch *running_launch;
block *running_block;
thread *running_thread;

namespace {

sync_object grid_start, grid_end; /* what was before and after the launch */

/* Fibres without a thread, the one that has been idle for longest first. Linked, because allocating
 * would count as an access of the thread that happens to do it. */
fibre *first_idle, *last_idle;
size_t idle_fibres;

void fibre_main();

fibre *take_fibre() {
    if (!first_idle) return fibre_create(fibre_main);
    fibre *f = first_idle;
    first_idle = f->next;
    idle_fibres--;
    return f;
}

void add_idle(fibre *f) {
    f->next = nullptr;
    (first_idle ? last_idle->next : first_idle) = f;
    last_idle = f;
    idle_fibres++;
}

void start(thread &t, fibre *on) {
    t.on = on;
    t.now = state::ready;
}

void select(thread &t) {
    running_thread = &t;
    threadIdx = t.index;
    blockIdx = running_block->index;
}

/* The next thread that can run; NULL when none can. */
thread *pick() {
    block &b = *running_block;
    for (;;) {
        while (b.next < b.order.size()) {
            thread &t = b.threads[b.order[b.next++]];
            if (t.now > state::ready) continue;
            b.progress = true;
            return &t;
        }
        if (!b.progress || !b.alive) return nullptr;
        b.progress = false;
        b.next = 0;
        if (order_changes()) order_make(b.order, unsigned(b.threads.size()));
    }
}

/* Goes on with the next thread, on the main fibre when there is none. */
void leave(fibre &from) {
    thread *t = pick();
    if (t) {
        if (t->now == state::fresh) start(*t, take_fibre());
        select(*t);
    }
    fibre &to = t ? *t->on : main_fibre;
    if (&to != &from) fibre_switch(from, to);
}

void exit_thread() {
    block &b = *running_block;
    thread &t = *running_thread;
    t.now = state::exited;
    b.alive--;
    warp &w = b.warps[t.number / 32];
    w.alive &= ~(1u << t.number % 32);
    warp_left(w);
    if (b.waiting)
        fail(b.barrier_site, "thread (%u, %u, %u) exited while others wait at this __syncthreads()",
             t.index.x, t.index.y, t.index.z);
}

/* A fibre whose thread has ended takes the next fresh one without a switch. */
bool take_next() {
#if !defined(SIMT_RACES)
    block &b = *running_block;
    if (b.next < b.order.size() && b.threads[b.order[b.next]].now == state::fresh) {
        thread &t = b.threads[b.order[b.next++]];
        b.progress = true;
        start(t, running_thread->on);
        select(t);
        return true;
    }
#endif
    return false;
}

void fibre_main() {
    fibre_entered();
    for (;;) {
        acquire(grid_start);
        do {
            running_launch->thread();
            exit_thread();
        } while (take_next());
        release(grid_end);
        fibre &me = *running_thread->on;
#if defined(SIMT_RACES)
        running_block->spent.push_back(&me);
#else
        add_idle(&me);
#endif
        leave(me);
    }
}

[[noreturn]] void deadlock() {
    static const char *const name[] = {"has not run", "could run", "__syncthreads()",
                                       "warp collective", "exited"};
    block &b = *running_block;
    const thread *first = nullptr;
    int shown = 0;
    for (const thread &t : b.threads) {
        if (t.now == state::exited || shown == 8) continue;
        shown++;
        if (!first) first = &t;
        fprintf(stderr, "simt: thread (%u, %u, %u) waits in a %s at %s:%d", t.index.x, t.index.y,
                t.index.z, name[int(t.now)], t.where.file, t.where.line);
        if (t.now == state::in_warp)
            fprintf(stderr, " for mask %08x, of which %08x came", t.met->mask, t.met->arrived);
        fputc('\n', stderr);
    }
    fail(first->where, "deadlock: %u threads wait for ones that never come", b.alive);
}

void open(block &b, unsigned n, uint3 index) {
    b.index = index;
    b.alive = n;
    b.waiting = 0;
    b.threads.resize(n);
    b.warps.resize((n + 31) / 32);
    b.spent.reserve(n);
    for (unsigned i = 0; i < n; i++)
        b.threads[i] = {{i % blockDim.x, i / blockDim.x % blockDim.y, i / blockDim.x / blockDim.y},
                        i,
                        state::fresh,
                        nullptr,
                        {},
                        nullptr,
                        false,
                        false};
    for (unsigned w = 0; w < b.warps.size(); w++) {
        b.warps[w].alive = n - 32 * w >= 32 ? ~0u : (1u << (n - 32 * w)) - 1;
        b.warps[w].used = 0;
    }
    release(b.shared_memory_made);
}

void run(block &b) {
    running_block = &b;
    order_make(b.order, unsigned(b.threads.size()));
    b.next = 0;
    b.progress = false;
#if defined(SIMT_RACES)
    /* Made here, not by each other: being made is an order too. More than needed, so that the next
     * block's threads are others to the race detector. */
    const size_t n = b.threads.size(), spare = 8 + std::min(n, size_t(512));
    while (idle_fibres < n + spare) add_idle(fibre_create(fibre_main));
#endif
    leave(main_fibre);
    if (b.alive) deadlock();
    for (fibre *f : b.spent) add_idle(f);
    b.spent.clear();
}

void check(const launch &l, size_t threads) {
    if (running_launch) fail({}, "%s is launched by a kernel", l.name);
    const unsigned declared = declared_threads(l.kernel);
    if (declared && threads > declared)
        fail({}, "%s is launched with %zu threads a block, its __launch_bounds__ say %u", l.name,
             threads, declared);
}

} // namespace

void fail(site where, const char *format, ...) {
    va_list arguments;
    fputs("simt: ERROR", stderr);
    if (running_launch) fprintf(stderr, " in kernel %s", running_launch->name);
    if (running_launch && running_thread)
        fprintf(stderr, ", block (%u, %u, %u), thread (%u, %u, %u)", blockIdx.x, blockIdx.y,
                blockIdx.z, threadIdx.x, threadIdx.y, threadIdx.z);
    if (where.file) fprintf(stderr, ", %s:%d", where.file, where.line);
    fputs(": ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    fflush(nullptr);
    _Exit(70);
}

void wait_as(state reason, site where) {
    thread &me = *running_thread;
    me.now = reason;
    me.where = where;
    leave(*me.on);
}

void execute(const launch &l) {
    const dim3 g = l.grid;
    const size_t threads = size_t(l.block.x) * l.block.y * l.block.z,
                 blocks = size_t(g.x) * g.y * g.z;
    check(l, threads);
    order_reset();
    running_launch = &l;
    gridDim = g;
    blockDim = l.block;
    fibre_adopt_main();
    std::vector<unsigned> order;
    order_make(order, unsigned(blocks));
    release(grid_start);
    auto index = [&](unsigned i) { return uint3{i % g.x, i / g.x % g.y, i / g.x / g.y}; };
#if defined(SIMT_RACES) /* blocks and their memory last as long as the grid, so races between them \
                           show */
    std::vector<block> all(blocks);
    for (unsigned i : order) {
        open(all[i], unsigned(threads), index(i));
        run(all[i]);
    }
    acquire(grid_end);
    for (block &b : all) free_shared_arrays(b);
#else
    static block &b = *new block;
    for (unsigned i : order) {
        open(b, unsigned(threads), index(i));
        run(b);
        free_shared_arrays(b);
    }
#endif
    running_launch = nullptr;
    running_thread = nullptr;
}

} // namespace simt
