/* The values of penalties, in double, against their papers' formulas over networks by hand. The
 * gradients of the terms are held against differences in test_adversarial_terms.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "support/scratch.h"
#include "support/toy.h"

enum { M = PLAY_BATCH };

static test_play t;
static const double *real, *fake;

/* The last random numbers of `shape` that the step drew. */
static const double *drawn(int64_t rows, int64_t columns) {
    const gan_graph *g = t.play.g;
    for (int i = g->n_nodes - 1; i >= 0; i--)
        if (g->node[i]->op == GAN_OP_random &&
            gan_shape_equal(g->node[i]->shape, gan_shape2(rows, columns)))
            return ref_value(t.r, g->node[i]);
    fail_msg("nothing was drawn");
    return NULL;
}

/* E penalty(|grad|) at real + u·(fake - real). */
typedef double (*of_slope)(double squares);
static double to_one(double squares) { return pow(sqrt(squares) - 1, 2); }
static double to_two(double squares) { return pow(sqrt(squares) - 2, 2); }
static double above_one(double squares) { return pow(fmax(0, sqrt(squares) - 1), 2); }
static double to_zero(double squares) { return squares; }

static void penalties_between_real_and_fake(void **state) {
    (void)state;
    const struct {
        const char *terms;
        of_slope penalty;
    } rows[] = {{"wgan-gp", to_one},
                {"wgan-gp(10, target=2)", to_two},
                {"one-sided-gp", above_one},
                {"zero-centred-gp", to_zero}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const gan_game_options o = toy_game(rows[i].terms);
        const double value = toy_term(&t, &o, false, &real, &fake);
        const double *u = drawn(M, 1);
        double sum = 0;
        for (int k = 0; k < M; k++) {
            double x[2];
            for (int j = 0; j < 2; j++)
                x[j] = real[2 * k + j] + u[k] * (fake[2 * k + j] - real[2 * k + j]);
            sum += rows[i].penalty(toy_slope(&t, x)) / M;
        }
        toy_near(value, sum);
        play_close(&t);
    }
}

/* x + 0.5·std·U[0, 1), std of all numbers of the batch. */
static void dragan_is_around_the_data(void **state) {
    (void)state;
    const gan_game_options o = toy_game("dragan");
    const double value = toy_term(&t, &o, false, &real, &fake), *u = drawn(M, 2);
    double mean = 0, variance = 0, sum = 0;
    for (int i = 0; i < 2 * M; i++) mean += real[i] / (2 * M);
    for (int i = 0; i < 2 * M; i++) variance += pow(real[i] - mean, 2) / (2 * M);
    for (int k = 0; k < M; k++) {
        double x[2];
        for (int j = 0; j < 2; j++) {
            assert_true(u[2 * k + j] >= 0 && u[2 * k + j] <= 0.5);
            x[j] = real[2 * k + j] + sqrt(variance) * u[2 * k + j];
        }
        sum += to_one(toy_slope(&t, x)) / M;
    }
    toy_near(value, sum);
    play_close(&t);
}

static void r1_and_r2_are_half_the_slope(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        const gan_game_options o = toy_game(i ? "r2" : "r1");
        const double value = toy_term(&t, &o, false, &real, &fake);
        double sum = 0;
        for (int k = 0; k < M; k++) sum += toy_slope(&t, (i ? fake : real) + 2 * k) / 2 / M;
        toy_near(value, sum);
        toy_near(play_value(&t, t.play.real.seen.score)[1], toy_score(&t, real + 2));
        play_close(&t);
    }
}

/* Weights enter a loss as they are given, a lazy term `every` times as heavy or not at all. */
static void losses_are_sums(void **state) {
    (void)state;
    double value[2][2], alone[2];
    for (int due = 0; due < 2; due++)
        for (int of_g = 0; of_g < 2; of_g++) {
            gan_game_options o = toy_game("r1(3, every=4), r2(2), feature-matching(5)");
            o.lazy_due = due;
            play_open(&t, &o, of_g);
            gan_node *r1 = t.o.terms[0].term->d(&t.play, t.o.terms[0].knob);
            gan_node *r2 = t.o.terms[1].term->d(&t.play, t.o.terms[1].knob);
            gan_node *match = t.o.terms[2].term->g(&t.play, t.o.terms[2].knob);
            gan_node *r = t.play.real.seen.score, *f = t.play.fake.seen.score;
            gan_node *bare = of_g ? t.o.objective->g_loss(t.play.g, r, f, &t.o.loss)
                                  : t.o.objective->d_loss(t.play.g, r, f, &t.o.loss);
            value[due][of_g] = *play_value(&t, t.loss);
            alone[of_g] = *play_value(&t, bare);
            if (of_g)
                toy_near(value[due][1], alone[1] + 5 * *play_value(&t, match));
            else
                toy_near(value[due][0],
                         alone[0] + due * 12 * *play_value(&t, r1) + 2 * *play_value(&t, r2));
            play_close(&t);
        }
    toy_near(value[0][1], value[1][1]); /* G has no part in a penalty */
}

