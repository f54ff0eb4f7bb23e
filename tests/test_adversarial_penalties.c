/* The values of the terms, in double, against their papers' formulas over networks that the test
 * runs by hand: D, its gradient, G and the encoder of the toy model are a few lines. The gradients
 * of the terms are held against differences in test_adversarial_terms.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "support/play.h"
#include "support/scratch.h"

enum { M = PLAY_BATCH, WIDTH = 5, MOST = 16, Z = 3 };

/* ---- the toy networks by hand ---- */

static double *weights(test_play *t, const char *group, const char *layer, const char *part) {
    char name[96];
    snprintf(name, sizeof name, "%s/%s/%s", group, layer, part);
    const gan_variable *v = gan_store_find(t->store, GAN_WEIGHT, name);
    if (!v) fail_msg("no weight %s", name);
    return ref_variable_values(t->r, v);
}

static void linear(test_play *t, const char *group, const char *layer, int in, int out,
                   const double *x, double *y) {
    const double *w = weights(t, group, layer, "weight"), *b = weights(t, group, layer, "bias");
    for (int i = 0; i < out; i++) {
        y[i] = b[i];
        for (int k = 0; k < in; k++) y[i] += w[i * in + k] * x[k];
    }
}

static const double leak = (double)0.2f; /* as a node keeps it */
static double leaky(double x) { return x > 0 ? x : leak * x; }

/* x (in) through the three hidden layers; `before` their sums, for the way back. */
static void hidden(test_play *t, const char *group, int in, const double *x, double h[WIDTH],
                   double before[3][WIDTH]) {
    static const char *const layers[] = {"hidden1", "hidden2", "hidden3"};
    for (int k = 0; k < 3; k++) {
        linear(t, group, layers[k], k ? WIDTH : in, WIDTH, k ? h : x, before[k]);
        for (int i = 0; i < WIDTH; i++) h[i] = leaky(before[k][i]);
    }
}

static void network(test_play *t, const char *group, int in, int out, const double *x, double *y) {
    double h[WIDTH], before[3][WIDTH];
    hidden(t, group, in, x, h, before);
    linear(t, group, "output", WIDTH, out, h, y);
}

static double score(test_play *t, const double x[2]) {
    double s;
    network(t, "discriminator", 2, 1, x, &s);
    return s;
}

/* |d score / dx|², by the chain rule. */
static double slope(test_play *t, const double x[2]) {
    static const char *const layers[] = {"hidden1", "hidden2", "hidden3"};
    double h[WIDTH], before[3][WIDTH], d[WIDTH], next[WIDTH];
    hidden(t, "discriminator", 2, x, h, before);
    memcpy(d, weights(t, "discriminator", "output", "weight"), sizeof d);
    for (int k = 2; k >= 0; k--) {
        const int in = k ? WIDTH : 2;
        const double *w = weights(t, "discriminator", layers[k], "weight");
        for (int j = 0; j < in; j++) {
            next[j] = 0;
            for (int i = 0; i < WIDTH; i++)
                next[j] += d[i] * (before[k][i] > 0 ? 1 : leak) * w[i * in + j];
        }
        memcpy(d, next, sizeof d);
    }
    return d[0] * d[0] + d[1] * d[1];
}

/* ---- terms ---- */

static test_play t;
static const double *real, *fake;

static gan_game_options game_with(const char *terms) {
    gan_game_options o = {.model = gan_model_find("toy"),
                          .networks = play_toy(WIDTH),
                          .objective = gan_objective_find("non-saturating")};
    if (gan_terms_parse(o.terms, &o.n_terms, "terms", terms) != GAN_OK)
        fail_msg("%s", gan_last_error());
    return o;
}

/* The value of the first term of `o` in a D- or G-step; leaves the step in t. */
static double term(const gan_game_options *o, bool of_g) {
    play_open(&t, o, of_g);
    const gan_term_use *use = &t.o.terms[0];
    gan_node *value = (of_g ? use->term->g : use->term->d)(&t.play, use->knob);
    if (gan_graph_status(t.play.g) != GAN_OK) fail_msg("%s", gan_last_error());
    const double x = *play_value(&t, value);
    real = ref_value(t.r, t.play.real.x);
    fake = ref_value(t.r, t.play.fake.x);
    return x;
}

