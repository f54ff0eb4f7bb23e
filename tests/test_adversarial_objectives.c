/* Every objective's losses against the formulas of its paper, written here as they are printed
 * there; what a game that saturates makes of them; and began's balance over iterations. */
#include "support/networks.h"

static double log_sigma(double s) { return log(1 / (1 + exp(-s))); }
static double log_1_sigma(double s) { return log(1 - 1 / (1 + exp(-s))); }

/* ---- rows: D's loss is scale·(E real(s_r) + E fake(s_f)), G's is E g(s_f) ---- */

static const double margin = 2.5;

static double minus_log(double s) { return -log_sigma(s); }
static double minus_log_1(double s) { return -log_1_sigma(s); }
static double smoothed(double s) { return -0.9 * log_sigma(s) - 0.1 * log_1_sigma(s); }
static double half_exp(double s) { return -0.5 * exp(s); }
static double below_1(double s) { return fmax(0, 1 - s); }
static double above_minus_1(double s) { return fmax(0, 1 + s); }
static double itself(double s) { return s; }
static double minus(double s) { return -s; }
static double half_to_1(double s) { return (s - 1) * (s - 1) / 2; }
static double half_to_smooth(double s) { return (s - 0.9) * (s - 0.9) / 2; }
static double half_to_0(double s) { return s * s / 2; }
static double below_margin(double s) { return fmax(0, margin - s); }

/* Nowozin et al. 2016, table 6: T = g_f(v) and f*(t). */
static double t_kl(double v) { return v; }
static double c_kl(double t) { return exp(t - 1); }
static double t_reverse(double v) { return -exp(-v); }
static double c_reverse(double t) { return -1 - log(-t); }
static double c_pearson(double t) { return t * t / 4 + t; }
static double t_hellinger(double v) { return 1 - exp(-v); }
static double c_hellinger(double t) { return t / (1 - t); }
static double t_js(double v) { return log(2) - log(1 + exp(-v)); }
static double c_js(double t) { return -log(2 - exp(t)); }
static double t_gan(double v) { return -log(1 + exp(-v)); }
static double c_gan(double t) { return -log(1 - exp(t)); }

typedef double (*function)(double);

static const struct row {
    const char *name;
    function real, smooth, fake, g; /* smooth: real with the target at 0.9, or NULL */
    function t, star;               /* f-GAN, in place of the others */
} rows[] = {
    {"minimax", minus_log, smoothed, minus_log_1, log_1_sigma, NULL, NULL},
    {"non-saturating", minus_log, smoothed, minus_log_1, minus_log, NULL, NULL},
    {"maximum-likelihood", minus_log, smoothed, minus_log_1, half_exp, NULL, NULL},
    {"hinge", below_1, NULL, above_minus_1, minus, NULL, NULL},
    {"least-squares", half_to_1, half_to_smooth, half_to_0, half_to_1, NULL, NULL},
    {"wasserstein", minus, NULL, itself, minus, NULL, NULL},
    {"ebgan", itself, NULL, below_margin, itself, NULL, NULL},
    {"f-kl", NULL, NULL, NULL, NULL, t_kl, c_kl},
    {"f-reverse-kl", NULL, NULL, NULL, NULL, t_reverse, c_reverse},
    {"f-pearson", NULL, NULL, NULL, NULL, t_kl, c_pearson},
    {"f-hellinger", NULL, NULL, NULL, NULL, t_hellinger, c_hellinger},
    {"f-js", NULL, NULL, NULL, NULL, t_js, c_js},
    {"f-gan", NULL, NULL, NULL, NULL, t_gan, c_gan},
};

enum { M = 6 };
static const float real_scores[M] = {0, 0.7f, -2, 3, 5.5f, 1.25f};
static const float fake_scores[M] = {-0.3f, 2, -4.5f, 6, 0.5f, -1};

static double mean(function f, const float *s) {
    double sum = 0;
    for (int i = 0; i < M; i++) sum += f((double)s[i]);
    return sum / M;
}

static double wanted_d(const struct row *row, bool smooth) {
    if (!row->t)
        return mean(smooth ? row->smooth : row->real, real_scores) + mean(row->fake, fake_scores);
    double sum = -mean(row->t, real_scores);
    for (int i = 0; i < M; i++) sum += row->star(row->t((double)fake_scores[i])) / M;
    return sum;
}

