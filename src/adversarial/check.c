/* What the options of a game may be, and which of them go together. Messages call an option what
 * the key of a configuration is called that sets it. */
#include <math.h>
#include <string.h>

#include "adversarial/play.h"
#include "base/error.h"

#define REFUSE(...) return gan_fail(GAN_ERROR_ARGUMENT, __VA_ARGS__)

static gan_status check_optimizer(const char *whose, const gan_optimizer_options *o) {
    if (!o->optimizer) return gan_fail(GAN_ERROR_ARGUMENT, "%s has no optimizer", whose);
    if (!(o->rate > 0 && isfinite(o->rate)))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s.rate is %g, expected above 0", whose, o->rate);
    if (o->floor > o->rate)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "rate.floor is %g, expected at most %s.rate, which is %g", o->floor, whose,
                        o->rate);
    return GAN_OK;
}

static gan_status check_numbers(const gan_game_options *o) {
    const gan_model_options *n = &o->networks;
    if (!o->model || !o->objective || !o->prior || !o->real)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s is missing",
                        !o->model       ? "model"
                        : !o->objective ? "objective"
                        : !o->prior     ? "prior"
                                        : "the callback for real examples");
    const struct {
        const char *name;
        int64_t value;
    } positive[] = {{"batch", o->batch},
                    {"d_steps", o->d_steps ? o->d_steps : 1},
                    {"z.dim", n->z_dim},
                    {"channels", n->channels},
                    {"height", o->model->points ? 1 : n->height},
                    {"width", o->model->points ? 1 : n->width}};
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
        if (positive[i].value < 1)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s is %lld, expected at least 1", positive[i].name,
                            (long long)positive[i].value);
    if (!(o->loss.smooth >= 0 && o->loss.smooth < 1))
        return gan_fail(GAN_ERROR_ARGUMENT, "label_smoothing is %g, expected 0 or more, below 1",
                        o->loss.smooth);
    if (!(o->average >= 0 && o->average < 1))
        return gan_fail(GAN_ERROR_ARGUMENT, "generator.average is %g, expected 0 or more, below 1",
                        o->average);
    if (!(o->discriminator_average >= 0 && o->discriminator_average < 1))
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "discriminator.average is %g, expected 0 or more, below 1",
                        o->discriminator_average);
    if (o->simultaneous && o->reuse_noise)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "reuse_noise belongs to alternating steps; simultaneous ones always do");
    GAN_TRY(check_optimizer("generator", &o->generator));
    return check_optimizer("discriminator", &o->discriminator);
}

const char *gan_game_needs_real(const gan_game_options *o) {
    if (o->objective->needs_real) return o->objective->name;
    if (o->encoder) return "encoder";
    if (o->unroll) return "unroll";
    for (int i = 0; i < o->n_terms; i++)
        if (o->terms[i].term->g && o->terms[i].term->needs_real) return o->terms[i].term->name;
    return NULL;
}

/* Fakes of the G-step that are more or fewer than those of a D-step. */
static gan_status check_generator_batch(const gan_game_options *o) {
    const int64_t m = o->generator_batch;
    if (m < 0) REFUSE("generator.batch is %lld, expected 0 or more", (long long)m);
    if (m == 0 || m == o->batch) return GAN_OK;
    const char *by = o->simultaneous       ? "schedule simultaneous"
                     : o->reuse_noise      ? "reuse_noise"
                     : o->model->completes ? o->model->name
                                           : gan_game_needs_real(o);
    if (by)
        REFUSE(
            "generator.batch is %lld and batch %lld, but with %s the generator's step goes by the "
            "examples of the discriminator's",
            (long long)m, (long long)o->batch, by);
    if (o->pack > 1 && m % o->pack)
        REFUSE("generator.batch is %lld, expected a multiple of pack, %lld", (long long)m,
               (long long)o->pack);
    if (o->generators > m)
        REFUSE("generator.batch is %lld, expected at least one for each of %lld generators",
               (long long)m, (long long)o->generators);
    return GAN_OK;
}

