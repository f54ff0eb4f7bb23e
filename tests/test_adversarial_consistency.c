/* Consistency terms against networks computed by hand: fully connected, on points. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "graph/store.h"
#include "support/play.h"

enum { WIDEST = 16, Z = 3, D = 2 };

static void open_averaged(test_play *t, const char *terms, const char *head, bool of_g,
                          double average) {
    gan_game_options o = {.model = gan_model_find("toy"),
                          .networks = play_toy(5),
                          .objective = gan_objective_find("non-saturating"),
                          .head = gan_head_find(head),
                          .classes = strcmp(head, "classes") ? 0 : PLAY_CLASSES,
                          .generator_scale = -1,
                          .discriminator_average = average};
    if (gan_terms_parse(o.terms, &o.n_terms, "terms", terms) != GAN_OK)
        fail_msg("%s", gan_last_error());
    play_open(t, &o, of_g);
}

static void open_with(test_play *t, const char *terms, const char *head, bool of_g) {
    open_averaged(t, terms, head, of_g, 0);
}

static void open(test_play *t, const char *terms, bool of_g) {
    open_with(t, terms, "linear", of_g);
}

/* ---- the networks by hand ---- */

static int layer(test_play *t, double *y, gan_role role, const char *name, const double *x,
                 bool leaky) {
    char weight[96], bias[96];
    snprintf(weight, sizeof weight, "%s/weight", name);
    snprintf(bias, sizeof bias, "%s/bias", name);
    const gan_variable *w = gan_store_find(t->store, role, weight);
    const gan_variable *b = gan_store_find(t->store, role, bias);
    assert_non_null(w);
    assert_non_null(b);
    const int64_t out = gan_variable_shape(w).dim[0], in = gan_variable_shape(w).dim[1];
    assert_true(out <= WIDEST);
    for (int64_t i = 0; i < out; i++) {
        y[i] = ref_variable_values(t->r, b)[i];
        for (int64_t j = 0; j < in; j++) y[i] += ref_variable_values(t->r, w)[i * in + j] * x[j];
        if (leaky && y[i] < 0) y[i] *= (double)0.2f;
    }
    return (int)out;
}

static void network_of(test_play *t, double *y, gan_role role, const char *group, const double *x) {
    static const char *const names[] = {"hidden1", "hidden2", "hidden3", "output"};
    double h[WIDEST], next[WIDEST];
    int n = 0;
    for (int i = 0; i < 4; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s/%s", group, names[i]);
        n = layer(t, next, role, name, i ? h : x, i < 3);
        memcpy(h, next, sizeof h);
    }
    memcpy(y, h, (size_t)n * sizeof *y);
}

static void network(test_play *t, double *y, const char *group, const double *x) {
    network_of(t, y, GAN_WEIGHT, group, x);
}

static double score(test_play *t, const double *x) {
    double s;
    network(t, &s, "discriminator", x);
    return s;
}

/* ---- what the terms drew: the normal noise in the order of its making ---- */

static const double *noise(test_play *t, int which) {
    const gan_graph *g = t->play.g;
    int found = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const gan_node *node = g->node[i];
        if (node->op != GAN_OP_random || node->attr.random.kind != GAN_RANDOM_NORMAL) continue;
        if (node == t->play.fake.latent.z || found++ != which) continue;
        return play_value(t, node);
    }
    fail_msg("no noise number %d", which);
    return NULL;
}

static double *copy(const double *x, int n) {
    double *y = malloc((size_t)n * sizeof *y);
    assert_non_null(y);
    memcpy(y, x, (size_t)n * sizeof *y);
    return y;
}

/* E |D(x) - D(x + noise)|² over `logits` of D. */
static double change_of(test_play *t, const double *x, const double *moved, int logits) {
    double sum = 0;
    for (int i = 0; i < PLAY_BATCH; i++) {
        double other[D], here[WIDEST], there[WIDEST];
        for (int k = 0; k < D; k++) other[k] = x[i * D + k] + moved[i * D + k];
        network(t, here, "discriminator", x + i * D);
        network(t, there, "discriminator", other);
        for (int k = 0; k < logits; k++) sum += pow(here[k] - there[k], 2);
    }
    return sum / PLAY_BATCH;
}

static double change(test_play *t, const double *x, const double *moved) {
    return change_of(t, x, moved, 1);
}

/* The non-saturating objective of D, which comes on top of its terms. */
static double objective(test_play *t) {
    double sum = 0;
    for (int side = 0; side < 2 && !t->play.of_g; side++) {
        const gan_node *s = side ? t->play.real.seen.score : t->play.fake.seen.score;
        const double *x = play_value(t, s);
        for (int i = 0; i < PLAY_BATCH; i++) sum += log1p(exp(side ? -x[i] : x[i])) / PLAY_BATCH;
    }
    return sum;
}

