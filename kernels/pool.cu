/* Pooling over windows of images, and the adjoints, which gather: every thread makes V channels of
 * one place of the result, so that nothing is added to from two sides and the order of sums is
 * fixed. */
#include "kernels/common.cuh"
#include "kernels/launch_pool.h"

namespace {

enum { BLOCK = 256 };

/* ---- kernels ---- */

struct Pool {
    gan_launch_pool_args a;
    Divisor vectors, columns, rows; // of the result: vectors a place, places a row, rows an image
    unsigned threads;
    float scale; // of a mean
};

struct Place {
    int64_t image;
    int row, column, channel;
};

__device__ __forceinline__ Place place_of(const Pool &p, unsigned i, int v) {
    Place at;
    const unsigned place = p.vectors.divide(i), line = p.columns.divide(place),
                   image = p.rows.divide(line);
    at.channel = int(i - place * p.vectors.by) * v;
    at.column = int(place - line * p.columns.by);
    at.row = int(line - image * p.rows.by);
    at.image = image;
    return at;
}

/* The part [begin, end) of `length` pixels that window `i` covers. */
struct Span {
    int begin, end;
};

__device__ __forceinline__ Span covered(int i, int size, int stride, int before, int64_t length) {
    const int start = i * stride - before;
    return {max(start, 0), min(start + size, int(length))};
}

/* The windows [begin, end) of `count` that cover pixel `i`. */
__device__ __forceinline__ Span covering(int i, int size, int stride, int before, int64_t count) {
    const int last = i + before, first = last - size + 1;
    return {first <= 0 ? 0 : (first + stride - 1) / stride, min(last / stride + 1, int(count))};
}

__device__ __forceinline__ int64_t wide_offset(const Pool &p, const Place &at, int h, int w) {
    return ((at.image * p.a.height + h) * p.a.width + w) * p.a.channels + at.channel;
}

__device__ __forceinline__ int64_t pooled_offset(const Pool &p, const Place &at, int row,
                                                 int column) {
    return ((at.image * p.a.p + row) * p.a.q + column) * p.a.channels + at.channel;
}

/* y is (n, p, q, channels), x (n, height, width, channels) */
template <class T, int V>
__global__ void __launch_bounds__(BLOCK) average_kernel(T *y, const T *x, const Pool p) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= p.threads) return;
    const Place at = place_of(p, i, V);
    const Span h = covered(at.row, p.a.size_h, p.a.stride_h, p.a.top, p.a.height);
    const Span w = covered(at.column, p.a.size_w, p.a.stride_w, p.a.left, p.a.width);
    float sum[V] = {};
    for (int r = h.begin; r < h.end; r++)
#pragma unroll 1
        for (int s = w.begin; s < w.end; s++) {
            float value[V];
            load_floats(value, x + wide_offset(p, at, r, s));
#pragma unroll
            for (int k = 0; k < V; k++) sum[k] += value[k];
        }
#pragma unroll
    for (int k = 0; k < V; k++) sum[k] *= p.scale;
    store_floats(y + int64_t(i) * V, sum);
}

/* dx is (n, height, width, channels), dy (n, p, q, channels) */
template <class T, int V>
__global__ void __launch_bounds__(BLOCK) average_adjoint_kernel(T *dx, const T *dy, const Pool p) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= p.threads) return;
    const Place at = place_of(p, i, V);
    const Span h = covering(at.row, p.a.size_h, p.a.stride_h, p.a.top, p.a.p);
    const Span w = covering(at.column, p.a.size_w, p.a.stride_w, p.a.left, p.a.q);
    float sum[V] = {};
    for (int r = h.begin; r < h.end; r++)
        for (int s = w.begin; s < w.end; s++) {
            float value[V];
            load_floats(value, dy + pooled_offset(p, at, r, s));
#pragma unroll
            for (int k = 0; k < V; k++) sum[k] += p.scale * value[k];
        }
    store_floats(dx + int64_t(i) * V, sum);
}

