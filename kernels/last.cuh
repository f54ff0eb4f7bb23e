/* The last block of several tells itself, so that results in parts need no second launch. */
#pragma once
#include "kernels/gpu.h"
#include "kernels/launch_program.h"

namespace {

/* Whether this is the last of `blocks` to come here, all of its threads do: it sees what the others
 * have written before. *counter is 0 at first, and again when the last one has come. */
__device__ __forceinline__ bool is_last(unsigned *counter, unsigned blocks) {
    GPU_SHARED(unsigned, before, );
    __threadfence();
    __syncthreads();
    if (threadIdx.x == 0) before = atomicInc(counter, blocks - 1);
    __syncthreads();
    const bool last = before == blocks - 1;
    if (last) __threadfence();
    return last;
}

} // namespace
