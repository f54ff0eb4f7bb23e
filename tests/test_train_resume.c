/* A resumed run is the uninterrupted one: every tensor byte for byte, and every line of the log but
 * its times, whatever the place of the stop and the number of threads. */
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

enum { STEPS = 7 };
static const int64_t stops[] = {0, 1, 3, 5, 7};
enum { N_STOPS = sizeof stops / sizeof *stops };

/* Returns the line of `step` without what depends on the clock, the caller's to free; NULL when
 * there is none. */
static char *line_of(const char *log, int64_t step) {
    char start[64];
    snprintf(start, sizeof start, "{\"step\":%lld,", (long long)step);
    const char *line = strstr(log, start);
    if (!line) return NULL;
    const size_t length = strcspn(line, "\n");
    char *copy = calloc(length + 1, 1);
    assert_non_null(copy);
    memcpy(copy, line, length);
    char *from = strstr(copy, "\"seconds\""), *to = strstr(copy, "\"d_loss\"");
    assert_non_null(from);
    assert_non_null(to);
    memmove(from, to, strlen(to) + 1);
    return copy;
}

static void assert_same_line(const char *whole, const char *part, int64_t step) {
    char *a = line_of(whole, step), *b = line_of(part, step);
    assert_non_null(a);
    assert_non_null(b);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

static char *path_in(const char *name, const char *file) {
    static char text[4][160];
    static unsigned next;
    char *path = text[next++ % 4];
    snprintf(path, sizeof text[0], "%s/%s", name, file);
    return path;
}

static void stop_and_go_on(const char *data, const tiny_pairs pairs) {
    gan_settings *s = tiny_settings(data, (const tiny_pairs *)pairs);
    char name[64];
    size_t size;
    tiny_run(s, "whole", STEPS, 1, false);
    char *whole = (char *)scratch_get("whole/log.jsonl", &size);
    for (int threads = 1; threads <= 2; threads++)
        for (int i = 0; i < N_STOPS; i++) {
            snprintf(name, sizeof name, "part-%d-%lld", threads, (long long)stops[i]);
            tiny_run(s, name, stops[i], threads, false);
            tiny_run(s, name, STEPS, 3 - threads, true);
            const size_t n = tiny_same_tensors(scratch("whole/checkpoint.safetensors"),
                                               scratch(path_in(name, "checkpoint.safetensors")));
            assert_true(n > 12);
            char *part = (char *)scratch_get(path_in(name, "log.jsonl"), &size);
            assert_same_line(whole, part, 3);
            assert_same_line(whole, part, 6);
            assert_same_line(whole, part, STEPS);
            free(part);
        }
    free(whole);
    gan_settings_destroy(s);
}

static void images(const tiny_pairs pairs) {
    char data[512];
    tiny_images("images-idx3-ubyte", 40, 8);
    snprintf(data, sizeof data, "%s", scratch("images-idx3-ubyte"));
    stop_and_go_on(data, pairs);
}

#define GAME(name, ...)                                                                            \
    static void name(void **state) {                                                               \
        static const tiny_pairs pairs = {__VA_ARGS__};                                             \
        (void)state;                                                                               \
        images(pairs);                                                                             \
    }

GAME(mlp_alternating, {"model", "mlp"})
GAME(mlp_simultaneous_averaged, {"model", "mlp"}, {"schedule", "simultaneous"},
     {"generator.average", "0.9"})
GAME(mlp_two_d_steps_averaged_flipped, {"model", "mlp"}, {"d_steps", "2"},
     {"generator.average", "0.9"}, {"data.flip", "true"})
GAME(maxout_dropout_momentum, {"model", "maxout"}, {"optimizer", "momentum"},
     {"schedule", "simultaneous"}, {"model.marginals", "true"}, {"rate.decay", "1.01"},
     {"momentum.epochs", "3"}, {"z.distribution", "unit-uniform"})
GAME(dcgan_batch_norm_smoothed, {"model", "dcgan"}, {"label_smoothing", "0.1"},
     {"rate.linear", "50"})
GAME(dcgan_spectral_norm_three_d_steps, {"model", "dcgan"}, {"spectral_norm", "true"},
     {"d_steps", "3"})
GAME(dcgan_minimax_noise_reused, {"model", "dcgan"}, {"objective", "minimax"},
     {"reuse_noise", "true"})

GAME(mlp_bf16, {"model", "mlp"}, {"precision", "bf16"})
GAME(mlp_tf32, {"model", "mlp"}, {"precision", "tf32"})
GAME(maxout_bf16, {"model", "maxout"}, {"precision", "bf16"}, {"optimizer", "momentum"},
     {"schedule", "simultaneous"})
GAME(dcgan_bf16, {"model", "dcgan"}, {"precision", "bf16"}, {"generator.average", "0.9"},
     {"spectral_norm", "true"})
GAME(mlp_penalties_bf16, {"model", "mlp"}, {"precision", "bf16"},
     {"terms", "r1(1, every=3), wgan-gp(1)"})

GAME(mlp_lazy_terms, {"model", "mlp"}, {"terms", "r1(1, every=3), wgan-gp(1)"})
GAME(mlp_energies_in_balance, {"model", "mlp"}, {"objective", "began"})
GAME(mlp_replay_and_noise, {"model", "mlp"}, {"replay", "3"}, {"augment", "noise(0.1, steps=9)"})
GAME(mlp_unrolled_pairs, {"model", "mlp"}, {"unroll", "2"}, {"encoder", "true"})
GAME(progressive_growth, {"model", "progressive"}, {"growing.hold", "2"}, {"growing.fade", "2"},
     {"data.size", "16"}, {"data.fit", "resize"})

GAME(dcgan_adaptive_augmentation, {"model", "dcgan"},
     {"augment", "ada(0, images=50, every=2), flip, colour, translation, cutout"},
     {"terms", "bcr(1), zcr"})

GAME(completion, {"model", "completion"}, {"terms", "reconstruction"}, {"generator.average", "0.9"},
     {"data.flip", "true"})

/* The temperature, the noise of symbols and the baseline go on where they were. */
static void symbols(void **state) {
    static const tiny_pairs gumbel = {{"model", "sequence"},
                                      {"discrete", "straight-through"},
                                      {"temperature.final", "0.5"},
                                      {"temperature.steps", "9"}};
    static const tiny_pairs drawn = {
        {"model", "sequence"}, {"discrete", "reinforce"}, {"terms", "reinforce"}};
    static const tiny_pairs vectors = {
        {"model", "sequence"}, {"discrete", "embedding"}, {"embedding.learned", "true"}};
    stop_and_go_on("brackets", gumbel);
    assert_int_equal(scratch_teardown(state) || scratch_setup(state), 0);
    stop_and_go_on("expressions", drawn);
    assert_int_equal(scratch_teardown(state) || scratch_setup(state), 0);
    stop_and_go_on("reber", vectors);
}

static void points(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}, {"generator.average", "0.5"}};
    static const tiny_pairs classes = {{"model", "toy"},
                                       {"generator.condition", "concat"},
                                       {"terms", "ac-gan"},
                                       {"discriminator.average", "0.9"},
                                       {"classes.active", "0.5"}};
    stop_and_go_on("ring8", pairs);
    assert_int_equal(scratch_teardown(state) || scratch_setup(state), 0);
    stop_and_go_on("ring8", classes);
}

