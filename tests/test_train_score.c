/* Samples as a whole against the test images, from checkpoints of tiny runs. */
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

enum { COUNT = 480, SIDE = 12 };

/* Bars that lie or stand, which is their class; the test part is the training part. */
static void labelled_bars(void) {
    static const char *const part[] = {"train", "t10k"};
    unsigned char labels[8 + COUNT] = {0, 0, 8, 1, 0, 0, COUNT >> 8, COUNT & 255};
    for (int i = 0; i < COUNT; i++) labels[8 + i] = (unsigned char)(i % 2);
    for (int i = 0; i < 2; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s-images-idx3-ubyte", part[i]);
        tiny_images(name, COUNT, SIDE);
        snprintf(name, sizeof name, "%s-labels-idx1-ubyte", part[i]);
        scratch_put(name, labels, sizeof labels);
    }
}

static gan_settings *bars_settings(const char *const (*more)[2]) {
    const tiny_pairs pairs = {{"model", "mlp"},
                              {"generator.rate", "0.001"},
                              {"discriminator.rate", "0.001"},
                              {"model.generator_features", "64"},
                              {"model.discriminator_features", "64"},
                              {"batch", "32"},
                              {"generator.average", "0.9"}};
    gan_settings *s = tiny_settings(scratch("."), &pairs);
    for (; more && (*more)[0]; more++) expect_ok(gan_settings_set(s, (*more)[0], (*more)[1], NULL));
    return s;
}

static gan_score score_of(const char *name, const gan_agreement_options *o) {
    gan_score score;
    gan_device *device = tiny_device(1);
    expect_ok(gan_score_checkpoint(&score, tiny_checkpoint(name), device, o));
    gan_device_close(device);
    return score;
}

/* What is trained is nearer, what is real nearest. */
static void training_comes_nearer(void **state) {
    (void)state;
    labelled_bars();
    gan_settings *s = bars_settings(NULL);
    tiny_run(s, "before", 1, 1, false);
    tiny_run(s, "after", 300, 1, false);
    const gan_agreement_options o = {.count = COUNT, .classifier = scratch("c.safetensors")};
    const gan_score before = score_of("before", &o), after = score_of("after", &o);
    print_message("after a step %.3f, trained %.3f, real %.3g; %.3f recognised\n", before.distance,
                  after.distance, after.own, after.accuracy);
    assert_true(after.accuracy > 0.95);
    assert_true(before.own >= 0 && before.own < 1e-3); /* the same images */
    assert_true(after.distance > 10 * after.own && after.distance < 0.7 * before.distance);
    assert_true(before.hash == after.hash);
    assert_int_equal(after.samples, COUNT);
    assert_int_equal(after.examples, COUNT);
    assert_int_equal(after.classes, 2);
    assert_true(fabs(after.each[0] + after.each[1] - 1) < 1e-9);

    /* The same noise, the same number; other noise, another. */
    const uint64_t seed = 9;
    const gan_score again = score_of("after", &o);
    const gan_score other = score_of(
        "after",
        &(gan_agreement_options){.count = COUNT, .classifier = o.classifier, .seed = &seed});
    assert_true(again.distance >= after.distance && again.distance <= after.distance);
    assert_true(fabs(other.distance - after.distance) > 0);
    gan_settings_destroy(s);
}

/* A run on a few examples is compared with all of them. */
static void a_part_is_compared_with_the_whole(void **state) {
    (void)state;
    labelled_bars();
    gan_settings *s = bars_settings((const char *const[][2]){{"data.count", "40"}, {NULL, NULL}});
    tiny_run(s, "few", 1, 1, false);
    const gan_score score = score_of("few", &(gan_agreement_options){.count = COUNT});
    assert_int_equal(score.examples, COUNT);
    assert_true(score.own < 1e-3);
    gan_settings_destroy(s);
}

static void what_is_no_image_of_noise_is_refused(void **state) {
    (void)state;
    gan_settings *s;
    gan_score score;
    gan_device *device = tiny_device(1);
    expect_ok(gan_settings_create(&s));
    expect_ok(gan_settings_set(s, "data", "ring8", NULL));
    expect_ok(gan_settings_set(s, "model", "toy", NULL));
    tiny_run(s, "points", 1, 1, false);
    expect_failure(gan_score_checkpoint(&score, tiny_checkpoint("points"), device, NULL),
                   GAN_ERROR_ARGUMENT, "makes points");
    gan_settings_destroy(s);

    tiny_images("unlabelled", 64, SIDE);
    s = tiny_settings(scratch("unlabelled"), NULL);
    tiny_run(s, "plain", 1, 1, false);
    expect_failure(gan_score_checkpoint(&score, tiny_checkpoint("plain"), device, NULL),
                   GAN_ERROR_ARGUMENT, "without labels");
    gan_settings_destroy(s);

    tiny_images("small", 64, 8);
    s = tiny_settings(scratch("small"), NULL);
    tiny_run(s, "small-run", 1, 1, false);
    gan_settings_destroy(s);
    labelled_bars();
    char folder[512];
    snprintf(folder, sizeof folder, "%s", scratch("."));
    expect_failure(gan_score_checkpoint(&score, tiny_checkpoint("small-run"), device,
                                        &(gan_agreement_options){.data = folder}),
                   GAN_ERROR_SHAPE, "8x8x1", "12x12x1");
    expect_failure(gan_score_checkpoint(&score, tiny_checkpoint("small-run"), device,
                                        &(gan_agreement_options){.classifier = "none/such.st"}),
                   GAN_ERROR_IO, "none/such.st: cannot write");
    expect_failure(gan_score_checkpoint(&score, tiny_checkpoint("small-run"), device,
                                        &(gan_agreement_options){.data = "ring8"}),
                   GAN_ERROR_ARGUMENT, "'ring8' is made on the fly");
    gan_device_close(device);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(training_comes_nearer),
        TEST(a_part_is_compared_with_the_whole),
        TEST(what_is_no_image_of_noise_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