/* Nodes keep constants such as 1/m as f32. */
static void near(double got, double want) {
    if (!(fabs(got - want) <= 1e-9 + 2e-7 * fabs(want)))
        fail_msg("%.12g, expected %.12g", got, want);
}

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
        const gan_game_options o = game_with(rows[i].terms);
        const double value = term(&o, false);
        const double *u = drawn(M, 1);
        double sum = 0;
        for (int k = 0; k < M; k++) {
            double x[2];
            for (int j = 0; j < 2; j++)
                x[j] = real[2 * k + j] + u[k] * (fake[2 * k + j] - real[2 * k + j]);
            sum += rows[i].penalty(slope(&t, x)) / M;
        }
        near(value, sum);
        play_close(&t);
    }
}

/* x + 0.5·std·U[0, 1), std of all numbers of the batch. */
static void dragan_is_around_the_data(void **state) {
    (void)state;
    const gan_game_options o = game_with("dragan");
    const double value = term(&o, false), *u = drawn(M, 2);
    double mean = 0, variance = 0, sum = 0;
    for (int i = 0; i < 2 * M; i++) mean += real[i] / (2 * M);
    for (int i = 0; i < 2 * M; i++) variance += pow(real[i] - mean, 2) / (2 * M);
    for (int k = 0; k < M; k++) {
        double x[2];
        for (int j = 0; j < 2; j++) {
            assert_true(u[2 * k + j] >= 0 && u[2 * k + j] <= 0.5);
            x[j] = real[2 * k + j] + sqrt(variance) * u[2 * k + j];
        }
        sum += to_one(slope(&t, x)) / M;
    }
    near(value, sum);
    play_close(&t);
}

static void r1_and_r2_are_half_the_slope(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        const gan_game_options o = game_with(i ? "r2" : "r1");
        const double value = term(&o, false);
        double sum = 0;
        for (int k = 0; k < M; k++) sum += slope(&t, (i ? fake : real) + 2 * k) / 2 / M;
        near(value, sum);
        near(play_value(&t, t.play.real.seen.score)[1], score(&t, real + 2));
        play_close(&t);
    }
}

/* Weights enter a loss as they are given, a lazy term `every` times as heavy or not at all. */
static void losses_are_sums(void **state) {
    (void)state;
    double value[2][2], alone[2];
    for (int due = 0; due < 2; due++)
        for (int of_g = 0; of_g < 2; of_g++) {
            gan_game_options o = game_with("r1(3, every=4), r2(2), feature-matching(5)");
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
                near(value[due][1], alone[1] + 5 * *play_value(&t, match));
            else
                near(value[due][0],
                     alone[0] + due * 12 * *play_value(&t, r1) + 2 * *play_value(&t, r2));
            play_close(&t);
        }
    near(value[0][1], value[1][1]); /* G has no part in a penalty */
}

/* With a constant D every gradient is zero: the penalty is 1, its gradient finite. */
static void a_flat_discriminator_is_finite(void **state) {
    (void)state;
    static const char *const terms[] = {"wgan-gp", "one-sided-gp", "zero-centred-gp", "dragan",
                                        "r1",      "r2",           "pulling-away"};
    static const double want[] = {1, 0, 0, 1, 0, 0, 0};
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        const bool of_g = !strcmp(terms[i], "pulling-away");
        const gan_game_options o = game_with(terms[i]);
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
    const gan_game_options o = game_with("lecam");
    const double value = term(&o, false);
    const double a_r = statistic("discriminator/lecam/real");
    const double a_f = statistic("discriminator/lecam/fake");
    double sum = 0;
    for (int k = 0; k < M; k++)
        sum += pow(fmax(0, score(&t, real + 2 * k) - a_f), 2) / M +
               pow(fmax(0, a_r - score(&t, fake + 2 * k)), 2) / M;
    near(value, sum);
    play_close(&t);
}

/* E s_r². */
static void drift(void **state) {
    (void)state;
    const gan_game_options o = game_with("drift");
    const double value = term(&o, false);
    double sum = 0;
    for (int k = 0; k < M; k++) sum += pow(score(&t, real + 2 * k), 2) / M;
    near(value, sum);
    play_close(&t);
}

