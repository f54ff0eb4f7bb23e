/* Conversions between the element types. */
#include "cpu/simd.h"
#include "cpu/simd_math.h"

/* bfloat16 is the upper half of a float. */
static inline float from_bf16(uint16_t x) { return simd_float((uint32_t)x << 16); }

/* Rounds to nearest, ties to even; NaN stays NaN. */
static inline uint16_t to_bf16(float x) {
    const uint32_t u = simd_bits(x);
    const uint32_t rounded = (u + 0x7fffu + (u >> 16 & 1u)) >> 16;
    return (uint16_t)((u & 0x7fffffffu) > 0x7f800000u ? (u >> 16 | 0x40u) : rounded);
}

/* Towards zero; what does not fit becomes the nearest end of the range, NaN 0. The ends are floats. */
static inline int32_t to_i32(float x) {
    const float y = x >= -2147483648.0f ? x : (x < 0.0f ? -2147483648.0f : 0.0f);
    return y < 2147483648.0f ? (int32_t)y : INT32_MAX;
}
static inline int64_t to_i64(float x) {
    const float y = x >= -9223372036854775808.0f ? x : (x < 0.0f ? -9223372036854775808.0f : 0.0f);
    return y < 9223372036854775808.0f ? (int64_t)y : INT64_MAX;
}
static inline uint8_t to_u8(float x) {
    const float y = x > 0.0f ? x : 0.0f;
    return (uint8_t)(int32_t)(y < 255.0f ? y : 255.0f);
}
static inline int32_t narrow_i32(int64_t x) { return (int32_t)(x < INT32_MIN ? INT32_MIN : x > INT32_MAX ? INT32_MAX : x); }
static inline uint8_t narrow_u8(int64_t x) { return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x); }

#define CAST(name, to_type, from_type, expression)                                                 \
    static void name(void *y_, const void *x_, int64_t n) {                                        \
        to_type *y = y_;                                                                           \
        const from_type *p = x_;                                                                   \
        _Pragma("omp simd") for (int64_t i = 0; i < n; i++) {                                      \
            const from_type x = p[i];                                                              \
            y[i] = (expression);                                                                   \
        }                                                                                          \
    }

CAST(f32_f32, float, float, x)
CAST(f32_bf16, uint16_t, float, to_bf16(x))
CAST(f32_i32, int32_t, float, to_i32(x))
CAST(f32_i64, int64_t, float, to_i64(x))
CAST(f32_u8, uint8_t, float, to_u8(x))
CAST(bf16_f32, float, uint16_t, from_bf16(x))
CAST(bf16_bf16, uint16_t, uint16_t, x)
CAST(bf16_i32, int32_t, uint16_t, to_i32(from_bf16(x)))
CAST(bf16_i64, int64_t, uint16_t, to_i64(from_bf16(x)))
CAST(bf16_u8, uint8_t, uint16_t, to_u8(from_bf16(x)))
CAST(i32_f32, float, int32_t, (float)x)
CAST(i32_bf16, uint16_t, int32_t, to_bf16((float)x))
CAST(i32_i32, int32_t, int32_t, x)
CAST(i32_i64, int64_t, int32_t, x)
CAST(i32_u8, uint8_t, int32_t, narrow_u8(x))
CAST(i64_f32, float, int64_t, (float)x)
CAST(i64_bf16, uint16_t, int64_t, to_bf16((float)x))
CAST(i64_i32, int32_t, int64_t, narrow_i32(x))
CAST(i64_i64, int64_t, int64_t, x)
CAST(i64_u8, uint8_t, int64_t, narrow_u8(x))
CAST(u8_f32, float, uint8_t, (float)x)
CAST(u8_bf16, uint16_t, uint8_t, to_bf16((float)x))
CAST(u8_i32, int32_t, uint8_t, x)
CAST(u8_i64, int64_t, uint8_t, x)
CAST(u8_u8, uint8_t, uint8_t, x)

static void bytes(float *y, const uint8_t *x, int64_t n, float scale, float shift) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = scale * (float)x[i] + shift;
}

#define ROW(from) {from##_f32, from##_bf16, from##_i32, from##_i64, from##_u8}
extern const gan_cpu_cast_loops GAN_CPU_TABLE(cast);
const gan_cpu_cast_loops GAN_CPU_TABLE(cast) = {{ROW(f32), ROW(bf16), ROW(i32), ROW(i64), ROW(u8)}, bytes};
