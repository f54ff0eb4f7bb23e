/* Jacobi's method: rotations that set one entry off the diagonal to zero after another. */
#include "metric/symmetric.h"

#include <math.h>

#include "base/error.h"

enum { SWEEPS = 64 };

/* The squares off the diagonal, and of all entries. */
static void squares(double *off, double *all, const double *m, int64_t d) {
    *off = *all = 0;
    for (int64_t i = 0; i < d * d; i++) {
        *all += m[i] * m[i];
        if (i / d != i % d) *off += m[i] * m[i];
    }
}

/* Rows i and j become c·i - s·j and s·i + c·j. */
static void turn(double *m, int64_t d, int64_t i, int64_t j, double c, double s) {
    for (int64_t k = 0; k < d; k++) {
        const double x = m[i * d + k], y = m[j * d + k];
        m[i * d + k] = c * x - s * y;
        m[j * d + k] = s * x + c * y;
    }
}

static void turn_columns(double *m, int64_t d, int64_t i, int64_t j, double c, double s) {
    for (int64_t k = 0; k < d; k++) {
        const double x = m[k * d + i], y = m[k * d + j];
        m[k * d + i] = c * x - s * y;
        m[k * d + j] = s * x + c * y;
    }
}

static void rotate(double *m, double *vectors, int64_t d, int64_t i, int64_t j) {
    const double entry = m[i * d + j];
    if (entry == 0) return;
    const double ratio = (m[j * d + j] - m[i * d + i]) / (2 * entry);
    const double t = (ratio < 0 ? -1 : 1) / (fabs(ratio) + hypot(1, ratio));
    const double c = 1 / hypot(1, t), s = t * c;
    turn(m, d, i, j, c, s);
    turn_columns(m, d, i, j, c, s);
    m[i * d + j] = m[j * d + i] = 0;
    if (vectors) turn(vectors, d, i, j, c, s);
}

gan_status gan_symmetric_eigen(double *value, double *vectors, double *m, int64_t d) {
    double off, all;
    for (int64_t i = 0; vectors && i < d * d; i++) vectors[i] = i / d == i % d;
    squares(&off, &all, m, d);
    for (int sweep = 0; off > 1e-30 * all && sweep < SWEEPS; sweep++) {
        for (int64_t i = 0; i < d; i++)
            for (int64_t j = i + 1; j < d; j++) rotate(m, vectors, d, i, j);
        squares(&off, &all, m, d);
    }
    if (!(off <= 1e-24 * all))
        return gan_fail(GAN_ERROR_ARGUMENT, "eigenvalues: no convergence, %lld rows, off by %g",
                        (long long)d, off);
    for (int64_t i = 0; i < d; i++) value[i] = m[i * d + i];
    return GAN_OK;
}
