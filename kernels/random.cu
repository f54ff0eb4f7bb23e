/* Noise and mini-batches. Numbers are functions of seed, stream, counter and position, so nothing
 * is kept and any thread can make any of them; counters are read here, so that a captured launch
 * draws anew each time. */
#include "kernels/minibatch.cuh"

namespace {

enum { BLOCK = 256 };

/* ---- kernels ---- */

/* y has n elements; a thread makes four. */
template <class F, class T>
__global__ void __launch_bounds__(BLOCK)
    random_kernel(T *y, int64_t n, const F f, const gan_launch_source from, bool whole) {
    GPU_WAIT();
    const int64_t group = int64_t(blockIdx.x) * BLOCK + threadIdx.x, i = 4 * group;
    if (i >= n) return;
    const gan_philox4 bits = random_words(from, group);
    typename F::Type made[4];
    f(made, bits);
    Vec<T, 4> r;
#pragma unroll
    for (int k = 0; k < 4; k++) r.v[k] = stored<T>(made[k]);
    if (whole && i + 4 <= n) {
        store(y + i, r);
        return;
    }
#pragma unroll
    for (int k = 0; k < 4; k++)
        if (i + k < n) y[i + k] = r.v[k];
}

/* y is (count) */
__global__ void __launch_bounds__(BLOCK)
    shuffle_kernel(int32_t *y, int64_t count, const gan_launch_shuffle shuffle) {
    GPU_WAIT();
    const int64_t i = int64_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (i >= count) return;
    y[i] = int32_t(shuffled(shuffle, i));
}

/* A thread makes V elements of an image. */
template <int V>
__global__ void __launch_bounds__(BLOCK) minibatch_kernel(const Batch<Divisor> b) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i < b.threads) batch_elements<V>(b, i);
}

/* ---- launchers ---- */

template <class F, class T>
cudaError_t fill(T *y, int64_t n, F f, gan_launch_source from, cudaStream_t stream) {
    if (n == 0) return cudaSuccess;
    const bool whole = reinterpret_cast<uintptr_t>(y) % (4 * sizeof(T)) == 0;
    GPU_LAUNCH((random_kernel<F, T>), grid_for(n, 4 * BLOCK), dim3(BLOCK), stream, y, n, f, from,
               whole);
    return cudaGetLastError();
}

} // namespace

extern "C" cudaError_t gan_launch_random_uniform(void *y, int bf16, int64_t n, float low,
                                                 float high, gan_launch_source from,
                                                 cudaStream_t stream) {
    const Uniform f = {low, high - low};
    return bf16 ? fill(static_cast<__nv_bfloat16 *>(y), n, f, from, stream)
                : fill(static_cast<float *>(y), n, f, from, stream);
}

extern "C" cudaError_t gan_launch_random_normal(void *y, int bf16, int64_t n, float mean,
                                                float deviation, gan_launch_source from,
                                                cudaStream_t stream) {
    const Normal f = {mean, deviation};
    return bf16 ? fill(static_cast<__nv_bfloat16 *>(y), n, f, from, stream)
                : fill(static_cast<float *>(y), n, f, from, stream);
}

extern "C" cudaError_t gan_launch_random_index(int32_t *y, int64_t n, int64_t below,
                                               gan_launch_source from, cudaStream_t stream) {
    return fill(y, n, Index{uint32_t(below)}, from, stream);
}

extern "C" cudaError_t gan_launch_shuffled_index(int32_t *y, int64_t count, int64_t n,
                                                 int64_t per_iteration, int64_t offset,
                                                 gan_launch_source from, cudaStream_t stream) {
    if (count == 0) return cudaSuccess;
    const gan_launch_shuffle shuffle = {from, n, per_iteration, offset};
    GPU_LAUNCH(shuffle_kernel, grid_for(count, BLOCK), dim3(BLOCK), stream, y, count, shuffle);
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_minibatch(const gan_launch_minibatch_args *a,
                                            cudaStream_t stream) {
    const int64_t size = a->height * a->width * a->channels;
    if (a->batch * size == 0) return cudaSuccess;
    const int V = batch_width(*a);
    const Batch<Divisor> b = {*a, Divisor(size / V), Divisor(a->width * a->channels),
                              Divisor(a->channels), unsigned(a->batch * size / V)};
    if (V == 4)
        GPU_LAUNCH(minibatch_kernel<4>, grid_for(b.threads, BLOCK), dim3(BLOCK), stream, b);
    else
        GPU_LAUNCH(minibatch_kernel<1>, grid_for(b.threads, BLOCK), dim3(BLOCK), stream, b);
    return cudaGetLastError();
}
