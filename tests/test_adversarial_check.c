/* Every refusal of a game: options that are out of range or do not go together, with the reason. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "adversarial/play.h"
#include "support/scratch.h"

static gan_node *nothing(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    (void)user, (void)g, (void)counter, (void)step;
    return NULL;
}

static gan_game_options game(void) {
    return (gan_game_options){.model = gan_model_find("toy"),
                              .networks = {.channels = 2, .z_dim = 3},
                              .batch = 12,
                              .objective = gan_objective_find("non-saturating"),
                              .prior = gan_prior_find("normal"),
                              .generator = gan_optimizer_defaults("adam"),
                              .discriminator = gan_optimizer_defaults("adam"),
                              .real = nothing};
}

static void labelled(gan_game_options *o) {
    o->classes = 3;
    o->labels = nothing;
}

static void terms(gan_game_options *o, const char *text) {
    expect_ok(gan_terms_parse(o->terms, &o->n_terms, "terms", text));
}

static void augments(gan_game_options *o, const char *text) {
    expect_ok(gan_augments_parse(o->augments, &o->n_augments, "augment", text));
}

static const gan_head *head_of(const gan_game_options *o) {
    const gan_head *head = NULL;
    expect_ok(gan_game_check(o, &head));
    assert_non_null(head);
    return head;
}

/* After the statements the game is refused, and its message holds `text`. */
#define REFUSED(text, ...)                                                                         \
    do {                                                                                           \
        gan_game_options o = game();                                                               \
        const gan_head *head;                                                                      \
        __VA_ARGS__;                                                                               \
        expect_failure(gan_game_check(&o, &head), GAN_ERROR_ARGUMENT, text);                       \
    } while (0)

static void numbers(void **state) {
    (void)state;
    REFUSED("model is missing", o.model = NULL);
    REFUSED("objective is missing", o.objective = NULL);
    REFUSED("prior is missing", o.prior = NULL);
    REFUSED("callback for real examples is missing", o.real = NULL);
    REFUSED("batch is 0, expected at least 1", o.batch = 0);
    REFUSED("d_steps is -2", o.d_steps = -2);
    REFUSED("z.dim is 0", o.networks.z_dim = 0);
    REFUSED("channels is 0", o.networks.channels = 0);
    REFUSED("height is 0", o.model = gan_model_find("mlp"));
    REFUSED("width is 0", o.model = gan_model_find("mlp"), o.networks.height = 8);
    REFUSED("label_smoothing is 1, expected 0 or more, below 1", o.loss.smooth = 1);
    REFUSED("label_smoothing is nan", o.loss.smooth = NAN);
    REFUSED("generator.average is 1, expected 0 or more, below 1", o.average = 1);
    REFUSED("discriminator.average is 1, expected 0 or more, below 1", o.discriminator_average = 1);
    REFUSED("generator has no optimizer", o.generator.optimizer = NULL);
    REFUSED("discriminator has no optimizer", o.discriminator.optimizer = NULL);
    REFUSED("generator.rate is 0, expected above 0", o.generator.rate = 0);
    REFUSED("discriminator.rate is inf", o.discriminator.rate = INFINITY);
    REFUSED("rate.floor is 1, expected at most generator.rate", o.generator.floor = 1);
}

static void ranges(void **state) {
    (void)state;
    REFUSED("noisy_labels is 0.6, expected 0 to 0.5", o.noisy_labels = 0.6);
    REFUSED("noisy_labels is nan", o.noisy_labels = NAN);
    REFUSED("clip.weights is -1", o.clip_weights = -1);
    REFUSED("clip.gradient is -1", o.clip_gradient = -1);
    REFUSED("d_lead is -1", o.d_lead = -1);
    REFUSED("replay.share is 1.5, expected 0 to 1", o.replay_share = 1.5);
    REFUSED("replay is -1", o.replay = -1);
    REFUSED("unroll is 101, expected 0 to 100", o.unroll = 101);
    REFUSED("generators is 13, expected 0 to 12", o.generators = 13);
    REFUSED("pack is 24, expected 0 to 12", o.pack = 24);
    REFUSED("classes is -1", o.classes = -1);
    REFUSED("code.categorical is -1", o.code_categorical = -1);
    REFUSED("code.classes is 1, expected 2", o.code_categorical = 1, o.code_classes = 1);
    REFUSED("code.continuous is -1", o.code_continuous = -1);
}

