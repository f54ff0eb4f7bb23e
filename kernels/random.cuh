/* Numbers of a block of Philox: what random.cu and joined.cu make of four words of random bits. */
#pragma once
#include "base/philox.h"
#include "kernels/common.cuh"
#include "kernels/launch_random.h"

namespace {

/* a·b + c rounded twice, not contracted: what then depends on single bits is the same on every
 * device. */
__device__ __forceinline__ float twice_rounded(float a, float b, float c) {
    return __fadd_rn(__fmul_rn(a, b), c);
}

struct Uniform {
    float low, span;
    using Type = float;
    __device__ __forceinline__ void operator()(float (&y)[4], const gan_philox4 &bits) const {
#pragma unroll
        for (int i = 0; i < 4; i++) y[i] = twice_rounded(span, gan_philox_uniform(bits.v[i]), low);
    }
};

/* sin and cos of an angle in [0, 2·pi], by quarter turns: polynomials for the rest, of at most an
 * eighth. */
__device__ __forceinline__ void turn(float angle, float &sine, float &cosine) {
    const float n = rintf(__fmul_rn(angle, 0.636619772f));
    const float r = twice_rounded(n, -4.83826794897e-4f, fmaf(n, -1.5703125f, angle)), z = r * r;
    const int quarter = int(n);
    float s = fmaf(fmaf(-0.000195167737f, z, 0.00833217500f), z, -0.166666549f);
    float c = fmaf(fmaf(fmaf(2.44385614e-5f, z, -0.00138873702f), z, 0.0416666470f), z, -0.5f);
    s = fmaf(s * z, r, r);
    c = fmaf(c, z, 1.0f);
    sine = quarter & 1 ? c : s;
    cosine = quarter & 1 ? s : c;
    if (quarter & 2) sine = -sine;
    if ((quarter + 1) & 2) cosine = -cosine;
}

/* Box and Muller 1958, with cuRAND's constants: pairs, the sine first. */
struct Normal {
    float mean, deviation;
    using Type = float;
    __device__ __forceinline__ void operator()(float (&y)[4], const gan_philox4 &bits) const {
#pragma unroll
        for (int i = 0; i < 4; i += 2) {
            const float radius = deviation * sqrtf(-2.0f * logf(gan_philox_uniform(bits.v[i])));
            float sine, cosine;
            turn(twice_rounded(float(bits.v[i + 1]), 1.46291807e-9f, 7.31459037e-10f), sine,
                 cosine);
            y[i] = fmaf(radius, sine, mean);
            y[i + 1] = fmaf(radius, cosine, mean);
        }
    }
};

struct Index {
    uint32_t below;
    using Type = int32_t;
    __device__ __forceinline__ void operator()(int32_t (&y)[4], const gan_philox4 &bits) const {
#pragma unroll
        for (int i = 0; i < 4; i++) y[i] = int32_t(uint64_t(bits.v[i]) * below >> 32);
    }
};

/* A number as it is stored: floats may be rounded. */
template <class T, class S>
__device__ __forceinline__ T stored(S x) {
    if constexpr (sizeof(T) == sizeof(S))
        return x;
    else
        return from_float<T>(x);
}

/* The words of elements 4·group … 4·group + 3. */
__device__ __forceinline__ gan_philox4 random_words(const gan_launch_source &from, int64_t group) {
    return gan_philox(from.seed, gan_philox_subsequence(from.stream, uint64_t(group)),
                      uint64_t(*from.counter));
}

} // namespace
