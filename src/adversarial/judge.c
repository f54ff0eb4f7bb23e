/* The discriminator and the encoder as a game sees them. */
#include "graph/graph.h"

#include <string.h>

#include "adversarial/play.h"

gan_node *gan_play_condition(gan_play *play, gan_node *label) {
    return label ? gan_one_hot(play->g, label, play->o->classes) : NULL;
}

bool gan_is_virtual(const gan_norm *norm) { return norm && !strcmp(norm->name, "virtual"); }

/* Virtual batch norm: the first real batch of the run, and how many rows it has. */
static gan_node *reference(gan_play *play, gan_node *x) {
    gan_shape shape = gan_node_shape(x);
    shape.dim[0] = play->o->batch;
    return gan_variable_node(play->g, GAN_STATISTIC, "discriminator/reference", GAN_F32, shape,
                             gan_init_constant(0));
}

void gan_play_keep_reference(gan_play *play) {
    gan_graph *g = play->g;
    if (!gan_is_virtual(play->o->discriminator_norm)) return;
    gan_node *real = play->real.x, *kept = reference(play, real);
    gan_node *begun = gan_minimum(g, gan_play_time(play), gan_constant(g, 1, gan_shape0()));
    gan_assign(g, kept, gan_add(g, real, gan_mul(g, begun, gan_sub(g, kept, real))));
}

gan_scope *gan_play_scope(gan_play *play, const char *group, bool update_statistics, int groups) {
    const bool of_d = strcmp(group, "discriminator") == 0;
    gan_scope *scope = gan_scope_create(
        play->g, group,
        &(gan_scope_settings){.training = true,
                              .update_statistics = update_statistics,
                              .groups = groups,
                              .counter = play->counter,
                              .precision = play->o->precision,
                              .norm = of_d ? play->o->discriminator_norm : NULL,
                              .weight = of_d ? play->o->discriminator_weight : NULL,
                              .bias = play->o->discriminator_bias,
                              .reference = of_d ? play->reference : 0});
    for (int i = 0; i < play->n_overlay; i++)
        gan_scope_overlay(scope, play->overlay[i].variable, play->overlay[i].replacement);
    return scope;
}

/* ---- encoder: the model's features with z for its output ---- */

static gan_node *encoder(const gan_game_options *o, gan_scope *scope, gan_node *x) {
    gan_model_options n = o->networks;
    n.spectral_norm = n.minibatch_inner = false;
    return gan_model_output(o->model, scope, "output", o->model->features(scope, x, &n), n.z_dim,
                            &n);
}

gan_node *gan_play_encode(gan_play *play, gan_node *x, bool update_statistics) {
    return encoder(play->o, gan_play_scope(play, "encoder", update_statistics, 1), x);
}

gan_node *gan_encoder_build(gan_graph *g, const gan_game_options *o, gan_node *x) {
    return gan_named(encoder(o, gan_scope_create(g, "encoder", NULL), x), "code");
}

static bool diffuses(const gan_game_options *o) {
    for (int i = 0; i < o->n_terms; i++)
        if (o->terms[i].term->diffuses) return true;
    return false;
}

gan_side gan_play_real(gan_play *play, bool update_statistics) {
    const gan_game_options *o = play->o;
    gan_side side = {.x = o->real(o->user, play->g, play->counter, play->step)};
    side.x = gan_play_symbols(play, side.x);
    if (o->networks.level) side.x = gan_progressive_real(play->g, side.x, &o->networks);
    if (o->labels && o->classes)
        side.latent.label = o->labels(o->user, play->g, play->counter, play->step);
    side.condition = gan_play_condition(play, side.latent.label);
    if (o->encoder) side.latent.z = gan_play_encode(play, side.x, update_statistics);
    play->data = side.x;
    if (!diffuses(o)) return side;
    play->back = gan_play_rebuild(play, &side, side.x, update_statistics);
    side.x = gan_stop_gradient(play->g, play->back);
    return side;
}

/* ---- what D is shown ---- */

/* Groups of `pack` examples side by side in the channels. */
static gan_node *packed(gan_graph *g, gan_node *x, int64_t pack) {
    const gan_shape s = gan_node_shape(x);
    if (pack < 2) return x;
    if (s.rank == 2) return gan_reshape(g, x, gan_shape2(-1, pack * s.dim[1]));
    const int last = s.rank - 1;
    const int64_t area = gan_shape_size(s) / (s.dim[0] * s.dim[last]);
    gan_shape to = s;
    to.dim[0] = s.dim[0] / pack;
    to.dim[last] = pack * s.dim[last];
    static const int order[4] = {0, 2, 1, 3};
    x = gan_reshape(g, x, gan_shape4(to.dim[0], pack, area, s.dim[last]));
    return gan_reshape(g, gan_permute(g, x, order), to);
}

/* The class beside x: as further coordinates, or as constant maps. */
static gan_node *beside(gan_graph *g, gan_node *x, gan_node *condition) {
    const gan_shape s = gan_node_shape(x);
    gan_shape one = s, maps = s;
    one.dim[s.rank - 1] = maps.dim[s.rank - 1] = gan_node_shape(condition).dim[1];
    for (int i = 1; i + 1 < s.rank; i++) one.dim[i] = 1;
    condition = gan_broadcast(g, gan_reshape(g, condition, one), maps);
    return gan_concat(g, s.rank - 1, 2, (gan_node *[2]){x, condition});
}

/* Pairs (x, z): z by a layer of its own, then one layer over both, as in ALI's D with fewer layers
 * (Dumoulin et al. 2017, appendix A). */
