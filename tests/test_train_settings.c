/* Settings: one table from which reading, checks, messages and the way back to YAML come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ganc/train.h"
#include "train/settings.h"

static gan_settings *settings;

static int open_settings(void **state) {
    (void)state;
    return gan_settings_create(&settings) != GAN_OK;
}

static int close_settings(void **state) {
    (void)state;
    gan_settings_destroy(settings);
    return 0;
}

static void assert_message(const char *part) {
    if (!strstr(gan_last_error(), part)) fail_msg("'%s' is not in: %s", part, gan_last_error());
}

static void assert_value(const char *key, const char *expected) {
    char value[GAN_SETTING_TEXT];
    assert_int_equal(gan_settings_get(settings, key, value, sizeof value), GAN_OK);
    assert_string_equal(value, expected);
}

static gan_status set(const char *key, const char *value) {
    return gan_settings_set(settings, key, value, "here");
}

static gan_status read_text(const char *text) {
    return gan_settings_read_memory(settings, text, strlen(text), "my.yaml");
}

static void defaults_are_what_the_table_says(void **state) {
    (void)state;
    assert_true(gan_settings_key_count() > 30);
    for (size_t i = 0; i < gan_settings_key_count(); i++) {
        const gan_settings_key key = gan_settings_key_at(i);
        char allowed[512];
        gan_settings_key_allowed(i, allowed, sizeof allowed);
        assert_value(key.name, key.initial);
        assert_true(key.about[0] && allowed[0]);
    }
}

static void each_kind_takes_its_values(void **state) {
    (void)state;
    assert_int_equal(set("batch", "100"), GAN_OK);
    assert_int_equal(settings->batch, 100);
    assert_int_equal(set("generator.rate", "2.5e-4"), GAN_OK);
    assert_true(settings->generator_rate == 2.5e-4);
    assert_int_equal(set("data.flip", "true"), GAN_OK);
    assert_true(settings->data_flip);
    assert_int_equal(set("objective", "minimax"), GAN_OK);
    assert_string_equal(settings->objective, "minimax");
    assert_int_equal(set("data", "a folder/with: signs #1"), GAN_OK);
    assert_string_equal(settings->data, "a folder/with: signs #1");
}

static void each_kind_refuses_the_rest(void **state) {
    static const char *const bad[][2] = {
        {"batch", "0"},
        {"batch", "-3"},
        {"batch", "1.5"},
        {"batch", ""},
        {"batch", "12x"},
        {"batch", "99999999999999999999"},
        {"generator.rate", "-1"},
        {"generator.rate", "nan"},
        {"generator.rate", "inf"},
        {"generator.rate", "x"},
        {"data.flip", "maybe"},
        {"data.flip", ""},
        {"objective", "minmax"},
        {"objective", ""},
        {"data", "two\nlines"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        gan_settings before = *settings;
        assert_int_equal(set(bad[i][0], bad[i][1]), GAN_ERROR_ARGUMENT);
        assert_message("here: ");
        assert_message(bad[i][0]);
        assert_message("expected");
        assert_memory_equal(&before, settings, sizeof before);
    }
}

static void messages_name_place_key_value_and_the_nearest(void **state) {
    (void)state;
    assert_int_equal(set("objective", "minmax"), GAN_ERROR_ARGUMENT);
    assert_message("'minmax' given");
    assert_message("non-saturating");
    assert_message("did you mean 'minimax'?");
    assert_int_equal(set("btach", "3"), GAN_ERROR_ARGUMENT);
    assert_message("unknown key 'btach'; did you mean 'batch'?");
    assert_int_equal(read_text("batch: 3\n\nmodle: mlp\n"), GAN_ERROR_ARGUMENT);
    assert_message("my.yaml:3: unknown key 'modle'; did you mean 'model'?");
    assert_int_equal(read_text("seed: 1\nbatch: many\n"), GAN_ERROR_ARGUMENT);
    assert_message("my.yaml:2: batch: 'many' given, an integer from 1 to 1048576 expected");
    assert_int_equal(gan_settings_assign(settings, "batch"), GAN_ERROR_ARGUMENT);
    assert_message("key=value");
}

static void a_file_counts_whole_or_not_at_all(void **state) {
    (void)state;
    assert_int_equal(read_text("batch: 7\nseed: x\n"), GAN_ERROR_ARGUMENT);
    assert_value("batch", "64");
    assert_int_equal(read_text("batch: 7\ngenerator:\n  rate: 1e-3\n  average: 0.5\n"), GAN_OK);
    assert_value("batch", "7");
    assert_value("generator.rate", "0.001");
    assert_value("generator.average", "0.5");
}

static void yaml_gives_back_every_value(void **state) {
    static const char *const value[][2] = {
        {"name", "true"},
        {"description", "a: b # 'c' \"d\" \\ é"},
        {"data", "- x"},
        {"batch", "1048576"},
        {"generator.rate", "0.1"},
        {"data.flip", "true"},
        {"adam.epsilon", "1e-30"},
        {"seed", "9007199254740992"},
        {"discriminator.rate", "0.12345678901234568"},
    };
    char path[] = "/tmp/ganc-settings-XXXXXX";
    gan_settings *again;
    (void)state;
    const int file = mkstemp(path);
    assert_true(file >= 0);
    close(file);
    for (size_t i = 0; i < sizeof value / sizeof *value; i++)
        assert_int_equal(set(value[i][0], value[i][1]), GAN_OK);
    assert_int_equal(gan_settings_write(settings, path), GAN_OK);
    assert_int_equal(gan_settings_create(&again), GAN_OK);
    assert_int_equal(gan_settings_read(again, path), GAN_OK);
    assert_memory_equal(again, settings, sizeof *again);
    gan_settings_destroy(again);
    unlink(path);
}

static void a_difference_counts_where_a_run_must_stay_the_same(void **state) {
    gan_settings *other;
    (void)state;
    assert_int_equal(gan_settings_copy(&other, settings), GAN_OK);
    assert_null(gan_settings_difference(settings, other));
    assert_int_equal(set("steps", "5"), GAN_OK);
    assert_int_equal(set("log.every", "7"), GAN_OK);
    assert_null(gan_settings_difference(settings, other));
    assert_int_equal(set("adam.beta1", "0.25"), GAN_OK);
    assert_string_equal(gan_settings_difference(settings, other), "adam.beta1");
    gan_settings_destroy(other);
}

/* ---- keys without effect ---- */

