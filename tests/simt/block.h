/* One block of threads while it runs: what the scheduler, the barrier and the warps share. */
#pragma once

#include <vector>

#include "fibre.h"
#include "simt.h"

namespace simt {

enum class state : uint8_t { fresh, ready, at_barrier, in_warp, polling, exited };

/* Where lanes of one mask meet. */
struct meeting {
    unsigned mask = 0, arrived = 0, leaving = 0; /* leaving: complete, these have not read it yet */
    lane_op op = lane_op::sync;
    site where{};
    uint64_t value[32];
};

struct thread {
    uint3 index;
    unsigned number; /* in the block */
    state now;
    fibre *on;
    site where; /* of the wait */
    meeting *met;
    bool waited;   /* for the launches before its own */
    bool fenced;   /* before its next atomic */
    bool observed; /* an atomic of others, since its last fence */
};

/* What a lane has of the operands of a product on tensor cores. */
struct fragment {
    unsigned a[4], b[2];
};

struct warp {
    unsigned alive = 0; /* lanes that have not exited */
    unsigned used = 0;  /* meetings */
    std::vector<meeting> meetings;
    sync_object memory; /* what __syncwarp() orders */
    fragment lane[32];
};

struct shared_memory {
    const void *declaration;
    void *data;
};

struct block {
    uint3 index;
    std::vector<thread> threads;
    std::vector<warp> warps;
    std::vector<unsigned> order;
    unsigned next = 0, alive = 0; /* next: in order */
    bool progress = false;        /* since the order began */

    unsigned waiting = 0, votes = 0, result = 0, phase = 0; /* at the barrier */
    site barrier_site{};
    sync_object barrier_memory[2]; /* by phase */

    std::vector<shared_memory> shared;
    sync_object shared_memory_made;
    std::vector<fibre *> spent; /* for the race detector a thread is not reused within its block */
};

extern const launch *running_launch; /* NULL between launches */
extern block *running_block;
extern thread *running_thread;
void expect_waited(); /* before it waits for the launches before it, a thread does nothing else */
extern bool begins_early; /* the launch, before the one ahead of it has ended */

/* The rest of the block, or of a cooperative grid, goes on until the calling thread is ready. */
void wait_as(state reason, site where);

/* A graph's launches have been copied: their arguments are there, whatever else is not. */
void note_copied();

/* A thread has done what others may poll for. */
void note_progress();

/* A thread has exited: meetings may be complete without it. */
void warp_left(warp &w);

void free_shared_arrays(block &b);

/* The order of blocks, and of the threads of a block: see simt.h. */
void order_reset();
void order_make(std::vector<unsigned> &order, unsigned n);
bool order_changes(); /* from one pass to the next */
unsigned order_random(unsigned n);
unsigned order_one_of(unsigned n); /* the first, the last, or any */

/* How many threads the kernel was declared for with __launch_bounds__; 0: not. */
unsigned declared_threads(const void *kernel);

} // namespace simt
