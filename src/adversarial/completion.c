/* All conditionals p(x_S | x_rest) by one network (Goodfellow et al. 2014, section 7, extension 3):
 * it sees the rest, and by a map where that is; D sees the whole. */
#include "adversarial/play.h"

/* The places of pixels along an axis of `n`, in (0, 1). */
static gan_node *places(gan_graph *g, int axis, int64_t n) {
    gan_shape s = gan_shape4(1, 1, 1, 1);
    s.dim[axis] = n;
    gan_node *ramp = gan_play_running_sum(g, gan_constant(g, 1, s), axis);
    return gan_scale(g, gan_shift(g, ramp, -0.5), 1 / (double)n);
}

static gan_node *number(gan_play *play, double low, double high) {
    return gan_random_uniform(play->g, play->counter, gan_shape4(play->o->batch, 1, 1, 1), low,
                              high);
}

/* 1 on a stretch of the axis between a quarter and three quarters of it, anywhere: (m, …). */
static gan_node *stretch(gan_play *play, int axis, int64_t n) {
    gan_graph *g = play->g;
    gan_node *half = number(play, 0.125, 0.375);
    gan_node *room = gan_shift(g, gan_scale(g, half, -2), 1);
    gan_node *centre = gan_add(g, half, gan_mul(g, room, number(play, 0, 1)));
    return gan_greater(g, half, gan_abs(g, gan_sub(g, places(g, axis, n), centre)));
}

/* 1 where a pixel is to be made: a rectangle, or for every second example scattered pixels, from a
 * quarter to all but a twentieth of them. */
static gan_node *unknown(gan_play *play, int64_t height, int64_t width) {
    gan_graph *g = play->g;
    const gan_shape each = gan_shape4(play->o->batch, height, width, 1);
    gan_node *block = gan_mul(g, stretch(play, 1, height), stretch(play, 2, width));
    gan_node *share = gan_broadcast(g, number(play, 0.25, 0.95), each);
    gan_node *scattered = gan_greater(g, share, gan_random_uniform(g, play->counter, each, 0, 1));
    gan_node *half = gan_constant(g, 0.5, gan_shape4(play->o->batch, 1, 1, 1));
    gan_node *second = gan_greater(g, number(play, 0, 1), half);
    return gan_add(g, block, gan_mul(g, second, gan_sub(g, scattered, block)));
}

gan_node *gan_play_context(gan_play *play, gan_node *x) {
    gan_graph *g = play->g;
    const gan_shape s = gan_node_shape(x);
    if (!x || s.rank != 4) return NULL;
    gan_node *known = gan_shift(g, gan_neg(g, unknown(play, s.dim[1], s.dim[2])), 1);
    return gan_concat(g, 3, 2, (gan_node *[2]){gan_mul(g, x, known), known});
}

gan_node *gan_context_complete(gan_graph *g, gan_node *context, gan_node *x) {
    const int64_t c = gan_node_shape(x).dim[3];
    gan_node *seen = gan_slice(g, context, 3, 0, c), *known = gan_slice(g, context, 3, c, 1);
    return gan_add(g, seen, gan_mul(g, x, gan_shift(g, gan_neg(g, known), 1)));
}

/* ---- examples for pictures ---- */

static gan_node *kept(gan_graph *g, const gan_game_options *o, bool whole) {
    const gan_model_options *n = &o->networks;
    const int64_t rows = o->batch < GAN_CONTEXTS ? o->batch : GAN_CONTEXTS;
    return gan_variable_node(
        g, GAN_STATISTIC, whole ? "generator/whole" : "generator/context", GAN_F32,
        gan_shape4(rows, n->height, n->width, whole ? n->channels : n->channels + 1),
        gan_init_constant(0));
}

static void keep(gan_play *play, gan_node *variable, gan_node *x) {
    gan_graph *g = play->g;
    x = gan_slice(g, x, 0, 0, gan_node_shape(variable).dim[0]);
    gan_node *begun = gan_minimum(g, gan_play_time(play), gan_constant(g, 1, gan_shape0()));
    gan_assign(g, variable, gan_add(g, x, gan_mul(g, begun, gan_sub(g, variable, x))));
}

void gan_play_keep_contexts(gan_play *play) {
    if (!play->o->model->completes) return;
    keep(play, kept(play->g, play->o, true), play->whole);
    keep(play, kept(play->g, play->o, false), play->fake.latent.context);
}

gan_node *gan_context_build(gan_graph *g, const gan_game_options *o, gan_node *index,
                            gan_node **whole) {
    if (whole) *whole = gan_gather(g, kept(g, o, true), index);
    return gan_gather(g, kept(g, o, false), index);
}
