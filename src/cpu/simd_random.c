/* Philox4x32-10 for many groups at once, and what is made of its numbers. */
#include "base/philox.h"
#include "cpu/simd.h"
#include "cpu/simd_math.h"

#define ROUND(k0, k1)                                                             \
    do {                                                                          \
        const uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2; \
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ (k0);                                    \
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ (k1);                                    \
        c1 = (uint32_t)p1;                                                        \
        c3 = (uint32_t)p0;                                                        \
    } while (0)

/* The four words of each group, word by word; the same as gan_philox(). */
static void philox(uint32_t (*word)[GAN_CPU_RANDOM_GROUPS], uint64_t seed, uint32_t stream, uint64_t counter,
                   uint64_t group, int64_t groups) {
    uint32_t k0[10], k1[10];
    for (uint32_t r = 0; r < 10; r++) {
        k0[r] = (uint32_t)seed + r * 0x9E3779B9u;
        k1[r] = (uint32_t)(seed >> 32) + r * 0xBB67AE85u;
    }
    const uint32_t first = (uint32_t)group, low = (uint32_t)counter, high = (uint32_t)(counter >> 32);
    uint32_t *w0 = word[0], *w1 = word[1], *w2 = word[2], *w3 = word[3];
    const uint32_t n = (uint32_t)groups;
#pragma omp simd
    for (uint32_t i = 0; i < n; i++) {
        uint32_t c0 = low, c1 = high, c2 = first + i, c3 = stream;
        ROUND(k0[0], k1[0]);
        ROUND(k0[1], k1[1]);
        ROUND(k0[2], k1[2]);
        ROUND(k0[3], k1[3]);
        ROUND(k0[4], k1[4]);
        ROUND(k0[5], k1[5]);
        ROUND(k0[6], k1[6]);
        ROUND(k0[7], k1[7]);
        ROUND(k0[8], k1[8]);
        ROUND(k0[9], k1[9]);
        w0[i] = c0;
        w1[i] = c1;
        w2[i] = c2;
        w3[i] = c3;
    }
}

static void bits(void *out, uint64_t seed, uint32_t stream, uint64_t counter, uint64_t group, int64_t groups,
                 float a, float b) {
    (void)a, (void)b;
    uint32_t word[4][GAN_CPU_RANDOM_GROUPS];
    philox(word, seed, stream, counter, group, groups);
    uint32_t *y = out;
#pragma omp simd
    for (int64_t i = 0; i < groups; i++) {
        y[4 * i] = word[0][i];
        y[4 * i + 1] = word[1][i];
        y[4 * i + 2] = word[2][i];
        y[4 * i + 3] = word[3][i];
    }
}

/* Unsigned to float as two halves, each exact; every instruction set has the signed conversion. */
static inline float from_bits(uint32_t x) {
    return (float)(int32_t)(x >> 16) * 65536.0f + (float)(int32_t)(x & 0xffffu);
}

static void uniform(void *out, uint64_t seed, uint32_t stream, uint64_t counter, uint64_t group, int64_t groups,
                    float a, float b) {
    uint32_t word[4][GAN_CPU_RANDOM_GROUPS];
    philox(word, seed, stream, counter, group, groups);
    float *y = out;
    const float span = b - a;
#define UNIFORM(w) (a + span * (from_bits(word[w][i]) * 2.3283064e-10f + 1.1641532e-10f))
#pragma omp simd
    for (int64_t i = 0; i < groups; i++) {
        y[4 * i] = UNIFORM(0);
        y[4 * i + 1] = UNIFORM(1);
        y[4 * i + 2] = UNIFORM(2);
        y[4 * i + 3] = UNIFORM(3);
    }
}

/* sin and cos of v in (0, 2·pi], that is of v - n·pi/2 with n whole; pi/2 in two parts. */
static inline float reduce_angle(float v, uint32_t *quarter) {
    float t = v * 0.636619772f + SIMD_ROUND;
    float n = t - SIMD_ROUND;
    *quarter = simd_bits(t);
    float r = v - n * 1.5703125f; /* few bits: exact */
    return r - n * 4.83826794897e-4f;
}

/* cuRAND's Box-Muller: angle (y + 1/2)·2·pi/2^32, radius from x; the sine comes first. */
static void normal(void *out, uint64_t seed, uint32_t stream, uint64_t counter, uint64_t group, int64_t groups,
                   float a, float b) {
    uint32_t word[4][GAN_CPU_RANDOM_GROUPS];
    philox(word, seed, stream, counter, group, groups);
    float *y = out;
    for (int pair = 0; pair < 2; pair++) {
        const uint32_t *p = word[2 * pair], *q = word[2 * pair + 1];
        float *to = y + 2 * pair;
#pragma omp simd
        for (int64_t i = 0; i < groups; i++) {
            const float u = from_bits(p[i]) * 2.3283064e-10f + 1.1641532e-10f;
            const float v = from_bits(q[i]) * 1.46291807e-9f + 7.31459037e-10f;
            uint32_t quarter;
            const float r = reduce_angle(v, &quarter);
            const float radius = b * sqrtf(-2.0f * simd_log(u));
            to[4 * i] = a + radius * simd_quadrant(r, quarter);
            to[4 * i + 1] = a + radius * simd_quadrant(r, quarter + 1u);
        }
    }
}

extern const gan_cpu_random_loops GAN_CPU_TABLE(random);
const gan_cpu_random_loops GAN_CPU_TABLE(random) = {bits, uniform, normal};
