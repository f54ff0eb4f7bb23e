/* Priors and schedules against their formulas. */
#include "support/networks.h"

/* ---- priors ---- */

static void priors_have_their_moments(void **state) {
    (void)state;
    enum { N = 40000 };
    const struct {
        const char *name;
        double deviation, limit;
    } rows[] = {{"normal", 1, 6}, {"uniform", 1 / sqrt(3), 1}, {"unit-uniform", 1, sqrt(3)}};
    gan_node *x[COUNT(rows)];
    assert_int_equal(gan_prior_count(), COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++)
        x[i] = gan_output(g, gan_prior_find(rows[i].name)->draw(g, counter(), SHAPE(N / 4, 4)));
    assert_null(gan_prior_find("none"));
    run(1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        float *value = read_output(x[i]);
        double sum = 0, squares = 0;
        for (int k = 0; k < N; k++) {
            sum += value[k];
            squares += (double)value[k] * value[k];
            assert_true(fabs(value[k]) <= rows[i].limit + 1e-6);
        }
        expect_near(sum / N, 0, 4.5 * rows[i].deviation / sqrt(N), 0);
        expect_near(sqrt(squares / N), rows[i].deviation, 0.02, 0);
        free(value);
    }
}

static void mixtures_are_centres_plus_noise(void **state) {
    (void)state;
    enum { R = 3, M = 3000 };
    const float centres[R][2] = {{0, 0}, {10, 0}, {0, -20}};
    gan_node *c =
        gan_variable_node(g, GAN_DATA, "data/centres", GAN_F32, SHAPE(R, 2), (gan_init){0});
    gan_node *x = gan_output(g, gan_mixture_points(g, counter(), c, 0.1, M));
    assert_true(gan_shape_equal(gan_node_shape(x), SHAPE(M, 2)));
    load();
    write_variable(GAN_DATA, "data/centres", &centres[0][0]);
    run(1);
    float *value = read_output(x);
    int count[R] = {0};
    double squares = 0;
    for (int i = 0; i < M; i++)
        for (int k = 0; k < R; k++) {
            const double dx = value[2 * i] - centres[k][0], dy = value[2 * i + 1] - centres[k][1];
            if (hypot(dx, dy) > 1) continue;
            count[k]++;
            squares += dx * dx + dy * dy;
        }
    assert_int_equal(count[0] + count[1] + count[2], M);
    for (int k = 0; k < R; k++) expect_near(count[k], M / 3., 4.5 * sqrt(M * 2 / 9.), 0);
    expect_near(sqrt(squares / (2 * M)), 0.1, 0.005, 0);
    free(value);
}

/* ---- schedules ---- */

static void schedules_follow_the_counter(void **state) {
    (void)state;
    enum { U = 500 };
    gan_optimizer_options o = gan_optimizer_defaults("momentum"),
                          falling = {.rate = 2, .linear = 1000};
    o.epoch_updates = U;
    gan_node *rate = gan_output(g, gan_rate_schedule(g, counter(), 1, 0, &o));
    gan_node *second = gan_output(g, gan_rate_schedule(g, counter(), 3, 2, &o));
    gan_node *momentum = gan_output(g, gan_momentum_schedule(g, counter(), 1, 0, &o));
    gan_node *linear = gan_output(g, gan_rate_schedule(g, counter(), 5, 1, &falling));
    load();
    const int64_t times[] = {0, 1, U - 1, U, 100 * U, 249 * U - 1, 249 * U, 400 * U, 10000000};
    for (size_t i = 0; i < COUNT(times); i++) {
        const int64_t t = times[i];
        set_counter("t/steps", t);
        run(1);
        expect_near(read_scalar(rate), fmax(0.1 * pow(1.000004, (double)-t), 1e-6), 0, 1e-5);
        expect_near(read_scalar(second), fmax(0.1 * pow(1.000004, (double)(-3 * t - 2)), 1e-6), 0,
                    1e-5);
        const double epoch = fmin((double)(t / U) + 1, 250);
        expect_near(read_scalar(momentum), 0.5 + 0.2 * (epoch - 1) / 249, 1e-6, 0);
        expect_near(read_scalar(linear), 2 * fmax(0, 1 - (double)t / 1000), 1e-6, 1e-5);
    }
    assert_null(gan_optimizer_defaults("unknown").optimizer);
    assert_string_equal(gan_optimizer_defaults("adam").optimizer->name, "adam");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(priors_have_their_moments),
        TEST(mixtures_are_centres_plus_noise),
        TEST(schedules_follow_the_counter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
