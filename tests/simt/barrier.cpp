/* __syncthreads() and its votes; fences. */
#include "block.h"

namespace simt {

namespace {
bool same_place(site a, site b) {
    return a.line == b.line && (a.file == b.file || !strcmp(a.file, b.file));
}
} // namespace

/* What a thread did before its fence is before what another does after its own, if an atomic of the
 * one came after the fence and before one of the other's that a fence follows. */
static sync_object fenced_memory;

void fence() {
    thread &t = *running_thread;
    expect_waited();
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (t.observed) acquire(fenced_memory);
    t.observed = false;
    t.fenced = true;
}

void before_atomic() {
    expect_waited();
    if (running_thread->fenced) release(fenced_memory);
}

void after_atomic() {
    running_thread->observed = true;
    note_progress();
}

unsigned poll(site where, const unsigned *address) {
    if (!running_launch->cooperative)
        fail(where, "a block waits for another, but need not run at the same time: launched "
                    "without GPU_LAUNCH_COOPERATIVE");
    wait_as(state::polling, where);
    const unsigned value = __atomic_load_n(address, __ATOMIC_RELAXED);
    running_thread->observed = true;
    return value;
}

int barrier(site where, vote how, int predicate) {
    block &b = *running_block;
    if (b.waiting == 0) {
        b.barrier_site = where;
        b.votes = how == vote::all;
    }
    if (!same_place(where, b.barrier_site))
        fail(where, "divergent __syncthreads(): other threads wait at %s:%d", b.barrier_site.file,
             b.barrier_site.line);
    if (b.alive != b.threads.size())
        fail(where, "__syncthreads() after %zu threads of the block exited",
             b.threads.size() - b.alive);
    if (how == vote::count)
        b.votes += unsigned(predicate);
    else if (how == vote::all)
        b.votes &= unsigned(predicate);
    else
        b.votes |= unsigned(predicate);

    const unsigned phase = b.phase & 1;
    release(b.barrier_memory[phase]);
    if (++b.waiting == b.alive) {
        for (thread &t : b.threads)
            if (t.now == state::at_barrier) t.now = state::ready;
        b.result = b.votes;
        b.waiting = 0;
        b.phase++;
    } else {
        wait_as(state::at_barrier, where);
    }
    acquire(b.barrier_memory[phase]);
    return int(b.result);
}

} // namespace simt
