/* The CPU's elementary functions, conversions, sums and noise, for every instruction set that this
 * processor has, against double precision over dense ranges of floats. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/philox.h"
#include "cpu/simd.h"

enum { BATCH = 1024 };

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static uint32_t bits_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* |y - exact| in units of the last place of a float near `exact`. What rounds beyond the largest
 * float may be it or infinity; else infinities and NaN must agree. */
static double ulps(float y, double exact) {
    if (isnan(exact) || isnan(y)) return isnan(exact) && isnan(y) ? 0 : INFINITY;
    if (isinf(exact) || isinf(y)) {
        const bool far = fabs(exact) > 3.4028234e38 && fabsf(y) > 3.4e38f;
        return far && !signbit(exact) == !signbit(y) ? 0 : INFINITY;
    }
    int exponent;
    frexp(exact, &exponent);
    return fabs((double)y - exact) / ldexp(1, exponent - 24 < -149 ? -149 : exponent - 24);
}

/* ---- functions of the pointwise table ---- */

typedef struct claim {
    gan_fn fn;
    double (*exact)(double x, double k);
    double error; /* ulps */
    float k;
    float limit; /* of |x| */
} claim;

static double exact_exp(double x, double k) { return (void)k, exp(x); }
static double exact_log(double x, double k) { return (void)k, log(x); }
static double exact_tanh(double x, double k) { return (void)k, tanh(x); }
static double exact_sin(double x, double k) { return (void)k, sin(x); }
static double exact_cos(double x, double k) { return (void)k, cos(x); }
static double exact_sqrt(double x, double k) { return (void)k, sqrt(x); }
static double exact_rsqrt(double x, double k) { return (void)k, 1 / sqrt(x); }
static double exact_floor(double x, double k) { return (void)k, floor(x); }
static double exact_abs(double x, double k) { return (void)k, fabs(x); }
static double exact_square(double x, double k) { return (void)k, x * x; }
static double exact_sigmoid(double x, double k) { return (void)k, 1 / (1 + exp(-x)); }
static double exact_relu(double x, double k) { return (void)k, x > 0 ? x : 0; }
static double exact_leaky(double x, double k) { return x > 0 ? x : k * x; }
static double exact_power(double x, double k) { return pow(x, k); }

static const claim claims[] = {
    {GAN_FN_exp, exact_exp, 2, 0, INFINITY},
    {GAN_FN_log, exact_log, 2, 0, INFINITY},
    {GAN_FN_tanh, exact_tanh, 4, 0, INFINITY},
    {GAN_FN_sin, exact_sin, 2, 0, 3e38f},
    {GAN_FN_cos, exact_cos, 2, 0, 3e38f},
    {GAN_FN_sqrt, exact_sqrt, 1, 0, INFINITY},
    {GAN_FN_rsqrt, exact_rsqrt, 2, 0, INFINITY},
    {GAN_FN_floor, exact_floor, 0, 0, INFINITY},
    {GAN_FN_abs, exact_abs, 0, 0, INFINITY},
    {GAN_FN_square, exact_square, 1, 0, INFINITY},
    {GAN_FN_sigmoid, exact_sigmoid, 3, 0, 80},
    {GAN_FN_relu, exact_relu, 0, 0, 3e38f},
    {GAN_FN_leaky_relu, exact_leaky, 1, 0.25f, INFINITY},
    {GAN_FN_power, exact_power, 2, 0.5f, INFINITY},
    {GAN_FN_power, exact_power, 2, 2, INFINITY},
    {GAN_FN_power, exact_power, 2, 3, INFINITY},
    {GAN_FN_power, exact_power, 2, 1e-3f, INFINITY},
    {GAN_FN_power, exact_power, 2, 30.7f, INFINITY},
    {GAN_FN_power, exact_power, 2, 0, INFINITY},
};

static int check_range(const gan_cpu_simd *set, const claim *c, uint32_t from, uint32_t step) {
    static _Alignas(64) float x[BATCH], y[BATCH];
    gan_cpu_function *f = set->pointwise->function[c->fn];
    double worst = 0;
    float at = 0, got = 0;
    uint64_t bits = from;
    const uint64_t last = from + (uint64_t)0x7f800001u; /* infinity, and a NaN */
    while (bits <= last) {
        int n = 0;
        for (; n < BATCH && bits <= last; bits += step) {
            x[n] = float_of((uint32_t)bits);
            if (!(fabsf(x[n]) > c->limit)) n++;
        }
        f(y, x, x, c->k, n);
        for (int i = 0; i < n; i++) {
            const double e = ulps(y[i], c->exact((double)x[i], (double)c->k));
            if (e > worst) {
                worst = e;
                at = x[i];
                got = y[i];
            }
        }
    }
    if (worst <= c->error) return 0;
    fprintf(stderr, "%s %s k=%g: %.9g -> %.9g, %.3g ulps off; expected at most %g\n", set->name,
            gan_fn_table[c->fn].name, (double)c->k, (double)at, (double)got, worst, c->error);
    return 1;
}

