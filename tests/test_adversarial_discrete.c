/* Discrete outputs: what D is shown of logits, the gradients that come back, and the symbols that
 * samplers make. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/store.h"
#include "support/gradients.h"
#include "support/play.h"

enum { LENGTH = 4, SYMBOLS = 3, ALL = PLAY_BATCH * LENGTH * SYMBOLS };

static gan_game_options game_of(const char *discrete) {
    gan_game_options o = {.model = gan_model_find("sequence"),
                          .networks = play_sequences(5),
                          .objective = gan_objective_find("non-saturating"),
                          .discrete = gan_discrete_find(discrete),
                          .temperature = {2, 0.5, 6}};
    if (o.discrete->samples &&
        gan_terms_parse(o.terms, &o.n_terms, "terms", "reinforce(0.7)") != GAN_OK)
        fail_msg("%s", gan_last_error());
    return o;
}

/* In iteration 3 of 6, half of the way in the logarithm: sqrt(2 · 0.5). */
static const double temperature = 1;

/* ---- gradients ---- */

static int check(const gan_game_options *o, bool of_g, const char *name) {
    test_play t;
    char title[96];
    snprintf(title, sizeof title, "%s, %c-step", name, of_g ? 'G' : 'D');
    play_open(&t, o, of_g);
    const int bad = play_check(&t, of_g ? "generator" : "discriminator", title);
    play_close(&t);
    return bad;
}

/* All but straight-through, whose gradient is another's. The symbols of reinforce do not change
 * within a difference, so its term has differences. */
static void gradients_are_those_of_differences(void **state) {
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < gan_discrete_count(); i++) {
        gan_game_options o = game_of(gan_discrete_at(i)->name);
        bad += check(&o, false, o.discrete->name);
        if (strcmp(o.discrete->name, "straight-through") != 0)
            bad += check(&o, true, o.discrete->name);
        if (!o.discrete->vectors) continue;
        o.embedding_learned = true;
        bad += check(&o, false, "learned embedding") + check(&o, true, "learned embedding");
    }
    assert_int_equal(bad, 0);
}

/* ---- values ---- */

/* softmax of a row over the temperature, with noise where there is one. */
static void softmax(double y[SYMBOLS], const double *logits, const double *noise) {
    double sum = 0;
    for (int k = 0; k < SYMBOLS; k++)
        sum += y[k] = exp((logits[k] + (noise ? noise[k] : 0)) / temperature);
    for (int k = 0; k < SYMBOLS; k++) y[k] /= sum;
}

static void near(double got, double wanted) {
    /* Constants of nodes are in single precision. */
    if (!(fabs(got - wanted) <= 1e-7 * (1 + fabs(wanted))))
        fail_msg("%.15g, expected %.15g", got, wanted);
}

static double *copy(test_play *t, const gan_node *node) {
    const int64_t n = gan_shape_size(gan_node_shape(node));
    double *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    memcpy(x, play_value(t, node), (size_t)n * sizeof *x);
    return x;
}

static void d_sees_what_the_rows_say(void **state) {
    (void)state;
    for (size_t i = 0; i < gan_discrete_count(); i++) {
        const gan_game_options o = game_of(gan_discrete_at(i)->name);
        const bool hard = o.discrete->samples || !strcmp(o.discrete->name, "straight-through");
        test_play t;
        play_open(&t, &o, true);
        const gan_side *fake = &t.play.fake;
        assert_int_equal(fake->latent.symbol != NULL, o.discrete->draws);
        double *l = copy(&t, fake->logits), *x = copy(&t, fake->x), *noise = NULL;
        if (fake->latent.symbol) noise = copy(&t, fake->latent.symbol);
        for (int r = 0; r < PLAY_BATCH * LENGTH; r++) {
            double y[SYMBOLS];
            softmax(y, l + r * SYMBOLS, noise ? noise + r * SYMBOLS : NULL);
            int most = 0;
            for (int k = 1; k < SYMBOLS; k++) most = y[k] > y[most] ? k : most;
            for (int k = 0; k < SYMBOLS && !o.discrete->vectors; k++)
                near(x[r * SYMBOLS + k], hard ? k == most : y[k]);
        }
        if (o.discrete->vectors) assert_ptr_equal(fake->x, fake->logits);
        free(l), free(x), free(noise);
        play_close(&t);
    }
}

