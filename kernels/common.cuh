/* What kernels share: vectors of up to 128 bits, numbers as floats, reductions in a fixed order,
 * indices. */
#pragma once
#include "kernels/gpu.h"

#include <cstdint>
#include <cstring>

namespace {

/* ---- vectors: one access of N·sizeof(T) = 1, 2, 4, 8 or 16 bytes; the address is a multiple of
 * that ---- */

template <class T, int N>
struct alignas(sizeof(T) * N) Vec {
    T v[N];
};

template <int BYTES>
struct Word;
template <>
struct Word<1> {
    using type = unsigned char;
};
template <>
struct Word<2> {
    using type = unsigned short;
};
template <>
struct Word<4> {
    using type = unsigned;
};
template <>
struct Word<8> {
    using type = uint2;
};
template <>
struct Word<16> {
    using type = uint4;
};

template <int N, class T>
__device__ __forceinline__ Vec<T, N> load(const T *p) {
    using W = typename Word<int(sizeof(T) * N)>::type;
    const W w = *reinterpret_cast<const W *>(p);
    Vec<T, N> r;
    memcpy(&r, &w, sizeof r);
    return r;
}

template <int N, class T>
__device__ __forceinline__ void store(T *p, const Vec<T, N> &r) {
    using W = typename Word<int(sizeof(T) * N)>::type;
    W w;
    memcpy(&w, &r, sizeof w);
    *reinterpret_cast<W *>(p) = w;
}

/* How many elements of `bytes` bytes an access from `p` on may have when rows of `length` elements
 * follow each other there: the largest power of two up to `most`. For launchers. */
inline int vector_width(const void *p, int64_t length, int bytes, int most) {
    int n = most;
    while (n > 1 && (reinterpret_cast<uintptr_t>(p) % size_t(n * bytes) != 0 || length % n != 0))
        n /= 2;
    return n;
}

/* ---- numbers: stored as float or bfloat16, computed with as float ---- */

__device__ __forceinline__ float to_float(float x) { return x; }
__device__ __forceinline__ float to_float(__nv_bfloat16 x) { return __bfloat162float(x); }

template <class T>
__device__ __forceinline__ T from_float(float x);
template <>
__device__ __forceinline__ float from_float<float>(float x) {
    return x;
}
template <>
__device__ __forceinline__ __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
    return __float2bfloat16_rn(x);
}

/* Elements of T in one access, of N at most. */
template <int N, class T>
struct Access {
    static constexpr int width = int(sizeof(T)) * N > 16 ? 16 / int(sizeof(T)) : N;
};

/* N consecutive elements: in accesses of up to 128 bits, to which p is aligned. */
template <int N, class T>
__device__ __forceinline__ void load_floats(float (&y)[N], const T *p) {
    constexpr int W = Access<N, T>::width;
#pragma unroll
    for (int i = 0; i < N; i += W) {
        const Vec<T, W> r = load<W>(p + i);
#pragma unroll
        for (int k = 0; k < W; k++) y[i + k] = to_float(r.v[k]);
    }
}

template <int N, class T>
__device__ __forceinline__ void store_floats(T *p, const float (&y)[N]) {
    constexpr int W = Access<N, T>::width;
#pragma unroll
    for (int i = 0; i < N; i += W) {
        Vec<T, W> r;
#pragma unroll
        for (int k = 0; k < W; k++) r.v[k] = from_float<T>(y[i + k]);
        store<W>(p + i, r);
    }
}

/* ---- reductions: the same order every time ---- */

struct Sum {
    template <class T>
    __device__ __forceinline__ T operator()(T a, T b) const {
        return a + b;
    }
    template <class T>
    __device__ __forceinline__ static T identity() {
        return T(0);
    }
};

struct Max { /* floats */
    __device__ __forceinline__ float operator()(float a, float b) const { return fmaxf(a, b); }
    template <class T>
    __device__ __forceinline__ static T identity() {
        return T(-INFINITY);
    }
};

/* Over groups of `lanes` lanes (a power of two); all 32 lanes take part, each gets its group's. */
template <class T, class Op>
__device__ __forceinline__ T warp_reduce(T v, Op op, int lanes = 32) {
#pragma unroll
    for (int o = 16; o > 0; o >>= 1)
        if (o < lanes) v = op(v, __shfl_xor_sync(0xffffffffu, v, o));
    return v;
}

/* Over a block of BLOCK threads, all of which take part; each gets the result. May be called again
 * at once. */
template <int BLOCK, class T, class Op>
__device__ __forceinline__ T block_reduce(T v, Op op) {
    static_assert(BLOCK % 32 == 0 && BLOCK <= 1024, "whole warps");
    GPU_SHARED(T, part, [BLOCK / 32]);
    const int lane = int(threadIdx.x & 31), warp = int(threadIdx.x >> 5);
    v = warp_reduce(v, op);
    __syncthreads(); /* an earlier call may still read part */
    if (lane == 0) part[warp] = v;
    __syncthreads();
    v = lane < BLOCK / 32 ? part[lane] : Op::template identity<T>();
    return warp_reduce(v, op);
}

/* ---- indices ---- */

/* Division of 0 <= n < 2^31 by a number >= 1 that the launcher knows, as a multiplication. */
struct Divisor {
    unsigned by, factor, shift;

    Divisor() = default;
    explicit Divisor(int64_t d) : by(unsigned(d)), factor(0), shift(0) {
        if (by <= 1) return;
        unsigned bits = 1;
        while ((uint64_t(1) << bits) < by) bits++;
        factor = unsigned(((uint64_t(1) << (31 + bits)) + by - 1) / by);
        shift = bits - 1;
    }
    __device__ __forceinline__ unsigned divide(unsigned n) const {
        return by <= 1 ? n : __umulhi(n, factor) >> shift;
    }
};

inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* A grid of one dimension with a thread (or a group of `per` items) for each item; at least one
 * block. */
inline dim3 grid_for(int64_t items, int64_t per) {
    const int64_t blocks = ceil_div(items, per);
    return dim3(unsigned(blocks < 1 ? 1 : blocks));
}

} // namespace
