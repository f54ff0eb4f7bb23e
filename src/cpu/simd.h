/* The inner loops. Every file simd_*.c is compiled once an instruction set, named by GAN_CPU_ISA,
 * and defines one of the tables below under a name that carries it; isa.c collects them. All
 * lengths are elements; arrays of one call do not overlap unless a comment says so.
 */
#ifndef GANC_CPU_SIMD_H
#define GANC_CPU_SIMD_H

#include "cpu/program.h"

#define GAN_CPU_JOIN_(a, b) a##b
#define GAN_CPU_JOIN(a, b) GAN_CPU_JOIN_(a, b)
#define GAN_CPU_TABLE(name) GAN_CPU_JOIN(gan_cpu_##name##_, GAN_CPU_ISA)

/* simd_pointwise.c: y[i] = f(a[i], b[i]); y may be a or b. */
typedef struct gan_cpu_pointwise_loops {
    gan_cpu_function *function[GAN_FN_COUNT];
} gan_cpu_pointwise_loops;

/* Of each element of a row, what its channel has in common, for batch norm's gradients. */
typedef struct gan_cpu_norm_row {
    const float *mean, *scale, *beta; /* (x - mean)·scale + beta is batch norm's result */
    const float *slope, *constant;    /* dx = scale·dy + slope·(x - mean) + constant */
} gan_cpu_norm_row;

/* simd_reduce.c */
typedef struct gan_cpu_reduce_loops {
    void (*add)(float *y, const float *x, int64_t n); /* y += x */
    void (*max)(float *y, const float *x, int64_t n); /* y = max(y, x) */
    float (*sum_of)(const float *x, int64_t n);
    float (*max_of)(const float *x, int64_t n); /* -infinity for none */
    /* y[r] = the sum, or the maximum, of x[r·n … r·n + n-1], one after the other; n <= 16 */
    void (*row_sums)(float *y, const float *x, int64_t rows, int64_t n);
    void (*row_maxima)(float *y, const float *x, int64_t rows, int64_t n);
    float (*dot)(const float *x, const float *y, int64_t n);
    void (*add_scaled)(float *y, float a, const float *x, int64_t n); /* y += a·x */
    /* s += x - shift; q += (x - shift)² */
    void (*moments)(float *s, float *q, const float *x, const float *shift, int64_t n);
    /* s += dy; q += dy·(x - mean) */
    void (*products)(float *s, float *q, const float *dy, const float *x, const float *mean,
                     int64_t n);
    /* The same with `bend`·dy where batch norm's result is not positive. */
    void (*bent_products)(float *s, float *q, const float *dy, const float *x,
                          const gan_cpu_norm_row *row, float bend, int64_t n);
    void (*norm_grad)(float *dx, const float *dy, const float *x, const gan_cpu_norm_row *row,
                      int64_t n);
    void (*bent_norm_grad)(float *dx, const float *dy, const float *x, const gan_cpu_norm_row *row,
                           float bend, int64_t n);
    /* y = exp(x - shift); returns the sum of y. y may be x. */
    float (*exp_sum)(float *y, const float *x, float shift, int64_t n);
} gan_cpu_reduce_loops;

/* simd_random.c: 4·groups numbers of groups `group`… of a stream at `counter`, as
 * gan_philox_subsequence() orders them. groups <= GAN_CPU_RANDOM_GROUPS. */
enum { GAN_CPU_RANDOM_GROUPS = 256 };
typedef void gan_cpu_random_fill(void *y, uint64_t seed, uint32_t stream, uint64_t counter,
                                 uint64_t group, int64_t groups, float a, float b);
typedef struct gan_cpu_random_loops {
    gan_cpu_random_fill *bits;    /* uint32 */
    gan_cpu_random_fill *uniform; /* a + (b-a)·u, u in (0,1] */
    gan_cpu_random_fill *normal;  /* a + b·(standard normal) */
} gan_cpu_random_loops;

/* simd_product.c: c (m,n) = a·b, or c += a·b, of as many columns as a strip has or fewer. b lies as
 * k rows of a whole strip; a(i,p) is a[i·lda + p], or a[p·lda + i] when transposed. */
typedef struct gan_cpu_strip {
    const float *a, *b;
    float *c;
    int64_t m, n, k, lda, ldc;
    bool transposed, add;
} gan_cpu_strip;

typedef struct gan_cpu_product_loops {
    int64_t strip; /* columns */
    void (*product)(const gan_cpu_strip *s);
    /* y[g·pitch + i] = Σ x[…][g·stride + i] over 1, 2 or 4 terms, for g < groups, i < n */
    void (*sum)(float *y, int64_t pitch, const float *const *x, int terms, int64_t stride,
                int64_t groups, int64_t n);
    /* y[g·pitch + i] = a[g·stride + i] - b[g·stride + i]; y may be a */
    void (*difference)(float *y, int64_t pitch, const float *a, const float *b, int64_t stride,
                       int64_t groups, int64_t n);
    /* y[c·ys + r] = x[r·xs + c] for r < rows, c < columns */
    void (*transpose)(float *y, int64_t ys, const float *x, int64_t xs, int64_t rows,
                      int64_t columns);
} gan_cpu_product_loops;

/* simd_update.c */
typedef struct gan_cpu_adam_factors {
    float beta1, beta2, rest1, rest2, eps; /* rest = 1 - beta */
    float step;                            /* rate / (1 - beta1^t) */
    float correction;                      /* 1 / (1 - beta2^t) */
} gan_cpu_adam_factors;

typedef struct gan_cpu_update_loops {
    void (*adam)(float *w, float *m, float *v, const float *g, int64_t n,
                 const gan_cpu_adam_factors *f);
    void (*momentum)(float *w, float *v, const float *g, int64_t n, float rate, float momentum);
    void (*average)(float *y, const float *x, int64_t n,
                    float decay); /* y = decay·y + (1-decay)·x */
} gan_cpu_update_loops;

/* simd_cast.c */
typedef struct gan_cpu_cast_loops {
    gan_cpu_conversion *cast[GAN_U8 + 1][GAN_BF16 + 1]; /* [from][to] */
    void (*bytes)(float *y, const uint8_t *x, int64_t n, float scale,
                  float shift); /* scale·x + shift */
} gan_cpu_cast_loops;

struct gan_cpu_simd {
    const char *name;
    const gan_cpu_pointwise_loops *pointwise;
    const gan_cpu_reduce_loops *reduce;
    const gan_cpu_random_loops *random;
    const gan_cpu_update_loops *update;
    const gan_cpu_cast_loops *cast;
    const gan_cpu_product_loops *product;
};
typedef struct gan_cpu_simd gan_cpu_simd;

/* The widest set that this processor has. */
const gan_cpu_simd *gan_cpu_simd_best(void);

/* Set number i, narrowest first, as long as the processor has it; else NULL. */
const gan_cpu_simd *gan_cpu_simd_at(int i);

#endif
