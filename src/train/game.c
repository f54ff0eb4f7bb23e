#include "train/game.h"

#include <string.h>

#include "base/error.h"

static gan_optimizer_options optimizer(const gan_settings *s, double rate, int64_t epoch_updates) {
    gan_optimizer_options o = gan_optimizer_defaults(s->optimizer);
    o.rate = rate;
    o.decay = s->rate_decay;
    o.floor = s->rate_floor;
    o.linear = s->rate_linear;
    o.beta1 = s->adam_beta1;
    o.beta2 = s->adam_beta2;
    o.eps = s->adam_epsilon;
    o.momentum = s->momentum_initial;
    o.momentum_final = s->momentum_final;
    o.momentum_epochs = s->momentum_epochs;
    o.epoch_updates = epoch_updates;
    return o;
}

/* Updates of a network in an epoch of `count` examples, when it has one every `examples`. */
static int64_t epoch_updates(int64_t count, int64_t examples) {
    const int64_t n = count / examples;
    return n > 0 ? n : 1;
}

static gan_condition condition(const char *word) {
    if (!strcmp(word, "concat")) return GAN_CONDITION_CONCAT;
    return !strcmp(word, "norm") ? GAN_CONDITION_NORM : GAN_UNCONDITIONED;
}

gan_status gan_settings_game(gan_game_options *out, const gan_settings *s, const gan_model *model,
                             const gan_model_options *networks, int64_t classes, int64_t count) {
    gan_precision precision = GAN_PRECISION_F32;
    gan_precision_find(&precision, s->precision); /* a key's word is one of them */
    *out = (gan_game_options){
        .model = model,
        .networks = *networks,
        .precision = precision,
        .batch = s->batch,
        .generator_batch = s->generator_batch,
        .d_steps = s->d_steps,
        .simultaneous = !strcmp(s->schedule, "simultaneous"),
        .reuse_noise = s->reuse_noise,
        .objective = gan_objective_find(s->objective),
        .loss = {.scale = s->loss_scale,
                 .smooth = s->label_smoothing,
                 .margin = s->objective_margin,
                 .gamma = s->objective_gamma,
                 .lambda = s->objective_lambda,
                 .conjugate = s->objective_conjugate},
        .generator_scale = s->generator_objective > 0 ? s->generator_objective : -1,
        .head = gan_head_find(s->head), /* auto: none */
        .prior = gan_prior_find(s->z_distribution),
        .generator = optimizer(s, s->generator_rate, epoch_updates(count, s->batch * s->d_steps)),
        .discriminator = optimizer(s, s->discriminator_rate, epoch_updates(count, s->batch)),
        .generator_norm = gan_norm_find(s->generator_norm), /* auto: none */
        .discriminator_norm = gan_norm_find(s->discriminator_norm),
        .generator_weight = gan_weight_rule_find(s->generator_weight),
        .discriminator_weight = gan_weight_rule_find(s->discriminator_weight),
        .generator_bias = s->generator_bias,
        .discriminator_bias = s->discriminator_bias,
        .average = s->generator_average,
        .discriminator_average = s->discriminator_average,
        .generator_condition = condition(s->generator_condition),
        .discriminator_condition = condition(s->discriminator_condition),
        .active_classes = s->classes_active,
        .code_categorical = s->code_categorical,
        .code_classes = s->code_classes,
        .code_continuous = s->code_continuous,
        .pack = s->pack,
        .generators = s->generators,
        .unroll = s->unroll,
        .discrete = gan_discrete_find(s->discrete),
        .temperature = {s->temperature_initial, s->temperature_final, s->temperature_steps},
        .embedding_dims = s->embedding_dims,
        .embedding_learned = s->embedding_learned,
        .encoder = s->encoder,
        .noisy_labels = s->noisy_labels,
        .clip_weights = s->clip_weights,
        .clip_gradient = s->clip_gradient,
        .d_lead = s->d_lead,
        .replay = s->replay,
        .replay_share = s->replay_share,
    };
    GAN_TRY(gan_terms_parse(out->terms, &out->n_terms, "terms", s->terms));
    GAN_TRY(gan_augments_parse(out->augments, &out->n_augments, "augment", s->augment));
    if (!gan_game_needs_labels(out)) return GAN_OK;
    out->classes = classes;
    if (classes < 2)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data: the game needs labels, but data '%.200s' have none", s->data);
    return GAN_OK;
}

bool gan_game_needs_labels(const gan_game_options *o) {
    bool needed =
        o->generator_condition || o->discriminator_condition || (o->head && o->head->needs_labels);
    for (int i = 0; i < o->n_terms; i++) {
        const gan_term *t = o->terms[i].term;
        const gan_head *head = t->head ? gan_head_find(t->head) : NULL;
        needed = needed || t->needs_labels || (head && head->needs_labels);
    }
    return needed;
}