static void functions(void **state) {
    (void)state;
    int wrong = 0;
    for (int s = 0; gan_cpu_simd_at(s); s++)
        for (size_t i = 0; i < sizeof claims / sizeof *claims; i++) {
            wrong += check_range(gan_cpu_simd_at(s), &claims[i], 0, 1009);
            wrong += check_range(gan_cpu_simd_at(s), &claims[i], 0x80000000u, 2003);
        }
    assert_int_equal(wrong, 0);
}

/* Lengths around whole vectors give what single elements give, bit for bit, also in place. */
static void remainders(void **state) {
    (void)state;
    float x[80], y[80], z[80];
    for (int i = 0; i < 80; i++) x[i] = 0.07f * (float)(i + 1);
    for (int s = 0; gan_cpu_simd_at(s); s++)
        for (int fn = 0; fn < GAN_FN_COUNT; fn++) {
            gan_cpu_function *f = gan_cpu_simd_at(s)->pointwise->function[fn];
            for (int i = 0; i < 80; i++) f(&z[i], &x[i], &x[79 - i], 0.3f, 1);
            for (int n = 0; n <= 67; n++) {
                float b[80];
                for (int i = 0; i < 80; i++) b[i] = x[79 - i];
                memcpy(y, x, sizeof y);
                f(y, y, b, 0.3f, n);
                assert_memory_equal(y, z, sizeof *y * (size_t)n);
                assert_memory_equal(y + n, x + n, sizeof *y * (size_t)(80 - n));
            }
        }
}

static void extremes_of_two(void **state) {
    (void)state;
    const float v[] = {0, 1, -1, INFINITY, -INFINITY, NAN};
    for (int s = 0; gan_cpu_simd_at(s); s++)
        for (int i = 0; i < 6; i++)
            for (int j = 0; j < 6; j++) {
                float a[16], b[16], y[16];
                for (int k = 0; k < 16; k++) a[k] = v[i], b[k] = v[j];
                const gan_cpu_pointwise_loops *loops = gan_cpu_simd_at(s)->pointwise;
                loops->function[GAN_FN_maximum](y, a, b, 0, 16);
                assert_int_equal(ulps(y[7], (double)fmaxf(v[i], v[j])), 0);
                loops->function[GAN_FN_minimum](y, a, b, 0, 16);
                assert_int_equal(ulps(y[7], (double)fminf(v[i], v[j])), 0);
                loops->function[GAN_FN_equal](y, a, b, 0, 16);
                assert_true(y[7] == (v[i] == v[j] ? 1.0f : 0.0f));
                loops->function[GAN_FN_greater](y, a, b, 0, 16);
                assert_true(y[7] == (v[i] > v[j] ? 1.0f : 0.0f));
            }
}

/* ---- conversions ---- */

/* Of the two neighbours in bf16, the nearer; of two equally near, the one with an even last bit. */
static uint16_t nearest_bf16(float x) {
    const uint16_t below = (uint16_t)(bits_of(x) >> 16), above = (uint16_t)(below + 1);
    const double low = (double)float_of((uint32_t)below << 16);
    const bool top = (below & 0x7fff) == 0x7f7f; /* above is infinity, which stands for 2^128 */
    const double high =
        top ? copysign(ldexp(1, 128), low) : (double)float_of((uint32_t)above << 16);
    const double to_low = fabs((double)x - low), to_high = fabs((double)x - high);
    return to_low < to_high || (!(to_high < to_low) && below % 2 == 0) ? below : above;
}

static void bf16(void **state) {
    (void)state;
    static float x[BATCH], back[BATCH];
    static uint16_t y[BATCH];
    for (int s = 0; gan_cpu_simd_at(s); s++) {
        const gan_cpu_cast_loops *loops = gan_cpu_simd_at(s)->cast;
        for (uint64_t bits = 0; bits < 0x100000000u;) {
            for (int i = 0; i < BATCH; i++, bits += 4099) x[i] = float_of((uint32_t)bits);
            /* ties, which a stride does not meet */
            for (int i = 0; i < BATCH; i += 8)
                x[i] = float_of((bits_of(x[i]) & 0xffff0000u) | 0x8000u);
            loops->cast[GAN_F32][GAN_BF16](y, x, BATCH);
            loops->cast[GAN_BF16][GAN_F32](back, y, BATCH);
            for (int i = 0; i < BATCH; i++) {
                if (isnan(x[i])) {
                    assert_true(isnan(back[i]));
                    continue;
                }
                const uint16_t expected =
                    isinf(x[i]) ? (uint16_t)(bits_of(x[i]) >> 16) : nearest_bf16(x[i]);
                assert_int_equal(y[i], expected);
                assert_int_equal(bits_of(back[i]), (uint32_t)y[i] << 16);
            }
        }
    }
}