/* Whether a is the maximum rather than b, which comes first. */
__device__ __forceinline__ bool exceeds(float a, float b) {
    return a > b || (isnan(a) && !isnan(b));
}

/* y is (n, p, q, channels); x and from are (n, height, width, channels) */
template <class T, int V>
__global__ void __launch_bounds__(BLOCK) max_kernel(T *y, const T *x, const T *from, const Pool p) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= p.threads) return;
    const Place at = place_of(p, i, V);
    const Span h = covered(at.row, p.a.size_h, p.a.stride_h, p.a.top, p.a.height);
    const Span w = covered(at.column, p.a.size_w, p.a.stride_w, p.a.left, p.a.width);
    float best[V] = {}, chosen[V] = {};
    bool first = true;
    for (int r = h.begin; r < h.end; r++)
        for (int s = w.begin; s < w.end; s++) {
            const int64_t offset = wide_offset(p, at, r, s);
            float value[V], other[V];
            load_floats(value, x + offset);
            if (from == x) {
#pragma unroll
                for (int k = 0; k < V; k++) other[k] = value[k];
            } else {
                load_floats(other, from + offset);
            }
#pragma unroll
            for (int k = 0; k < V; k++)
                if (first || exceeds(value[k], best[k])) {
                    best[k] = value[k];
                    chosen[k] = other[k];
                }
            first = false;
        }
    store_floats(y + int64_t(i) * V, chosen);
}

/* dx and x are (n, height, width, channels), dy (n, p, q, channels). A pixel is its window's first
 * maximum when none before it is as large and none after it is larger. */
template <class T, int V>
__global__ void __launch_bounds__(BLOCK, 2)
    max_adjoint_kernel(T *dx, const T *x, const T *dy, const Pool p) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= p.threads) return;
    const Place at = place_of(p, i, V);
    const Span rows = covering(at.row, p.a.size_h, p.a.stride_h, p.a.top, p.a.p);
    const Span columns = covering(at.column, p.a.size_w, p.a.stride_w, p.a.left, p.a.q);
    float own[V], sum[V] = {};
    load_floats(own, x + int64_t(i) * V);
    for (int row = rows.begin; row < rows.end; row++)
        for (int column = columns.begin; column < columns.end; column++) {
            const Span h = covered(row, p.a.size_h, p.a.stride_h, p.a.top, p.a.height);
            const Span w = covered(column, p.a.size_w, p.a.stride_w, p.a.left, p.a.width);
            bool largest[V];
#pragma unroll
            for (int k = 0; k < V; k++) largest[k] = true;
            for (int r = h.begin; r < h.end; r++)
                for (int s = w.begin; s < w.end; s++) {
                    if (r == at.row && s == at.column) continue;
                    const bool before = r < at.row || (r == at.row && s < at.column);
                    float value[V];
                    load_floats(value, x + wide_offset(p, at, r, s));
#pragma unroll
                    for (int k = 0; k < V; k++)
                        largest[k] = largest[k] && (before ? exceeds(own[k], value[k])
                                                           : !exceeds(value[k], own[k]));
                }
            float gradient[V];
            load_floats(gradient, dy + pooled_offset(p, at, row, column));
#pragma unroll
            for (int k = 0; k < V; k++) sum[k] += largest[k] ? gradient[k] : 0.0f;
        }
    store_floats(dx + int64_t(i) * V, sum);
}

/* ---- launchers ---- */

/* The result is (n, rows, columns, channels), V channels to a thread. */
Pool pool_of(const gan_launch_pool_args *a, int64_t rows, int64_t columns, int v) {
    Pool p;
    p.a = *a;
    p.vectors = Divisor(a->channels / v);
    p.columns = Divisor(columns);
    p.rows = Divisor(rows);
    p.threads = unsigned(a->n * rows * columns * (a->channels / v));
    p.scale = 1.0f / float(a->size_h * a->size_w);
    return p;
}

