/* Training with labels, codes' inverse and masks: what must come out, as a number, over seeds. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scratch.h"
#include "support/tiny.h"
#include "train/checkpoint.h"
#include "train/sampler.h"

enum { SEEDS = 3 };

static void set(gan_settings *s, const char *key, const char *value) {
    expect_ok(gan_settings_set(s, key, value, NULL));
}

/* ---- the class is the mode: samples within three deviations of the mode that was asked for ----
 */

static gan_settings *ring(int seed, const char *const (*more)[2]) {
    static const char *const base[][2] = {
        {"data", "ring8"},           {"model", "toy"},          {"batch", "256"},
        {"generator.rate", "0.001"}, {"rate.linear", "1000"},   {"discriminator.rate", "0.001"},
        {"sample.every", "0"},       {"checkpoint.every", "0"}, {"generator.condition", "concat"},
        {"log.every", "1000"},       {"sample.count", "64"},    {"generator.average", "0.99"}};
    char number[16];
    gan_settings *s;
    snprintf(number, sizeof number, "%d", seed);
    expect_ok(gan_settings_create(&s));
    for (size_t i = 0; i < sizeof base / sizeof *base; i++) set(s, base[i][0], base[i][1]);
    for (; (*more)[0]; more++) set(s, (*more)[0], (*more)[1]);
    set(s, "seed", number);
    return s;
}

static double agreement(const gan_settings *s, const char *name) {
    gan_agreement a;
    tiny_run(s, name, 1000, 1, false);
    gan_device *device = tiny_device(1);
    expect_ok(gan_agreement_checkpoint(&a, tiny_checkpoint(name), device,
                                       &(gan_agreement_options){.count = 1600}));
    gan_device_close(device);
    assert_int_equal(a.samples, 1600);
    assert_int_equal(a.classes, 8);
    assert_true(isnan(a.accuracy) && !a.codes);
    double sum = 0;
    for (int k = 0; k < 8; k++) sum += a.each[k] / 8;
    assert_true(fabs(sum - a.agreement) < 1e-9); /* as many of each */
    return a.agreement;
}

static void check_ring(const char *what, const char *const (*more)[2], double least) {
    for (int seed = 1; seed <= SEEDS; seed++) {
        char name[64];
        snprintf(name, sizeof name, "%s-%d", what, seed);
        gan_settings *s = ring(seed, more);
        const double a = agreement(s, name);
        print_message("%s, seed %d: %.3f\n", what, seed, a);
        if (!(a >= least)) fail_msg("%s, seed %d: agreement %g, expected %g", what, seed, a, least);
        gan_settings_destroy(s);
    }
}

static void conditional_gan_makes_the_mode_it_is_told(void **state) {
    (void)state;
    static const char *const cgan[][2] = {{"discriminator.condition", "concat"}, {NULL, NULL}};
    check_ring("cgan", cgan, 0.8);
}

static void active_classes_do_not_hurt(void **state) {
    (void)state;
    static const char *const active[][2] = {
        {"discriminator.condition", "concat"}, {"classes.active", "0.7"}, {NULL, NULL}};
    check_ring("active", active, 0.8);
}

/* ---- the encoder ---- */

static void encoding_writes_pairs_and_codes(void **state) {
    (void)state;
    tiny_images("bars", 64, 16);
    const tiny_pairs pairs = {{"model", "mlp"},
                              {"encoder", "true"},
                              {"batch", "32"},
                              {"generator.rate", "0.001"},
                              {"discriminator.rate", "0.0005"},
                              {"generator.average", "0.9"}};
    gan_settings *s = tiny_settings(scratch("bars"), &pairs);
    gan_encoding e;
    gan_device *device = tiny_device(1);
    tiny_run(s, "bigan", 3, 1, false);
    const gan_encode_options options = {.count = 8, .codes = scratch("codes.safetensors")};
    expect_ok(gan_encode_checkpoint(&e, tiny_checkpoint("bigan"), scratch("pairs.png"), device,
                                    &options));
    assert_int_equal(e.examined, 64);
    assert_true(e.error > 0 && isfinite(e.error) && isnan(e.nearest));
    /* The mean image's error is the variance of the pixels. */
    gan_dataset *set_;
    expect_ok(gan_dataset_open(&set_, scratch("bars"), NULL));
    double variance = 0;
    for (int j = 0; j < 256; j++) {
        double mean = 0;
        for (int i = 0; i < 64; i++) mean += set_->images[i * 256 + j] / 255.0 / 64;
        for (int i = 0; i < 64; i++) {
            const double off = set_->images[i * 256 + j] / 255.0 - mean;
            variance += off * off / (64 * 256);
        }
    }
    assert_true(fabs(variance - e.error_of_mean) < 1e-9);
    gan_dataset_destroy(set_);
    gan_picture p;
    expect_ok(gan_png_read(&p, scratch("pairs.png")));
    assert_int_equal(p.width, 4 * 16 + 3 * 2 + 4); /* 4 columns, gaps and a border of two */
    gan_png_free(&p);
    gan_safetensors *file;
    expect_ok(gan_safetensors_open(&file, scratch("codes.safetensors")));
    const gan_tensor_info *codes = gan_safetensors_find(file, "codes");
    assert_non_null(codes);
    assert_true(gan_shape_equal(codes->shape, gan_shape2(64, 6)));
    gan_safetensors_close(file);
    expect_failure(gan_encode_checkpoint(&e, tiny_checkpoint("bigan"), NULL, device,
                                         &(gan_encode_options){.nearest = true}),
                   GAN_ERROR_ARGUMENT, "no labels");
    gan_device_close(device);
    gan_settings_destroy(s);
}