/* Shares, lengths and counts that come with the techniques. */
static gan_status check_techniques(const gan_game_options *o) {
    const struct {
        const char *name;
        double value, low, high;
    } range[] = {{"noisy_labels", o->noisy_labels, 0, 0.5},
                 {"clip.weights", o->clip_weights, 0, INFINITY},
                 {"clip.gradient", o->clip_gradient, 0, INFINITY},
                 {"d_lead", o->d_lead, 0, INFINITY},
                 {"classes.active", o->active_classes, 0, 1},
                 {"replay.share", o->replay_share, 0, 1},
                 {"replay", (double)o->replay, 0, 1e6},
                 {"unroll", (double)o->unroll, 0, 100},
                 {"generators", (double)o->generators, 0, (double)o->batch},
                 {"pack", (double)o->pack, 0, (double)o->batch},
                 {"classes", (double)o->classes, 0, 1e6},
                 {"code.categorical", (double)o->code_categorical, 0, 1e4},
                 {"code.classes", (double)o->code_classes, o->code_categorical ? 2 : 0, 1e6},
                 {"code.continuous", (double)o->code_continuous, 0, 1e4}};
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (!(range[i].value >= range[i].low && range[i].value <= range[i].high))
            REFUSE("%s is %g, expected %g to %g", range[i].name, range[i].value, range[i].low,
                   range[i].high);
    for (int i = 0; i < o->n_augments; i++)
        if ((o->model->points || o->model->sequences) && !o->augments[i].augment->points)
            REFUSE("augmentation %s is for images, but model %s makes %s",
                   o->augments[i].augment->name, o->model->name, gan_model_kind(o->model));
    int ruled = -1;
    for (int i = 0; i < o->n_augments; i++)
        if (o->augments[i].augment->probability) ruled = i;
    if (ruled >= 0 && o->n_augments < 2)
        REFUSE("augmentation %s says how often others are applied, but there is no other",
               o->augments[ruled].augment->name);
    if (ruled >= 0 && o->objective && o->objective->energy)
        REFUSE("augmentation %s goes by the sign of D's score, but the scores of %s are energies",
               o->augments[ruled].augment->name, o->objective->name);
    for (int i = 0; i < o->n_terms; i++) {
        const gan_term_use *use = &o->terms[i];
        if (use->term->lazy && use->knob[1] != floor(use->knob[1]))
            REFUSE("%s: every is %g, expected a whole number of iterations", use->term->name,
                   use->knob[1]);
    }
    for (int i = 0; i < o->n_augments; i++) {
        const gan_augment_use *use = &o->augments[i];
        for (int k = 0; k < GAN_KNOBS; k++)
            if (use->augment->whole[k] && use->knob[k] != floor(use->knob[k]))
                REFUSE("%s: %s is %g, expected a whole number", use->augment->name,
                       use->augment->knob[k].name, use->knob[k]);
    }
    if (o->pack > 1 && o->batch % o->pack)
        REFUSE("batch is %lld, expected a multiple of pack, %lld", (long long)o->batch,
               (long long)o->pack);
    return check_generator_batch(o);
}

/* Sequences, and where their gradients come from. */
static gan_status check_discrete(const gan_game_options *o) {
    const gan_discrete *d = o->discrete;
    if (d && d != gan_discrete_find("none") && !o->model->sequences)
        REFUSE("discrete is %s, but model %s makes %s", d->name, o->model->name,
               gan_model_kind(o->model));
    const gan_term *by = NULL;
    for (int i = 0; i < o->n_terms; i++)
        if (o->terms[i].term->needs_symbols) by = o->terms[i].term;
    if (by && !o->model->sequences)
        REFUSE("%s is for sequences, but model %s makes %s", by->name, o->model->name,
               gan_model_kind(o->model));
    if (!o->model->sequences) return GAN_OK;
    const bool samples = d && d->samples;
    if (by && !samples)
        REFUSE("%s needs symbols that are drawn: discrete to be reinforce, given %s", by->name,
               d ? d->name : "none");
    if (!by && samples)
        REFUSE("discrete is %s, whose symbols carry no gradient, so terms need reinforce", d->name);
    if (samples && o->pack > 1)
        REFUSE("discrete is %s, which rewards each example by itself, so pack does not go with it",
               d->name);
    if (d && d->vectors && o->encoder)
        REFUSE("discrete is %s, and the encoder would see vectors in training, symbols afterwards",
               d->name);
    if (o->temperature.initial < 0 || o->temperature.final < 0 || o->embedding_dims < 0)
        REFUSE("temperature and embedding.dims are above 0, or 0 for the default");
    return GAN_OK;
}

