/* Elementary functions for the inner loops, written without branches so that compilers vectorise
 * the loops they are inlined in. Errors stay within a few units in the last place over the whole
 * range of float; overflow gives infinity, underflow denormals or zero, and NaN gives NaN. The
 * polynomials are our own minimax fits on the reduced intervals.
 */
#ifndef GANC_CPU_SIMD_MATH_H
#define GANC_CPU_SIMD_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t simd_bits(float x) {
    uint32_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline float simd_float(uint32_t u) {
    float x;
    memcpy(&x, &u, sizeof x);
    return x;
}
static inline uint64_t simd_bits64(double x) {
    uint64_t u;
    memcpy(&u, &x, sizeof u);
    return u;
}
static inline double simd_double(uint64_t u) {
    double x;
    memcpy(&x, &u, sizeof x);
    return x;
}

/* C's fmax and fmin: the number when one is NaN. */
static inline float simd_max(float a, float b) { return a > b || b != b ? a : b; }
static inline float simd_min(float a, float b) { return a < b || b != b ? a : b; }

static inline float simd_floor(float x) {
    /* Floats of 2^23 and more are whole; below, rounding by addition is exact to one. */
    float a = simd_float(simd_bits(x) & 0x7fffffffu);
    float n = simd_float(simd_bits((a + 8388608.0f) - 8388608.0f) | (simd_bits(x) & 0x80000000u));
    n = n > x ? n - 1.0f : n;
    n = simd_float(simd_bits(n) | (simd_bits(x) & 0x80000000u)); /* floor(-0) is -0 */
    return a < 8388608.0f ? n : x;
}

/* Adding 1.5·2^23 rounds to an integer, which then stands in the low bits. */
#define SIMD_ROUND 12582912.0f
#define SIMD_ROUND64 6755399441055744.0

/* x = n·log 2 + r with |r| <= log(2)/2. Returns e^r - 1 - r, and n as an integer. */
static inline float simd_exp_reduce(float x, float *r, uint32_t *n) {
    float t = x * 1.44269504f + SIMD_ROUND;
    float m = t - SIMD_ROUND;
    float s = x - m * 0.693359375f; /* few bits: exact */
    s = s + m * 2.12194440e-4f;
    *r = s;
    *n = simd_bits(t) - simd_bits(SIMD_ROUND);
    float q = 0.00139467238f;
    q = q * s + 0.00836674302f;
    q = q * s + 0.0416662785f;
    q = q * s + 0.166665418f;
    q = q * s + 0.500000006f;
    return q * s * s;
}

/* 2^n as two factors, since 2^n itself may not be a float. */
static inline float simd_scale(float p, uint32_t n) {
    uint32_t half = (uint32_t)((int32_t)n >> 1);
    return p * simd_float((half + 127u) << 23) * simd_float((n - half + 127u) << 23);
}

static inline float simd_exp(float x) {
    x = x < -104.0f ? -104.0f : x;
    x = x > 89.5f ? 89.5f : x;
    float r;
    uint32_t n;
    float p = simd_exp_reduce(x, &r, &n);
    return simd_scale(1.0f + (r + p), n);
}

static inline float simd_log(float x) {
    /* x = 2^e·m, m in [sqrt(1/2), sqrt(2)) */
    int tiny = x < 1.17549435e-38f;
    float z = tiny ? x * 8388608.0f : x;
    float bias = tiny ? -23.0f : 0.0f;
    uint32_t shifted = simd_bits(z) - 0x3f3504f3u;
    float e = (float)((int32_t)shifted >> 23) + bias;
    float f = simd_float((shifted & 0x007fffffu) + 0x3f3504f3u) - 1.0f;
    float q = -0.0786153421f;
    q = q * f + 0.128832521f;
    q = q * f - 0.131287506f;
    q = q * f + 0.141809788f;
    q = q * f - 0.166245409f;
    q = q * f + 0.200022947f;
    q = q * f - 0.250008106f;
    q = q * f + 0.333333166f;
    float s = f * f;
    float low = e * -2.12194440e-4f + f * s * q;
    float y = (f - 0.5f * s + low) + e * 0.693359375f;
    y = x == (float)INFINITY ? x : y;
    y = x == 0.0f ? -(float)INFINITY : y;
    return x >= 0.0f ? y : (float)NAN;
}