/* ---- completion ---- */

/* Rows of the picture: the example, what is known of it, and four completions. */
enum { COLUMNS = 6, ROWS = 6, SIDE = 8, PIXELS = SIDE * SIDE };

static void draw_rows(const char *path, float *out) {
    gan_checkpoint c;
    gan_store *store;
    gan_sampler sampler;
    gan_game_options game;
    gan_schedule schedule;
    const gan_model *model;
    gan_model_options networks;
    gan_device *device = tiny_device(1);
    expect_ok(gan_checkpoint_read(&c, path));
    expect_ok(gan_source_networks(&model, &networks, c.settings, c.state.example));
    expect_ok(gan_settings_game(&game, c.settings, model, &networks, 0, 0));
    expect_ok(gan_schedule_make(&schedule, c.settings, &game));
    expect_ok(gan_store_create(&store, 5));
    expect_ok(gan_sampler_open(&sampler, store, device, &game, &schedule, 1, COLUMNS * ROWS, 5));
    expect_ok(gan_store_place(store, device));
    expect_ok(gan_checkpoint_restore(&c, store, false));
    assert_int_equal(sampler.sample_elements, PIXELS);
    expect_ok(gan_sampler_draw(&sampler, out, COLUMNS * ROWS));
    gan_sampler_close(&sampler);
    gan_store_destroy(store);
    gan_checkpoint_close(&c);
    gan_device_close(device);
}

static void what_is_known_is_kept(void **state) {
    (void)state;
    tiny_images("bars", 64, SIDE);
    for (int seed = 1; seed <= SEEDS; seed++) {
        char name[32], number[16];
        snprintf(name, sizeof name, "completion-%d", seed);
        snprintf(number, sizeof number, "%d", seed);
        const tiny_pairs pairs = {{"model", "completion"},
                                  {"terms", "reconstruction(5)"},
                                  {"batch", "32"},
                                  {"seed", number},
                                  {"generator.rate", "0.001"},
                                  {"generator.objective", "0.2"},
                                  {"model.generator_features", "16"},
                                  {"discriminator.rate", "0.0005"}};
        gan_settings *s = tiny_settings(scratch("bars"), &pairs);
        static float x[ROWS * COLUMNS][PIXELS];
        gan_dataset *bars;
        tiny_run(s, name, 700, 1, false);
        draw_rows(tiny_checkpoint(name), x[0]);
        expect_ok(gan_dataset_open(&bars, scratch("bars"), NULL));
        double error = 0, of_mean = 0;
        int known = 0, unknown = 0, different = 0;
        for (int r = 0; r < ROWS; r++)
            for (int j = 0; j < PIXELS; j++) {
                const float whole = x[r * COLUMNS][j], masked = x[r * COLUMNS + 1][j];
                double mean = 0;
                for (int i = 0; i < bars->count; i++)
                    mean += (bars->images[i * PIXELS + j] / 127.5 - 1) / (double)bars->count;
                for (int k = 2; k < COLUMNS; k++) {
                    const float made = x[r * COLUMNS + k][j];
                    if (masked != 0) { /* no pixel of the data is the grey of unknown ones */
                        assert_true(made == whole && masked == whole);
                        known++;
                        continue;
                    }
                    const double off = (double)made - (double)whole, other = mean - (double)whole;
                    error += off * off;
                    of_mean += other * other;
                    unknown++;
                    different += made != x[r * COLUMNS + 2][j];
                }
            }
        print_message("seed %d: %.4f, the mean image %.4f, %d known, %d made\n", seed,
                      error / unknown, of_mean / unknown, known, unknown);
        assert_true(known > 100 && unknown > 100 && different > 0);
        if (!(error < 0.8 * of_mean)) fail_msg("seed %d: %g, mean image %g", seed, error, of_mean);
        gan_dataset_destroy(bars);
        gan_settings_destroy(s);
    }
}

/* ---- what cannot be asked ---- */

static void refusals(void **state) {
    (void)state;
    tiny_images("bars", 16, SIDE);
    gan_settings *s = tiny_settings(scratch("bars"), NULL);
    tiny_run(s, "plain", 1, 1, false);
    gan_device *device = tiny_device(1);
    gan_agreement a;
    gan_recognition r;
    gan_encoding e;
    expect_failure(gan_agreement_checkpoint(&a, tiny_checkpoint("plain"), device, NULL),
                   GAN_ERROR_ARGUMENT, "takes no class");
    expect_failure(gan_recognition_checkpoint(&r, tiny_checkpoint("plain"), device, NULL),
                   GAN_ERROR_ARGUMENT, "tells no class");
    expect_failure(gan_encode_checkpoint(&e, tiny_checkpoint("plain"), NULL, device, NULL),
                   GAN_ERROR_ARGUMENT, "with an encoder");
    gan_settings_destroy(s);
    const tiny_pairs pairs = {{"model", "completion"}, {"terms", "reconstruction"}};
    s = tiny_settings(scratch("bars"), &pairs);
    tiny_run(s, "completes", 1, 1, false);
    expect_failure(
        gan_interpolate_checkpoint(tiny_checkpoint("completes"), scratch("x.png"), device, NULL),
        GAN_ERROR_ARGUMENT, "checkpoint.safetensors: completes images");
    gan_device_close(device);
    gan_settings_destroy(s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_known_is_kept),
        TEST(conditional_gan_makes_the_mode_it_is_told),
        TEST(active_classes_do_not_hurt),
        TEST(encoding_writes_pairs_and_codes),
        TEST(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
