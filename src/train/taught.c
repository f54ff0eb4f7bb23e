/* Parts of a game that nothing teaches: they would train for nothing. */
#include <string.h>

#include "base/error.h"
#include "train/game.h"

bool gan_uses_term(const gan_term_use *use, int n, const char *name) {
    for (int i = 0; i < n; i++)
        if (!strcmp(use[i].term->name, name)) return true;
    return false;
}

static bool has_term(const gan_game_options *o, const char *name) {
    return gan_uses_term(o->terms, o->n_terms, name);
}

static bool has_loss_of_g(const gan_game_options *o) {
    bool has = o->generator_scale >= 0;
    for (int i = 0; i < o->n_terms; i++) has = has || o->terms[i].term->g;
    return has;
}

static const char *word_of(gan_condition c) { return c == GAN_CONDITION_NORM ? "norm" : "concat"; }

gan_status gan_game_check_taught(const gan_game_options *o) {
    const char *head = o->head ? o->head->name : "";
    const bool projects = !strcmp(head, "projection"), told = o->discriminator_condition;
    if (!has_loss_of_g(o))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "generator.objective is 0 and no term teaches the generator");
    if (!strcmp(head, "classes") && !has_term(o, "supervised") && !has_term(o, "ac-gan"))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "head: classes given, but nothing teaches the discriminator classes; "
                        "expected terms: supervised as well");
    if (has_term(o, "ict") && !has_term(o, "supervised"))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "ict given, but nothing teaches the discriminator classes to interpolate; "
                        "expected terms: supervised as well");
    if ((projects || told) && !o->generator_condition)
        return gan_fail(
            GAN_ERROR_ARGUMENT,
            "%s: %s given, so the discriminator is told the class, but the generator is "
            "not; expected generator.condition: concat or norm as well",
            projects ? "head" : "discriminator.condition", projects ? "projection" : "concat");
    if (o->generator_condition && !projects && !told && !has_term(o, "ac-gan"))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "generator.condition: %s given, but nothing holds the generator to the "
                        "class; expected discriminator.condition: concat, head: projection or "
                        "terms: ac-gan as well",
                        word_of(o->generator_condition));
    if ((o->code_categorical || o->code_continuous) && !has_term(o, "infogan"))
        return gan_fail(
            GAN_ERROR_ARGUMENT,
            "code.%s: %lld given, but nothing reads the codes off the samples; "
            "expected terms: infogan as well",
            o->code_categorical ? "categorical" : "continuous",
            (long long)(o->code_categorical ? o->code_categorical : o->code_continuous));
    return GAN_OK;
}
