/* Products of matrices, a strip of columns at a time, and the sums and differences of rows that the
 * convolutions by phases make their factors of. */
#include <string.h>

#include "cpu/simd.h"

#if defined __AVX512F__
enum { LANES = 16, VECTORS = 4 };
#elif defined __AVX2__
enum { LANES = 8, VECTORS = 2 };
#else
enum { LANES = 4, VECTORS = 2 };
#endif
enum { ROWS = 6, STRIP = LANES * VECTORS }; /* sums of a block fill the registers */
typedef float vec __attribute__((vector_size(4 * LANES), may_alias));
typedef float loose __attribute__((vector_size(4 * LANES), aligned(4), may_alias)); /* in memory */

#define INLINE static inline __attribute__((always_inline))
#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

/* Rows 0 … rows-1, vectors 0 … vectors-1 of a strip; both are constants where this is inlined. */
INLINE void block(int rows, int vectors, const gan_cpu_strip *s, const float *a, int64_t next,
                  int64_t along, float *c) {
    vec sum[ROWS][VECTORS];
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) sum[i][j] =
        (vec){0};
    const float *b = s->b;
    for (int64_t p = 0; p < s->k; p++, a += along, b += STRIP) {
        vec x[VECTORS];
        UNROLL for (int j = 0; j < vectors; j++) x[j] = *(const loose *)(b + j * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const float f = a[i * next];
            UNROLL for (int j = 0; j < vectors; j++) sum[i][j] += f * x[j];
        }
    }
    const int64_t whole = s->n / LANES;
    UNROLL for (int i = 0; i < rows; i++) UNROLL for (int j = 0; j < vectors; j++) {
        float *to = c + i * s->ldc + j * LANES;
        if (j < whole) {
            if (s->add) sum[i][j] += *(const loose *)to;
            *(loose *)to = sum[i][j];
            continue;
        }
        float last[LANES];
        memcpy(last, &sum[i][j], sizeof last);
        for (int l = 0; l < (int)(s->n - whole * LANES); l++)
            to[l] = s->add ? to[l] + last[l] : last[l];
    }
}

typedef void blocks(const gan_cpu_strip *s);

#define BLOCKS(vectors)                                                                            \
    INLINE void rows_##vectors(const gan_cpu_strip *s, int64_t next, int64_t along) {              \
        for (int64_t i = 0; i < s->m;) {                                                           \
            const float *a = s->a + i * next;                                                      \
            float *c = s->c + i * s->ldc;                                                          \
            const int64_t left = s->m - i;                                                         \
            if (left >= 6) {                                                                       \
                block(6, vectors, s, a, next, along, c);                                           \
                i += 6;                                                                            \
                continue;                                                                          \
            }                                                                                      \
            if (left == 5) block(5, vectors, s, a, next, along, c);                                \
            if (left == 4) block(4, vectors, s, a, next, along, c);                                \
            if (left == 3) block(3, vectors, s, a, next, along, c);                                \
            if (left == 2) block(2, vectors, s, a, next, along, c);                                \
            if (left == 1) block(1, vectors, s, a, next, along, c);                                \
            break;                                                                                 \
        }                                                                                          \
    }                                                                                              \
    static void plain_##vectors(const gan_cpu_strip *s) { rows_##vectors(s, s->lda, 1); }          \
    static void across_##vectors(const gan_cpu_strip *s) { rows_##vectors(s, 1, s->lda); }

BLOCKS(1)
BLOCKS(2)
#if defined __AVX512F__
BLOCKS(3)
BLOCKS(4)
static blocks *const of_plain[] = {plain_1, plain_2, plain_3, plain_4};
static blocks *const of_across[] = {across_1, across_2, across_3, across_4};
#else
static blocks *const of_plain[] = {plain_1, plain_2};
static blocks *const of_across[] = {across_1, across_2};
#endif

static void strip(const gan_cpu_strip *s) {
    if (s->m <= 0 || s->n <= 0) return;
    const int64_t last = (s->n + LANES - 1) / LANES - 1;
    (s->transposed ? of_across : of_plain)[last](s);
}

