/* Every term, head, augmentation and objective of the tables: the gradients of D's and G's loss
 * against central differences of the reference in double. What each must equal is tested beside, a
 * family a file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/play.h"

static gan_game_options toy_game(void) {
    return (gan_game_options){.model = gan_model_find("toy"),
                              .networks = play_toy(5),
                              .objective = gan_objective_find("non-saturating")};
}

/* What a head asks of a game. */
static void satisfy(gan_game_options *o, const char *head, bool labels) {
    if (head && !strcmp(head, "members")) o->generators = 2;
    if (head && gan_head_find(head)->needs_labels) labels = true;
    if (labels) o->classes = PLAY_CLASSES;
    if (head && !strcmp(head, "energy") && !o->objective->energy)
        for (size_t i = 0; i < gan_objective_count(); i++)
            if (gan_objective_at(i)->energy) o->objective = gan_objective_at(i);
}

static int check_step(const gan_game_options *o, bool of_g, const char *name) {
    char title[96];
    test_play t;
    snprintf(title, sizeof title, "%s, %c-step", name, of_g ? 'G' : 'D');
    play_open(&t, o, of_g);
    int bad = play_check(&t, of_g ? "generator" : "discriminator", title);
    if (of_g && gan_group_weights(t.play.g, "encoder", NULL, 0))
        bad += play_check(&t, "encoder", title);
    play_close(&t);
    return bad;
}

static int check_both(const gan_game_options *o, const char *name) {
    return check_step(o, false, name) + check_step(o, true, name);
}

static void every_term(void **state) {
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < gan_term_count(); i++) {
        const gan_term *term = gan_term_at(i);
        gan_game_options o = toy_game();
        satisfy(&o, term->head, term->needs_labels);
        if (term->needs_condition) o.generator_condition = GAN_CONDITION_CONCAT;
        if (term->needs_average) o.discriminator_average = 0.9;
        if (term->needs_context) {
            o.model = gan_model_find("completion");
            o.networks = (gan_model_options){.height = 8,
                                             .width = 8,
                                             .channels = 2,
                                             .z_dim = 3,
                                             .generator_features = 3,
                                             .discriminator_features = 3};
        }
        if (term->needs_symbols) {
            o.model = gan_model_find("sequence");
            o.networks = play_sequences(5);
            o.discrete = gan_discrete_find("reinforce");
        }
        if (term->needs_codes) o.code_categorical = 2, o.code_classes = 3, o.code_continuous = 2;
        if (gan_terms_parse(o.terms, &o.n_terms, "terms", term->name) != GAN_OK)
            fail_msg("%s", gan_last_error());
        o.lazy_due = true;
        o.terms[0].knob[0] = 0.7;
        if (term->d) bad += check_step(&o, false, term->name);
        if (term->g) bad += check_step(&o, true, term->name);
        assert_true(term->d || term->g);
    }
    assert_int_equal(bad, 0);
}

static void every_objective(void **state) {
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < gan_objective_count(); i++) {
        gan_game_options o = toy_game();
        o.objective = gan_objective_at(i);
        bad += check_both(&o, o.objective->name);
    }
    assert_int_equal(bad, 0);
}

static void every_head(void **state) {
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < gan_head_count(); i++) {
        gan_game_options o = toy_game();
        o.head = gan_head_at(i);
        satisfy(&o, o.head->name, false);
        bad += check_both(&o, o.head->name);
    }
    assert_int_equal(bad, 0);
}

static void every_augmentation(void **state) {
    (void)state;
    int bad = 0;
    for (size_t i = 0; i < gan_augment_count(); i++) {
        const gan_augment *augment = gan_augment_at(i);
        gan_game_options o = toy_game();
        if (!augment->points) {
            o.model = gan_model_find("dcgan");
            o.networks = (gan_model_options){.height = 8,
                                             .width = 8,
                                             .channels = 3,
                                             .z_dim = 3,
                                             .generator_features = 3,
                                             .discriminator_features = 3};
        }
        char list[64];
        snprintf(list, sizeof list, "%s%s", augment->name, augment->probability ? ", noise" : "");
        if (gan_augments_parse(o.augments, &o.n_augments, "augment", list) != GAN_OK)
            fail_msg("%s", gan_last_error());
        bad += check_both(&o, augment->name);
    }
    assert_int_equal(bad, 0);
}

static void every_condition(void **state) {
    (void)state;
    int bad = 0;
    for (int i = 0; i < 4; i++) {
        gan_game_options o = toy_game();
        o.classes = PLAY_CLASSES;
        o.generator_condition = i & 1 ? GAN_CONDITION_CONCAT : GAN_UNCONDITIONED;
        o.discriminator_condition = i & 2 ? GAN_CONDITION_CONCAT : GAN_UNCONDITIONED;
        bad += check_both(&o, "concatenated classes");
    }
    gan_game_options images = toy_game();
    images.classes = PLAY_CLASSES;
    images.generator_condition = GAN_CONDITION_NORM;
    images.discriminator_condition = GAN_CONDITION_CONCAT;
    images.model = gan_model_find("dcgan");
    images.networks = (gan_model_options){.height = 8,
                                          .width = 8,
                                          .channels = 1,
                                          .z_dim = 3,
                                          .generator_features = 3,
                                          .discriminator_features = 3};
    bad += check_both(&images, "conditional batch norm");
    assert_int_equal(bad, 0);
}

static void every_technique(void **state) {
    (void)state;
    int bad = 0;
#define CHECK(what, ...)                                                                           \
    do {                                                                                           \
        gan_game_options o = toy_game();                                                           \
        __VA_ARGS__;                                                                               \
        bad += check_both(&o, what);                                                               \
    } while (0)
    CHECK("packed", o.pack = 3);
    CHECK("codes", o.code_categorical = 2, o.code_classes = 3, o.code_continuous = 2);
    CHECK("two generators", o.generators = 2);
    CHECK("pairs (x, z)", o.encoder = true);
    CHECK("noisy labels", o.noisy_labels = 0.5);
    CHECK("minibatch discrimination", o.networks.minibatch_kernels = 3);
    CHECK("minibatch discrimination, averaged", o.networks.minibatch_kernels = 3,
          o.networks.minibatch_mean = true, o.networks.minibatch_inner = true);
    CHECK("minibatch deviation", o.networks.minibatch_std = true);
    CHECK("z in two parts", o.networks.z_late = 1);
    for (size_t i = 0; i < gan_norm_count(); i++) {
        gan_game_options o = toy_game();
        o.model = gan_model_find("dcgan");
        o.networks = (gan_model_options){.height = 8,
                                         .width = 8,
                                         .channels = 1,
                                         .z_dim = 3,
                                         .generator_features = 4,
                                         .discriminator_features = 4};
        o.generator_norm = o.discriminator_norm = gan_norm_at(i);
        bad += check_both(&o, gan_norm_at(i)->name);
    }
    CHECK("unrolled", o.unroll = 2, o.discriminator.rate = 0.05);
    CHECK("unrolled, 10 steps", o.unroll = 10, o.discriminator.rate = 0.01);
    CHECK("unrolled, momentum", o.unroll = 3, o.discriminator = gan_optimizer_defaults("momentum"));
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_term),      cmocka_unit_test(every_objective),
        cmocka_unit_test(every_head),      cmocka_unit_test(every_augmentation),
        cmocka_unit_test(every_condition), cmocka_unit_test(every_technique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