/* The head asked for, or what objective and terms need, which must be one and the same. */
static gan_status choose_head(const gan_game_options *o, const gan_head **head) {
    const char *needed = o->objective->energy ? "energy" : NULL, *by = o->objective->name;
    for (int i = 0; i < o->n_terms; i++) {
        const gan_term *t = o->terms[i].term;
        if (!t->head) continue;
        if (needed && strcmp(needed, t->head) != 0)
            REFUSE("%s needs head %s, but %s needs %s", t->name, t->head, by, needed);
        needed = t->head;
        by = t->name;
    }
    *head = o->head ? o->head : gan_head_find(needed ? needed : "linear");
    if (needed && strcmp(needed, (*head)->name) != 0)
        REFUSE("%s needs head %s, but %s is given", by, needed, (*head)->name);
    if (!strcmp((*head)->name, "energy") && !o->objective->energy)
        REFUSE("head energy needs an objective of energies, but %s takes logits",
               o->objective->name);
    if (!strcmp((*head)->name, "members") && o->generators < 2)
        REFUSE("head members needs generators to be 2 or more, given %lld",
               (long long)o->generators);
    return GAN_OK;
}

static gan_status check_labels(const gan_game_options *o, const gan_head *head) {
    const char *by = head->needs_labels           ? head->name
                     : o->generator_condition     ? "the generator's condition"
                     : o->discriminator_condition ? "the discriminator's condition"
                                                  : NULL;
    for (int i = 0; i < o->n_terms && !by; i++)
        if (o->terms[i].term->needs_labels) by = o->terms[i].term->name;
    for (int i = 0; i < o->n_terms; i++) {
        const gan_term *t = o->terms[i].term;
        if (t->needs_condition && !o->generator_condition)
            REFUSE("%s needs a generator that is told the class, but generator.condition is none",
                   t->name);
        if (t->needs_labelled && !o->labelled)
            REFUSE("%s needs some labelled examples, but there are none", t->name);
        if (t->needs_average && !(o->discriminator_average > 0))
            REFUSE("%s needs averaged weights to learn from, but discriminator.average is 0",
                   t->name);
        if (t->needs_average && (o->pack > 1 || o->encoder || o->discriminator_condition ||
                                 gan_is_virtual(o->discriminator_norm)))
            REFUSE("%s asks for the class of single examples, so pack, encoder, "
                   "discriminator.condition and virtual batch norm do not go with it",
                   t->name);
        if (t->no_pairs && o->encoder)
            REFUSE("%s has an encoder of its own, so encoder does not go with it", t->name);
        if (t->needs_context && !o->model->completes)
            REFUSE("%s needs a model that completes images, but %s does not", t->name,
                   o->model->name);
        if (t->needs_codes && !o->code_categorical && !o->code_continuous)
            REFUSE("%s needs codes, but code.categorical and code.continuous are 0", t->name);
    }
    if (by && o->classes < 2)
        REFUSE("%s needs classes to be 2 or more, given %lld", by, (long long)o->classes);
    if (by && !o->labels) REFUSE("%s needs labels, but the data have none", by);
    if (o->discriminator_condition == GAN_CONDITION_NORM)
        REFUSE(
            "the discriminator takes its condition by concat or by head projection, not by norm");
    return GAN_OK;
}

