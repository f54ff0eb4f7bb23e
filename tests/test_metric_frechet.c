/* The Frechet distance against what is known of it: Gaussians whose covariances share their axes,
 * where it is a sum over axes; and any two, where tr (S·T)^½ comes from Newton's iteration. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ganc/metric.h"
#include "metric/symmetric.h"
#include "support/scratch.h"

enum { COUNT = 400, MOST = 12 };

static uint64_t seed_now = 1;

static double chance(void) {
    seed_now = seed_now * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed_now >> 11) / 9007199254740992.0 - 0.5;
}

/* Vectors that are `mix` (d, d) times independent numbers, plus `shift`. */
static void fill(float *x, int64_t count, int64_t d, const double *mix, double shift) {
    for (int64_t i = 0; i < count; i++) {
        double z[MOST];
        for (int64_t j = 0; j < d; j++) z[j] = chance();
        for (int64_t j = 0; j < d; j++) {
            double sum = shift * (double)(j + 1);
            for (int64_t k = 0; k < d; k++) sum += mix[j * d + k] * z[k];
            x[i * d + j] = (float)sum;
        }
    }
}

/* ---- the same, differently ---- */

static void moments(double *mean, double *covariance, const float *x, int64_t count, int64_t d) {
    for (int64_t j = 0; j < d; j++) {
        mean[j] = 0;
        for (int64_t i = 0; i < count; i++) mean[j] += (double)x[i * d + j];
        mean[j] /= (double)count;
    }
    for (int64_t j = 0; j < d; j++)
        for (int64_t k = 0; k < d; k++) {
            double sum = 0;
            for (int64_t i = 0; i < count; i++)
                sum += ((double)x[i * d + j] - mean[j]) * ((double)x[i * d + k] - mean[k]);
            covariance[j * d + k] = sum / (double)(count - 1);
        }
}

static void times(double *c, const double *a, const double *b, int64_t d) {
    for (int64_t i = 0; i < d; i++)
        for (int64_t j = 0; j < d; j++) {
            c[i * d + j] = 0;
            for (int64_t k = 0; k < d; k++) c[i * d + j] += a[i * d + k] * b[k * d + j];
        }
}

/* Gauss and Jordan. */
static void invert(double *out, const double *from, int64_t d) {
    double a[MOST * MOST];
    for (int64_t i = 0; i < d * d; i++) a[i] = from[i], out[i] = i / d == i % d;
    for (int64_t p = 0; p < d; p++) {
        int64_t best = p;
        for (int64_t r = p; r < d; r++)
            if (fabs(a[r * d + p]) > fabs(a[best * d + p])) best = r;
        for (int64_t j = 0; j < d; j++) {
            const double x = a[p * d + j], y = out[p * d + j];
            a[p * d + j] = a[best * d + j], out[p * d + j] = out[best * d + j];
            a[best * d + j] = x, out[best * d + j] = y;
        }
        const double pivot = a[p * d + p];
        for (int64_t j = 0; j < d; j++) a[p * d + j] /= pivot, out[p * d + j] /= pivot;
        for (int64_t r = 0; r < d; r++) {
            const double factor = a[r * d + p];
            if (r == p) continue;
            for (int64_t j = 0; j < d; j++) {
                a[r * d + j] -= factor * a[p * d + j];
                out[r * d + j] -= factor * out[p * d + j];
            }
        }
    }
}

/* tr M^½ by Denman's and Beavers' iteration, M the product S·T itself. */
static double trace_of_root(const double *s, const double *t, int64_t d) {
    double y[MOST * MOST], z[MOST * MOST], v[MOST * MOST], w[MOST * MOST], trace = 0;
    times(y, s, t, d);
    for (int64_t i = 0; i < d * d; i++) z[i] = i / d == i % d;
    for (int step = 0; step < 60; step++) {
        invert(v, z, d);
        invert(w, y, d);
        for (int64_t i = 0; i < d * d; i++) y[i] = (y[i] + v[i]) / 2, z[i] = (z[i] + w[i]) / 2;
    }
    for (int64_t i = 0; i < d; i++) trace += y[i * d + i];
    return trace;
}

