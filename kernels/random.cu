/* Noise and mini-batches. Numbers are functions of seed, stream, counter and position, so nothing
 * is kept and any thread can make any of them; counters are read here, so that a captured launch
 * draws anew each time. */
#include "kernels/random.cuh"

namespace {

enum { BLOCK = 256 };

/* ---- kernels ---- */

/* y has n elements; a thread makes four. */
template <class F, class T>
__global__ void __launch_bounds__(BLOCK)
    random_kernel(T *y, int64_t n, const F f, const gan_launch_source from, bool whole) {
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
    shuffle_kernel(int32_t *y, int64_t count, uint64_t n, uint64_t per_iteration, uint64_t offset,
                   const gan_launch_source from) {
    const int64_t i = int64_t(blockIdx.x) * BLOCK + threadIdx.x;
    if (i >= count) return;
    const uint64_t position = uint64_t(*from.counter) * per_iteration + offset + uint64_t(i);
    y[i] = int32_t(gan_philox_permute(from.seed, from.stream, position / n, n, position % n));
}

struct Batch {
    gan_launch_minibatch_args a;
    Divisor vectors, line, channels; // of an image: vectors; elements a line; channels a pixel
    unsigned threads;
};

/* Where in its image element e of the mirrored image comes from. */
__device__ __forceinline__ unsigned mirrored(const Batch &b, unsigned e) {
    const unsigned row = b.line.divide(e), within = e - row * b.line.by;
    const unsigned pixel = b.channels.divide(within), channel = within - pixel * b.channels.by;
    return row * b.line.by + (unsigned(b.a.width) - 1 - pixel) * b.channels.by + channel;
}

/* A thread makes V elements of an image. */
template <int V>
__global__ void __launch_bounds__(BLOCK) minibatch_kernel(const Batch b) {
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= b.threads) return;
    const gan_launch_source &from = b.a.from;
    const unsigned image = b.vectors.divide(i), e = (i - image * b.vectors.by) * V;
    const int64_t example = b.a.index[image];
    float y[V] = {};
    if (example >= 0 && example < b.a.examples) {
        const uint8_t *x = b.a.data + example * b.a.height * int64_t(b.line.by);
        bool flip = false;
        if (b.a.flip) {
            const gan_philox4 bits = gan_philox(
                from.seed, gan_philox_subsequence(from.stream, image / 4), uint64_t(*from.counter));
#pragma unroll
            for (int k = 0; k < 4; k++)
                flip = flip || (image % 4 == unsigned(k) && (bits.v[k] & 1u));
        }
        Vec<uint8_t, V> bytes;
        if (flip) {
#pragma unroll
            for (int k = 0; k < V; k++) bytes.v[k] = x[mirrored(b, e + k)];
        } else {
            bytes = load<V>(x + e);
        }
#pragma unroll
        for (int k = 0; k < V; k++) y[k] = twice_rounded(b.a.scale, float(bytes.v[k]), b.a.shift);
    }
    store_floats(b.a.out + int64_t(i) * V, y);
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
    GPU_LAUNCH(shuffle_kernel, grid_for(count, BLOCK), dim3(BLOCK), stream, y, count, uint64_t(n),
               uint64_t(per_iteration), uint64_t(offset), from);
    return cudaGetLastError();
}

extern "C" cudaError_t gan_launch_minibatch(const gan_launch_minibatch_args *a,
                                            cudaStream_t stream) {
    const int64_t size = a->height * a->width * a->channels;
    if (a->batch * size == 0) return cudaSuccess;
    const bool fours =
        vector_width(a->data, size, 1, 4) == 4 && vector_width(a->out, size, 4, 4) == 4;
    Batch b;
    b.a = *a;
    b.vectors = Divisor(fours ? size / 4 : size);
    b.line = Divisor(a->width * a->channels);
    b.channels = Divisor(a->channels);
    b.threads = unsigned(a->batch) * b.vectors.by;
    if (fours)
        GPU_LAUNCH(minibatch_kernel<4>, grid_for(b.threads, BLOCK), dim3(BLOCK), stream, b);
    else
        GPU_LAUNCH(minibatch_kernel<1>, grid_for(b.threads, BLOCK), dim3(BLOCK), stream, b);
    return cudaGetLastError();
}
