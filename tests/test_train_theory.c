/* What is proved about GANs in one dimension comes out, as numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ganc/theory.h"
#include "support/scratch.h"

static gan_device *device;

static int open_device(void **state) {
    (void)state;
    return gan_device_open(&device, "cpu", &(gan_device_options){.threads = 1}) != GAN_OK;
}

static int close_device(void **state) {
    (void)state;
    gan_device_close(device);
    return 0;
}

static void near(double got, double wanted, double within) {
    if (!(fabs(got - wanted) <= within)) fail_msg("%.9g, expected %.9g", got, wanted);
}

/* Closed forms: KL between Gaussians; JSD of equal and of disjoint ones. */
static void densities_integrate_as_they_should(void **state) {
    const gan_density a = gan_density_gaussian(1, 0.5), b = gan_density_gaussian(-1, 2),
                      far = gan_density_gaussian(60, 1), pair = gan_density_pair(-2, 1, 4, 1);
    (void)state;
    near(gan_density_kl(&a, &b), log(4) + (0.25 + 4) / 8 - 0.5, 1e-9);
    near(gan_density_jsd(&a, &a), 0, 1e-12);
    near(gan_density_jsd(&b, &far), log(2), 1e-6);
    near(gan_density_quantile(&pair, 0.5), 1, 1e-9);
    near(gan_density_at(&pair, -2), 0.5 * 0.3989422804014327, 1e-6);
    assert_true(isfinite(gan_density_log(&a, 1e6)));
}

/* D reaches p/(p+q), and the game's value 2·JSD - log 4 (2014, proposition 1, theorem 1). */
static void a_discriminator_reaches_its_optimum(void **state) {
    enum { N = 101 };
    const gan_density p_data[] = {gan_density_gaussian(0, 1), gan_density_pair(-1.5, 0.5, 1, 0.8)};
    const gan_density p_g[] = {gan_density_gaussian(0, 1), gan_density_gaussian(0.5, 1)};
    double x[N], d[N], value;
    (void)state;
    for (int i = 0; i < N; i++) x[i] = -2.5 + 5.0 * i / (N - 1);
    for (int k = 0; k < 2; k++) {
        double sum = 0;
        expect_ok(gan_theory_discriminator(d, &value, device, &p_data[k], &p_g[k], x, N));
        for (int i = 0; i < N; i++) {
            const double optimal = gan_optimal_discriminator(&p_data[k], &p_g[k], x[i]);
            near(d[i], optimal, 0.02);
            sum += fabs(d[i] - optimal);
        }
        near(sum / N, 0, 0.005);
        near(value, 2 * gan_density_jsd(&p_data[k], &p_g[k]) - log(4), 1e-3);
    }
}

/* dL/dt = -t·E w(s), w = -sigma(s) or -(1 - sigma(s)), over x ~ N(t, 1), s = t²/2 - t·x. */
static double shift_gradient(gan_generator_loss loss, double t) {
    double sum = 0;
    const double step = 1e-3;
    for (double z = -14; z < 14; z += step) {
        const double s = t * t / 2 - t * (t + z);
        const double w = loss == GAN_LOSS_MINIMAX ? 1 / (1 + exp(-s)) : 1 / (1 + exp(s));
        sum += step * exp(-z * z / 2) / sqrt(2 * acos(-1)) * w * t;
    }
    return sum;
}

static void minimax_vanishes_where_the_other_does_not(void **state) {
    enum { N = 5 };
    const double s[N] = {-9, -2, 0, 3, 9}, t[N] = {0, 0.5, 2, 5, 8};
    double by_logit[N], by_shift[N];
    (void)state;
    for (int k = 0; k < 2; k++) {
        const gan_generator_loss loss = k ? GAN_LOSS_NON_SATURATING : GAN_LOSS_MINIMAX;
        expect_ok(gan_theory_logit_gradients(by_logit, device, loss, s, N));
        expect_ok(gan_theory_shift_gradients(by_shift, device, loss, t, N));
        for (int i = 0; i < N; i++) {
            const double sigma = 1 / (1 + exp(-s[i])), wanted = shift_gradient(loss, t[i]);
            near(by_logit[i], k ? sigma - 1 : -sigma, 1e-6);
            near(by_shift[i], wanted, 1e-3 * wanted + 1e-6);
        }
        if (k)
            assert_true(by_logit[0] < -0.99 && by_shift[4] > 7.9);
        else
            assert_true(by_logit[0] > -2e-4 && by_shift[4] < 1e-3);
    }
}

/* Forward KL matches mean and variance; reverse KL takes one mode, whichever is nearer. */
static void divergences_seek_the_mean_and_a_mode(void **state) {
    const gan_density p = gan_density_pair(-2, 0.6, 2, 0.6);
    gan_gaussian_fit fit;
    (void)state;
    expect_ok(gan_theory_fit(&fit, device, &p, false, 1));
    near(fit.mean, 0, 1e-3);
    near(fit.deviation, sqrt(4 + 0.36), 1e-3);
    for (int side = -1; side <= 1; side += 2) {
        expect_ok(gan_theory_fit(&fit, device, &p, true, side));
        near(fit.mean, 2 * side, 0.02);
        near(fit.deviation, 0.6, 0.02);
        const gan_density q = gan_density_gaussian(fit.mean, fit.deviation);
        near(fit.divergence, gan_density_kl(&q, &p), 1e-4);
        near(fit.divergence, log(2), 0.01);
    }
}

static void a_game_comes_to_the_data(void **state) {
    static gan_theory_stage stage[2];
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        stage[0].step = 4;
        stage[1].step = 1000;
        expect_ok(gan_theory_game(stage, 2, device, 2, 0.8, seed));
        assert_true(stage[0].jsd > 0.3);
        assert_true(stage[1].jsd < 0.1);
        assert_true(stage[1].d_from_half < 0.5 * stage[0].d_from_half);
    }
    stage[1].step = 3;
    expect_failure(gan_theory_game(stage, 2, device, 2, 0.8, 1), GAN_ERROR_ARGUMENT, "stage 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(densities_integrate_as_they_should),
        cmocka_unit_test(a_discriminator_reaches_its_optimum),
        cmocka_unit_test(minimax_vanishes_where_the_other_does_not),
        cmocka_unit_test(divergences_seek_the_mean_and_a_mode),
        cmocka_unit_test(a_game_comes_to_the_data),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