/* A stop asked for in the middle is a stop like any other. */
static bool stop_after_four(void *context) {
    int *calls = context;
    return (*calls)++ == 4;
}

static void a_stop_asked_for_leaves_a_checkpoint(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}, {"steps", "7"}, {"log.every", "1"}};
    gan_settings *s = tiny_settings("ring8", &pairs);
    gan_device *device;
    gan_trainer *trainer;
    int calls = 0;
    (void)state;
    tiny_run(s, "whole", STEPS, 1, false);
    expect_ok(gan_device_open(&device, "cpu", NULL));
    expect_ok(
        gan_trainer_open(&trainer, s, device, &(gan_trainer_options){.folder = scratch("part")}));
    const gan_trainer_callbacks callbacks = {.context = &calls, .stop = stop_after_four};
    expect_failure(gan_trainer_run(trainer, &callbacks), GAN_ERROR_INTERRUPTED, "step 4 of 7");
    gan_trainer_close(trainer);
    gan_device_close(device);
    tiny_run(s, "part", STEPS, 2, true);
    tiny_same_tensors(scratch("whole/checkpoint.safetensors"),
                      scratch("part/checkpoint.safetensors"));
    gan_settings_destroy(s);
}

/* A killed run has lines behind its checkpoint; they go. */
static void the_log_is_cut_back_to_the_checkpoint(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}, {"log.every", "1"}};
    gan_settings *s = tiny_settings("ring8", &pairs);
    size_t size;
    (void)state;
    tiny_run(s, "part", 4, 1, false);
    char *log = (char *)scratch_get("part/log.jsonl", &size);
    char *more = calloc(size + 200, 1);
    assert_non_null(more);
    snprintf(more, size + 200, "%s{\"step\":5,\"images\":1,\"d_loss\":9}\n{\"step\":6,\"im", log);
    scratch_put("part/log.jsonl", more, strlen(more));
    tiny_run(s, "part", 6, 1, true);
    char *after = (char *)scratch_get("part/log.jsonl", &size);
    assert_memory_equal(after, log, strlen(log));
    assert_null(strstr(after, "\"d_loss\":9}"));
    int lines = 0;
    for (const char *p = after; *p; p++) lines += *p == '\n';
    assert_int_equal(lines, 6);
    free(after);
    free(more);
    free(log);
    gan_settings_destroy(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(mlp_alternating),
        TEST(mlp_simultaneous_averaged),
        TEST(mlp_two_d_steps_averaged_flipped),
        TEST(maxout_dropout_momentum),
        TEST(dcgan_batch_norm_smoothed),
        TEST(dcgan_spectral_norm_three_d_steps),
        TEST(dcgan_minimax_noise_reused),
        TEST(mlp_bf16),
        TEST(mlp_tf32),
        TEST(maxout_bf16),
        TEST(dcgan_bf16),
        TEST(mlp_penalties_bf16),
        TEST(mlp_lazy_terms),
        TEST(mlp_energies_in_balance),
        TEST(mlp_replay_and_noise),
        TEST(mlp_unrolled_pairs),
        TEST(progressive_growth),
        TEST(dcgan_adaptive_augmentation),
        TEST(completion),
        TEST(symbols),
        TEST(points),
        TEST(a_stop_asked_for_leaves_a_checkpoint),
        TEST(the_log_is_cut_back_to_the_checkpoint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
