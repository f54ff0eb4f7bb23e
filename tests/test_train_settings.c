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

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_settings, close_settings)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(defaults_are_what_the_table_says),
        TEST(each_kind_takes_its_values),
        TEST(each_kind_refuses_the_rest),
        TEST(messages_name_place_key_value_and_the_nearest),
        TEST(a_file_counts_whole_or_not_at_all),
        TEST(yaml_gives_back_every_value),
        TEST(a_difference_counts_where_a_run_must_stay_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
