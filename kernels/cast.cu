/* Conversions, one-hot rows, constants. */
#include "kernels/common.cuh"
#include "kernels/launch_cast.h"

namespace {

enum { BLOCK = 256 };

__device__ __forceinline__ float number(float x) { return x; }
__device__ __forceinline__ float number(__nv_bfloat16 x) { return __bfloat162float(x); }
__device__ __forceinline__ float number(int32_t x) { return float(x); }
__device__ __forceinline__ float number(int64_t x) { return float(x); }
__device__ __forceinline__ float number(uint8_t x) { return float(x); }

// y, x are (n), read V at a time
template <class Y, class X, int V>
__global__ void __launch_bounds__(BLOCK) cast_kernel(Y *y, const X *x, int64_t n) {
    GPU_WAIT();
    const int64_t i = (int64_t(blockIdx.x) * BLOCK + threadIdx.x) * V;
    if (i + V <= n) {
        const Vec<X, V> from = load<V>(x + i);
        Vec<Y, V> to;
#pragma unroll
        for (int k = 0; k < V; k++) to.v[k] = from_float<Y>(number(from.v[k]));
        store<V>(y + i, to);
    } else {
        for (int64_t k = i; k < n; k++) y[k] = from_float<Y>(number(x[k]));
    }
}

// y is (m, classes)
__global__ void __launch_bounds__(BLOCK)
    one_hot_kernel(float *y, const int32_t *index, unsigned n, Divisor by_classes) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= n) return;
    const unsigned row = by_classes.divide(i), column = i - row * by_classes.by;
    y[i] = index[row] == int32_t(column) ? 1.0f : 0.0f;
}

// y is (n)
template <class Y, int V>
__global__ void __launch_bounds__(BLOCK) fill_kernel(Y *y, float value, int64_t n) {
    GPU_WAIT();
    const int64_t i = (int64_t(blockIdx.x) * BLOCK + threadIdx.x) * V;
    Vec<Y, V> to;
#pragma unroll
    for (int k = 0; k < V; k++) to.v[k] = from_float<Y>(value);
    if (i + V <= n)
        store<V>(y + i, to);
    else
        for (int64_t k = i; k < n; k++) y[k] = to.v[0];
}

/* ---- launchers ---- */

template <class T>
bool aligned(const T *p, int v) {
    return reinterpret_cast<uintptr_t>(p) % (sizeof(T) * size_t(v)) == 0;
}

template <class Y, class X>
cudaError_t cast(Y *y, const X *x, int64_t n, cudaStream_t stream) {
    constexpr int V = 16 / int(sizeof(X) > sizeof(Y) ? sizeof(X) : sizeof(Y));
    if (aligned(y, V) && aligned(x, V))
        GPU_LAUNCH((cast_kernel<Y, X, V>), grid_for(n, BLOCK * V), dim3(BLOCK), stream, y, x, n);
    else
        GPU_LAUNCH((cast_kernel<Y, X, 1>), grid_for(n, BLOCK), dim3(BLOCK), stream, y, x, n);
    return cudaGetLastError();
}

template <class Y>
cudaError_t cast_to(Y *y, const void *x, gan_launch_type type, int64_t n, cudaStream_t stream) {
    switch (type) {
    case GAN_LAUNCH_F32:
        return cast(y, static_cast<const float *>(x), n, stream);
    case GAN_LAUNCH_BF16:
        return cast(y, static_cast<const __nv_bfloat16 *>(x), n, stream);
    case GAN_LAUNCH_I32:
        return cast(y, static_cast<const int32_t *>(x), n, stream);
    case GAN_LAUNCH_I64:
        return cast(y, static_cast<const int64_t *>(x), n, stream);
    case GAN_LAUNCH_U8:
        return cast(y, static_cast<const uint8_t *>(x), n, stream);
    }
    return cudaErrorInvalidValue;
}

template <class Y>
cudaError_t fill(Y *y, float value, int64_t n, cudaStream_t stream) {
    constexpr int V = 16 / int(sizeof(Y));
    if (aligned(y, V))
        GPU_LAUNCH((fill_kernel<Y, V>), grid_for(n, BLOCK * V), dim3(BLOCK), stream, y, value, n);
    else
        GPU_LAUNCH((fill_kernel<Y, 1>), grid_for(n, BLOCK), dim3(BLOCK), stream, y, value, n);
    return cudaGetLastError();
}

} // namespace

extern "C" cudaError_t gan_launch_cast(void *y, gan_launch_type y_type, const void *x,
                                       gan_launch_type x_type, int64_t n, cudaStream_t stream) {
    if (n == 0) return cudaSuccess;
    if (y_type == GAN_LAUNCH_F32) return cast_to(static_cast<float *>(y), x, x_type, n, stream);
    if (y_type == GAN_LAUNCH_BF16)
        return cast_to(static_cast<__nv_bfloat16 *>(y), x, x_type, n, stream);
    return cudaErrorInvalidValue;
}

extern "C" cudaError_t gan_launch_one_hot(float *y, const int32_t *index, int64_t m,
                                          int64_t classes, cudaStream_t stream) {
    const int64_t n = m * classes;
    if (n == 0) return cudaSuccess;
    if (n > INT32_MAX) return cudaErrorInvalidValue;
    GPU_LAUNCH(one_hot_kernel, grid_for(n, BLOCK), dim3(BLOCK), stream, y, index, unsigned(n),
               Divisor(classes));
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_fill(void *y, gan_launch_type type, float value, int64_t n,
                                       cudaStream_t stream) {
    if (n == 0) return cudaSuccess;
    if (type == GAN_LAUNCH_F32) return fill(static_cast<float *>(y), value, n, stream);
    if (type == GAN_LAUNCH_BF16) return fill(static_cast<__nv_bfloat16 *>(y), value, n, stream);
    return cudaErrorInvalidValue;
}