static void expect(test_play *t, double wanted) {
    const double got = play_value(t, t->loss)[0] - objective(t);
    assert_true(fabs(wanted) > 1e-6);
    if (!(fabs(got - wanted) <= 1e-6 * fabs(wanted)))
        fail_msg("%.12g, expected %.12g", got, wanted);
}

static double *values(test_play *t, const gan_node *node, int n) {
    return copy(play_value(t, node), n);
}

static void cr_looks_at_real_examples(void **state) {
    (void)state;
    test_play t;
    open(&t, "cr(3, 0.25)", false);
    double *x = values(&t, t.play.real.x, PLAY_BATCH * D);
    double *moved = copy(noise(&t, 0), PLAY_BATCH * D);
    expect(&t, 3 * change(&t, x, moved));
    free(x), free(moved);
    play_close(&t);
}

static void cr_looks_at_every_class(void **state) {
    (void)state;
    test_play t;
    open_with(&t, "cr(3, 0.25)", "classes", false);
    double *x = values(&t, t.play.real.x, PLAY_BATCH * D);
    double *moved = copy(noise(&t, 0), PLAY_BATCH * D);
    expect(&t, 3 * change_of(&t, x, moved, PLAY_CLASSES));
    free(x), free(moved);
    play_close(&t);
}

static void bcr_looks_at_both(void **state) {
    (void)state;
    test_play t;
    open(&t, "bcr(3, 0.25, fake=0.5)", false);
    double *real = values(&t, t.play.real.x, PLAY_BATCH * D);
    double *fake = values(&t, t.play.fake.x, PLAY_BATCH * D);
    double *of_fake = copy(noise(&t, 0), PLAY_BATCH * D);
    double *of_real = copy(noise(&t, 1), PLAY_BATCH * D);
    expect(&t, 3 * (change(&t, real, of_real) + 0.5 * change(&t, fake, of_fake)));
    free(real), free(fake), free(of_real), free(of_fake);
    play_close(&t);
}

/* D: E (D(G(z)) - D(G(z + noise)))²; G: -E |G(z) - G(z + noise)|² over an example's numbers. */
static void zcr(bool of_g) {
    test_play t;
    open(&t, "zcr(3, 0.25, generator=0.5)", of_g);
    double *z = values(&t, t.play.fake.latent.z, PLAY_BATCH * Z);
    double *moved = copy(noise(&t, 0), PLAY_BATCH * Z);
    double of_d = 0, of_x = 0;
    for (int i = 0; i < PLAY_BATCH; i++) {
        double near[Z], x[D], other[D];
        for (int k = 0; k < Z; k++) near[k] = z[i * Z + k] + moved[i * Z + k];
        network(&t, x, "generator", z + i * Z);
        network(&t, other, "generator", near);
        of_d += pow(score(&t, x) - score(&t, other), 2) / PLAY_BATCH;
        for (int k = 0; k < D; k++) of_x += pow(x[k] - other[k], 2) / (PLAY_BATCH * D);
    }
    expect(&t, of_g ? 3 * -0.5 * of_x : 3 * of_d);
    free(z), free(moved);
    play_close(&t);
}

static void zcr_looks_at_noise(void **state) {
    (void)state;
    zcr(false);
    zcr(true);
}

/* ---- interpolation ---- */

static void softmax(double *p, const double *l) {
    double sum = 0;
    for (int k = 0; k < PLAY_CLASSES; k++) sum += exp(l[k]);
    for (int k = 0; k < PLAY_CLASSES; k++) p[k] = exp(l[k]) / sum;
}

/* The shares at which the term mixes, an example each: the only uniform noise. */
static const double *shares(test_play *t) {
    const gan_graph *g = t->play.g;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->node[i]->op == GAN_OP_random && g->node[i]->attr.random.kind == GAN_RANDOM_UNIFORM)
            return play_value(t, g->node[i]);
    fail_msg("nothing is mixed");
    return NULL;
}

