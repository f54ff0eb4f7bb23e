/* Launches: the arguments are copied at once, the kernel runs when its stream does. */
#pragma once

#include <functional>
#include <tuple>
#include <utility>

namespace simt {

struct launch {
    const char *name;
    const void *kernel;
    dim3 grid, block;
    size_t shared;                /* bytes beside what the kernel declares */
    bool cooperative;             /* all blocks are there at once */
    std::function<void()> thread; /* what each thread runs */
};

/* As <<<grid, block, shared, stream>>>: errors are left for cudaGetLastError(). */
void enqueue(launch what, cudaStream_t stream);

/* Runs all blocks, now. */
void execute(const launch &what);

template <class... P, class... A>
inline void enqueue_kernel(const char *name, void (*kernel)(P...), dim3 grid, dim3 block,
                           size_t shared, bool cooperative, cudaStream_t stream, A &&...arguments) {
    std::tuple<P...> copy(std::forward<A>(arguments)...);
    enqueue({name, reinterpret_cast<const void *>(kernel), grid, block, shared, cooperative,
             [kernel, copy] { std::apply(kernel, copy); }},
            stream);
}

} // namespace simt

/* As in kernels/gpu.h. */
#define GPU_LAUNCH(kernel, grid, block, stream, ...)                                               \
    GPU_LAUNCH_WITH(0, kernel, grid, block, stream, __VA_ARGS__)
#define GPU_LAUNCH_WITH(bytes, kernel, grid, block, stream, ...)                                   \
    simt::enqueue_kernel(#kernel, kernel, (grid), (block), (bytes), false, (stream), __VA_ARGS__)
#define GPU_LAUNCH_COOPERATIVE(kernel, grid, block, stream, ...)                                   \
    GPU_LAUNCH_COOPERATIVE_WITH(0, kernel, grid, block, stream, __VA_ARGS__)
#define GPU_LAUNCH_COOPERATIVE_WITH(bytes, kernel, grid, block, stream, ...)                       \
    simt::enqueue_kernel(#kernel, kernel, (grid), (block), (bytes), true, (stream), __VA_ARGS__)