static const struct matrix {
    const char *layer;
    int out, in;
} of_g[] = {{"hidden1", WIDTH, Z},
            {"hidden2", WIDTH, WIDTH},
            {"hidden3", WIDTH, WIDTH},
            {"output", 2, WIDTH}};

/* Σ over pairs of different rows of (w_i · w_j)². */
static void orthogonal(void **state) {
    (void)state;
    const gan_game_options o = game_with("orthogonal");
    const double value = term(&o, true);
    double sum = 0;
    for (int l = 0; l < 4; l++) {
        const double *w = weights(&t, "generator", of_g[l].layer, "weight");
        for (int i = 0; i < of_g[l].out; i++)
            for (int j = 0; j < of_g[l].out; j++) {
                double dot = 0;
                for (int k = 0; k < of_g[l].in; k++)
                    dot += w[i * of_g[l].in + k] * w[j * of_g[l].in + k];
                if (i != j) sum += dot * dot;
            }
    }
    near(value, sum);
    play_close(&t);
}

/* |theta - mean|² over all weights and biases. */
static void historical_averaging(void **state) {
    (void)state;
    const gan_game_options o = game_with("historical-averaging");
    const double value = term(&o, true);
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
    near(value, sum); /* draw_values() sets the counter to 3: there is a history */
    play_close(&t);
}

static void features_of(const double *x, double h[WIDTH]) {
    double before[3][WIDTH];
    hidden(&t, "discriminator", 2, x, h, before);
}

static void feature_matching(void **state) {
    (void)state;
    const gan_game_options o = game_with("feature-matching");
    const double value = term(&o, true);
    double apart[WIDTH] = {0}, sum = 0;
    for (int k = 0; k < M; k++) {
        double r[WIDTH], f[WIDTH];
        features_of(real + 2 * k, r);
        features_of(fake + 2 * k, f);
        for (int i = 0; i < WIDTH; i++) apart[i] += (r[i] - f[i]) / M;
    }
    for (int i = 0; i < WIDTH; i++) sum += apart[i] * apart[i];
    near(value, sum);
    play_close(&t);
}

/* The mean over pairs i != j of cos²; of features, and of an autoencoding D's code. */
static void pulling_away(void **state) {
    (void)state;
    for (int energy = 0; energy < 2; energy++) {
        gan_game_options o = game_with("pulling-away");
        if (energy) o.objective = gan_objective_find("ebgan");
        const int width = energy ? Z : WIDTH;
        const double value = term(&o, true);
        double s[M][WIDTH], sum = 0;
        for (int k = 0; k < M; k++) {
            double h[WIDTH];
            features_of(fake + 2 * k, h);
            memcpy(s[k], h, sizeof h);
            if (energy) linear(&t, "discriminator", "code", WIDTH, Z, h, s[k]);
        }
        for (int i = 0; i < M; i++)
            for (int j = 0; j < M; j++) {
                double ij = 0, ii = 0, jj = 0;
                for (int k = 0; k < width; k++)
                    ij += s[i][k] * s[j][k], ii += s[i][k] * s[i][k], jj += s[j][k] * s[j][k];
                if (i != j) sum += ij * ij / (ii * jj);
            }
        near(value, sum / (M * (M - 1)));
        play_close(&t);
    }
}

/* ebgan: the energy is the mean square of x - decoder(code). */
static void an_energy_is_a_reconstruction_error(void **state) {
    (void)state;
    const gan_game_options o = {.model = gan_model_find("toy"),
                                .networks = play_toy(WIDTH),
                                .objective = gan_objective_find("ebgan")};
    play_open(&t, &o, false);
    const double *energy = play_value(&t, t.play.real.seen.score);
    const double *x = ref_value(t.r, t.play.real.x);
    for (int k = 0; k < M; k++) {
        double h[WIDTH], code[Z], back[2];
        features_of(x + 2 * k, h);
        linear(&t, "discriminator", "code", WIDTH, Z, h, code);
        network(&t, "discriminator/decoder", Z, 2, code, back);
        near(energy[k], (pow(x[2 * k] - back[0], 2) + pow(x[2 * k + 1] - back[1], 2)) / 2);
    }
    play_close(&t);
}

