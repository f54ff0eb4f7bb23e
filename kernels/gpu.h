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

/* The first statement of every kernel. A launch may have begun before the one ahead of it in its
 * stream has ended (src/cuda/early.c): here it waits until what that has written can be read, and
 * then lets the next one begin, if that is to. */
__device__ __forceinline__ void gpu_wait() {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 900
    asm volatile("griddepcontrol.wait;" ::: "memory");
    asm volatile("griddepcontrol.launch_dependents;");
#endif
}
#define GPU_WAIT() gpu_wait()

/* c += a·b on tensor cores: a is 16 x 16, b 16 x 8, both bfloat16, c 16 x 8. Lane 4·i + j of the
 * warp has elements 2·j and 2·j + 1 of rows i and i + 8 of c; of a, a pair a word, those of row i
 * and of row i + 8, then the same with 8 added to the columns; and of column i of b those of rows
 * 2·j and 2·j + 1, then with 8 added. All lanes take part. */
__device__ __forceinline__ void gpu_multiply_add(float (&c)[4], const unsigned (&a)[4],
                                                 const unsigned (&b)[2]) {
#if !defined(__CUDA_ARCH__) || __CUDA_ARCH__ >= 800
    asm("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, "
        "{%8, %9}, {%0, %1, %2, %3};"
        : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#else /* what has no such cores for bfloat16 */
    const unsigned all = 0xffffffffu, lane = threadIdx.x % 32;
    const auto even = [](unsigned pair) { return __uint_as_float(pair << 16); };
    const auto odd = [](unsigned pair) { return __uint_as_float(pair & 0xffff0000u); };
#pragma unroll 1
    for (unsigned j = 0; j < 4; j++)
#pragma unroll
        for (int word = 0; word < 4; word++) {
            const unsigned x = __shfl_sync(all, a[word], lane / 4 * 4 + j);
#pragma unroll
            for (unsigned i = 0; i < 2; i++) {
                const unsigned y = __shfl_sync(all, b[word / 2], lane % 4 * 8 + 4 * i + j);
                float &sum = c[word % 2 * 2 + i];
                sum = fmaf(odd(x), odd(y), fmaf(even(x), even(y), sum));
            }
        }
#endif
}
#define GPU_MULTIPLY_ADD(c, a, b) gpu_multiply_add((c), (a), (b))

/* GPU_LAUNCH((kernel<T, 4>), grid, block, stream, arguments…) */
#define GPU_LAUNCH(kernel, grid, block, stream, ...)                                               \
    kernel<<<(grid), (block), 0, (stream)>>>(__VA_ARGS__)

/* Shared memory of as many bytes as the launch asks for beside the declared: GPU_SHARED_MORE(Vec<T,
 * 4>, rows); aligned for 128-bit accesses. GPU_LAUNCH_WITH(bytes, …) asks for it. */
#define GPU_SHARED_MORE(type, name)                                                                \
    extern __shared__ uint4 gpu_shared_more[];                                                     \
    type *const name = reinterpret_cast<type *>(gpu_shared_more)
#define GPU_LAUNCH_WITH(bytes, kernel, grid, block, stream, ...)                                   \
    kernel<<<(grid), (block), (bytes), (stream)>>>(__VA_ARGS__)

/* The same, with all blocks on the device at once, so that they can wait for each other;
 * barrier.cuh says how, and how many there may be. */
#define GPU_LAUNCH_COOPERATIVE(kernel, grid, block, stream, ...)                                   \
    gpu_launch_cooperative(0, (kernel), (grid), (block), (stream), __VA_ARGS__)
#define GPU_LAUNCH_COOPERATIVE_WITH(bytes, kernel, grid, block, stream, ...)                       \
    gpu_launch_cooperative((bytes), (kernel), (grid), (block), (stream), __VA_ARGS__)

/* A word that other blocks write, from where they see it, too: for loops that wait for it. */
#define GPU_POLL(address) (*static_cast<const volatile unsigned *>(address))

template <class... P, class... A>
inline void gpu_launch_cooperative(size_t bytes, void (*kernel)(P...), dim3 grid, dim3 block,
                                   cudaStream_t stream, A &&...arguments) {
    cudaLaunchAttribute attribute = {};
    attribute.id = cudaLaunchAttributeCooperative;
    attribute.val.cooperative = 1;
    cudaLaunchConfig_t config = {};
    config.gridDim = grid;
    config.blockDim = block;
    config.dynamicSmemBytes = bytes;
    config.stream = stream;
    config.attrs = &attribute;
    config.numAttrs = 1;
    (void)cudaLaunchKernelEx(&config, kernel, static_cast<A &&>(arguments)...); // keeps its error
}
#else
#include "simt.h"
#endif
