/* The Fréchet distance between two Gaussians fitted to samples (Heusel et al. 2017, section 2 and
 * eq. 6): ‖m - n‖² + tr(S + T - 2·(S·T)^½). The trace of (S·T)^½ is that of (S^½·T·S^½)^½, which is
 * symmetric and has no negative eigenvalue, so nothing imaginary can come of it. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "metric/symmetric.h"

#include "ganc/metric.h"

typedef struct gaussian {
    double *mean;       /* (d) */
    double *covariance; /* (d, d), over count - 1 */
} gaussian;

static void fit(const gaussian *out, const float *x, int64_t count, int64_t d, double *row) {
    for (int64_t i = 0; i < count * d; i++) out->mean[i % d] += (double)x[i] / (double)count;
    for (int64_t i = 0; i < count; i++) {
        for (int64_t j = 0; j < d; j++) row[j] = (double)x[i * d + j] - out->mean[j];
        for (int64_t j = 0; j < d; j++)
            for (int64_t k = 0; k <= j; k++) out->covariance[j * d + k] += row[j] * row[k];
    }
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k <= j; k++) {
            out->covariance[j * d + k] /= (double)(count - 1);
            out->covariance[k * d + j] = out->covariance[j * d + k];
        }
}

/* c = a·b. */
static void multiply(double *c, const double *a, const double *b, int64_t d) {
    for (int64_t i = 0; i < d * d; i++) c[i] = 0;
    for (int64_t i = 0; i < d; i++)
        for (int64_t k = 0; k < d; k++)
            for (int64_t j = 0; j < d; j++) c[i * d + j] += a[i * d + k] * b[k * d + j];
}

static double root(double value) { return value > 0 ? sqrt(value) : 0; }

/* tr (S·T)^½; S and T are overwritten. */
static gan_status trace_of_root(double *out, double *s, double *t, double *work, int64_t d) {
    double *vectors = work, *scaled = work + d * d, *half = work + 2 * d * d;
    double *value = work + 3 * d * d;
    GAN_TRY(gan_symmetric_eigen(value, vectors, s, d));
    for (int64_t i = 0; i < d * d; i++) scaled[i] = vectors[i] * root(value[i / d]);
    /* The eigenvectors are rows: S^½ = Vᵀ·diag·V. */
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            double sum = 0;
            for (int64_t k = 0; k < d; k++) sum += vectors[k * d + i] * scaled[k * d + j];
            half[i * d + j] = sum;
        }
    multiply(scaled, half, t, d);
    multiply(s, scaled, half, d);
    GAN_TRY(gan_symmetric_eigen(value, NULL, s, d));
    *out = 0;
    for (int64_t i = 0; i < d; i++) *out += root(value[i]);
    return GAN_OK;
}

static bool is_finite(const float *x, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

gan_status gan_metric_frechet(double *out, const float *a, int64_t a_count, const float *b,
                              int64_t b_count, int64_t dims) {
    if (a_count < 2 || b_count < 2 || dims < 1)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "Frechet distance: %lld and %lld samples of %lld numbers given, expected "
                        "at least 2, 2 and 1",
                        (long long)a_count, (long long)b_count, (long long)dims);
    if (!is_finite(a, a_count * dims) || !is_finite(b, b_count * dims))
        return gan_fail(GAN_ERROR_ARGUMENT, "Frechet distance: a number that is not finite");
    const size_t d = (size_t)dims, square = d * d;
    double *memory = calloc(5 * square + 4 * d, sizeof *memory);
    if (!memory) return gan_fail(GAN_ERROR_MEMORY, "Frechet distance: out of memory");
    double *covariances = memory, *work = memory + 2 * square, *means = memory + 5 * square + d;
    const gaussian p = {means, covariances}, q = {means + d, covariances + square};
    fit(&p, a, a_count, dims, work);
    fit(&q, b, b_count, dims, work);
    double distance = 0, trace;
    for (size_t j = 0; j < d; j++) {
        const double off = p.mean[j] - q.mean[j];
        distance += off * off + p.covariance[j * d + j] + q.covariance[j * d + j];
    }
    const gan_status status = trace_of_root(&trace, p.covariance, q.covariance, work, dims);
    if (status == GAN_OK) *out = fmax(0, distance - 2 * trace);
    free(memory);
    return status;
}
