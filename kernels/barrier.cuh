/* Phases of one launch: its blocks wait for each other. The launch is cooperative, so that all of
 * them are on the device. */
#pragma once
#include "kernels/gpu.h"

namespace {

/* All blocks of the launch come here, all threads of them, before any goes on; what any of them
 * wrote before, all see after. `state` is two unsigned in device memory, zeros at first, for
 * launches of any size one after the other: how many have come, which is 0 again when all have, and
 * how often all have. The fences of one thread do for its block, as in last.cuh. */
__device__ __forceinline__ void grid_barrier(unsigned *state) {
    __syncthreads();
    if (threadIdx.x == 0 && threadIdx.y == 0 && threadIdx.z == 0) {
        const unsigned blocks = gridDim.x * gridDim.y * gridDim.z, round = GPU_POLL(&state[1]);
        __threadfence(); // what this block has written, and that it has seen the round
        const unsigned before = atomicInc(&state[0], blocks - 1);
        __threadfence();
        if (before == blocks - 1)
            atomicAdd(&state[1], 1u);
        else
            while (GPU_POLL(&state[1]) == round) {
            }
        __threadfence(); // what the others had written
    }
    __syncthreads();
}

/* The most blocks of so many threads, and bytes of GPU_SHARED_MORE(), that a cooperative launch of
 * the kernel may have on the current device; 0 when that cannot be told. For launchers. */
template <class... P>
inline int resident_blocks(void (*kernel)(P...), int threads, size_t bytes = 0) {
    int device = 0, processors = 0, blocks = 0;
    if (cudaGetDevice(&device) != cudaSuccess ||
        cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device) !=
            cudaSuccess ||
        cudaOccupancyMaxActiveBlocksPerMultiprocessor(
            &blocks, reinterpret_cast<const void *>(kernel), threads, bytes) != cudaSuccess)
        return 0;
    return processors * blocks;
}

} // namespace