/* What a key does nothing beside, and what gives it an effect: lines of YAML. */
static const struct {
    const char *key, *value, *idle, *reason, *effective;
} conditional[] = {
    {"data.size", "32", "data: ring8", "data ring8 are no images", "data: mnist"},
    {"data.width", "32", "data: reber", "are no images", "data: mnist"},
    {"data.channels", "3", "data: grid25", "are no images", "data: mnist"},
    {"data.flip", "true", "data: ring8", "are no images", "data: mnist"},
    {"data.fit", "resize", "data: mnist", "data.size is 0", "data.size: 32"},
    {"data.border", "255", "data.size: 8\ndata.fit: resize", "data.fit is resize", "data.size: 8"},
    {"model.nonlocal", "dot-product", "model: dcgan", "no residual blocks", "model: resnet"},
    {"minibatch.dims", "3", "batch: 9", "minibatch.kernels is 0", "minibatch.kernels: 2"},
    {"minibatch.mean", "true", "batch: 9", "minibatch.kernels is 0", "minibatch.kernels: 2"},
    {"minibatch.inner", "true", "batch: 9", "minibatch.kernels is 0", "minibatch.kernels: 2"},
    {"z.layer", "2", "batch: 9", "z.late is 0", "z.late: 2"},
    {"growing.hold", "9", "model: dcgan", "model dcgan does not grow", "model: progressive"},
    {"growing.fade", "9", "model: progressive", "growing.hold is 0",
     "model: progressive\ngrowing.hold: 3"},
    {"objective.margin", "2", "objective: began", "objective is began", "objective: ebgan"},
    {"objective.gamma", "0.3", "objective: ebgan", "not began", "objective: began"},
    {"objective.lambda", "0.3", "objective: hinge", "not began", "objective: began"},
    {"code.classes", "4", "code.continuous: 1", "code.categorical is 0", "code.categorical: 1"},
    {"temperature.initial", "2", "model: dcgan", "model dcgan makes no symbols", "model: sequence"},
    {"temperature.initial", "2", "model: sequence\ndiscrete: reinforce", "discrete is reinforce",
     "model: sequence\ndiscrete: gumbel"},
    {"temperature.final", "2", "model: sequence", "temperature.steps is 0",
     "model: sequence\ntemperature.steps: 5"},
    {"temperature.steps", "5", "model: sequence", "are equal",
     "model: sequence\ntemperature.final: 0.5"},
    {"embedding.dims", "4", "model: sequence", "not embedding", "discrete: embedding"},
    {"embedding.learned", "true", "model: sequence", "not embedding", "discrete: embedding"},
    {"labels.count", "100", "terms: ac-gan", "terms have no supervised", "terms: r1, supervised"},
    {"discriminator.average", "0.9", "terms: r1", "tells no class", "terms: supervised"},
    {"replay.share", "0.3", "batch: 9", "replay is 0", "replay: 3"},
    {"rate.floor", "0.001", "batch: 9", "rate.decay is 1", "rate.decay: 1.001"},
    {"adam.beta1", "0", "optimizer: momentum", "optimizer is momentum", "optimizer: adam"},
    {"adam.beta2", "0.9", "optimizer: momentum", "optimizer is momentum", "optimizer: adam"},
    {"adam.epsilon", "0.1", "optimizer: momentum", "optimizer is momentum", "optimizer: adam"},
    {"momentum.initial", "0.9", "optimizer: adam", "optimizer is adam", "optimizer: momentum"},
    {"momentum.epochs", "9", "optimizer: adam", "optimizer is adam", "optimizer: momentum"},
    {"momentum.final", "0.9", "optimizer: momentum", "momentum.epochs is below 2",
     "optimizer: momentum\nmomentum.epochs: 9"},
};

