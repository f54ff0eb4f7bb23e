/* The last block of several tells itself, so that results in parts need no second launch. */
#pragma once
#include "kernels/gpu.h"
#include "kernels/launch_program.h"

namespace {

/* Whether this is the last of `blocks` to come here, all of its threads do: it sees what the others
 * have written before. *counter is 0 at first, and again when the last one has come. The fences of
 * one thread do for its block: what the barrier puts before them is before the count, too. */
__device__ __forceinline__ bool is_last(unsigned *counter, unsigned blocks) {
    GPU_SHARED(unsigned, before, );
    __syncthreads();
    if (threadIdx.x == 0) {
        __threadfence(); // what this block has written, before it is counted
        before = atomicInc(counter, blocks - 1);
        __threadfence(); // what the others had written when they were
    }
    __syncthreads();
    return before == blocks - 1;
}

} // namespace
