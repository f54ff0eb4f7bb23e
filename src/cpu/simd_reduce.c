/* Sums, maxima and products of vectors. */
#include "cpu/simd.h"
#include "cpu/simd_math.h"

static void add(float *y, const float *x, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] += x[i];
}

static void max(float *y, const float *x, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = simd_max(y[i], x[i]);
}

/* Four quarters side by side hide the latency of the additions. */
static float sum_of(const float *x, int64_t n) {
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    const int64_t q = n / 4;
    const float *x1 = x + q, *x2 = x + 2 * q, *x3 = x + 3 * q;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int64_t i = 0; i < q; i++) {
        s0 += x[i];
        s1 += x1[i];
        s2 += x2[i];
        s3 += x3[i];
    }
    for (int64_t i = 4 * q; i < n; i++) s0 += x[i];
    return (s0 + s1) + (s2 + s3);
}

static float max_of(const float *x, int64_t n) {
    enum { LANES = 32 };
    float lane[LANES];
    int64_t i = n < LANES ? 0 : LANES;
    for (int l = 0; l < LANES; l++) lane[l] = n < LANES ? -(float)INFINITY : x[l];
    for (; i + LANES <= n; i += LANES) {
#pragma omp simd
        for (int l = 0; l < LANES; l++) lane[l] = simd_max(lane[l], x[i + l]);
    }
    for (int l = 0; i < n; i++, l++) lane[l] = simd_max(lane[l], x[i]);
#pragma omp simd
    for (int l = 0; l < 16; l++) lane[l] = simd_max(lane[l], lane[l + 16]);
#pragma omp simd
    for (int l = 0; l < 8; l++) lane[l] = simd_max(lane[l], lane[l + 8]);
    float m = -(float)INFINITY; /* so that NaN alone does not win */
    for (int l = 0; l < 8; l++) m = simd_max(m, lane[l]);
    return m;
}

/* With n known the inner loops below are none. */
static inline void rows_sum(float *y, const float *x, int64_t rows, int64_t n) {
#pragma omp simd
    for (int64_t r = 0; r < rows; r++) {
        float s = 0.0f;
        for (int64_t i = 0; i < n; i++) s += x[r * n + i];
        y[r] = s;
    }
}

static inline void rows_sum_any(float *y, const float *x, int64_t rows, int64_t n) {
    for (int64_t r = 0; r < rows; r++) {
        float s = 0.0f;
        for (int64_t i = 0; i < n; i++) s += x[r * n + i];
        y[r] = s;
    }
}

/* Sixteen rows side by side: one by one, a maximum is a jump. */
static inline void rows_max(float *y, const float *x, int64_t rows, int64_t n) {
    enum { SIDE = 16 };
    for (int64_t r = 0; r < rows; r += SIDE, x += SIDE * n) {
        float at[SIDE][SIDE], all[SIDE];
        const int here = rows - r < SIDE ? (int)(rows - r) : SIDE;
        for (int l = 0; l < SIDE; l++) {
            const float *row = x + (l < here ? l : 0) * n;
            for (int64_t i = 0; i < n; i++) at[i][l] = row[i];
            all[l] = -(float)INFINITY;
        }
        for (int64_t i = 0; i < n; i++) {
#pragma omp simd
            for (int l = 0; l < SIDE; l++) all[l] = simd_max(all[l], at[i][l]);
        }
        memcpy(y + r, all, (size_t)here * sizeof *y);
    }
}

#define SWITCH(function, any)                                                                      \
    switch (n) {                                                                                   \
    case 2:                                                                                        \
        function(y, x, rows, 2);                                                                   \
        break;                                                                                     \
    case 3:                                                                                        \
        function(y, x, rows, 3);                                                                   \
        break;                                                                                     \
    case 4:                                                                                        \
        function(y, x, rows, 4);                                                                   \
        break;                                                                                     \
    case 5:                                                                                        \
        function(y, x, rows, 5);                                                                   \
        break;                                                                                     \
    case 8:                                                                                        \
        function(y, x, rows, 8);                                                                   \
        break;                                                                                     \
    default:                                                                                       \
        any(y, x, rows, n);                                                                        \
    }

static void row_sums(float *y, const float *x, int64_t rows, int64_t n) {
    SWITCH(rows_sum, rows_sum_any)
}
static void row_maxima(float *y, const float *x, int64_t rows, int64_t n) {
    SWITCH(rows_max, rows_max)
}

static float dot(const float *x, const float *y, int64_t n) {
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    const int64_t q = n / 4;
    const float *x1 = x + q, *x2 = x + 2 * q, *x3 = x + 3 * q;
    const float *y1 = y + q, *y2 = y + 2 * q, *y3 = y + 3 * q;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int64_t i = 0; i < q; i++) {
        s0 += x[i] * y[i];
        s1 += x1[i] * y1[i];
        s2 += x2[i] * y2[i];
        s3 += x3[i] * y3[i];
    }
    for (int64_t i = 4 * q; i < n; i++) s0 += x[i] * y[i];
    return (s0 + s1) + (s2 + s3);
}

static void add_scaled(float *y, float a, const float *x, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] += a * x[i];
}

static void moments(float *s, float *q, const float *x, const float *shift, int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        float d = x[i] - shift[i];
        s[i] += d;
        q[i] += d * d;
    }
}

static void products(float *s, float *q, const float *dy, const float *x, const float *mean,
                     int64_t n) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        s[i] += dy[i];
        q[i] += dy[i] * (x[i] - mean[i]);
    }
}

static void bent_products(float *s, float *q, const float *dy, const float *x,
                          const gan_cpu_norm_row *row, float bend, int64_t n) {
    const float *mean = row->mean, *scale = row->scale, *beta = row->beta;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float distance = x[i] - mean[i];
        const float d = distance * scale[i] + beta[i] > 0.0f ? dy[i] : bend * dy[i];
        s[i] += d;
        q[i] += d * distance;
    }
}

static void norm_grad(float *dx, const float *dy, const float *x, const gan_cpu_norm_row *row,
                      int64_t n) {
    const float *mean = row->mean, *scale = row->scale;
    const float *slope = row->slope, *constant = row->constant;
#pragma omp simd
    for (int64_t i = 0; i < n; i++)
        dx[i] = scale[i] * dy[i] + (slope[i] * (x[i] - mean[i]) + constant[i]);
}

static void bent_norm_grad(float *dx, const float *dy, const float *x, const gan_cpu_norm_row *row,
                           float bend, int64_t n) {
    const float *mean = row->mean, *scale = row->scale, *beta = row->beta;
    const float *slope = row->slope, *constant = row->constant;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float distance = x[i] - mean[i];
        const float d = distance * scale[i] + beta[i] > 0.0f ? dy[i] : bend * dy[i];
        dx[i] = scale[i] * d + (slope[i] * distance + constant[i]);
    }
}

static float exp_sum(float *y, const float *x, float shift, int64_t n) {
    float s = 0;
#pragma omp simd reduction(+ : s)
    for (int64_t i = 0; i < n; i++) {
        float e = simd_exp(x[i] - shift);
        y[i] = e;
        s += e;
    }
    return s;
}

extern const gan_cpu_reduce_loops GAN_CPU_TABLE(reduce);
const gan_cpu_reduce_loops GAN_CPU_TABLE(reduce) = {
    add,        max,     sum_of,   max_of,        row_sums,  row_maxima,     dot,
    add_scaled, moments, products, bent_products, norm_grad, bent_norm_grad, exp_sum};