/* What cannot be combined, and why. */
static gan_status check_combinations(const gan_game_options *o, const gan_head *head) {
    const bool energy = !strcmp(head->name, "energy");
    const bool conditions = o->discriminator_condition || head->needs_labels;
    if (o->pack > 1 && conditions)
        REFUSE("pack joins examples of different classes, so D cannot have a condition");
    if (o->pack > 1 && o->encoder) REFUSE("pack joins examples, so D cannot see pairs (x, z)");
    if (o->pack > 1 && !strcmp(head->name, "members"))
        REFUSE("pack joins fakes of different generators, so D cannot tell which made one");
    if (energy && (o->pack > 1 || o->discriminator_condition || o->encoder))
        REFUSE("head energy rebuilds the example alone, so pack, condition and encoder do not go "
               "with it");
    const bool virtual_d = gan_is_virtual(o->discriminator_norm);
    if (virtual_d && (o->pack > 1 || o->discriminator_condition || o->networks.level))
        REFUSE("the discriminator's virtual batch norm keeps a reference of single, unlabelled "
               "images of one size, so pack, condition and growth do not go with it");
    if (gan_is_virtual(o->generator_norm) &&
        (o->classes || o->code_categorical || o->code_continuous))
        REFUSE("the generator's virtual batch norm keeps a reference of noise alone, so labels and "
               "codes do not go with it");
    if (o->loss.smooth > 0 && !o->objective->target)
        REFUSE("label_smoothing is %g, but objective %s has no target to lower", o->loss.smooth,
               o->objective->name);
    if (o->loss.conjugate && !o->objective->conjugate)
        REFUSE("objective.conjugate is for objectives f-*, but objective is %s",
               o->objective->name);
    if (o->unroll && o->simultaneous)
        REFUSE("unroll looks ahead through D's updates, so it needs alternating steps");
    if (o->replay && o->encoder)
        REFUSE("replay keeps fakes without their z, so D cannot see pairs (x, z)");
    for (int i = 0; i < o->n_terms; i++)
        if (o->replay && o->terms[i].term->needs_latent)
            REFUSE("replay keeps fakes without their z, which %s needs", o->terms[i].term->name);
    if (o->encoder && !o->objective->e_loss && !o->objective->needs_real)
        REFUSE("encoder needs an objective that says what it minimises, but %s does not",
               o->objective->name);
    if (o->active_classes > 0 &&
        (!o->generator_condition || o->simultaneous || o->reuse_noise || o->pack > 1 || o->replay))
        REFUSE("classes.active draws classes for the generator's own step and learns from single, "
               "fresh fakes: it needs a generator that is told the class and alternating steps, "
               "and reuse_noise, pack and replay do not go with it");
    if (o->model->completes && (o->encoder || gan_is_virtual(o->generator_norm)))
        REFUSE("model %s makes an image from a context, so encoder and the generator's virtual "
               "batch norm do not go with it",
               o->model->name);
    for (int i = 0; i < o->n_terms; i++) {
        const gan_term *t = o->terms[i].term;
        if (o->model->completes && t->no_pairs)
            REFUSE("%s makes images of codes alone, but model %s needs a context", t->name,
                   o->model->name);
        if (t->no_pairs && (o->code_categorical || o->code_continuous))
            REFUSE("%s makes images of z alone, so codes do not go with it", t->name);
        if (t->diffuses && virtual_d)
            REFUSE("%s has a second discriminator, and the discriminator's virtual batch norm one "
                   "reference",
                   t->name);
        for (int k = 0; t->no_pairs && k < i; k++)
            if (o->terms[k].term->no_pairs)
                REFUSE("%s and %s are two forms of one technique, with an encoder each", t->name,
                       o->terms[k].term->name);
        if ((o->replay || o->pack > 1) && ((t->needs_labels && !t->head) || t->needs_codes))
            REFUSE("%s asks for the class or code of each example, which %s does not keep", t->name,
                   o->replay ? "replay" : "pack");
    }
    if (o->replay && !strcmp(head->name, "members"))
        REFUSE("head members tells fakes by their places, which replay mixes");
    if (o->replay && conditions)
        REFUSE("replay keeps fakes without their class, so D cannot have a condition");
    return GAN_OK;
}

gan_status gan_game_check(const gan_game_options *o, const gan_head **head) {
    GAN_TRY(check_numbers(o));
    GAN_TRY(check_techniques(o));
    GAN_TRY(check_discrete(o));
    GAN_TRY(choose_head(o, head));
    GAN_TRY(check_labels(o, *head));
    return check_combinations(o, *head);
}