static double expected(const float *a, int64_t na, const float *b, int64_t nb, int64_t d) {
    double m[MOST], n[MOST], s[MOST * MOST], t[MOST * MOST], sum = 0;
    moments(m, s, a, na, d);
    moments(n, t, b, nb, d);
    for (int64_t j = 0; j < d; j++)
        sum += (m[j] - n[j]) * (m[j] - n[j]) + s[j * d + j] + t[j * d + j];
    return sum - 2 * trace_of_root(s, t, d);
}

static void it_is_the_formula(void **state) {
    static float a[COUNT * MOST], b[COUNT * MOST];
    (void)state;
    for (int64_t d = 1; d <= MOST; d += d == 1 ? 1 : 5) {
        double mix[MOST * MOST], other[MOST * MOST], distance;
        for (int64_t i = 0; i < d * d; i++) mix[i] = 3 * chance() + (i / d == i % d);
        for (int64_t i = 0; i < d * d; i++) other[i] = 2 * chance() + (i / d == i % d);
        fill(a, COUNT, d, mix, 0);
        fill(b, COUNT / 2, d, other, 0.1);
        const double wanted = expected(a, COUNT, b, COUNT / 2, d);
        expect_ok(gan_metric_frechet(&distance, a, COUNT, b, COUNT / 2, d));
        if (!(fabs(distance - wanted) <= 1e-7 * (1 + wanted)))
            fail_msg("%d dimensions: %.9g, expected %.9g", (int)d, distance, wanted);
        expect_ok(gan_metric_frechet(&distance, a, COUNT, a, COUNT, d));
        assert_true(fabs(distance) < 1e-7);
    }
}

/* In one dimension: the square of what means differ by, and of what deviations do. */
static void one_dimension_by_hand(void **state) {
    const float a[] = {-1, 1}, b[] = {2, 6, 4};
    double distance;
    (void)state;
    expect_ok(gan_metric_frechet(&distance, a, 2, b, 3, 1));
    const double wanted = 16 + (sqrt(2) - 2) * (sqrt(2) - 2);
    assert_true(fabs(distance - wanted) < 1e-9);
}

/* Vectors that fill fewer dimensions than they have: roots of zero. */
static void flat_sets_have_a_distance(void **state) {
    float a[6 * MOST], b[6 * MOST];
    double distance;
    (void)state;
    for (int i = 0; i < 6 * MOST; i++) a[i] = (float)chance(), b[i] = a[i] + 1;
    expect_ok(gan_metric_frechet(&distance, a, 6, b, 6, MOST));
    assert_true(fabs(distance - MOST) < 1e-5);
}

static void what_cannot_be_is_refused(void **state) {
    const float a[] = {0, 1, 2, NAN};
    double distance;
    (void)state;
    expect_failure(gan_metric_frechet(&distance, a, 1, a, 2, 1), GAN_ERROR_ARGUMENT, "1 and 2");
    expect_failure(gan_metric_frechet(&distance, a, 3, a, 4, 1), GAN_ERROR_ARGUMENT, "not finite");
}

static void eigenvectors_rebuild_their_matrix(void **state) {
    double m[MOST * MOST], copy[MOST * MOST], v[MOST * MOST], value[MOST];
    (void)state;
    for (int i = 0; i < MOST; i++)
        for (int j = 0; j <= i; j++) m[i * MOST + j] = m[j * MOST + i] = chance();
    for (int i = 0; i < MOST * MOST; i++) copy[i] = m[i];
    expect_ok(gan_symmetric_eigen(value, v, copy, MOST));
    for (int i = 0; i < MOST; i++)
        for (int j = 0; j < MOST; j++) {
            double sum = 0, product = 0;
            for (int k = 0; k < MOST; k++) {
                sum += v[k * MOST + i] * value[k] * v[k * MOST + j];
                product += v[i * MOST + k] * v[j * MOST + k];
            }
            assert_true(fabs(sum - m[i * MOST + j]) < 1e-12);
            assert_true(fabs(product - (i == j)) < 1e-12);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_the_formula),
        cmocka_unit_test(one_dimension_by_hand),
        cmocka_unit_test(flat_sets_have_a_distance),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(eigenvectors_rebuild_their_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
