/* Conversions to the floating-point types; there are none to the others. */
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
CAST(bf16_f32, float, uint16_t, from_bf16(x))
CAST(bf16_bf16, uint16_t, uint16_t, x)
CAST(i32_f32, float, int32_t, (float)x)
CAST(i32_bf16, uint16_t, int32_t, to_bf16((float)x))
CAST(i64_f32, float, int64_t, (float)x)
CAST(i64_bf16, uint16_t, int64_t, to_bf16((float)x))
CAST(u8_f32, float, uint8_t, (float)x)
CAST(u8_bf16, uint16_t, uint8_t, to_bf16((float)x))

static void bytes(float *y, const uint8_t *x, int64_t n, float scale, float shift) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = scale * (float)x[i] + shift;
}

#define ROW(from)                                                                                  \
    { from##_f32, from##_bf16 }
extern const gan_cpu_cast_loops GAN_CPU_TABLE(cast);
const gan_cpu_cast_loops GAN_CPU_TABLE(cast) = {{ROW(f32), ROW(bf16), ROW(i32), ROW(i64), ROW(u8)},
                                                bytes};