/* Whether every operand can be accessed V elements at a time. */
template <class T, int V, class... X>
bool aligned(int64_t channels, X... x) {
    return ((vector_width(x, channels, int(sizeof(T)), V) == V) && ...);
}

#define LAUNCH(kernel, rows, columns, ...)                                                         \
    do {                                                                                           \
        const bool vectors = aligned<T, V>(a->channels, __VA_ARGS__);                              \
        const Pool p = pool_of(a, rows, columns, vectors ? V : 1);                                 \
        const dim3 grid = grid_for(p.threads, BLOCK);                                              \
        if (p.threads == 0) return cudaSuccess;                                                    \
        if (vectors)                                                                               \
            GPU_LAUNCH((kernel<T, V>), grid, dim3(BLOCK), stream, __VA_ARGS__, p);                 \
        else                                                                                       \
            GPU_LAUNCH((kernel<T, 1>), grid, dim3(BLOCK), stream, __VA_ARGS__, p);                 \
        return cudaGetLastError();                                                                 \
    } while (0)

/* Of one type, 128 bits of it to a thread. */
template <class T>
struct Launch {
    static constexpr int V = 16 / int(sizeof(T));
    const gan_launch_pool_args *a;
    cudaStream_t stream;

    cudaError_t average(void *y_, const void *x_) const {
        T *y = static_cast<T *>(y_);
        const T *x = static_cast<const T *>(x_);
        LAUNCH(average_kernel, a->p, a->q, y, x);
    }
    cudaError_t average_adjoint(void *dx_, const void *dy_) const {
        T *dx = static_cast<T *>(dx_);
        const T *dy = static_cast<const T *>(dy_);
        LAUNCH(average_adjoint_kernel, a->height, a->width, dx, dy);
    }
    cudaError_t max(void *y_, const void *x_, const void *from_) const {
        T *y = static_cast<T *>(y_);
        const T *x = static_cast<const T *>(x_), *from = static_cast<const T *>(from_);
        LAUNCH(max_kernel, a->p, a->q, y, x, from);
    }
    cudaError_t max_adjoint(void *dx_, const void *x_, const void *dy_) const {
        T *dx = static_cast<T *>(dx_);
        const T *x = static_cast<const T *>(x_), *dy = static_cast<const T *>(dy_);
        LAUNCH(max_adjoint_kernel, a->height, a->width, dx, x, dy);
    }
};
#undef LAUNCH

} // namespace

extern "C" cudaError_t gan_launch_average_pool(void *y, const void *x,
                                               const gan_launch_pool_args *a, cudaStream_t stream) {
    return a->bf16 ? Launch<__nv_bfloat16>{a, stream}.average(y, x)
                   : Launch<float>{a, stream}.average(y, x);
}

extern "C" cudaError_t gan_launch_average_pool_adjoint(void *dx, const void *dy,
                                                       const gan_launch_pool_args *a,
                                                       cudaStream_t stream) {
    return a->bf16 ? Launch<__nv_bfloat16>{a, stream}.average_adjoint(dx, dy)
                   : Launch<float>{a, stream}.average_adjoint(dx, dy);
}

extern "C" cudaError_t gan_launch_max_pool(void *y, const void *x, const void *from,
                                           const gan_launch_pool_args *a, cudaStream_t stream) {
    return a->bf16 ? Launch<__nv_bfloat16>{a, stream}.max(y, x, from)
                   : Launch<float>{a, stream}.max(y, x, from);
}

extern "C" cudaError_t gan_launch_max_pool_adjoint(void *dx, const void *x, const void *dy,
                                                   const gan_launch_pool_args *a,
                                                   cudaStream_t stream) {
    return a->bf16 ? Launch<__nv_bfloat16>{a, stream}.max_adjoint(dx, x, dy)
                   : Launch<float>{a, stream}.max_adjoint(dx, x, dy);
}
