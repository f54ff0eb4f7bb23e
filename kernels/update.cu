/* What changes variables: one pass over flat vectors, V elements to a thread. Rates, decays and
 * counters are read on the device, so that a captured launch follows their course. */
#include "kernels/common.cuh"
#include "kernels/launch_update.h"

#include <cmath>

namespace {

enum { BLOCK = 256 };

/* ---- kernels ---- */

__global__ void __launch_bounds__(32) advance_kernel(int64_t *counter, int64_t by) {
    GPU_WAIT();
    if (threadIdx.x == 0) *counter += by;
}

/* y and x are (n) */
template <int V>
__global__ void __launch_bounds__(BLOCK)
    average_kernel(float *y, const float *x, const float *decay, int64_t n) {
    GPU_WAIT();
    const int64_t i = (int64_t(blockIdx.x) * BLOCK + threadIdx.x) * V;
    if (i >= n) return;
    const float kept = *decay, rest = 1.0f - kept;
    float a[V], b[V];
    load_floats(a, y + i);
    load_floats(b, x + i);
#pragma unroll
    for (int k = 0; k < V; k++) a[k] = kept * a[k] + rest * b[k];
    store_floats(y + i, a);
}

/* ring is (rows, width) */
__global__ void __launch_bounds__(GAN_LAUNCH_RECORD_VALUES)
    record_kernel(const gan_launch_record_args a) {
    GPU_WAIT();
    const int64_t counter = *a.counter;
    const int i = int(threadIdx.x);
    if (counter % a.every != 0 || i >= a.n) return;
    a.ring[counter / a.every % a.rows * a.width + a.first + i] = *a.value[i];
}

/* Four elements to a thread at a time. */
template <class T>
__device__ __forceinline__ void pack_piece(float *to, const T *from, int64_t n, int64_t padded) {
    const bool aligned = reinterpret_cast<uintptr_t>(to) % 16 == 0 &&
                         reinterpret_cast<uintptr_t>(from) % (4 * sizeof(T)) == 0;
    const int64_t step = int64_t(gridDim.x) * BLOCK * 4;
    int64_t i = (int64_t(blockIdx.x) * BLOCK + threadIdx.x) * 4;
    if (!from) i += n / (BLOCK * 4) * (BLOCK * 4); // all before is in place
    for (; i < padded; i += step) {
        if (aligned && from && i + 4 <= n) {
            float four[4];
            load_floats(four, from + i);
            store_floats(to + i, four);
            continue;
        }
        for (int64_t k = i; k < i + 4 && k < padded; k++) {
            if (k >= n)
                to[k] = 0.0f;
            else if (from)
                to[k] = to_float(from[k]);
        }
    }
}

/* Blocks y: the pieces; blocks x share out a piece. */
__global__ void __launch_bounds__(BLOCK) pack_kernel(const gan_launch_pack_args a) {
    GPU_WAIT();
    float *to = a.piece[blockIdx.y].to;
    const void *from = a.piece[blockIdx.y].from;
    const int64_t n = a.piece[blockIdx.y].n, padded = a.piece[blockIdx.y].padded;
    if (a.piece[blockIdx.y].bf16)
        pack_piece(to, static_cast<const __nv_bfloat16 *>(from), n, padded);
    else
        pack_piece(to, static_cast<const float *>(from), n, padded);
}

/* ---- gradients in pieces ---- */

enum { LINE = 16 };

/* The last piece that begins by `line`: of those that begin together all but the last are empty. */
__device__ __forceinline__ int piece_at(const gan_launch_pieces &g, uint32_t line) {
    int found = 0;
#pragma unroll
    for (int step = GAN_LAUNCH_PIECES / 2; step > 0; step /= 2)
        if (found + step < g.n && g.piece[found + step].line <= line) found += step;
    return found;
}

/* V elements from `at` on, of which n are there. */
template <int V, class T>
__device__ __forceinline__ void load_piece(float (&y)[V], const T *data, int64_t at, int64_t n) {
    const bool aligned = reinterpret_cast<uintptr_t>(data) % (V * sizeof(T)) == 0;
    if (aligned && at + V <= n) {
        load_floats(y, data + at);
        return;
    }
#pragma unroll
    for (int k = 0; k < V; k++) y[k] = at + k < n ? to_float(data[at + k]) : 0.0f;
}

/* Elements i to i + V - 1; V divides a line, so that they are of one piece. */
template <int V>
__device__ __forceinline__ void load_gradient(float (&y)[V], const gan_launch_pieces &g,
                                              int64_t i) {
    const auto &p = g.piece[piece_at(g, uint32_t(i / LINE))];
    const int64_t at = i - int64_t(p.line) * LINE;
    if (p.bf16)
        load_piece(y, static_cast<const __nv_bfloat16 *>(p.data), at, p.n);
    else
        load_piece(y, static_cast<const float *>(p.data), at, p.n);
}

/* ---- optimisers ---- */

struct Adam {
    float *weight, *first, *second; // (n)
    int64_t n;
    const float *rate;
    const int64_t *counter;
    int64_t per_iteration, offset;
    double log_beta1, log_beta2;
    float beta1, beta2, rest1, rest2, eps;
    __nv_bfloat16 *copy; // (n), or NULL
};

/* The bias corrections are the same for all: 1 - beta^t = -expm1(t·log beta), which loses nothing
 * where beta^t is close to 1; the product alone needs double. */
template <int V>
__global__ void __launch_bounds__(BLOCK)
    adam_kernel(const Adam a, const __grid_constant__ gan_launch_pieces gradient) {
    GPU_WAIT();
    GPU_SHARED(float, factor, [2]);
    const int64_t i = (int64_t(blockIdx.x) * BLOCK + threadIdx.x) * V;
    const bool there = i < a.n;
    float w[V], m[V], v[V], g[V];
    if (there) {
        load_floats(m, a.first + i);
        load_floats(v, a.second + i);
        load_floats(w, a.weight + i);
        load_gradient(g, gradient, i);
    }
    if (threadIdx.x == 0) {
        const double t = double(*a.counter * a.per_iteration + a.offset + 1);
        factor[0] = *a.rate / -expm1f(float(t * a.log_beta1));
        factor[1] = 1.0f / -expm1f(float(t * a.log_beta2));
    }
    __syncthreads();
    if (!there) return;
    const float step = factor[0], correction = factor[1];
#pragma unroll
    for (int k = 0; k < V; k++) {
        m[k] = a.beta1 * m[k] + a.rest1 * g[k];
        v[k] = a.beta2 * v[k] + a.rest2 * (g[k] * g[k]);
        w[k] -= step * m[k] / (sqrtf(v[k] * correction) + a.eps);
    }
    store_floats(a.first + i, m);
    store_floats(a.second + i, v);
    store_floats(a.weight + i, w);
    if (a.copy) store_floats(a.copy + i, w);
}

/* all are (n) */
template <int V>
__global__ void __launch_bounds__(BLOCK)
    momentum_kernel(float *weight, float *velocity, int64_t n, const float *rate,
                    const float *momentum, __nv_bfloat16 *copy,
                    const __grid_constant__ gan_launch_pieces gradient) {
    GPU_WAIT();
    const int64_t i = (int64_t(blockIdx.x) * BLOCK + threadIdx.x) * V;
    if (i >= n) return;
    const float kept = *momentum, step = *rate;
    float w[V], v[V], g[V];
    load_floats(v, velocity + i);
    load_floats(w, weight + i);
    load_gradient(g, gradient, i);
#pragma unroll
    for (int k = 0; k < V; k++) {
        v[k] = kept * v[k] - step * g[k];
        w[k] += v[k];
    }
    store_floats(velocity + i, v);
    store_floats(weight + i, w);
    if (copy) store_floats(copy + i, w);
}

/* ---- launchers ---- */

bool fours(const void *p, int64_t n) { return vector_width(p, n, 4, 4) == 4; }
bool halves(const void *p, int64_t n) { return vector_width(p, n, 2, 4) == 4; }

} // namespace