/* d(Σ c·x)/d(logits), by the formula of the softmax: y_k (c_k - Σ_j c_j y_j) / temperature. */
static void straight_through_has_the_gradient_of_the_softmax(void **state) {
    (void)state;
    const gan_game_options o = game_of("straight-through");
    test_play t;
    play_open(&t, &o, true);
    gan_graph *g = t.play.g;
    gan_node *logits = t.play.fake.logits, *grad;
    gan_node *c = gan_input(g, GAN_F32, gan_node_shape(logits), "weights");
    gan_node *loss = gan_sum(g, gan_mul(g, c, t.play.fake.x));
    assert_int_equal(gan_gradient(g, loss, 1, &logits, &grad), GAN_OK);
    double *w = copy(&t, c), *l = copy(&t, logits), *noise = copy(&t, t.play.fake.latent.symbol);
    const double *got = play_value(&t, grad);
    for (int r = 0; r < PLAY_BATCH * LENGTH; r++) {
        double y[SYMBOLS], mean = 0;
        softmax(y, l + r * SYMBOLS, noise + r * SYMBOLS);
        for (int k = 0; k < SYMBOLS; k++) mean += y[k] * w[r * SYMBOLS + k];
        for (int k = 0; k < SYMBOLS; k++)
            near(got[r * SYMBOLS + k], y[k] * (w[r * SYMBOLS + k] - mean) / temperature);
    }
    free(w), free(l), free(noise);
    play_close(&t);
}

/* -mean over examples of (log sigma(s) - baseline) · Σ log softmax(l)_x. */
static void reinforce_is_its_formula(void **state) {
    (void)state;
    gan_game_options o = game_of("reinforce");
    o.generator_scale = -1; /* the term alone */
    test_play t;
    play_open(&t, &o, true);
    const gan_side *fake = &t.play.fake;
    double *l = copy(&t, fake->logits), *x = copy(&t, fake->x), *s = copy(&t, fake->seen.score);
    const double base = ref_variable_values(
        t.r, gan_store_find(t.store, GAN_STATISTIC, "generator/reinforce/baseline"))[0];
    assert_true(fabs(base) > 0.1); /* it counts */
    double wanted = 0;
    for (int i = 0; i < PLAY_BATCH; i++) {
        double log_p = 0;
        for (int r = i * LENGTH; r < (i + 1) * LENGTH; r++) {
            double y[SYMBOLS];
            softmax(y, l + r * SYMBOLS, NULL);
            for (int k = 0; k < SYMBOLS; k++) log_p += x[r * SYMBOLS + k] * log(y[k]);
        }
        wanted -= 0.7 * (-log1p(exp(-s[i])) - base) * log_p / PLAY_BATCH;
    }
    near(play_value(&t, t.loss)[0], wanted);
    free(l), free(x), free(s);
    play_close(&t);
}

/* ---- symbols ---- */

static gan_graph *open_graph(gan_store **store) {
    gan_graph *g;
    assert_int_equal(gan_store_create(store, 5), GAN_OK);
    assert_int_equal(gan_graph_create(&g, *store), GAN_OK);
    return g;
}

static void set_range(reference *r, gan_store *store) {
    const gan_variable *v = gan_store_find(store, GAN_DATA, "range/3");
    assert_non_null(v);
    for (int k = 0; k < SYMBOLS; k++) ref_variable_values(r, v)[k] = k;
}

static void of_equal_values_the_first_wins(void **state) {
    static const double x[6][SYMBOLS] = {{1, 2, 3}, {3, 3, 1}, {-2, -1, -1},
                                         {0, 0, 0}, {5, 1, 5}, {-9, -8, -7}};
    static const int wanted[6] = {2, 0, 1, 0, 0, 2};
    (void)state;
    gan_store *store;
    gan_graph *g = open_graph(&store);
    gan_node *in = gan_input(g, GAN_F32, gan_shape2(6, SYMBOLS), "x");
    gan_node *out = gan_hard_symbols(g, in);
    reference *r = ref_create(g);
    set_range(r, store);
    memcpy(ref_input_values(r, in), x, sizeof x);
    ref_run_to(r, out);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < SYMBOLS; k++)
            assert_true(ref_value(r, out)[i * SYMBOLS + k] == (k == wanted[i]));
    ref_destroy(r);
    gan_graph_destroy(g);
    gan_store_destroy(store);
}

/* Drawn by Gumbel noise, symbols have the probabilities of the softmax. */
static void noise_draws_by_the_softmax(void **state) {
    enum { DRAWS = 20000 };
    static const double l[SYMBOLS] = {0.5, -1, 1.2};
    (void)state;
    gan_store *store;
    gan_graph *g = open_graph(&store);
    gan_game_options o = game_of("gumbel");
    o.networks.height = 1;
    o.prior = gan_prior_find("normal");
    const gan_latent latent = gan_latent_draw(g, &o, gan_game_counter(g), DRAWS);
    gan_node *in = gan_input(g, GAN_F32, gan_shape3(1, 1, SYMBOLS), "logits");
    gan_node *out =
        gan_symbols_of(g, &o, gan_add(g, in, gan_scale(g, latent.symbol, 0)), latent.symbol);
    reference *r = ref_create(g);
    set_range(r, store);
    memcpy(ref_input_values(r, in), l, sizeof l);
    ref_run_to(r, out);
    double y[SYMBOLS], share[SYMBOLS] = {0};
    softmax(y, l, NULL);
    for (int i = 0; i < DRAWS; i++)
        for (int k = 0; k < SYMBOLS; k++) share[k] += ref_value(r, out)[i * SYMBOLS + k] / DRAWS;
    for (int k = 0; k < SYMBOLS; k++) /* five deviations */
        assert_true(fabs(share[k] - y[k]) < 5 * sqrt(y[k] * (1 - y[k]) / DRAWS));
    ref_destroy(r);
    gan_graph_destroy(g);
    gan_store_destroy(store);
}

