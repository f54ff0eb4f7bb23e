/* Classes of Fashion-MNIST, as a person would train for them, the mean of three seeds each: samples
 * of AC-GAN and projection are recognised by a classifier that was trained apart; so are InfoGAN's,
 * as the class that goes best with their code; and D taught by 100 labels and 60,000 images is
 * better than the same network taught by the 100 labels alone. */
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

/* ---- samples of a class ---- */

typedef struct claim {
    const char *preset;
    int steps;
    double least; /* the share recognised */
} claim;

static void check(const claim *c, gan_device *device, const char *classifier) {
    double mean = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
        gan_agreement a;
        expect_ok(gan_agreement_checkpoint(&a, tiny_preset(c->preset, seed, c->steps, NULL), device,
                                           &(gan_agreement_options){.classifier = classifier}));
        print_message("%s, seed %d: %.4f; the classifier %.4f\n", c->preset, seed, a.agreement,
                      a.accuracy);
        assert_true(a.accuracy >= 0.88);
        mean += a.agreement / SEEDS;
    }
    if (!(mean >= c->least)) fail_msg("%s: %.4f, expected %.2f", c->preset, mean, c->least);
}

/* One test, for the classifier is in the scratch folder, which is a test's own. */
static void samples_are_of_their_class(void **state) {
    (void)state;
    static const claim claims[] = {
        {"fashion-acgan", 1000, 0.85},
        {"fashion-projection", 1500, 0.85},
        {"fashion-infogan", 1000, 0.5}, /* by chance: about a quarter */
    };
    char classifier[512];
    gan_device *device = tiny_device(0);
    snprintf(classifier, sizeof classifier, "%s", scratch("classifier.safetensors"));
    for (size_t i = 0; i < sizeof claims / sizeof *claims; i++)
        check(&claims[i], device, classifier);
    gan_device_close(device);
}

/* ---- classes that D tells ---- */

static void images_without_labels_help(void **state) {
    (void)state;
    gan_device *device = tiny_device(0);
    double with = 0, alone = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
        gan_recognition r;
        expect_ok(gan_recognition_checkpoint(&r, tiny_preset("fashion-semi", seed, 1500, NULL),
                                             device, &(gan_recognition_options){.alone = true}));
        print_message("seed %d: error %.4f, alone %.4f\n", seed, r.error, r.alone);
        with += r.error / SEEDS;
        alone += r.alone / SEEDS;
    }
    if (!(with < alone - 0.02)) fail_msg("error %.4f, alone %.4f", with, alone);
    gan_device_close(device);
}

int main(void) {
    if (tiny_without_fashion()) return 77;
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(samples_are_of_their_class),
        TEST(images_without_labels_help),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