/* With the logistic loss D's sum is the cross-entropy over n generators and the data; G's is
 * -log of the data's share. */
static void mad_gan(void **state) {
    (void)state;
    enum { N = 3 };
    gan_game_options o = game_with("mad-gan");
    o.generators = N;
    for (int k = 0; k < 2; k++) {
        const bool g_step = k == 1;
        play_open(&t, &o, g_step);
        const double loss = *play_value(&t, t.loss);
        const double *x[2] = {ref_value(t.r, t.play.real.x), ref_value(t.r, t.play.fake.x)};
        double sum = 0;
        for (int side = g_step; side < 2; side++)
            for (int i = 0; i < M; i++) {
                double l[N + 1], z = 0;
                network(&t, "discriminator", 2, N + 1, x[side] + 2 * i, l);
                for (int j = 0; j <= N; j++) z += exp(l[j]);
                const int wanted = side && !g_step ? i / (M / N) : N;
                sum -= log(exp(l[wanted]) / z) / M;
            }
        near(loss, sum);
        play_close(&t);
    }
}

/* E [ l1·|x - G(E(x))|² - l2·log D(G(E(x))) ], |.|² the mean over an example's numbers. */
static void mrgan(void **state) {
    (void)state;
    const gan_game_options o = game_with("mrgan(1, distance=0.3, score=0.7)");
    const double value = term(&o, true);
    double sum = 0;
    for (int k = 0; k < M; k++) {
        double z[Z], back[2];
        network(&t, "encoder", 2, Z, real + 2 * k, z);
        network(&t, "generator", Z, 2, z, back);
        const double square =
            (pow(real[2 * k] - back[0], 2) + pow(real[2 * k + 1] - back[1], 2)) / 2;
        sum += (0.3 * square - 0.7 * log(1 / (1 + exp(-score(&t, back))))) / M;
    }
    near(value, sum);
    play_close(&t);
}

/* Manifold: D1 on x and G(E(x)), and what G makes of its opinion; diffusion: D on G(E(x)) and G(z).
 */
static void mdgan(void **state) {
    (void)state;
    const gan_game_options o = game_with("mdgan(0.9, distance=0.3, score=0.7)");
    static const char *const manifold = "discriminator/manifold";
    for (int step = 0; step < 2; step++) {
        const bool g_step = step == 1;
        play_open(&t, &o, g_step);
        const double loss = *play_value(&t, t.loss);
        const double *x = ref_value(t.r, t.play.data), *made = ref_value(t.r, t.play.fake.x);
        const double *shown = ref_value(t.r, t.play.real.x);
        double sum = 0;
        for (int k = 0; k < M; k++) {
            double z[Z], back[2], s_data, s_back;
            network(&t, "encoder", 2, Z, x + 2 * k, z);
            network(&t, "generator", Z, 2, z, back);
            network(&t, manifold, 2, 1, x + 2 * k, &s_data);
            network(&t, manifold, 2, 1, back, &s_back);
            near(shown[2 * k], back[0]), near(shown[2 * k + 1], back[1]);
            const double of_made = 1 / (1 + exp(-score(&t, made + 2 * k)));
            const double of_back = 1 / (1 + exp(-score(&t, back)));
            const double first = 1 / (1 + exp(-s_data)), second = 1 / (1 + exp(-s_back));
            const double square = (pow(x[2 * k] - back[0], 2) + pow(x[2 * k + 1] - back[1], 2)) / 2;
            if (g_step)
                sum += (-log(of_made) + 0.9 * (0.3 * square - 0.7 * log(second))) / M;
            else
                sum -= (log(of_back) + log(1 - of_made) + 0.9 * (log(first) + log(1 - second))) / M;
        }
        near(loss, sum);
        play_close(&t);
    }
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
        TEST(feature_matching),
        TEST(pulling_away),
        TEST(an_energy_is_a_reconstruction_error),
        TEST(mad_gan),
        TEST(mrgan),
        TEST(mdgan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