static inline float simd_tanh(float x) {
    /* t = e^(2|x|) - 1, tanh = t / (t + 2) */
    float a = simd_float(simd_bits(x) & 0x7fffffffu);
    a = a > 10.0f ? 10.0f : a;
    float r;
    uint32_t n;
    float p = simd_exp_reduce(a + a, &r, &n);
    float scale = simd_float((n + 127u) << 23);
    float t = scale * (r + p) + (scale - 1.0f);
    float y = t / (t + 2.0f);
    return simd_float((simd_bits(y) & 0x7fffffffu) | (simd_bits(x) & 0x80000000u));
}

/* sin and cos of r in [-pi/4, pi/4] plus a number of quarter turns. */
static inline float simd_quadrant(float r, uint32_t quarter) {
    float z = r * r;
    float s = -0.000195167737f;
    s = s * z + 0.00833217500f;
    s = s * z - 0.166666549f;
    s = s * z * r + r;
    float c = 2.44385614e-5f;
    c = c * z - 0.00138873702f;
    c = c * z + 0.0416666470f;
    c = c * z - 0.5f;
    c = c * z + 1.0f;
    float y = (quarter & 1u) ? c : s;
    return simd_float(simd_bits(y) ^ ((quarter & 2u) << 30));
}

/* Beyond this the two-part reduction of simd_turn() loses bits. */
#define SIMD_TURN_LIMIT 1.0e8f

/* sin(x + quarter·pi/2) for |x| <= SIMD_TURN_LIMIT. */
static inline float simd_turn(float x, uint32_t quarter) {
    double d = (double)x;
    double t = d * 0.63661977236758138 + SIMD_ROUND64;
    double n = t - SIMD_ROUND64;
    double r = d - n * 1.57079631090164184570; /* 25 bits: exact */
    r = r - n * 1.58932547735281966916e-08;
    return simd_quadrant((float)r, (uint32_t)simd_bits64(t) + quarter);
}

static inline float simd_sin(float x) { return simd_turn(x, 0); }
static inline float simd_cos(float x) { return simd_turn(x, 1); }

/* An exponent, and what only depends on it. */
typedef struct simd_exponent {
    double k;
    float below;  /* factor for x < 0: 1 for even k, -1 for odd k, NaN when k is no integer */
    float at_nan; /* x^k for x = NaN: NaN, but 1 for k = 0 */
} simd_exponent;

static inline simd_exponent simd_exponent_of(float k) {
    float half = 0.5f * k;
    simd_exponent e = {(double)k, (float)NAN, k == 0.0f ? 1.0f : (float)NAN};
    if (half == floorf(half))
        e.below = 1.0f;
    else if (k == floorf(k))
        e.below = -1.0f;
    return e;
}

/* C's pow(). In double, for the logarithm's error is multiplied by up to 128. */
static inline float simd_pow(float x, simd_exponent k) {
    double d = (double)simd_float(simd_bits(x) & 0x7fffffffu);
    uint64_t shifted = simd_bits64(d) - 0x3fe6a09e00000000u;
    double m = simd_double((shifted & 0x000fffffffffffffu) + 0x3fe6a09e00000000u);
    /* the exponent in the low bits of 1.5·2^52: a conversion without a 64-bit instruction */
    double e = simd_double(((shifted + 0x4000000000000000u) >> 52) + 0x4338000000000000u) -
               SIMD_ROUND64 - 1024.0;
    double u = (m - 1.0) / (m + 1.0), v = u * u;
    double q = 0.26230818925253880;
    q = q * v + 0.32059889797532520;
    q = q * v + 0.41219858311113239;
    q = q * v + 0.57707801635558535;
    q = q * v + 0.96179669392597561;
    q = q * v + 2.88539008177792681;
    double l = q * u + e;
    l = d == 0.0 ? -1e30 : l;
    l = d == (double)INFINITY ? 1e30 : l;
    double y = l * k.k;
    y = y < -160.0 ? -160.0 : y;
    y = y > 140.0 ? 140.0 : y;
    double t = y + SIMD_ROUND64;
    float r = (float)(y - (t - SIMD_ROUND64));
    float p = 1.53458075e-4f;
    p = p * r + 0.00133999312f;
    p = p * r + 0.00961848897f;
    p = p * r + 0.0555032878f;
    p = p * r + 0.240226469f;
    p = p * r + 0.693147206f;
    p = p * r + 1.0f;
    p = simd_scale(p, (uint32_t)simd_bits64(t));
    p = x == x ? p : k.at_nan;
    return x < 0.0f ? p * k.below : p;
}

#endif
