/* Keys as a person brings them along from other programs, and numbers that do not count. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

/* What the field calls a key, and the key that the answer has to name. */
static const char *const aliases[][2] = {
    {"lr", "generator.rate and discriminator.rate"},
    {"learning_rate", "generator.rate and discriminator.rate"},
    {"LearningRate", "generator.rate and discriminator.rate"},
    {"training.lr", "generator.rate and discriminator.rate"},
    {"lr_g", "generator.rate"},
    {"d-lr", "discriminator.rate"},
    {"batch_size", "batch"},
    {"beta1", "adam.beta1"},
    {"b2", "adam.beta2"},
    {"betas", "adam.beta1 and adam.beta2"},
    {"eps", "adam.epsilon"},
    {"epochs", "steps"},
    {"iterations", "steps"},
    {"n_iter", "steps"},
    {"latent_dim", "z.dim"},
    {"nz", "z.dim"},
    {"ngf", "model.generator_features"},
    {"ndf", "model.discriminator_features"},
    {"n_critic", "d_steps"},
    {"critic_iters", "d_steps"},
    {"image_size", "data.size"},
    {"img_size", "data.size"},
    {"dataroot", "--data"},
    {"num_workers", "threads"},
    {"gp_weight", "wgan-gp(10)"},
    {"lambda", "wgan-gp(10)"},
    {"lambda_gp", "wgan-gp(10)"},
    {"r1_gamma", "r1(10)"},
    {"loss", "objective"},
    {"ema", "generator.average"},
    {"clip_value", "clip.weights"},
    {"gpu", "--device"},
    {"outdir", "--out"},
    {"manual_seed", "seed"},
    {"optim", "optimizer"},
    {"save_every", "checkpoint.every"},
    {"log_interval", "log.every"},
    {"num_samples", "sample.count"},
    {"num_classes", "labels"},
    {"amp", "precision"},
};
enum { ALIASES = sizeof aliases / sizeof *aliases };

static void usual_names_are_answered_with_the_key(void **state) {
    gan_settings *settings;
    (void)state;
    expect_ok(gan_settings_create(&settings));
    for (size_t i = 0; i < ALIASES; i++) {
        char begin[128];
        snprintf(begin, sizeof begin, "unknown key '%s'; ", aliases[i][0]);
        expect_failure(gan_settings_set(settings, aliases[i][0], "1", NULL), GAN_ERROR_ARGUMENT,
                       begin, aliases[i][1]);
        assert_null(strstr(gan_last_error(), "did you mean"));
    }
    gan_settings_destroy(settings);
    assert_null(gan_settings_meant("steepness"));
    assert_null(gan_settings_meant(""));
    scratch_put("mine.yaml", "data: ring8\nmodel: toy\ntraining:\n  batch_size: 3\n", 48);
    command_refused(1, "mine.yaml:4: unknown key 'training.batch_size'; that key is batch",
                    ARGS("train", "mine.yaml", "--out", "r"));
    command_refused(2, "--set: unknown key 'lr'; the learning rates are generator.rate and",
                    ARGS("train", "ring8", "--set", "lr=0.1", "--out", "r"));
}

static void usual_words_are_answered_with_ours(void **state) {
    (void)state;
    command_refused(2, "that is least-squares",
                    ARGS("train", "ring8", "--set", "objective=lsgan", "--out", "r"));
    command_refused(2, "that is wasserstein",
                    ARGS("train", "ring8", "--set", "objective=WGAN", "--out", "r"));
    command_refused(2, "that is non-saturating",
                    ARGS("train", "ring8", "--set", "objective=bce", "--out", "r"));
    command_refused(2, "that is momentum",
                    ARGS("train", "ring8", "--set", "optimizer=sgd", "--out", "r"));
}

/* A key given as an option, where there is --set; elsewhere it is only unknown. */
static void keys_as_options_are_answered(void **state) {
    (void)state;
    command_refused(2, "unknown option '--batch'; that key is set by --set batch=VALUE",
                    ARGS("train", "ring8", "--batch=3"));
    command_refused(2,
                    "unknown option '--lr'; the learning rates are generator.rate and "
                    "discriminator.rate, set by --set KEY=VALUE",
                    ARGS("train", "ring8", "--lr", "0.1"));
    command_refused(2, "unknown option '--outdir'; that is the option --out;",
                    ARGS("train", "ring8", "--outdir", "r"));
    command_refused(2, "unknown option '--lr'; see", ARGS("sample", "r", "--lr", "0.1"));
}

static void counts_are_whole_numbers(void **state) {
    static const char *const sets[][2] = {
        {"batch=12.5", "--set: batch: '12.5' given, an integer from 1 to"},
        {"steps=0.5", "--set: steps: '0.5' given, an integer from 0 to"},
        {"unroll=1.5", "--set: unroll: '1.5' given, an integer from 0 to"},
    };
    static const char *const knobs[][2] = {
        {"terms=r1(10, every=2.5)", "terms: r1: every is 2.5, expected a whole number from 1 to"},
        {"augment=noise(0.1, steps=10.5)",
         "augment: noise: steps is 10.5, expected a whole number from 0 to"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
        command_refused(2, sets[i][1], ARGS("train", "ring8", "--set", sets[i][0], "--out", "r"));
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++)
        command_refused(1, knobs[i][1], ARGS("train", "ring8", "--set", knobs[i][0], "--out", "r"));
    assert_int_equal(scratch_count(), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(usual_names_are_answered_with_the_key),
        TEST(usual_words_are_answered_with_ours),
        TEST(keys_as_options_are_answered),
        TEST(counts_are_whole_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