/* ---- what factors are made of ---- */

/* Rows are short: a loop over whole vectors, then the rest. */
#define EACH(n, vectors, rest)                                                                     \
    {                                                                                              \
        int64_t i = 0;                                                                             \
        for (; i + LANES <= (n); i += LANES) *(loose *)(y + i) = vectors;                          \
        for (; i < (n); i++) y[i] = rest;                                                          \
    }
#define V(x) (*(const loose *)((x) + i))

static void sum(float *y, int64_t pitch, const float *const *x, int terms, int64_t stride,
                int64_t groups, int64_t n) {
    const float *a = x[0], *b = x[terms > 1 ? 1 : 0], *c = x[terms > 2 ? 2 : 0],
                *d = x[terms > 3 ? 3 : 0];
    for (int64_t g = 0; g < groups; g++, y += pitch) {
        if (terms == 1)
            EACH(n, V(a), a[i])
        else if (terms == 2)
            EACH(n, V(a) + V(b), a[i] + b[i])
        else
            EACH(n, (V(a) + V(b)) + (V(c) + V(d)), (a[i] + b[i]) + (c[i] + d[i]))
        a += stride, b += stride, c += stride, d += stride;
    }
}

static void difference(float *y, int64_t pitch, const float *a, const float *b, int64_t stride,
                       int64_t groups, int64_t n) {
    for (int64_t g = 0; g < groups; g++, y += pitch, a += stride, b += stride)
        EACH(n, V(a) - V(b), a[i] - b[i])
}

/* ---- transposition ---- */

#if defined __AVX512F__
#define LOW(x, y)                                                                                  \
    __builtin_shufflevector(x, y, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23)
#define HIGH(x, y)                                                                                 \
    __builtin_shufflevector(x, y, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31)
#elif defined __AVX2__
#define LOW(x, y) __builtin_shufflevector(x, y, 0, 8, 1, 9, 2, 10, 3, 11)
#define HIGH(x, y) __builtin_shufflevector(x, y, 4, 12, 5, 13, 6, 14, 7, 15)
#else
#define LOW(x, y) __builtin_shufflevector(x, y, 0, 4, 1, 5)
#define HIGH(x, y) __builtin_shufflevector(x, y, 2, 6, 3, 7)
#endif

/* Interleaving the halves as often as they can be halved moves (i, j) to (j, i). */
INLINE void square(float *y, int64_t ys, const float *x, int64_t xs) {
    vec a[LANES], b[LANES];
    UNROLL for (int i = 0; i < LANES; i++) a[i] = *(const loose *)(x + i * xs);
    UNROLL for (int n = 1; n < LANES; n *= 2) {
        UNROLL for (int i = 0; i < LANES / 2; i++) {
            b[2 * i] = LOW(a[i], a[i + LANES / 2]);
            b[2 * i + 1] = HIGH(a[i], a[i + LANES / 2]);
        }
        UNROLL for (int i = 0; i < LANES; i++) a[i] = b[i];
    }
    UNROLL for (int i = 0; i < LANES; i++) * (loose *)(y + i * ys) = a[i];
}

static void transpose(float *y, int64_t ys, const float *x, int64_t xs, int64_t rows,
                      int64_t columns) {
    const int64_t r1 = rows / LANES * LANES, c1 = columns / LANES * LANES;
    for (int64_t r = 0; r < r1; r += LANES)
        for (int64_t c = 0; c < c1; c += LANES) square(y + c * ys + r, ys, x + r * xs + c, xs);
    for (int64_t r = 0; r < rows; r++)
        for (int64_t c = r < r1 ? c1 : 0; c < columns; c++) y[c * ys + r] = x[r * xs + c];
}

extern const gan_cpu_product_loops GAN_CPU_TABLE(product);
const gan_cpu_product_loops GAN_CPU_TABLE(product) = {STRIP, strip, sum, difference, transpose};