static double wanted_g(const struct row *row, bool conjugate) {
    if (!row->t) return mean(row->g, fake_scores);
    double sum = 0;
    for (int i = 0; i < M; i++) {
        const double t = row->t((double)fake_scores[i]);
        sum -= (conjugate ? row->star(t) : t) / M;
    }
    return sum;
}

static void every_objective_is_its_formula(void **state) {
    enum { ROWS = COUNT(rows), KINDS = 4 };
    (void)state;
    const gan_objective_options options[KINDS] = {
        {.margin = margin},
        {.margin = margin, .scale = 0.5},
        {.margin = margin, .smooth = 0.1},
        {.margin = margin, .conjugate = true},
    };
    gan_node *r = F32(M, 1), *f = F32(M, 1), *d[ROWS][KINDS], *of_g[ROWS][KINDS];
    assert_int_equal(gan_objective_count(), ROWS + 2); /* relativistic and began: below */
    for (int i = 0; i < ROWS; i++) {
        const gan_objective *o = gan_objective_find(rows[i].name);
        assert_non_null(o);
        assert_int_equal(o->target, rows[i].smooth != NULL);
        for (int k = 0; k < KINDS; k++) {
            d[i][k] = gan_output(g, o->d_loss(g, r, f, &options[k]));
            of_g[i][k] = gan_output(g, o->g_loss(g, NULL, f, &options[k]));
        }
    }
    load();
    write_input(r, real_scores);
    write_input(f, fake_scores);
    run(1);
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < KINDS; k++) {
            const double scale = options[k].scale > 0 ? options[k].scale : 1;
            const bool smooth = options[k].smooth > 0 && rows[i].smooth;
            expect_near(read_scalar(d[i][k]), scale * wanted_d(&rows[i], smooth), 1e-5, 1e-5);
            expect_near(read_scalar(of_g[i][k]), wanted_g(&rows[i], options[k].conjugate), 1e-5,
                        1e-5);
        }
}

/* -E log sigma(s_r - E s_f) - E log(1 - sigma(s_f - E s_r)); G with the roles swapped. */
static void relativistic_average(void **state) {
    (void)state;
    const gan_objective *o = gan_objective_find("relativistic");
    const gan_objective_options smooth = {.smooth = 0.1}, half = {.scale = 0.5};
    gan_node *r = F32(M, 1), *f = F32(M, 1);
    gan_node *d = gan_output(g, o->d_loss(g, r, f, &half));
    gan_node *lowered = gan_output(g, o->d_loss(g, r, f, &smooth));
    gan_node *of_g = gan_output(g, o->g_loss(g, r, f, &(gan_objective_options){0}));
    assert_true(o->needs_real);
    load();
    write_input(r, real_scores);
    write_input(f, fake_scores);
    run(1);
    const double mr = mean(itself, real_scores), mf = mean(itself, fake_scores);
    double sum = 0, low = 0, swapped = 0;
    for (int i = 0; i < M; i++) {
        const double u = real_scores[i] - mf, v = fake_scores[i] - mr;
        sum -= log_sigma(u) + log_1_sigma(v);
        low -= 0.9 * log_sigma(u) + 0.1 * log_1_sigma(u) + log_1_sigma(v);
        swapped -= log_sigma(v) + log_1_sigma(u);
    }
    expect_near(read_scalar(d), 0.5 * sum / M, 1e-6, 1e-5);
    expect_near(read_scalar(lowered), low / M, 1e-6, 1e-5);
    expect_near(read_scalar(of_g), swapped / M, 1e-6, 1e-5);
}

/* L_D = R - k·F, L_G = F, then k + lambda·(gamma·R - F) within 0 and 1; k starts at 0. How far it
 * is: R + |gamma·R - F|. */
