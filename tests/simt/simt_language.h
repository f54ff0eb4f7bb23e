/* CUDA's keywords and built-in variables. */
#pragma once

#include <cstddef>

#undef __global__
#undef __device__
#undef __host__
#undef __shared__
#undef __constant__
#undef __launch_bounds__
#undef __forceinline__
#undef __noinline__
#undef __restrict__
#define __global__
#define __device__
#define __host__
#define __constant__ static
#define __forceinline__ inline __attribute__((always_inline))
#define __restrict__ __restrict
#define __shared__ static_assert(false, "write GPU_SHARED(type, name, dimensions)");

/* As many no-operations in front of the kernel's code as it may have threads: a launch counts them
 * (bounds.cpp). The only attribute that takes a template's constant and can be read at run time. */
#if defined(__GNUC__) && !defined(__clang__)
#define __launch_bounds__(threads, ...)                                                            \
    __attribute__((patchable_function_entry((threads), (threads))))
#else
#define __launch_bounds__(...)
#endif

extern uint3 threadIdx, blockIdx;
extern dim3 blockDim, gridDim;
constexpr int warpSize = 32;

namespace simt {

struct site { /* where in the kernel */
    const char *file;
    int line;
};

/* Ends the program: a kernel did what CUDA does not define. */
[[noreturn]] void fail(site where, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* A block's shared array, by the address that stands for its declaration; filled with 0xff. */
void *shared_array(const void *declaration, size_t bytes, size_t alignment);

/* The one that the launch asked for; NULL when it did not. */
void *shared_more();

} // namespace simt

#define SIMT_HERE (simt::site{__FILE__, __LINE__})

/* As in kernels/gpu.h. */
#define GPU_SHARED(type, name, dims)                                                               \
    typedef type name##_type_ dims;                                                                \
    static const char name##_declaration_ = 0;                                                     \
    name##_type_ &name = *static_cast<name##_type_ *>(                                             \
        simt::shared_array(&name##_declaration_, sizeof(name##_type_), alignof(name##_type_)))
#define GPU_SHARED_MORE(type, name) type *const name = static_cast<type *>(simt::shared_more())
