/* Heads: what D says, and the one score that objectives look at. */
#include <string.h>

#include "adversarial/play.h"

static gan_node *output(gan_play *play, gan_scope *scope, const char *name, gan_node *features,
                        int64_t units) {
    return gan_model_output(play->o->model, scope, name, features, units, &play->o->networks);
}

static gan_node *linear(gan_play *play, gan_scope *scope, gan_node *x, gan_node *features,
                        gan_node *condition) {
    (void)x, (void)condition;
    return output(play, scope, "output", features, 1);
}

/* w·h + <e_y, h>, h the features summed over their maps. */
static gan_node *projection(gan_play *play, gan_scope *scope, gan_node *x, gan_node *features,
                            gan_node *condition) {
    (void)x;
    gan_graph *g = play->g;
    const gan_shape s = gan_node_shape(features);
    gan_node *h = features;
    if (s.rank == 4) h = gan_reshape(g, gan_sum_axes(g, h, 6), gan_shape2(s.dim[0], s.dim[3]));
    const int64_t width = gan_node_shape(h).dim[1];
    const gan_layer_options o = {.no_bias = true, .spectral_norm = gan_play_spectral(play)};
    gan_node *e = gan_layer_linear(scope, "embedding", condition, width, &o);
    gan_node *inner = gan_sum_axes(g, gan_mul(g, e, h), 2);
    return gan_add(g, output(play, scope, "output", h, 1), inner);
}

/* A logit a class; the score is log Z, D = Z / (Z + 1), Z = sum exp(l_k). */
static gan_node *classes(gan_play *play, gan_scope *scope, gan_node *x, gan_node *features,
                         gan_node *condition) {
    (void)x, (void)condition;
    return output(play, scope, "output", features, play->o->classes);
}

static gan_node *log_z(gan_play *play, gan_node *logits) {
    return gan_play_logsumexp(play->g, logits);
}

/* A logit a member of G and one for real data; the score is that of real against any. */
static gan_node *members(gan_play *play, gan_scope *scope, gan_node *x, gan_node *features,
                         gan_node *condition) {
    (void)x, (void)condition;
    return output(play, scope, "output", features, play->o->generators + 1);
}

static gan_node *real_or_any(gan_play *play, gan_node *logits) {
    gan_graph *g = play->g;
    const int64_t n = play->o->generators;
    gan_node *any = gan_play_logsumexp(g, gan_slice(g, logits, 1, 0, n));
    return gan_sub(g, gan_slice(g, logits, 1, n, 1), any);
}

/* D as an autoencoder: a code from the features, and the model's generator for a decoder. */
static gan_node *energy(gan_play *play, gan_scope *scope, gan_node *x, gan_node *features,
                        gan_node *condition) {
    (void)condition;
    gan_graph *g = play->g;
    const gan_game_options *o = play->o;
    gan_node *code = output(play, scope, "code", features, o->networks.z_dim);
    gan_node *back = o->model->generator(gan_scope_enter(scope, "decoder"), code, &o->networks);
    gan_node *difference = gan_play_rows(g, gan_sub(g, x, back));
    gan_node *error =
        o->objective->energy == 1 ? gan_abs(g, difference) : gan_square(g, difference);
    return gan_mean_axes(g, error, 2);
}

static const gan_head table[] = {
    {"linear", "one logit", false, linear, NULL},
    {"projection", "w.h + <e_y, h> (Miyato and Koyama 2018, eq. 4)", true, projection, NULL},
    {"classes", "a logit a class, D = Z / (Z + 1) (Salimans et al. 2016, section 5)", true, classes,
     log_z},
    {"members", "a logit a generator and one for data (Ghosh et al. 2018, section 3.1)", false,
     members, real_or_any},
    {"energy", "the error of D as an autoencoder (Zhao et al. 2017, section 2)", false, energy,
     NULL},
};

size_t gan_head_count(void) { return sizeof table / sizeof *table; }

const gan_head *gan_head_at(size_t index) {
    return index < gan_head_count() ? &table[index] : NULL;
}

const gan_head *gan_head_find(const char *name) {
    for (size_t i = 0; i < gan_head_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}
