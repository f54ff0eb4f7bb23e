/* Keys that make no difference to what is trained, beside those that decide so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/adversarial.h"
#include "ganc/data.h"
#include "train/game.h"
#include "train/settings.h"

enum { REASON = 256 };

static bool is(const char *word, const char *other) { return !strcmp(word, other); }

static bool has_term(const gan_settings *s, const char *name) {
    gan_term_use use[GAN_MAX_TERMS];
    int n = 0;
    if (gan_terms_parse(use, &n, "terms", s->terms) != GAN_OK) return true; /* is refused anyway */
    return gan_uses_term(use, n, name);
}

static bool starts_with(const char *text, const char *start) {
    return !strncmp(text, start, strlen(start));
}

/* Each answers whether the key has no effect, and then why. */
#define IDLE(when, ...) return (when) && snprintf(why, REASON, __VA_ARGS__) > 0

typedef bool (*judge)(const gan_settings *s, char *why);

static bool of_images(const gan_settings *s, char *why) {
    IDLE(gan_mixture_find(s->data) || gan_grammar_find(s->data), "data %s are no images", s->data);
}

static bool of_fitting(const gan_settings *s, char *why) {
    if (of_images(s, why)) return true;
    IDLE(!s->data_size, "data.size is 0, so images keep their size");
}

static bool of_border(const gan_settings *s, char *why) {
    if (of_fitting(s, why)) return true;
    IDLE(is(s->data_fit, "resize") || is(s->data_fit, "stretch"),
         "data.fit is %s, which needs none", s->data_fit);
}

static bool of_minibatch(const gan_settings *s, char *why) {
    IDLE(!s->minibatch_kernels, "minibatch.kernels is 0");
}

static bool of_residual(const gan_settings *s, char *why) {
    IDLE(!is(s->model, "resnet") && !is(s->model, "sagan"), "model %s has no residual blocks",
         s->model);
}

static bool of_late_noise(const gan_settings *s, char *why) { IDLE(!s->z_late, "z.late is 0"); }

static bool of_growing(const gan_settings *s, char *why) {
    const gan_model *m = gan_model_find(s->model);
    IDLE(m && !m->levels, "model %s does not grow", s->model);
}

static bool of_fading(const gan_settings *s, char *why) {
    if (of_growing(s, why)) return true;
    IDLE(!s->growing_hold, "growing.hold is 0");
}

static bool of_ebgan(const gan_settings *s, char *why) {
    IDLE(!is(s->objective, "ebgan"), "objective is %s, and only ebgan has a margin", s->objective);
}

static bool of_began(const gan_settings *s, char *why) {
    IDLE(!is(s->objective, "began"), "objective is %s, not began", s->objective);
}

static bool of_codes(const gan_settings *s, char *why) {
    IDLE(!s->code_categorical, "code.categorical is 0");
}

static bool of_discrete(const gan_settings *s, char *why) {
    const gan_model *m = gan_model_find(s->model);
    IDLE(m && !m->sequences, "model %s makes no symbols", s->model);
}

static bool of_temperature(const gan_settings *s, char *why) {
    if (of_discrete(s, why)) return true;
    IDLE(is(s->discrete, "reinforce") || is(s->discrete, "embedding"),
         "discrete is %s, which has no temperature", s->discrete);
}

static bool of_cooling(const gan_settings *s, char *why) {
    if (of_temperature(s, why)) return true;
    IDLE(!s->temperature_steps, "temperature.steps is 0, so it stays at temperature.initial");
}

static bool of_cooling_steps(const gan_settings *s, char *why) {
    if (of_temperature(s, why)) return true;
    IDLE(s->temperature_initial == s->temperature_final,
         "temperature.initial and temperature.final are equal");
}

static bool of_embedding(const gan_settings *s, char *why) {
    IDLE(!is(s->discrete, "embedding"), "discrete is %s, not embedding", s->discrete);
}

static bool of_few_labels(const gan_settings *s, char *why) {
    IDLE(!has_term(s, "supervised"), "terms have no supervised, which alone counts labels");
}

static bool of_class(const gan_settings *s, char *why) {
    IDLE(!has_term(s, "supervised") && !has_term(s, "ac-gan"),
         "the discriminator tells no class: terms have neither supervised nor ac-gan");
}

static bool of_replay(const gan_settings *s, char *why) { IDLE(!s->replay, "replay is 0"); }

static bool of_decay(const gan_settings *s, char *why) {
    IDLE(s->rate_decay == 1, "rate.decay is 1, so rates do not decay");
}

static bool of_adam(const gan_settings *s, char *why) {
    IDLE(!starts_with(s->optimizer, "adam"), "optimizer is %s", s->optimizer);
}

static bool of_momentum(const gan_settings *s, char *why) {
    IDLE(!is(s->optimizer, "momentum"), "optimizer is %s", s->optimizer);
}

static bool of_momentum_growth(const gan_settings *s, char *why) {
    if (of_momentum(s, why)) return true;
    IDLE(s->momentum_epochs < 2, "momentum.epochs is below 2, so it stays at momentum.initial");
}

static const struct {
    const char *key;
    judge idle;
} rows[] = {
    {"data.size", of_images},
    {"data.width", of_images},
    {"data.fit", of_fitting},
    {"data.border", of_border},
    {"data.channels", of_images},
    {"data.flip", of_images},
    {"model.nonlocal", of_residual},
    {"minibatch.dims", of_minibatch},
    {"minibatch.mean", of_minibatch},
    {"minibatch.inner", of_minibatch},
    {"z.layer", of_late_noise},
    {"growing.hold", of_growing},
    {"growing.fade", of_fading},
    {"objective.margin", of_ebgan},
    {"objective.gamma", of_began},
    {"objective.lambda", of_began},
    {"code.classes", of_codes},
    {"temperature.initial", of_temperature},
    {"temperature.final", of_cooling},
    {"temperature.steps", of_cooling_steps},
    {"embedding.dims", of_embedding},
    {"embedding.learned", of_embedding},
    {"labels.count", of_few_labels},
    {"discriminator.average", of_class},
    {"replay.share", of_replay},
    {"rate.floor", of_decay},
    {"adam.beta1", of_adam},
    {"adam.beta2", of_adam},
    {"adam.epsilon", of_adam},
    {"momentum.initial", of_momentum},
    {"momentum.final", of_momentum_growth},
    {"momentum.epochs", of_momentum},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

gan_status gan_settings_check(const gan_settings *settings, const char *key, const char *where) {
    char why[REASON] = "", value[GAN_SETTING_TEXT];
    for (int i = 0; i < N_ROWS; i++) {
        if (!is(rows[i].key, key) || !rows[i].idle(settings, why)) continue;
        GAN_TRY(gan_settings_get(settings, key, value, sizeof value));
        return gan_fail(GAN_ERROR_ARGUMENT, "%s%s%s: '%.200s' given, but it has no effect: %s",
                        where ? where : "", where ? ": " : "", key, value, why);
    }
    return GAN_OK;
}

void gan_settings_tidy(gan_settings *settings) {
    char why[REASON];
    /* What one key's default leaves without effect is found the next time round. */
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < N_ROWS; i++)
            if (rows[i].idle(settings, why)) gan_settings_reset(settings, rows[i].key);
}