static void what_terms_and_heads_need(void **state) {
    (void)state;
    REFUSED("mad-gan needs head members, but ebgan needs energy",
            o.objective = gan_objective_find("ebgan"), terms(&o, "mad-gan"), o.generators = 2);
    REFUSED("mad-gan needs head members, but linear is given", o.head = gan_head_find("linear"),
            terms(&o, "mad-gan"), o.generators = 2);
    REFUSED("head energy needs an objective of energies, but non-saturating takes logits",
            o.head = gan_head_find("energy"));
    REFUSED("head members needs generators to be 2 or more, given 0",
            o.head = gan_head_find("members"));
    REFUSED("r1: every is 2.5, expected a whole number", terms(&o, "r1"), o.terms[0].knob[1] = 2.5);
    REFUSED("noise: steps is 0.5, expected a whole number", augments(&o, "noise"),
            o.augments[0].knob[1] = 0.5);
    REFUSED("ac-gan needs a generator that is told the class", labelled(&o), terms(&o, "ac-gan"));
    REFUSED("supervised needs some labelled examples", labelled(&o), terms(&o, "supervised"));
    REFUSED("ict needs averaged weights to learn from", terms(&o, "ict"), o.classes = 3);
    REFUSED("ict asks for the class of single examples", terms(&o, "ict"), o.classes = 3,
            o.discriminator_average = 0.9, o.pack = 2);
    REFUSED("mrgan has an encoder of its own", terms(&o, "mrgan"), o.encoder = true);
    REFUSED("mdgan and mrgan are two forms of one technique", terms(&o, "mrgan, mdgan"));
    REFUSED("mrgan makes images of z alone, so codes do not go with it",
            terms(&o, "mrgan, infogan"), o.code_continuous = 2);
    REFUSED("mdgan has a second discriminator", terms(&o, "mdgan"),
            o.discriminator_norm = gan_norm_find("virtual"));
    REFUSED("infogan needs codes, but code.categorical and code.continuous are 0",
            terms(&o, "infogan"));
    REFUSED("projection needs classes to be 2 or more", o.head = gan_head_find("projection"));
    REFUSED("projection needs labels, but the data have none", o.classes = 3,
            o.head = gan_head_find("projection"));
    REFUSED("the generator's condition needs classes",
            o.generator_condition = GAN_CONDITION_CONCAT);
    REFUSED("the discriminator's condition needs classes",
            o.discriminator_condition = GAN_CONDITION_CONCAT);
    REFUSED("by concat or by head projection, not by norm", labelled(&o),
            o.discriminator_condition = GAN_CONDITION_NORM);
}

/* What counts something is written as a whole number. */
static void counts_have_no_fractions(void **state) {
    static const char *const counts[] = {"every", "steps", "images"};
    gan_term_use term[GAN_MAX_TERMS];
    gan_augment_use augment[GAN_MAX_AUGMENTS];
    int n;
    (void)state;
    for (size_t i = 0; i < gan_term_count(); i++)
        for (int k = 0; k < GAN_KNOBS && gan_term_at(i)->knob[k].name; k++)
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                char text[128], part[128];
                if (strcmp(gan_term_at(i)->knob[k].name, counts[c])) continue;
                snprintf(text, sizeof text, "%s(%s=7.5)", gan_term_at(i)->name, counts[c]);
                snprintf(part, sizeof part, "%s is 7.5, expected a whole number from 1", counts[c]);
                expect_failure(gan_terms_parse(term, &n, "terms", text), GAN_ERROR_ARGUMENT, part,
                               gan_term_at(i)->name);
            }
    for (size_t i = 0; i < gan_augment_count(); i++)
        for (int k = 0; k < GAN_KNOBS && gan_augment_at(i)->knob[k].name; k++)
            for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
                char text[128], part[128];
                if (strcmp(gan_augment_at(i)->knob[k].name, counts[c])) continue;
                snprintf(text, sizeof text, "%s(%s=7.5)", gan_augment_at(i)->name, counts[c]);
                snprintf(part, sizeof part, "%s is 7.5, expected a whole number from", counts[c]);
                expect_failure(gan_augments_parse(augment, &n, "augment", text), GAN_ERROR_ARGUMENT,
                               part, gan_augment_at(i)->name);
            }
    expect_ok(gan_terms_parse(term, &n, "terms", "r1(2.5, every=16)"));
    expect_ok(gan_augments_parse(augment, &n, "augment", "noise(0.25, steps=1e4)"));
}

