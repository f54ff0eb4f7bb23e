/* Loads, stores and mathematics that only CUDA declares. Macros where the C library has the name
 * too. */
#pragma once

#include <algorithm>

#define __ldg(p) (*(p))
#define __ldcs(p) (*(p))
#define __ldcg(p) (*(p))
#define __stcs(p, v) ((void)(*(p) = (v)))
#define __stcg(p, v) ((void)(*(p) = (v)))

#define rsqrtf(x) (1.0f / sqrtf(x))
#define rsqrt(x) (1.0 / sqrt(x))
#define __expf(x) expf(x)
#define __exp10f(x) exp10f(x)
#define __logf(x) logf(x)
#define __log2f(x) log2f(x)
#define __sinf(x) sinf(x)
#define __cosf(x) cosf(x)
#define __sincosf(x, s, c) ((void)(*(s) = sinf(x), *(c) = cosf(x)))
#define __powf(x, y) powf(x, y)
#define __tanhf(x) tanhf(x)
#define __fdividef(a, b) ((a) / (b))
#define __fdiv_rn(a, b) ((a) / (b))
#define __frcp_rn(x) (1.0f / (x))
#define __fsqrt_rn(x) sqrtf(x)
#define __frsqrt_rn(x) (1.0f / sqrtf(x))
#define __fmul_rn(a, b) ((a) * (b))
#define __fadd_rn(a, b) ((a) + (b))
#define __fsub_rn(a, b) ((a) - (b))
#define __fmaf_rn(a, b, c) fmaf(a, b, c)
#define __dmul_rn(a, b) ((a) * (b))
#define __dadd_rn(a, b) ((a) + (b))
#define __saturatef(x) fminf(fmaxf(x, 0.0f), 1.0f)

inline unsigned __umulhi(unsigned a, unsigned b) { return unsigned((uint64_t(a) * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) {
    return (unsigned long long)(((unsigned __int128)a * b) >> 64);
}
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline int __popcll(unsigned long long x) { return __builtin_popcountll(x); }
inline int __clz(int x) { return x ? __builtin_clz(unsigned(x)) : 32; }
inline int __clzll(long long x) { return x ? __builtin_clzll((unsigned long long)x) : 64; }
inline int __ffs(int x) { return __builtin_ffs(x); }
inline float __int2float_rn(int x) { return float(x); }
inline float __uint2float_rn(unsigned x) { return float(x); }
inline int __float2int_rn(float x) { return int(lrintf(x)); }
inline int __float2int_rd(float x) { return int(floorf(x)); }
inline int __float2int_rz(float x) { return int(x); }

namespace simt {
template <class To, class From>
inline To bits(From from) {
    static_assert(sizeof(To) == sizeof(From), "as many bits");
    To to;
    memcpy(&to, &from, sizeof to);
    return to;
}
} // namespace simt

inline float __int_as_float(int x) { return simt::bits<float>(x); }
inline int __float_as_int(float x) { return simt::bits<int>(x); }
inline float __uint_as_float(unsigned x) { return simt::bits<float>(x); }
inline unsigned __float_as_uint(float x) { return simt::bits<unsigned>(x); }
inline double __longlong_as_double(long long x) { return simt::bits<double>(x); }
inline long long __double_as_longlong(double x) { return simt::bits<long long>(x); }

using std::isfinite;
using std::isinf;
using std::isnan;
using std::max;
using std::min;
template <class A, class B>
inline std::common_type_t<A, B> max(A a, B b) {
    return a < b ? b : a;
}
template <class A, class B>
inline std::common_type_t<A, B> min(A a, B b) {
    return b < a ? b : a;
}