/* Vectors near a symbol's own are that symbol. */
static void vectors_become_the_nearest_symbol(void **state) {
    (void)state;
    gan_store *store;
    gan_graph *g = open_graph(&store);
    const gan_game_options o = game_of("embedding");
    gan_node *table = gan_symbol_vectors(g, &o);
    gan_node *in = gan_input(g, GAN_F32, gan_shape3(2, LENGTH, 8), "vectors");
    gan_node *out = gan_symbols_of(g, &o, in, NULL);
    reference *r = ref_create(g);
    set_range(r, store);
    const gan_variable *v = gan_store_find(store, GAN_STATISTIC, "discriminator/symbols/vectors");
    float value[SYMBOLS * 8];
    gan_variable_initial(store, v, value);
    for (int i = 0; i < SYMBOLS * 8; i++) ref_variable_values(r, v)[i] = (double)value[i];
    ref_run_to(r, table);
    double vector[SYMBOLS][8];
    memcpy(vector, ref_value(r, table), sizeof vector);
    for (int i = 0; i < 2 * LENGTH * 8; i++)
        ref_input_values(r, in)[i] = sin(17.0 * i) + 0.3 * vector[i / 8 % SYMBOLS][i % 8];
    ref_run_to(r, out);
    for (int i = 0; i < 2 * LENGTH; i++) {
        int nearest = 0;
        double least = INFINITY;
        for (int k = 0; k < SYMBOLS; k++) {
            double d = 0, length = 0;
            for (int j = 0; j < 8; j++) {
                d += pow(ref_input_values(r, in)[i * 8 + j] - vector[k][j], 2);
                length += vector[k][j] * vector[k][j];
            }
            assert_true(fabs(length - 1) < 1e-9);
            if (d < least) least = d, nearest = k;
        }
        for (int k = 0; k < SYMBOLS; k++)
            assert_true(ref_value(r, out)[i * SYMBOLS + k] == (k == nearest));
    }
    ref_destroy(r);
    gan_graph_destroy(g);
    gan_store_destroy(store);
}

/* ---- the temperature, and what does not go together ---- */

static void temperature_falls_and_stays(void **state) {
    (void)state;
    const gan_temperature t = {2, 0.5, 100};
    static const int64_t at[] = {0, 25, 50, 100, 1000};
    for (int i = 0; i < 5; i++) {
        gan_store *store;
        gan_graph *g = open_graph(&store);
        gan_node *counter = gan_game_counter(g), *out = gan_temperature_at(g, counter, &t);
        reference *r = ref_create(g);
        ref_variable_values(r, gan_store_find(store, GAN_COUNTER, "train/iteration"))[0] =
            (double)at[i];
        ref_run_to(r, out);
        const double share = at[i] < 100 ? (double)at[i] / 100 : 1;
        near(ref_value(r, out)[0], 2 * pow(0.25, share));
        ref_destroy(r);
        gan_graph_destroy(g);
        gan_store_destroy(store);
    }
}

static gan_node *no_data(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    (void)user, (void)g, (void)step;
    return counter;
}

static void refused(gan_game_options o, const char *terms, const char *wanted) {
    const gan_head *head;
    o.batch = PLAY_BATCH;
    o.prior = gan_prior_find("normal");
    o.real = no_data;
    o.generator = o.discriminator = gan_optimizer_defaults("adam");
    assert_int_equal(gan_terms_parse(o.terms, &o.n_terms, "terms", terms), GAN_OK);
    assert_int_equal(gan_game_check(&o, &head), GAN_ERROR_ARGUMENT);
    if (!strstr(gan_last_error(), wanted)) fail_msg("%s", gan_last_error());
}

static void what_does_not_go_together(void **state) {
    (void)state;
    gan_game_options o = game_of("reinforce");
    refused(o, "", "carry no gradient");
    o.pack = 2;
    refused(o, "reinforce", "pack");
    refused(game_of("gumbel"), "reinforce", "drawn");
    o = game_of("embedding");
    o.encoder = true;
    refused(o, "", "encoder");
    o = game_of("gumbel");
    o.model = gan_model_find("toy");
    refused(o, "", "makes points");
    o.discrete = NULL;
    refused(o, "reinforce", "for sequences");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_those_of_differences),
        cmocka_unit_test(d_sees_what_the_rows_say),
        cmocka_unit_test(straight_through_has_the_gradient_of_the_softmax),
        cmocka_unit_test(reinforce_is_its_formula),
        cmocka_unit_test(of_equal_values_the_first_wins),
        cmocka_unit_test(noise_draws_by_the_softmax),
        cmocka_unit_test(vectors_become_the_nearest_symbol),
        cmocka_unit_test(temperature_falls_and_stays),
        cmocka_unit_test(what_does_not_go_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