extern "C" cudaError_t gan_launch_advance(int64_t *counter, int64_t by, cudaStream_t stream) {
    GPU_LAUNCH(advance_kernel, dim3(1), dim3(32), stream, counter, by);
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_moving_average(float *y, const float *x, const float *decay,
                                                 int64_t n, cudaStream_t stream) {
    if (n == 0) return cudaSuccess;
    if (fours(y, n) && fours(x, n))
        GPU_LAUNCH(average_kernel<4>, grid_for(n, 4 * BLOCK), dim3(BLOCK), stream, y, x, decay, n);
    else
        GPU_LAUNCH(average_kernel<1>, grid_for(n, BLOCK), dim3(BLOCK), stream, y, x, decay, n);
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_record(const gan_launch_record_args *a, cudaStream_t stream) {
    if (a->n == 0) return cudaSuccess;
    GPU_LAUNCH(record_kernel, dim3(1), dim3(GAN_LAUNCH_RECORD_VALUES), stream, *a);
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_pack(const gan_launch_pack_args *a, cudaStream_t stream) {
    const int64_t most = 256;
    int64_t longest = 0;
    for (int i = 0; i < a->n_pieces; i++) {
        const int64_t n = a->piece[i].from ? a->piece[i].padded : 1;
        if (n > longest) longest = n;
    }
    if (longest == 0) return cudaSuccess;
    const int64_t blocks = ceil_div(longest, 4 * BLOCK);
    const dim3 grid(unsigned(blocks < most ? blocks : most), unsigned(a->n_pieces));
    GPU_LAUNCH(pack_kernel, grid, dim3(BLOCK), stream, *a);
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_adam(const gan_launch_adam_args *l, cudaStream_t stream) {
    if (l->n == 0) return cudaSuccess;
    Adam a;
    a.weight = l->weight, a.first = l->first, a.second = l->second;
    a.n = l->n, a.rate = l->rate, a.counter = l->counter;
    a.per_iteration = l->per_iteration, a.offset = l->offset;
    a.log_beta1 = std::log(l->beta1), a.log_beta2 = std::log(l->beta2);
    a.beta1 = float(l->beta1), a.beta2 = float(l->beta2);
    a.rest1 = float(1 - l->beta1), a.rest2 = float(1 - l->beta2);
    a.eps = float(l->eps);
    a.copy = static_cast<__nv_bfloat16 *>(l->copy);
    if (fours(l->weight, l->n) && fours(l->first, l->n) && fours(l->second, l->n) &&
        halves(l->copy, l->n))
        GPU_LAUNCH(adam_kernel<4>, grid_for(l->n, 4 * BLOCK), dim3(BLOCK), stream, a, *l->gradient);
    else
        GPU_LAUNCH(adam_kernel<1>, grid_for(l->n, BLOCK), dim3(BLOCK), stream, a, *l->gradient);
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_momentum(float *weight, float *velocity,
                                           const gan_launch_pieces *gradient, int64_t n,
                                           const float *rate, const float *momentum, void *copy,
                                           cudaStream_t stream) {
    __nv_bfloat16 *half = static_cast<__nv_bfloat16 *>(copy);
    if (n == 0) return cudaSuccess;
    if (fours(weight, n) && fours(velocity, n) && halves(copy, n))
        GPU_LAUNCH(momentum_kernel<4>, grid_for(n, 4 * BLOCK), dim3(BLOCK), stream, weight,
                   velocity, n, rate, momentum, half, *gradient);
    else
        GPU_LAUNCH(momentum_kernel<1>, grid_for(n, BLOCK), dim3(BLOCK), stream, weight, velocity, n,
                   rate, momentum, half, *gradient);
    return cudaGetLastError();
}
