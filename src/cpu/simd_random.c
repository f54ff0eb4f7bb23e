/* Philox4x32-10 for many groups at once, and what is made of its numbers. */
#include "base/philox.h"
#include "cpu/simd.h"
#include "cpu/simd_math.h"

/* Lanes of 64 bits hold numbers of 32: a lane's product is then one instruction, and what is left
 * in the upper halves does no harm. Only the product of lower halves has no spelling that every
 * compiler recognises. */
#if defined __AVX512F__
#include <immintrin.h>
enum { LANES = 8 };
#define PRODUCT(x, y) ((lanes)_mm512_mul_epu32((__m512i)(x), (__m512i)(y)))
#define FIRST(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define SECOND(x, y) __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#elif defined __AVX2__
#include <immintrin.h>
enum { LANES = 4 };
#define PRODUCT(x, y) ((lanes)_mm256_mul_epu32((__m256i)(x), (__m256i)(y)))
#define FIRST(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define SECOND(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)
#elif defined __SSE2__
#include <emmintrin.h>
enum { LANES = 2 };
#define PRODUCT(x, y) ((lanes)_mm_mul_epu32((__m128i)(x), (__m128i)(y)))
#else
enum { LANES = 2 };
#define PRODUCT(x, y) (((x)&0xffffffffu) * ((y)&0xffffffffu))
#endif
#ifndef FIRST
#define FIRST(x, y) __builtin_shufflevector(x, y, 0, 2)
#define SECOND(x, y) __builtin_shufflevector(x, y, 1, 3)
#endif
typedef uint64_t lanes __attribute__((vector_size(8 * LANES)));

static inline lanes all(uint64_t x) { return (lanes){0} + x; }

/* The numbers of each group in turn, the same as gan_philox() gives; whole lanes, so up to 4·LANES
 * - 4 more. */
static void philox(uint32_t *y, uint64_t seed, uint32_t stream, uint64_t counter, uint64_t group,
                   int64_t groups) {
    lanes number;
    for (int l = 0; l < LANES; l++) number[l] = (uint64_t)l;
    const lanes m0 = all(0xD2511F53u), m1 = all(0xCD9E8D57u);
    for (int64_t i = 0; i < groups; i += LANES) {
        lanes c0 = all(counter), c1 = all(counter >> 32), c2 = all(group + (uint64_t)i) + number,
              c3 = all(stream);
        uint32_t k0 = (uint32_t)seed, k1 = (uint32_t)(seed >> 32);
        for (int round = 0; round < 10; round++) {
            const lanes p0 = PRODUCT(m0, c0), p1 = PRODUCT(m1, c2);
            c0 = (p1 >> 32) ^ c1 ^ all(k0);
            c2 = (p0 >> 32) ^ c3 ^ all(k1);
            c1 = p1;
            c3 = p0;
            k0 += 0x9E3779B9u;
            k1 += 0xBB67AE85u;
        }
        const lanes a = (c0 & 0xffffffffu) | c1 << 32, b = (c2 & 0xffffffffu) | c3 << 32;
        const lanes low = FIRST(a, b), high = SECOND(a, b);
        memcpy(y + 4 * i, &low, sizeof low);
        memcpy(y + 4 * i + 2 * LANES, &high, sizeof high);
    }
}

enum { ROOM = 4 * (GAN_CPU_RANDOM_GROUPS + LANES) };

static void bits(void *out, uint64_t seed, uint32_t stream, uint64_t counter, uint64_t group,
                 int64_t groups, float a, float b) {
    (void)a, (void)b;
    _Alignas(64) uint32_t word[ROOM];
    philox(word, seed, stream, counter, group, groups);
    memcpy(out, word, sizeof *word * 4 * (size_t)groups);
}

static void uniform(void *out, uint64_t seed, uint32_t stream, uint64_t counter, uint64_t group,
                    int64_t groups, float a, float b) {
    _Alignas(64) uint32_t word[ROOM];
    philox(word, seed, stream, counter, group, groups);
    float *y = out;
    const float span = b - a;
#pragma omp simd
    for (int64_t i = 0; i < 4 * groups; i++)
        y[i] = a + span * ((float)word[i] * 2.3283064e-10f + 1.1641532e-10f);
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
static void normal(void *out, uint64_t seed, uint32_t stream, uint64_t counter, uint64_t group,
                   int64_t groups, float a, float b) {
    _Alignas(64) uint32_t word[ROOM];
    philox(word, seed, stream, counter, group, groups);
    float *y = out;
#pragma omp simd
    for (int64_t i = 0; i < 2 * groups; i++) {
        const float u = (float)word[2 * i] * 2.3283064e-10f + 1.1641532e-10f;
        const float v = (float)word[2 * i + 1] * 1.46291807e-9f + 7.31459037e-10f;
        uint32_t quarter;
        const float r = reduce_angle(v, &quarter);
        const float radius = b * sqrtf(-2.0f * simd_log(u));
        y[2 * i] = a + radius * simd_quadrant(r, quarter);
        y[2 * i + 1] = a + radius * simd_quadrant(r, quarter + 1u);
    }
}

extern const gan_cpu_random_loops GAN_CPU_TABLE(random);
const gan_cpu_random_loops GAN_CPU_TABLE(random) = {bits, uniform, normal};
