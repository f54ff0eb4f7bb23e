/* Optimiser steps: one pass over the flat variables. */
#include "cpu/simd.h"
#include "cpu/simd_math.h"

static void adam(float *w, float *m, float *v, const float *g, int64_t n,
                 const gan_cpu_adam_factors *f) {
    const float beta1 = f->beta1, beta2 = f->beta2, rest1 = f->rest1, rest2 = f->rest2,
                eps = f->eps;
    const float step = f->step, correction = f->correction;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float first = beta1 * m[i] + rest1 * g[i];
        const float second = beta2 * v[i] + rest2 * (g[i] * g[i]);
        m[i] = first;
        v[i] = second;
        w[i] -= step * first / (sqrtf(second * correction) + eps);
    }
}

static void momentum(float *w, float *v, const float *g, int64_t n, float rate, float factor) {
#pragma omp simd
    for (int64_t i = 0; i < n; i++) {
        const float velocity = factor * v[i] - rate * g[i];
        v[i] = velocity;
        w[i] += velocity;
    }
}

static void average(float *y, const float *x, int64_t n, float decay) {
    const float rest = 1.0f - decay;
#pragma omp simd
    for (int64_t i = 0; i < n; i++) y[i] = decay * y[i] + rest * x[i];
}

extern const gan_cpu_update_loops GAN_CPU_TABLE(update);
const gan_cpu_update_loops GAN_CPU_TABLE(update) = {adam, momentum, average};
