/* One loop a row of base/pointwise.def. */
#include "cpu/simd.h"
#include "cpu/simd_math.h"

#define F(literal) literal##f
#define SELECT(condition, then, otherwise) ((condition) ? (then) : (otherwise))
#define FMAX(x, y) simd_max(x, y)
#define FMIN(x, y) simd_min(x, y)
#define FABS(x) simd_float(simd_bits(x) & 0x7fffffffu)
#define FLOOR(x) simd_floor(x)
#define EXP(x) simd_exp(x)
#define LOG(x) simd_log(x)
#define SQRT(x) sqrtf(x)
#define SIN(x) simd_sin(x)
#define COS(x) simd_cos(x)
#define TANH(x) simd_tanh(x)
#define POW(x, y) simd_pow(x, exponent)

#define LOAD_0
#define LOAD_1 const float a = a_[i];
#define LOAD_2 const float a = a_[i], b = b_[i];

#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    static void fn_##name(float *y_, const float *a_, const float *b_, float k, int64_t n) {       \
        const simd_exponent exponent = simd_exponent_of(k);                                        \
        (void)a_, (void)b_, (void)exponent;                                                        \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++) { LOAD_##arity y_[i] = (formula); }    \
    }
#include "base/pointwise.def"
#undef GAN_POINTWISE

/* Arguments too large for the vectorised reduction are rare: they are done again, one by one. */
static bool any_beyond(const float *a, int64_t n) {
    int beyond = 0;
#pragma omp simd reduction(| : beyond)
    for (int64_t i = 0; i < n; i++) beyond |= FABS(a[i]) > SIMD_TURN_LIMIT;
    return beyond;
}

static void fn_sin_any(float *y, const float *a, const float *b, float k, int64_t n) {
    if (!any_beyond(a, n)) {
        fn_sin(y, a, b, k, n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = fabsf(a[i]) > SIMD_TURN_LIMIT ? sinf(a[i]) : simd_sin(a[i]);
}

static void fn_cos_any(float *y, const float *a, const float *b, float k, int64_t n) {
    if (!any_beyond(a, n)) {
        fn_cos(y, a, b, k, n);
        return;
    }
    for (int64_t i = 0; i < n; i++)
        y[i] = fabsf(a[i]) > SIMD_TURN_LIMIT ? cosf(a[i]) : simd_cos(a[i]);
}

#define fn_sin fn_sin_any
#define fn_cos fn_cos_any
extern const gan_cpu_pointwise_loops GAN_CPU_TABLE(pointwise);
const gan_cpu_pointwise_loops GAN_CPU_TABLE(pointwise) = {{
#define GAN_POINTWISE(name, arity, formula, da, db) fn_##name,
#include "base/pointwise.def"
#undef GAN_POINTWISE
}};
