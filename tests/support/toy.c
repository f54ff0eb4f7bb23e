#include "support/toy.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"

double *toy_weights(test_play *t, const char *group, const char *layer, const char *part) {
    char name[96];
    snprintf(name, sizeof name, "%s/%s/%s", group, layer, part);
    const gan_variable *v = gan_store_find(t->store, GAN_WEIGHT, name);
    if (!v) fail_msg("no weight %s", name);
    return ref_variable_values(t->r, v);
}

void toy_linear(test_play *t, const char *group, const char *layer, int in, int out,
                const double *x, double *y) {
    const double *w = toy_weights(t, group, layer, "weight"),
                 *b = toy_weights(t, group, layer, "bias");
    for (int i = 0; i < out; i++) {
        y[i] = b[i];
        for (int k = 0; k < in; k++) y[i] += w[i * in + k] * x[k];
    }
}

static const double leak = (double)0.2f; /* as a node keeps it */
static double leaky(double x) { return x > 0 ? x : leak * x; }

/* x (in) through the three hidden layers; `before` their sums, for the way back. */
static void hidden(test_play *t, const char *group, int in, const double *x, double h[TOY_WIDTH],
                   double before[3][TOY_WIDTH]) {
    static const char *const layers[] = {"hidden1", "hidden2", "hidden3"};
    for (int k = 0; k < 3; k++) {
        toy_linear(t, group, layers[k], k ? TOY_WIDTH : in, TOY_WIDTH, k ? h : x, before[k]);
        for (int i = 0; i < TOY_WIDTH; i++) h[i] = leaky(before[k][i]);
    }
}

void toy_features(test_play *t, const char *group, int in, const double *x, double h[TOY_WIDTH]) {
    double before[3][TOY_WIDTH];
    hidden(t, group, in, x, h, before);
}

void toy_network(test_play *t, const char *group, int in, int out, const double *x, double *y) {
    double h[TOY_WIDTH];
    toy_features(t, group, in, x, h);
    toy_linear(t, group, "output", TOY_WIDTH, out, h, y);
}

double toy_score(test_play *t, const double x[2]) {
    double s;
    toy_network(t, "discriminator", 2, 1, x, &s);
    return s;
}

/* |d score / dx|², by the chain rule. */
double toy_slope(test_play *t, const double x[2]) {
    static const char *const layers[] = {"hidden1", "hidden2", "hidden3"};
    double h[TOY_WIDTH], before[3][TOY_WIDTH], d[TOY_WIDTH], next[TOY_WIDTH];
    hidden(t, "discriminator", 2, x, h, before);
    memcpy(d, toy_weights(t, "discriminator", "output", "weight"), sizeof d);
    for (int k = 2; k >= 0; k--) {
        const int in = k ? TOY_WIDTH : 2;
        const double *w = toy_weights(t, "discriminator", layers[k], "weight");
        for (int j = 0; j < in; j++) {
            next[j] = 0;
            for (int i = 0; i < TOY_WIDTH; i++)
                next[j] += d[i] * (before[k][i] > 0 ? 1 : leak) * w[i * in + j];
        }
        memcpy(d, next, sizeof d);
    }
    return d[0] * d[0] + d[1] * d[1];
}

gan_game_options toy_game(const char *terms) {
    gan_game_options o = {.model = gan_model_find("toy"),
                          .networks = play_toy(TOY_WIDTH),
                          .objective = gan_objective_find("non-saturating")};
    if (gan_terms_parse(o.terms, &o.n_terms, "terms", terms) != GAN_OK)
        fail_msg("%s", gan_last_error());
    return o;
}

double toy_term(test_play *t, const gan_game_options *o, bool of_g, const double **real,
                const double **fake) {
    play_open(t, o, of_g);
    const gan_term_use *use = &t->o.terms[0];
    gan_node *value = (of_g ? use->term->g : use->term->d)(&t->play, use->knob);
    if (gan_graph_status(t->play.g) != GAN_OK) fail_msg("%s", gan_last_error());
    const double x = *play_value(t, value);
    *real = ref_value(t->r, t->play.real.x);
    *fake = ref_value(t->r, t->play.fake.x);
    return x;
}

void toy_near(double got, double want) {
    if (!(fabs(got - want) <= 1e-9 + 2e-7 * fabs(want)))
        fail_msg("%.12g, expected %.12g", got, want);
}
