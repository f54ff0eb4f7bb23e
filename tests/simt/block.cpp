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
bool begins_early;

namespace {

sync_object grid_start, grid_end; /* what was before and after the launch */
sync_object copied;               /* what was before a graph was made executable */

/* Blocks that take turns: all of a cooperative grid, else one. A turn ends when no thread of the
 * block can run; those that poll look again in its next one. */
struct gang {
    block *first;
    unsigned n;
    std::vector<unsigned> order;
    unsigned next; /* in order */
    unsigned vain; /* turns since a thread did anything but poll */
};
gang &running = *new gang;

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

/* The next thread of the block that can run; NULL when none can. */
thread *pick_of_block() {
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

void begin_turn(block &b) {
    running_block = &b;
    order_make(b.order, unsigned(b.threads.size()));
    b.next = 0;
    b.progress = false;
    for (thread &t : b.threads)
        if (t.now == state::polling) t.now = state::ready;
}

/* False when no block has a thread left, or turns change nothing any more. */
bool next_turn() {
    gang &g = running;
    if (!running_launch->cooperative || g.vain > 4 * g.n) return false;
    for (unsigned i = 0; i < g.n; i++) {
        if (g.next == g.n) {
            g.next = 0;
            if (order_changes()) order_make(g.order, g.n);
        }
        block &b = g.first[g.order[g.next++]];
        if (b.alive == 0) continue;
        g.vain++;
        begin_turn(b);
        return true;
    }
    return false;
}

/* The next thread that can run; NULL when none can. */
thread *pick() {
    for (;;) {
        if (thread *t = pick_of_block()) return t;
        if (!next_turn()) return nullptr;
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
    if (begins_early && !t.waited)
        fail({}, "its launch may begin early, and the thread has no GPU_WAIT()");
    t.now = state::exited;
    b.alive--;
    note_progress();
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
        acquire(begins_early ? copied : grid_start);
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

/* Of a block the first eight, of a cooperative grid the first two of each. */
[[noreturn]] void deadlock() {
    static const char *const name[] = {"has not run",     "could run",  "__syncthreads()",
                                       "warp collective", "GPU_POLL()", "exited"};
    const gang &g = running;
    const thread *first = nullptr;
    unsigned alive = 0, ended = 0;
    for (const block *b = g.first; b < g.first + g.n; b++) {
        int shown = 0;
        alive += b->alive;
        ended += b->alive == 0;
        for (const thread &t : b->threads) {
            if (t.now == state::exited || shown == (g.n > 1 ? 2 : 8)) continue;
            shown++;
            if (!first) first = &t;
            fprintf(stderr, "simt: block (%u, %u, %u), thread (%u, %u, %u) waits in a %s at %s:%d",
                    b->index.x, b->index.y, b->index.z, t.index.x, t.index.y, t.index.z,
                    name[int(t.now)], t.where.file, t.where.line);
            if (t.now == state::in_warp)
                fprintf(stderr, " for mask %08x, of which %08x came", t.met->mask, t.met->arrived);
            fputc('\n', stderr);
        }
    }
    fail(first->where, "deadlock: %u threads wait for ones that never come; %u of %u blocks ended",
         alive, ended, g.n);
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
                        false,
                        false};
    for (unsigned w = 0; w < b.warps.size(); w++) {
        b.warps[w].alive = n - 32 * w >= 32 ? ~0u : (1u << (n - 32 * w)) - 1;
        b.warps[w].used = 0;
    }
    release(b.shared_memory_made);
}

/* Runs blocks to their end, all of them at once. */
void run(block *blocks, unsigned n) {
    gang &g = running;
    g.first = blocks;
    g.n = n;
    g.next = 1;
    g.vain = 0;
    if (n > 1)
        order_make(g.order, n);
    else
        g.order.assign(1, 0);
#if defined(SIMT_RACES)
    /* Made here, not by each other: being made is an order too. More than needed, so that the next
     * block's threads are others to the race detector. */
    const size_t threads = n * blocks->threads.size(), spare = 8 + std::min(threads, size_t(512));
    while (idle_fibres < threads + spare) add_idle(fibre_create(fibre_main));
#endif
    begin_turn(blocks[g.order[0]]);
    leave(main_fibre);
    for (block *b = blocks; b < blocks + n; b++) {
        if (b->alive) deadlock();
        for (fibre *f : b->spent) add_idle(f);
        b->spent.clear();
    }
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
    if (reason != state::polling) note_progress();
    leave(*me.on);
}

void wait_for_launches() {
    running_thread->waited = true;
    if (begins_early) acquire(grid_start);
}

void expect_waited() {
    if (begins_early && !running_thread->waited)
        fail({}, "its launch may begin early, and the thread does something before its GPU_WAIT()");
}

void note_copied() { release(copied); }

void note_progress() { running.vain = 0; }

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
#if defined(SIMT_RACES)
    const bool together =
        true; /* their memory lasts as long as the grid: races between them show */
#else
    const bool together = l.cooperative;
#endif
    static std::vector<block> &one = *new std::vector<block>(1);
    std::vector<block> many(together ? blocks : 0), &all = together ? many : one;
    if (l.cooperative) {
        for (unsigned i = 0; i < blocks; i++) open(all[i], unsigned(threads), index(i));
        run(all.data(), unsigned(blocks));
    } else {
        for (unsigned i : order) {
            block &b = all[together ? i : 0];
            open(b, unsigned(threads), index(i));
            run(&b, 1);
            if (!together) free_shared_arrays(b);
        }
    }
    acquire(grid_end);
    for (block &b : all) free_shared_arrays(b);
    running_launch = nullptr;
    running_thread = nullptr;
}

} // namespace simt
