/* __syncthreads() and its votes. */
#include "block.h"

namespace simt {

namespace {
bool same_place(site a, site b) {
    return a.line == b.line && (a.file == b.file || !strcmp(a.file, b.file));
}
} // namespace

void fence() { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

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