static void began_keeps_its_balance(void **state) {
    (void)state;
    const gan_objective *o = gan_objective_find("began");
    const gan_objective_options options = {.gamma = 0.7, .lambda = 0.15};
    gan_node *r = F32(M, 1), *f = F32(M, 1);
    gan_node *d = gan_output(g, o->d_loss(g, r, f, &options));
    gan_node *of_g = gan_output(g, o->g_loss(g, NULL, f, &options));
    assert_string_equal(o->measure_name, "convergence");
    gan_node *measure = gan_output(g, o->measure(g, r, f, &options));
    o->after_d(g, r, f, &options);
    load();
    double k = 0;
    bool lowest = false, highest = false, above = false, below = false;
    for (int t = 0; t < 24; t++) {
        float real[M], fake[M];
        double sum_r = 0, sum_f = 0;
        for (int i = 0; i < M; i++) {
            real[i] = 0.5f + fabsf(real_scores[i]);
            fake[i] = (t < 14 ? 0.02f : 1.5f) * fabsf(fake_scores[i]) + 0.1f * (float)t;
            sum_r += (double)real[i] / M, sum_f += (double)fake[i] / M;
        }
        write_input(r, real);
        write_input(f, fake);
        run(1);
        expect_near(read_scalar(d), sum_r - k * sum_f, 1e-5, 1e-5);
        expect_near(read_scalar(of_g), sum_f, 1e-6, 1e-5);
        expect_near(read_scalar(measure), sum_r + fabs(0.7 * sum_r - sum_f), 1e-5, 1e-5);
        above |= sum_f > 0.7 * sum_r, below |= sum_f < 0.7 * sum_r;
        k = fmin(1, fmax(0, k + 0.15 * (0.7 * sum_r - sum_f)));
        float *kept = read_variable(GAN_STATISTIC, "discriminator/began/k");
        expect_near(*kept, k, 1e-5, 1e-5);
        free(kept);
        lowest |= k == 0, highest |= k == 1;
    }
    assert_true(highest && lowest && above && below); /* both ends and sides were reached */
}

/* exp(s) goes on as its tangent where it would overflow; nothing is ever infinite or NaN. */
static void saturated_scores_stay_finite(void **state) {
    (void)state;
    const float far[M] = {1e4f, -1e4f, 0, 300, -300, 1e4f};
    const gan_objective_options options[2] = {{.margin = 1}, {.margin = 1, .conjugate = true}};
    enum { MOST = 64 };
    gan_node *r = F32(M, 1), *f = F32(M, 1), *check[2 * MOST][5];
    const size_t n = gan_objective_count();
    assert_true(n <= MOST);
    for (size_t i = 0; i < 2 * n; i++) {
        const gan_objective *o = gan_objective_at(i / 2);
        gan_node *wrt[2] = {r, f}, *grad[2], *of_g = o->g_loss(g, r, f, &options[i % 2]);
        check[i][0] = gan_output(g, o->d_loss(g, r, f, &options[i % 2]));
        expect_ok(gan_gradient(g, check[i][0], 2, wrt, grad));
        check[i][1] = gan_output(g, grad[0]), check[i][2] = gan_output(g, grad[1]);
        check[i][3] = gan_output(g, of_g);
        expect_ok(gan_gradient(g, of_g, 1, &f, &grad[1]));
        check[i][4] = gan_output(g, grad[1]);
    }
    const float at[3] = {12, 10, -3};
    gan_node *beyond = F32(3, 1),
             *likely = gan_output(
                 g, gan_objective_find("maximum-likelihood")->g_loss(g, NULL, beyond, &options[0]));
    load();
    write_input(r, far);
    write_input(f, far);
    write_input(beyond, at);
    run(1);
    for (size_t i = 0; i < 2 * n; i++)
        for (int k = 0; k < 5; k++) {
            float *value = read_output(check[i][k]);
            const int64_t count = gan_shape_size(gan_node_shape(check[i][k]));
            for (int64_t j = 0; j < count; j++)
                if (!isfinite(value[j]))
                    fail_msg("%s: number %d of %d is %g", gan_objective_at(i / 2)->name, (int)j, k,
                             (double)value[j]);
            free(value);
        }
    expect_near(read_scalar(likely), -0.5 * (3 * exp(10) + exp(10) + exp(-3)) / 3, 0, 1e-5);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(every_objective_is_its_formula),
        TEST(relativistic_average),
        TEST(began_keeps_its_balance),
        TEST(saturated_scores_stay_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
