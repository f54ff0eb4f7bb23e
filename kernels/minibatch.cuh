/* Mini-batches of images, element by element: what random.cu and joined.cu make of them. */
#pragma once
#include "kernels/random.cuh"

namespace {

/* The example at a place of this iteration's batch. */
__device__ __forceinline__ int64_t shuffled(const gan_launch_shuffle &s, int64_t i) {
    const uint64_t n = uint64_t(s.n),
                   position = uint64_t(*s.from.counter) * uint64_t(s.per_iteration) +
                              uint64_t(s.offset) + uint64_t(i);
    return int64_t(gan_philox_permute(s.from.seed, s.from.stream, position / n, n, position % n));
}

/* BY divides by a number that the host knows (Divisor), or the device alone. */
template <class BY>
struct Batch {
    gan_launch_minibatch_args a;
    BY vectors, line, channels; // of an image: vectors; elements a line; channels a pixel
    unsigned threads;
};

struct Division {
    unsigned by;
    __device__ __forceinline__ unsigned divide(unsigned n) const { return n / by; }
};

/* How many elements a thread makes. */
__host__ __device__ __forceinline__ int batch_width(const gan_launch_minibatch_args &a) {
    const bool whole = a.height * a.width * a.channels % 4 == 0;
    return whole && reinterpret_cast<uintptr_t>(a.data) % 4 == 0 &&
                   reinterpret_cast<uintptr_t>(a.out) % (a.bf16 ? 8 : 16) == 0
               ? 4
               : 1;
}

/* Where in its image element e of the mirrored image comes from. */
template <class BY>
__device__ __forceinline__ unsigned mirrored(const Batch<BY> &b, unsigned e) {
    const unsigned row = b.line.divide(e), within = e - row * b.line.by;
    const unsigned pixel = b.channels.divide(within), channel = within - pixel * b.channels.by;
    return row * b.line.by + (unsigned(b.a.width) - 1 - pixel) * b.channels.by + channel;
}

/* Makes the V elements of thread i. */
template <int V, class BY>
__device__ __forceinline__ void batch_elements(const Batch<BY> &b, unsigned i) {
    const gan_launch_source &from = b.a.from;
    const unsigned image = b.vectors.divide(i), e = (i - image * b.vectors.by) * V;
    const int64_t example = b.a.index ? b.a.index[image] : shuffled(b.a.shuffle, image);
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
    if (b.a.bf16)
        store_floats(static_cast<__nv_bfloat16 *>(b.a.out) + int64_t(i) * V, y);
    else
        store_floats(static_cast<float *>(b.a.out) + int64_t(i) * V, y);
}

} // namespace
