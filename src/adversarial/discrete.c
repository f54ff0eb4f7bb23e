/* Discrete outputs: what D is shown of logits, and symbols out of them. */
#include "adversarial/play.h"

#include <math.h>
#include <string.h>

/* ---- numbers to symbols ---- */

/* softmax(x / temperature) over the symbols. */
static gan_node *soft(gan_graph *g, gan_node *x, gan_node *temperature) {
    return gan_softmax(g, gan_div(g, x, temperature));
}

gan_node *gan_hard_symbols(gan_graph *g, gan_node *x) {
    if (!x) return NULL;
    const gan_shape s = gan_node_shape(x);
    const int last = s.rank - 1;
    gan_node *largest = gan_equal(g, x, gan_max_axes(g, x, 1u << last));
    /* Of equal ones the first has the highest rank. */
    gan_node *rank = gan_shift(g, gan_neg(g, gan_play_range(g, s.dim[last])), (double)s.dim[last]);
    gan_node *ranked = gan_mul(g, largest, rank);
    return gan_stop_gradient(g, gan_equal(g, ranked, gan_max_axes(g, ranked, 1u << last)));
}

static gan_node *noisy(gan_graph *g, gan_node *logits, gan_node *noise) {
    return noise ? gan_add(g, logits, noise) : logits;
}

/* ---- the rows ---- */

static gan_node *softmax(gan_graph *g, gan_node *logits, gan_node *noise, gan_node *temperature) {
    (void)noise;
    return soft(g, logits, temperature);
}

static gan_node *gumbel(gan_graph *g, gan_node *logits, gan_node *noise, gan_node *temperature) {
    return soft(g, noisy(g, logits, noise), temperature);
}

/* The symbols forward, the gradient of `gumbel` backward. */
static gan_node *straight_through(gan_graph *g, gan_node *logits, gan_node *noise,
                                  gan_node *temperature) {
    gan_node *y = gumbel(g, logits, noise, temperature);
    gan_node *none = gan_sub(g, y, gan_stop_gradient(g, y)); /* zero, but for its gradient */
    return gan_add(g, gan_hard_symbols(g, noisy(g, logits, noise)), none);
}

static gan_node *symbols(gan_graph *g, gan_node *logits, gan_node *noise, gan_node *temperature) {
    (void)temperature;
    return gan_hard_symbols(g, noisy(g, logits, noise));
}

static gan_node *same(gan_graph *g, gan_node *vectors, gan_node *noise, gan_node *temperature) {
    (void)g, (void)noise, (void)temperature;
    return vectors;
}

static const gan_discrete table[] = {
    {"none", "softmax, as it is (Gulrajani et al. 2017, section 5.3)", softmax, false, false,
     false},
    {"gumbel", "softmax with Gumbel noise (Jang et al. 2017; Maddison et al. 2017)", gumbel, true,
     false, false},
    {"straight-through", "symbols, the gradient that of gumbel (Jang et al. 2017, section 2.2)",
     straight_through, true, false, false},
    {"reinforce", "symbols, the gradient by the term reinforce (Williams 1992)", symbols, true,
     true, false},
    {"embedding", "vectors, decoded to the nearest symbol's", same, false, false, true},
};

size_t gan_discrete_count(void) { return sizeof table / sizeof *table; }

const gan_discrete *gan_discrete_at(size_t index) {
    return index < gan_discrete_count() ? &table[index] : NULL;
}

const gan_discrete *gan_discrete_find(const char *name) {
    for (size_t i = 0; i < gan_discrete_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

/* ---- in a game ---- */

const gan_discrete *gan_play_discrete(const gan_game_options *o) {
    if (!o->model->sequences) return NULL;
    return o->discrete ? o->discrete : &table[0];
}

gan_node *gan_temperature_at(gan_graph *g, gan_node *counter, const gan_temperature *t) {
    const double initial = t->initial > 0 ? t->initial : 1, final = t->final > 0 ? t->final : 1;
    if (t->steps < 1 || initial == final) return gan_constant(g, initial, gan_shape0());
    gan_node *n = gan_reshape(g, gan_cast(g, counter, GAN_F32), gan_shape0());
    n = gan_minimum(g, gan_scale(g, n, 1 / (double)t->steps), gan_constant(g, 1, gan_shape0()));
    return gan_exp(g, gan_shift(g, gan_scale(g, n, log(final / initial)), log(initial)));
}

gan_node *gan_symbol_vectors(gan_graph *g, const gan_game_options *o) {
    static const char name[] = "discriminator/symbols/vectors";
    const int64_t dims = o->embedding_dims > 0 ? o->embedding_dims : GAN_EMBEDDING_DIMS;
    gan_node *v =
        gan_variable_node(g, o->embedding_learned ? GAN_WEIGHT : GAN_STATISTIC, name, GAN_F32,
                          gan_shape2(o->networks.channels, dims), gan_init_normal(0, 1));
    gan_node *square = gan_sum_axes(g, gan_square(g, v), 1u << 1);
    return gan_mul(g, v, gan_rsqrt(g, gan_shift(g, square, 1e-12)));
}

/* x (m, length, n) times a matrix (n, k), or its transpose (k, n). */
static gan_node *times(gan_graph *g, gan_node *x, gan_node *matrix, bool transpose) {
    if (!x || !matrix) return NULL;
    const gan_shape s = gan_node_shape(x);
    gan_node *y = gan_reshape(g, x, gan_shape2(s.dim[0] * s.dim[1], s.dim[2]));
    y = gan_matmul(g, y, matrix, false, transpose);
    return gan_reshape(g, y, gan_shape3(s.dim[0], s.dim[1], -1));
}

gan_node *gan_play_symbols(gan_play *play, gan_node *x) {
    const gan_discrete *d = gan_play_discrete(play->o);
    if (!d || !d->vectors) return x;
    return times(play->g, x, gan_symbol_vectors(play->g, play->o), false);
}

gan_node *gan_play_relax(gan_play *play, gan_node *logits, gan_node *noise) {
    const gan_discrete *d = gan_play_discrete(play->o);
    if (!d || !logits) return logits;
    gan_node *t = gan_temperature_at(play->g, play->counter, &play->o->temperature);
    return d->show(play->g, logits, noise, t);
}

/* All vectors are of length 1, so the nearest has the largest product. */
gan_node *gan_symbols_of(gan_graph *g, const gan_game_options *o, gan_node *logits,
                         gan_node *noise) {
    const gan_discrete *d = gan_play_discrete(o);
    if (!d || !logits) return logits;
    if (d->vectors) logits = times(g, logits, gan_symbol_vectors(g, o), true);
    return gan_hard_symbols(g, d->draws ? noisy(g, logits, noise) : logits);
}