/* E H(λp(x) + (1 - λ)p(x'), D(λx + (1 - λ)x')), x' the next example, p by the averaged weights. */
static double interpolation(test_play *t, const double *x, const double *share) {
    double sum = 0;
    for (int i = 0; i < PLAY_BATCH; i++) {
        const int j = (i + 1) % PLAY_BATCH;
        double between[D], l[WIDEST], here[PLAY_CLASSES], there[PLAY_CLASSES], p[PLAY_CLASSES];
        for (int k = 0; k < D; k++)
            between[k] = share[i] * x[i * D + k] + (1 - share[i]) * x[j * D + k];
        network_of(t, l, GAN_AVERAGE, "discriminator", x + i * D), softmax(here, l);
        network_of(t, l, GAN_AVERAGE, "discriminator", x + j * D), softmax(there, l);
        network(t, l, "discriminator", between), softmax(p, l);
        for (int k = 0; k < PLAY_CLASSES; k++)
            sum -= (share[i] * here[k] + (1 - share[i]) * there[k]) * log(p[k]);
    }
    return sum / PLAY_BATCH;
}

/* The targets are those of the averaged weights, and no gradient goes into them. */
static void ict_looks_between_examples(void **state) {
    (void)state;
    test_play t;
    open_averaged(&t, "ict(3)", "classes", false, 0.9);
    double *x = values(&t, t.play.real.x, PLAY_BATCH * D), *share = copy(shares(&t), PLAY_BATCH);
    expect(&t, 3 * interpolation(&t, x, share));
    free(x), free(share);
    play_close(&t);
}

/* Averages are of layers, too, that a term named later adds to D. */
static void ict_goes_with_layers_of_terms(void **state) {
    (void)state;
    const char *const terms[] = {"ict, supervised, infogan", "infogan, supervised, ict"};
    for (int i = 0; i < 2; i++) {
        gan_game_options o = {.model = gan_model_find("toy"),
                              .networks = play_toy(5),
                              .objective = gan_objective_find("non-saturating"),
                              .classes = PLAY_CLASSES,
                              .code_continuous = 1,
                              .discriminator_average = 0.9};
        assert_int_equal(gan_terms_parse(o.terms, &o.n_terms, "terms", terms[i]), GAN_OK);
        test_play t;
        play_open(&t, &o, false);
        gan_play_average(&t.play, "discriminator", 0.9);
        if (gan_graph_status(t.play.g) != GAN_OK) fail_msg("%s: %s", terms[i], gan_last_error());
        const char *layer = "discriminator/continuous/weight";
        assert_non_null(gan_store_find(t.store, GAN_AVERAGE, layer));
        play_close(&t);
    }
}

/* Images are mirrored and moved, so noise has no part in it; a flat image of zeros stays one. */
static void images_are_moved(void **state) {
    (void)state;
    gan_game_options o = {.model = gan_model_find("dcgan"),
                          .networks = {.height = 8,
                                       .width = 8,
                                       .channels = 1,
                                       .z_dim = 3,
                                       .generator_features = 3,
                                       .discriminator_features = 3},
                          .objective = gan_objective_find("non-saturating")};
    assert_int_equal(gan_terms_parse(o.terms, &o.n_terms, "terms", "cr"), GAN_OK);
    test_play t;
    play_open(&t, &o, false);
    const gan_graph *g = t.play.g;
    int indices = 0, uniform = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        if (g->node[i]->op != GAN_OP_random) continue;
        indices += g->node[i]->attr.random.kind == GAN_RANDOM_INDEX;
        uniform += g->node[i]->attr.random.kind == GAN_RANDOM_UNIFORM;
    }
    assert_int_equal(indices, 2); /* an offset an axis */
    assert_int_equal(uniform, 1); /* mirrored or not */
    play_close(&t);
}

static gan_node *no_data(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    (void)user, (void)g, (void)step;
    return counter;
}

static void replay_has_no_noise_to_move(void **state) {
    (void)state;
    const gan_head *head;
    gan_game_options o = {.model = gan_model_find("toy"),
                          .networks = play_toy(5),
                          .batch = 4,
                          .replay = 2,
                          .objective = gan_objective_find("non-saturating"),
                          .prior = gan_prior_find("normal"),
                          .generator = gan_optimizer_defaults("adam"),
                          .discriminator = gan_optimizer_defaults("adam"),
                          .real = no_data};
    assert_int_equal(gan_terms_parse(o.terms, &o.n_terms, "terms", "zcr"), GAN_OK);
    assert_int_equal(gan_game_check(&o, &head), GAN_ERROR_ARGUMENT);
    assert_non_null(strstr(gan_last_error(), "zcr"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cr_looks_at_real_examples),
        cmocka_unit_test(cr_looks_at_every_class),
        cmocka_unit_test(bcr_looks_at_both),
        cmocka_unit_test(zcr_looks_at_noise),
        cmocka_unit_test(ict_looks_between_examples),
        cmocka_unit_test(ict_goes_with_layers_of_terms),
        cmocka_unit_test(images_are_moved),
        cmocka_unit_test(replay_has_no_noise_to_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