static void integers(void **state) {
    (void)state;
    enum { N = 37 };
    int32_t i32[N];
    int64_t i64[N];
    uint8_t u8[N];
    float y[N];
    for (int i = 0; i < N; i++) {
        i32[i] = (i - 18) * 112233445;
        i64[i] = (i - 18) * INT64_C(412233445566778);
        u8[i] = (uint8_t)(i * 7);
    }
    for (int s = 0; gan_cpu_simd_at(s); s++) {
        const gan_cpu_cast_loops *loops = gan_cpu_simd_at(s)->cast;
        loops->cast[GAN_I32][GAN_F32](y, i32, N);
        for (int i = 0; i < N; i++) assert_true(y[i] == (float)i32[i]);
        loops->cast[GAN_I64][GAN_F32](y, i64, N);
        for (int i = 0; i < N; i++) assert_true(y[i] == (float)i64[i]);
        loops->cast[GAN_U8][GAN_F32](y, u8, N);
        for (int i = 0; i < N; i++) assert_true(y[i] == (float)u8[i]);
        loops->bytes(y, u8, N, 0.5f, -3.0f); /* exact */
        for (int i = 0; i < N; i++) assert_true(y[i] == 0.5f * (float)u8[i] - 3.0f);
    }
}

/* ---- sums ---- */

static void sums(void **state) {
    (void)state;
    static float x[BATCH], y[BATCH];
    for (int i = 0; i < BATCH; i++) {
        x[i] = (float)((i * 7919) % 1013) / 1013.0f - 0.5f;
        y[i] = (float)((i * 104729) % 499) / 499.0f - 0.5f;
    }
    for (int s = 0; gan_cpu_simd_at(s); s++) {
        const gan_cpu_reduce_loops *loops = gan_cpu_simd_at(s)->reduce;
        for (int n = 0; n < BATCH; n += n < 70 ? 1 : 89) {
            double sum = 0, dot = 0, scale = 0, max = -INFINITY;
            for (int i = 0; i < n; i++) {
                sum += (double)x[i];
                dot += (double)x[i] * (double)y[i];
                scale += fabs((double)x[i]);
                max = fmax(max, (double)x[i]);
            }
            assert_true(fabs((double)loops->sum_of(x, n) - sum) <= 1e-6 * scale);
            assert_true(fabs((double)loops->dot(x, y, n) - dot) <= 1e-6 * scale);
            assert_true((double)loops->max_of(x, n) == max || (n == 0 && max < -1e300));
        }
    }
}

/* ---- noise ---- */

static void noise(void **state) {
    (void)state;
    const uint64_t seed = 0x123456789abcdef0u, counter = 0xfedcba9876543210u;
    const double pi = acos(-1);
    for (int s = 0; gan_cpu_simd_at(s); s++) {
        const gan_cpu_random_loops *loops = gan_cpu_simd_at(s)->random;
        for (int groups = 1; groups <= GAN_CPU_RANDOM_GROUPS; groups += groups < 20 ? 1 : 59) {
            uint32_t bits[BATCH];
            float uniform[BATCH], normal[BATCH];
            const uint64_t first = 0xfffffff0u; /* groups wrap in 32 bits */
            loops->bits(bits, seed, 7, counter, first, groups, 0, 0);
            loops->uniform(uniform, seed, 7, counter, first, groups, 0, 1);
            loops->normal(normal, seed, 7, counter, first, groups, 0, 1);
            for (int i = 0; i < 4 * groups; i++) {
                const uint64_t subsequence = gan_philox_subsequence(7, first + (uint64_t)i / 4);
                assert_int_equal(bits[i], gan_philox(seed, subsequence, counter).v[i % 4]);
                assert_true(uniform[i] == gan_philox_uniform(bits[i]));
                const uint32_t angle = bits[i | 1];
                const double u = (double)gan_philox_uniform(bits[i & ~1]);
                const double v = 2 * pi * (ldexp((double)angle, -32) + ldexp(1, -33));
                const double exact = sqrt(-2 * log(u)) * (i % 2 ? cos(v) : sin(v));
                assert_true(fabs((double)normal[i] - exact) <= 4e-6);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions),       cmocka_unit_test(remainders),
        cmocka_unit_test(extremes_of_two), cmocka_unit_test(bf16),
        cmocka_unit_test(integers),        cmocka_unit_test(sums),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
