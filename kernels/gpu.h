/* What every kernel file includes first: the same source for two worlds.
 *   nvcc            the GPU
 *   a C++ compiler  the test harness in tests/simt, which runs the kernels on the host
 */
#pragma once
#if defined(__CUDACC__)
#include <cuda_bf16.h>
#include <cuda_runtime.h>

/* Static shared memory: GPU_SHARED(float, tile, [32][33]);  GPU_SHARED(float, total, ); */
#define GPU_SHARED(type, name, dims) __shared__ type name dims

/* GPU_LAUNCH((kernel<T, 4>), grid, block, stream, arguments…) */
#define GPU_LAUNCH(kernel, grid, block, stream, ...)                                               \
    kernel<<<(grid), (block), 0, (stream)>>>(__VA_ARGS__)
#else
#include "simt.h"
#endif