static void keys_without_effect_are_refused(void **state) {
    char text[512];
    (void)state;
    for (size_t i = 0; i < sizeof conditional / sizeof *conditional; i++) {
        const char *key = conditional[i].key, *value = conditional[i].value;
        /* In either order. */
        for (int first = 0; first < 2; first++) {
            snprintf(text, sizeof text, "%s\n%s: %s\n%s\n", first ? "" : conditional[i].idle, key,
                     value, first ? conditional[i].idle : "");
            assert_int_equal(read_text(text), GAN_ERROR_ARGUMENT);
            assert_message("it has no effect: ");
            assert_message(conditional[i].reason);
            assert_message(key);
        }
        snprintf(text, sizeof text, "%s: %s\n%s\n", key, value, conditional[i].effective);
        if (read_text(text) != GAN_OK) fail_msg("%s: %s", key, gan_last_error());
        assert_value(key, value);
        gan_settings_destroy(settings);
        assert_int_equal(gan_settings_create(&settings), GAN_OK);
    }
}

/* At its default a key asks for nothing: a run's config.yaml has them all. */
static void a_default_is_never_refused(void **state) {
    (void)state;
    assert_int_equal(read_text("optimizer: momentum\nadam.beta1: 0.50\nreplay.share: 0.5\n"),
                     GAN_OK);
}

/* Tidied, each is at its default, and what decides about it is as it was. */
static void tidied_settings_are_free_of_them(void **state) {
    gan_settings *other;
    (void)state;
    for (size_t i = 0; i < sizeof conditional / sizeof *conditional; i++) {
        assert_int_equal(read_text(conditional[i].idle), GAN_OK);
        assert_int_equal(gan_settings_copy(&other, settings), GAN_OK);
        assert_int_equal(set(conditional[i].key, conditional[i].value), GAN_OK);
        /* It is no difference between two runs either. */
        assert_null(gan_settings_difference(settings, other));
        gan_settings_tidy(settings);
        char *tidied, *before;
        assert_int_equal(gan_settings_text(&tidied, settings), GAN_OK);
        assert_int_equal(gan_settings_text(&before, other), GAN_OK);
        assert_string_equal(tidied, before);
        free(tidied), free(before);
        gan_settings_destroy(other);
        gan_settings_destroy(settings);
        assert_int_equal(gan_settings_create(&settings), GAN_OK);
    }
    /* One leads to the other: the steps go, then the temperature at their end. */
    assert_int_equal(read_text("model: sequence\ntemperature.final: 0.5\ntemperature.steps: 3\n"),
                     GAN_OK);
    assert_int_equal(set("temperature.initial", "0.5"), GAN_OK);
    gan_settings_tidy(settings);
    assert_value("temperature.initial", "0.5");
    assert_value("temperature.steps", "0");
    assert_value("temperature.final", "1");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_settings, close_settings)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_what_the_table_says),
        TEST(each_kind_takes_its_values),
        TEST(each_kind_refuses_the_rest),
        TEST(messages_name_place_key_value_and_the_nearest),
        TEST(a_file_counts_whole_or_not_at_all),
        TEST(yaml_gives_back_every_value),
        TEST(keys_without_effect_are_refused),
        TEST(a_default_is_never_refused),
        TEST(tidied_settings_are_free_of_them),
        TEST(a_difference_counts_where_a_run_must_stay_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
