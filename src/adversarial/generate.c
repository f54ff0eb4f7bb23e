/* The generator, for a game and for samples: what it starts from, and its members. */
#include "graph/graph.h"

#include "adversarial/play.h"

/* -log(-log u): logits plus this are largest where softmax(logits) draws (Maddison et al. 2017,
 * section 2.2). u is kept off 0 and 1, where single precision has no logarithm of it. */
static gan_node *gumbel(gan_graph *g, gan_node *counter, gan_shape shape) {
    gan_node *u = gan_random_uniform(g, counter, shape, 0, 1);
    u = gan_maximum(g, u, gan_constant(g, 1e-20, shape));
    u = gan_minimum(g, u, gan_constant(g, 1 - 0x1p-24, shape));
    return gan_neg(g, gan_log(g, gan_neg(g, gan_log(g, u))));
}

gan_latent gan_latent_draw(gan_graph *g, const gan_game_options *o, gan_node *counter,
                           int64_t count) {
    gan_latent l = {.z = o->prior->draw(g, counter, gan_shape2(count, o->networks.z_dim))};
    if (o->classes) l.label = gan_random_index(g, counter, gan_shape1(count), o->classes);
    if (o->code_categorical)
        l.category =
            gan_random_index(g, counter, gan_shape2(count, o->code_categorical), o->code_classes);
    if (o->code_continuous)
        l.code = gan_random_uniform(g, counter, gan_shape2(count, o->code_continuous), -1, 1);
    const gan_discrete *d = gan_play_discrete(o);
    if (d && d->draws)
        l.symbol = gumbel(g, counter, gan_model_shape(o->model, &o->networks, count));
    return l;
}

/* What G's first layer sees: noise, codes and, where it is concatenated, the class. */
static gan_node *input_of(gan_graph *g, const gan_game_options *o, const gan_latent *l,
                          gan_node *condition) {
    gan_node *part[4] = {l->z};
    int n = 1;
    if (l->category) {
        const int64_t m = gan_node_shape(l->category).dim[0];
        part[n++] = gan_reshape(g, gan_one_hot(g, l->category, o->code_classes),
                                gan_shape2(m, o->code_categorical * o->code_classes));
    }
    if (l->code) part[n++] = l->code;
    if (condition && o->generator_condition == GAN_CONDITION_CONCAT) part[n++] = condition;
    return n > 1 ? gan_concat(g, 1, n, part) : l->z;
}

/* Rows first … first + count - 1 of x, or all of them. */
static gan_node *rows(gan_graph *g, gan_node *x, int64_t first, int64_t count) {
    return x && gan_node_shape(x).dim[0] != count ? gan_slice(g, x, 0, first, count) : x;
}

/* Virtual batch norm while training: noise that stays in front of the rest. */
static gan_node *with_reference(gan_graph *g, const gan_game_options *o, gan_node *input,
                                gan_scope_settings *settings) {
    if (!settings->training || !gan_is_virtual(o->generator_norm)) return input;
    gan_shape shape = gan_node_shape(input);
    shape.dim[0] = settings->reference = o->batch;
    gan_node *z = gan_variable_node(g, GAN_STATISTIC, "generator/reference", GAN_F32, shape,
                                    gan_init_normal(0, 1));
    return gan_concat(g, 0, 2, (gan_node *[2]){z, input});
}

typedef gan_scope *(*opener)(gan_graph *g, const char *group, const gan_scope_settings *settings);

static gan_node *generator(gan_graph *g, const gan_game_options *o, const gan_latent *l,
                           gan_scope_settings settings, opener open) {
    gan_node *condition = l->label ? gan_one_hot(g, l->label, o->classes) : l->condition;
    gan_node *input = input_of(g, o, l, condition);
    if (!input) return NULL;
    const int64_t m = gan_node_shape(input).dim[0];
    const int64_t n = o->generators > 1 && o->generators <= m ? o->generators : 1;
    gan_node **part = gan_graph_alloc(g, (size_t)n * sizeof *part);
    gan_model_options networks = o->networks;
    const gan_discrete *d = gan_play_discrete(o);
    if (d && d->vectors)
        networks.channels = o->embedding_dims > 0 ? o->embedding_dims : GAN_EMBEDDING_DIMS;
    settings.norm = o->generator_norm;
    settings.weight = o->generator_weight;
    settings.bias = o->generator_bias;
    for (int64_t i = 0; part && i < n; i++) {
        const int64_t first = i * m / n, count = (i + 1) * m / n - first;
        settings.condition_norm = o->generator_condition == GAN_CONDITION_NORM;
        if (settings.condition_norm) settings.condition = rows(g, condition, first, count);
        gan_node *shown = with_reference(g, o, rows(g, input, first, count), &settings);
        const int64_t reference = settings.reference;
        settings.context = rows(g, l->context, first, count);
        gan_scope *scope = open(g, "generator", &settings);
        if (o->generators > 1) scope = gan_scope_enter(scope, "member%d", (int)i + 1);
        gan_node *x = o->model->generator(scope, shown, &networks);
        if (x && reference) x = gan_slice(g, x, 0, reference, count);
        part[i] = x ? gan_cast(g, x, GAN_F32) : NULL;
        if (settings.context) part[i] = gan_context_complete(g, settings.context, part[i]);
    }
    if (!part) return NULL;
    return gan_named(n > 1 ? gan_concat(g, 0, (int)n, part) : part[0], "fake");
}

static gan_node *in_training(gan_play *play, const gan_latent *latent, bool update_statistics) {
    const gan_scope_settings training = {.training = true,
                                         .update_statistics = update_statistics,
                                         .counter = play->counter,
                                         .precision = play->o->precision};
    return generator(play->g, play->o, latent, training, gan_scope_create);
}

gan_node *gan_play_generator(gan_play *play, const gan_latent *latent, bool update_statistics) {
    return gan_play_relax(play, in_training(play, latent, update_statistics), latent->symbol);
}

gan_side gan_play_generate(gan_play *play, bool update_statistics) {
    const gan_game_options *o = play->o;
    const int64_t count = play->of_g && o->generator_batch ? o->generator_batch : o->batch;
    gan_side side = {.latent = gan_latent_draw(play->g, o, play->counter, count)};
    side.condition = gan_play_condition(play, side.latent.label);
    if (play->of_g && o->active_classes > 0) {
        side.condition = gan_play_active_classes(play, count);
        side.latent.label = NULL;
        side.latent.condition = side.condition;
    }
    if (o->model->completes) {
        play->whole = play->real.x;
        side.latent.context = gan_play_context(play, play->whole);
    }
    gan_node *made = in_training(play, &side.latent, update_statistics);
    side.x = gan_play_relax(play, made, side.latent.symbol);
    if (o->model->sequences) side.logits = made;
    return side;
}

gan_node *gan_sampler_build(gan_graph *g, const gan_game_options *o, const gan_latent *latent,
                            bool average) {
    if (!g || !o || !o->model || !latent || !latent->z) return NULL;
    const gan_scope_settings evaluation = {0};
    gan_node *x = generator(g, o, latent, evaluation, gan_scope_create);
    /* With averages that first pass only declares the weights where the store is new; no effect
     * needs its nodes. */
    if (average) x = generator(g, o, latent, evaluation, gan_averaged_scope);
    return gan_named(gan_symbols_of(g, o, x, latent->symbol), "samples");
}