/* With a constant D every gradient is zero: the penalty is 1, its gradient finite. */
static void a_flat_discriminator_is_finite(void **state) {
    (void)state;
    static const char *const terms[] = {"wgan-gp", "one-sided-gp", "zero-centred-gp", "dragan",
                                        "r1",      "r2",           "pulling-away"};
    static const double want[] = {1, 0, 0, 1, 0, 0, 0};
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        const bool of_g = !strcmp(terms[i], "pulling-away");
        const gan_game_options o = toy_game(terms[i]);
        gan_gradients d;
        play_open(&t, &o, of_g);
        gan_node *value =
            (of_g ? t.o.terms[0].term->g : t.o.terms[0].term->d)(&t.play, t.o.terms[0].knob);
        assert_int_equal(gan_play_differentiate(&d, &t.play, "discriminator", value), GAN_OK);
        play_value(&t, value);
        for (size_t k = 0; k < gan_store_count(t.store); k++) {
            const gan_variable *v = gan_store_at(t.store, k);
            if (!strncmp(v->name, "discriminator/", 14))
                memset(ref_variable_values(t.r, v), 0,
                       (size_t)gan_shape_size(v->shape) * sizeof(double));
        }
        if (fabs(*play_value(&t, value) - want[i]) > 1e-5)
            fail_msg("%s is %g, expected %g", terms[i], *play_value(&t, value), want[i]);
        for (int k = 0; k < d.n; k++) {
            const double *x = play_value(&t, d.gradient[k]);
            for (int64_t j = 0; j < gan_shape_size(d.gradient[k]->shape); j++)
                if (!isfinite(x[j])) fail_msg("%s has a gradient of %g", terms[i], x[j]);
        }
        play_close(&t);
    }
}

static double statistic(const char *name) {
    const gan_variable *v = gan_store_find(t.store, GAN_STATISTIC, name);
    assert_non_null(v);
    return *ref_variable_values(t.r, v);
}

/* E relu(s_r - a_f)² + E relu(a_r - s_f)². */
static void lecam(void **state) {
    (void)state;
    const gan_game_options o = toy_game("lecam");
    const double value = toy_term(&t, &o, false, &real, &fake);
    const double a_r = statistic("discriminator/lecam/real");
    const double a_f = statistic("discriminator/lecam/fake");
    double sum = 0;
    for (int k = 0; k < M; k++)
        sum += pow(fmax(0, toy_score(&t, real + 2 * k) - a_f), 2) / M +
               pow(fmax(0, a_r - toy_score(&t, fake + 2 * k)), 2) / M;
    toy_near(value, sum);
    play_close(&t);
}

/* E s_r². */
static void drift(void **state) {
    (void)state;
    const gan_game_options o = toy_game("drift");
    const double value = toy_term(&t, &o, false, &real, &fake);
    double sum = 0;
    for (int k = 0; k < M; k++) sum += pow(toy_score(&t, real + 2 * k), 2) / M;
    toy_near(value, sum);
    play_close(&t);
}

static const struct matrix {
    const char *layer;
    int out, in;
} of_g[] = {{"hidden1", TOY_WIDTH, TOY_Z},
            {"hidden2", TOY_WIDTH, TOY_WIDTH},
            {"hidden3", TOY_WIDTH, TOY_WIDTH},
            {"output", 2, TOY_WIDTH}};

/* Σ over pairs of different rows of (w_i · w_j)². */
static void orthogonal(void **state) {
    (void)state;
    const gan_game_options o = toy_game("orthogonal");
    const double value = toy_term(&t, &o, true, &real, &fake);
    double sum = 0;
    for (int l = 0; l < 4; l++) {
        const double *w = toy_weights(&t, "generator", of_g[l].layer, "weight");
        for (int i = 0; i < of_g[l].out; i++)
            for (int j = 0; j < of_g[l].out; j++) {
                double dot = 0;
                for (int k = 0; k < of_g[l].in; k++)
                    dot += w[i * of_g[l].in + k] * w[j * of_g[l].in + k];
                if (i != j) sum += dot * dot;
            }
    }
    toy_near(value, sum);
    play_close(&t);
}

/* |theta - mean|² over all weights and biases. */
static void historical_averaging(void **state) {
    (void)state;
    const gan_game_options o = toy_game("historical-averaging");
    const double value = toy_term(&t, &o, true, &real, &fake);
    double sum = 0;
    int n = 0;
    for (size_t i = 0; i < gan_store_count(t.store); i++) {
        const gan_variable *v = gan_store_at(t.store, i);
        char name[128];
        if (gan_variable_role(v) != GAN_WEIGHT || strncmp(v->name, "generator/", 10)) continue;
        snprintf(name, sizeof name, "history/%s", v->name);
        const gan_variable *mean = gan_store_find(t.store, GAN_STATISTIC, name);
        assert_non_null(mean);
        for (int64_t k = 0; k < gan_shape_size(v->shape); k++, n++)
            sum += pow(ref_variable_values(t.r, v)[k] - ref_variable_values(t.r, mean)[k], 2);
    }
    assert_true(n > 0);
    toy_near(value, sum); /* draw_values() sets the counter to 3: there is a history */
    play_close(&t);
}

int main(void) {
#define TEST(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        TEST(penalties_between_real_and_fake),
        TEST(dragan_is_around_the_data),
        TEST(r1_and_r2_are_half_the_slope),
        TEST(losses_are_sums),
        TEST(a_flat_discriminator_is_finite),
        TEST(lecam),
        TEST(drift),
        TEST(orthogonal),
        TEST(historical_averaging),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