static void what_does_not_go_together(void **state) {
    (void)state;
    const gan_norm *virtual = gan_norm_find("virtual");
    REFUSED("reuse_noise belongs to alternating steps", o.simultaneous = o.reuse_noise = true);
    REFUSED("with reuse_noise the generator's step goes by", o.generator_batch = 24,
            o.reuse_noise = true);
    REFUSED("with schedule simultaneous the generator's step", o.generator_batch = 24,
            o.simultaneous = true);
    REFUSED("with relativistic the generator's step", o.generator_batch = 24,
            o.objective = gan_objective_find("relativistic"));
    REFUSED("with unroll the generator's step", o.generator_batch = 24, o.unroll = 2);
    REFUSED("with encoder the generator's step", o.generator_batch = 24, o.encoder = true);
    REFUSED("with feature-matching the generator's step", o.generator_batch = 24,
            terms(&o, "feature-matching"));
    REFUSED("generator.batch is 25, expected a multiple of pack, 2", o.generator_batch = 25,
            o.pack = 2);
    REFUSED("generator.batch is 2, expected at least one for each of 3", o.generator_batch = 2,
            o.generators = 3);
    REFUSED("generator.batch is -1, expected 0 or more", o.generator_batch = -1);
    REFUSED("batch is 12, expected a multiple of pack, 5", o.pack = 5);
    REFUSED("pack joins examples of different classes", o.pack = 2, labelled(&o),
            o.discriminator_condition = GAN_CONDITION_CONCAT);
    REFUSED("pack joins examples, so D cannot see pairs", o.pack = 2, o.encoder = true);
    REFUSED("pack joins fakes of different generators", o.pack = 2, o.generators = 2,
            terms(&o, "mad-gan"));
    REFUSED("head energy rebuilds the example alone", o.pack = 2,
            o.objective = gan_objective_find("ebgan"));
    REFUSED("virtual batch norm keeps a reference of single", o.pack = 2,
            o.discriminator_norm = virtual);
    REFUSED("virtual batch norm keeps a reference of noise alone", labelled(&o),
            o.generator_norm = virtual);
    REFUSED("label_smoothing is 0.1, but objective hinge has no target", o.loss.smooth = 0.1,
            o.objective = gan_objective_find("hinge"));
    REFUSED("objective.conjugate is for objectives f-*, but objective is non-saturating",
            o.loss.conjugate = true);
    REFUSED("unroll looks ahead through D's updates, so it needs alternating steps", o.unroll = 2,
            o.simultaneous = true);
    REFUSED("replay keeps fakes without their z, so D cannot see pairs", o.replay = 2,
            o.encoder = true);
    REFUSED("replay keeps fakes without their z, which zcr needs", o.replay = 2, terms(&o, "zcr"));
    REFUSED("replay keeps fakes without their class", o.replay = 2, labelled(&o),
            o.discriminator_condition = GAN_CONDITION_CONCAT);
    REFUSED("head members tells fakes by their places, which replay mixes", o.replay = 2,
            o.generators = 2, terms(&o, "mad-gan"));
    REFUSED("augmentation flip is for images, but model toy makes points", augments(&o, "flip"));
    REFUSED("augmentation ada says how often others are applied", augments(&o, "ada"));
    REFUSED("augmentation ada goes by the sign of D's score, but the scores of ebgan are energies",
            o.objective = gan_objective_find("ebgan"), augments(&o, "noise, ada"));
}

/* What may look odd but goes together. */
static void the_head_is_found(void **state) {
    (void)state;
    gan_game_options o = game();
    assert_string_equal(head_of(&o)->name, "linear");
    o.objective = gan_objective_find("began");
    assert_string_equal(head_of(&o)->name, "energy");
    o = game();
    o.generators = 3;
    terms(&o, "mad-gan, wgan-gp(10), historical-averaging");
    assert_string_equal(head_of(&o)->name, "members");
    o = game();
    o.pack = 4;
    o.unroll = 3;
    o.clip_gradient = o.clip_weights = o.d_lead = 1;
    o.noisy_labels = 0.1;
    terms(&o, "mrgan, r1, lecam");
    head_of(&o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),
        cmocka_unit_test(ranges),
        cmocka_unit_test(what_terms_and_heads_need),
        cmocka_unit_test(counts_have_no_fractions),
        cmocka_unit_test(what_does_not_go_together),
        cmocka_unit_test(the_head_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