static gan_node *pair(gan_play *play, gan_scope *scope, gan_node *features, gan_node *z) {
    enum { WIDTH = 256 };
    const gan_layer_options o = {.spectral_norm = gan_play_spectral(play)};
    gan_graph *g = play->g;
    z = gan_leaky_relu(g, gan_layer_linear(scope, "inference", z, WIDTH, &o), 0.2);
    gan_node *both[2] = {gan_play_rows(g, features), z};
    gan_node *h = gan_layer_linear(scope, "pair", gan_concat(g, 1, 2, both), WIDTH, &o);
    return gan_leaky_relu(g, h, 0.2);
}

gan_verdict gan_play_judge(gan_play *play, gan_node *x, gan_node *z, gan_node *condition,
                           bool update_statistics, int groups) {
    const gan_game_options *o = play->o;
    gan_graph *g = play->g;
    gan_verdict v = {0};
    gan_node *shown = gan_play_augment(play, x);
    const bool is_virtual = gan_is_virtual(o->discriminator_norm) && shown;
    if (is_virtual) shown = gan_concat(g, 0, 2, (gan_node *[2]){reference(play, x), shown});
    play->reference = is_virtual ? o->batch : 0;
    shown = packed(g, shown, o->pack);
    gan_scope *scope = gan_play_scope(play, "discriminator", update_statistics, groups);
    if (play->part) scope = gan_scope_enter(scope, "%s", play->part);
    play->reference = 0;
    if (!scope || !shown) return v;
    if (condition && o->discriminator_condition == GAN_CONDITION_CONCAT)
        shown = beside(g, shown, condition);
    const gan_shape s = gan_node_shape(shown);
    gan_model_options n = o->networks;
    n.channels = s.rank ? s.dim[s.rank - 1] : 1;
    v.features = gan_model_features(o->model, scope, shown, &n);
    if (is_virtual && v.features) {
        const int64_t all = gan_node_shape(v.features).dim[0];
        v.features = gan_slice(g, v.features, 0, o->batch, all - o->batch);
        shown = gan_slice(g, shown, 0, o->batch, all - o->batch);
    }
    if (z) v.features = pair(play, scope, v.features, z);
    v.logits = play->head->logits(play, scope, shown, v.features, condition);
    v.score = play->head->score ? play->head->score(play, v.logits) : v.logits;
    return v;
}

gan_node *gan_play_score(gan_play *play, const gan_side *side, gan_node *x) {
    gan_node *z = play->o->encoder ? side->latent.z : NULL;
    return gan_play_judge(play, x, z, side->condition, false, 1).score;
}

gan_node *gan_play_output(gan_play *play, const char *name, gan_node *features, int64_t units) {
    gan_scope *scope = gan_play_scope(play, "discriminator", !play->of_g, 1);
    return gan_model_output(play->o->model, scope, name, features, units, &play->o->networks);
}

/* ---- both sides at once ---- */

static gan_node *joined(gan_graph *g, gan_node *real, gan_node *fake) {
    return real && fake ? gan_concat(g, 0, 2, (gan_node *[2]){real, fake}) : NULL;
}

static gan_node *half(gan_graph *g, gan_node *x, int which) {
    const int64_t n = x ? gan_node_shape(x).dim[0] / 2 : 0;
    return x ? gan_slice(g, x, 0, which * n, n) : NULL;
}

static gan_verdict part(gan_play *play, const gan_verdict *v, int which) {
    gan_graph *g = play->g;
    gan_verdict p = {.features = half(g, v->features, which), .logits = half(g, v->logits, which)};
    p.score = v->score == v->logits ? p.logits : half(g, v->score, which);
    return p;
}

void gan_play_judge_both(gan_play *play, bool update_statistics) {
    gan_graph *g = play->g;
    gan_side *r = &play->real, *f = &play->fake;
    gan_node *z = play->o->encoder ? joined(g, r->latent.z, f->latent.z) : NULL;
    const gan_verdict v =
        gan_play_judge(play, joined(g, r->x, f->x), z, joined(g, r->condition, f->condition),
                       update_statistics, 2);
    r->seen = part(play, &v, 0);
    f->seen = part(play, &v, 1);
}

/* ---- shared arithmetic ---- */

gan_node *gan_play_logsumexp(gan_graph *g, gan_node *x) {
    gan_node *most = gan_stop_gradient(g, gan_max_axes(g, x, 1u << 1));
    gan_node *sum = gan_sum_axes(g, gan_exp(g, gan_sub(g, x, most)), 1u << 1);
    return gan_add(g, gan_log(g, sum), most);
}

gan_node *gan_play_running_sum(gan_graph *g, gan_node *x, int axis) {
    const int64_t n = gan_node_shape(x).dim[axis];
    for (int64_t by = 1; by < n; by *= 2)
        x = gan_add(g, x, gan_pad(g, gan_slice(g, x, axis, 0, n - by), axis, by, 0));
    return x;
}

gan_node *gan_play_rows(gan_graph *g, gan_node *x) {
    if (!x) return NULL;
    const gan_shape s = gan_node_shape(x);
    return s.rank == 2 ? x : gan_reshape(g, x, gan_shape2(s.dim[0], -1));
}

gan_node *gan_play_time(gan_play *play) {
    return gan_reshape(play->g, gan_cast(play->g, play->counter, GAN_F32), gan_shape0());
}

gan_node **gan_play_weights(gan_play *play, const char *group, int *n) {
    *n = gan_group_weights(play->g, group, NULL, 0);
    gan_node **weight = gan_graph_alloc(play->g, (size_t)*n * sizeof *weight + 1);
    if (weight) gan_group_weights(play->g, group, weight, *n);
    return weight;
}
