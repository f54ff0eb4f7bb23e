/* Class agreement on Fashion-MNIST, as a person would train for it: AC-GAN and projection, each
 * over three seeds, are recognised by a classifier that was trained apart; and D taught by 100
 * labels and 60,000 images is better than the same network taught by the 100 labels alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/data.h"
#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

enum { SEEDS = 3 };

static const char *trained(const char *preset, int seed) {
    char name[64], number[16], path[96];
    snprintf(name, sizeof name, "%s-%d", preset, seed);
    snprintf(number, sizeof number, "%d", seed);
    command_done(ARGS("train", preset, "--out", name, "--seed", number, "--device", "cpu", "--set",
                      "sample.every=0"));
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", name);
    return scratch(path);
}

static gan_device *open_device(void) {
    gan_device *device;
    expect_ok(gan_device_open(&device, "cpu", NULL));
    return device;
}

static void check(const char *preset) {
    gan_device *device = open_device();
    char classifier[512];
    snprintf(classifier, sizeof classifier, "%s", scratch("classifier.safetensors"));
    for (int seed = 1; seed <= SEEDS; seed++) {
        gan_agreement a;
        expect_ok(gan_agreement_checkpoint(&a, trained(preset, seed), device,
                                           &(gan_agreement_options){.classifier = classifier}));
        print_message("%s, seed %d: %.4f; the classifier %.4f\n", preset, seed, a.agreement,
                      a.accuracy);
        assert_true(a.accuracy >= 0.88);
        assert_true(a.agreement >= 0.85);
    }
    gan_device_close(device);
}

static void ac_gan(void **state) {
    (void)state;
    check("fashion-acgan");
}

static void projection(void **state) {
    (void)state;
    check("fashion-projection");
}

static void images_without_labels_help(void **state) {
    (void)state;
    gan_device *device = open_device();
    double with = 0, alone = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
        gan_recognition r;
        expect_ok(
            gan_recognition_checkpoint(&r, trained("fashion-semi", seed), device, NULL, true));
        print_message("seed %d: error %.4f, alone %.4f\n", seed, r.error, r.alone);
        with += r.error / SEEDS;
        alone += r.alone / SEEDS;
    }
    assert_true(with < alone);
    gan_device_close(device);
}

int main(void) {
    gan_dataset *set;
    if (gan_dataset_open(&set, "fashion-mnist", NULL) != GAN_OK) {
        printf("skipped: %s\n", gan_last_error());
        return 77;
    }
    gan_dataset_destroy(set);
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(ac_gan),
        TEST(projection),
        TEST(images_without_labels_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
