/* The classifier that judges samples, and the matching that names clusters. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/io.h"
#include "ganc/metric.h"
#include "support/scratch.h"
#include "support/tiny.h"

enum { SIDE = 12, CLASSES = 3, COUNT = 240, PIXELS = SIDE * SIDE };

static uint64_t seed_now = 1;

static int chance(int n) {
    seed_now = seed_now * 6364136223846793005u + 1442695040888963407u;
    return (int)((seed_now >> 33) % (uint64_t)n);
}

/* A bright bar that lies, stands, or slopes, anywhere, in noise. */
static gan_dataset bars(uint64_t seed) {
    gan_dataset d = {.name = "bars",
                     .images = malloc(COUNT * PIXELS),
                     .count = COUNT,
                     .height = SIDE,
                     .width = SIDE,
                     .channels = 1,
                     .labels = malloc(COUNT * sizeof(int32_t)),
                     .classes = CLASSES};
    assert_non_null(d.images);
    assert_non_null(d.labels);
    seed_now = seed;
    for (int i = 0; i < COUNT; i++) {
        uint8_t *image = d.images + i * PIXELS;
        const int class = chance(CLASSES), at = 1 + chance(SIDE - 2);
        d.labels[i] = class;
        for (int j = 0; j < PIXELS; j++) image[j] = (uint8_t)chance(60);
        for (int j = 0; j < SIDE; j++) {
            const int row = class == 0 ? at : j;
            const int column = class == 0 ? j : class == 1 ? at : (at + j) % SIDE;
            image[row * SIDE + column] = (uint8_t)(180 + chance(60));
        }
    }
    return d;
}

static void free_bars(gan_dataset *d) {
    free(d->images);
    free(d->labels);
}

static double accuracy(gan_classifier *c, const gan_dataset *d) {
    double a;
    expect_ok(gan_classifier_accuracy(&a, c, d));
    return a;
}

static void it_learns_what_it_is_shown(void **state) {
    (void)state;
    gan_device *device = tiny_device(2);
    gan_dataset train = bars(1), test = bars(2);
    const gan_classifier_options options = {.updates = 150, .batch = 32, .rate = 0.003, .seed = 4};
    gan_classifier *c, *again, *untaught;
    expect_ok(gan_classifier_train(&c, device, &train, &options));
    assert_int_equal(gan_classifier_classes(c), CLASSES);
    const double a = accuracy(c, &test);
    if (!(a >= 0.95)) fail_msg("accuracy %g", a);
    expect_ok(gan_classifier_train(&untaught, device, &train,
                                   &(gan_classifier_options){.updates = 1, .rate = 1e-9}));
    const double b = accuracy(untaught, &test);
    if (!(b < 0.7)) fail_msg("accuracy before it learns: %g", b);

    /* Whatever range the pixels are given in; each named alone, as the whole set is. */
    float *x = malloc(COUNT * PIXELS * sizeof *x);
    int32_t *named = malloc(COUNT * sizeof *named);
    for (int i = 0; i < COUNT * PIXELS; i++) x[i] = (float)(test.images[i] / 127.5 - 3);
    expect_ok(gan_classifier_classify(c, named, x, COUNT, -3, -1));
    int right = 0;
    for (int i = 0; i < COUNT; i++) right += named[i] == test.labels[i];
    assert_true(fabs(right / (double)COUNT - a) < 1e-12);

    /* Whoever sees a class sees it in its features: those of a class are nearer to their own mean.
     */
    float *seen = malloc(COUNT * GAN_CLASSIFIER_FEATURES * sizeof *seen);
    assert_non_null(seen);
    expect_ok(gan_classifier_features(c, seen, x, COUNT, -3, -1));
    double mean[CLASSES][GAN_CLASSIFIER_FEATURES] = {{0}};
    int of[CLASSES] = {0}, nearer = 0;
    for (int i = 0; i < COUNT; i++) {
        of[test.labels[i]]++;
        for (int j = 0; j < GAN_CLASSIFIER_FEATURES; j++)
            mean[test.labels[i]][j] += (double)seen[i * GAN_CLASSIFIER_FEATURES + j];
    }
    for (int i = 0; i < COUNT; i++) {
        double least = INFINITY;
        int best = -1;
        for (int k = 0; k < CLASSES; k++) {
            double sum = 0;
            for (int j = 0; j < GAN_CLASSIFIER_FEATURES; j++) {
                const double off =
                    (double)seen[i * GAN_CLASSIFIER_FEATURES + j] - mean[k][j] / of[k];
                sum += off * off;
            }
            if (sum < least) least = sum, best = k;
        }
        nearer += best == test.labels[i];
    }
    assert_true(nearer >= 0.9 * COUNT);
    free(seen);
    free(x);
    free(named);

    /* Equal seeds, equal weights; others, others. */
    uint64_t hash[3];
    expect_ok(gan_classifier_train(&again, device, &train, &options));
    expect_ok(gan_classifier_hash(&hash[0], c));
    expect_ok(gan_classifier_hash(&hash[1], again));
    expect_ok(gan_classifier_hash(&hash[2], untaught));
    assert_true(hash[0] == hash[1] && hash[0] != hash[2]);
    gan_classifier_close(again);
    gan_classifier_close(untaught);
    gan_classifier_close(c);
    free_bars(&train);
    free_bars(&test);
    gan_device_close(device);
}

static void a_file_keeps_it(void **state) {
    (void)state;
    gan_device *device = tiny_device(2);
    gan_dataset train = bars(1);
    gan_classifier *c, *read;
    uint64_t before, after;
    expect_ok(gan_classifier_train(&c, device, &train, &(gan_classifier_options){.updates = 5}));
    expect_ok(gan_classifier_save(c, scratch("c.safetensors")));
    expect_ok(gan_classifier_load(&read, device, scratch("c.safetensors")));
    expect_ok(gan_classifier_hash(&before, c));
    expect_ok(gan_classifier_hash(&after, read));
    assert_true(before == after);
    assert_true(fabs(accuracy(c, &train) - accuracy(read, &train)) < 1e-12);
    gan_classifier_close(read);
    gan_classifier_close(c);

    expect_failure(gan_classifier_load(&read, device, scratch("none")), GAN_ERROR_IO, "none");
    gan_safetensors_writer *file;
    expect_ok(gan_safetensors_create(&file, scratch("other"), NULL, 0, NULL, 0));
    expect_ok(gan_safetensors_finish(file));
    expect_failure(gan_classifier_load(&read, device, scratch("other")), GAN_ERROR_FORMAT,
                   "expected ganc-classifier-1");
    free_bars(&train);
    gan_device_close(device);
}

/* The few are as many of each class, and the first. */
static void few_examples_are_balanced(void **state) {
    (void)state;
    gan_dataset d = bars(3);
    int32_t index[10];
    int of[CLASSES] = {0}, before[CLASSES] = {0};
    expect_ok(gan_dataset_balanced(index, &d, 10));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(d.labels[index[i]], i % CLASSES);
        of[d.labels[index[i]]]++;
    }
    for (int i = 0; i <= index[9]; i++) before[d.labels[i]]++;
    assert_int_equal(before[0], of[0]); /* the tenth is the fourth of class 0 in the set */
    static int32_t all[COUNT + 1];
    expect_ok(gan_dataset_balanced(all, &d, COUNT));
    bool seen[COUNT] = {0};
    for (int i = 0; i < COUNT; i++) seen[all[i]] = true;
    for (int i = 0; i < COUNT; i++) assert_true(seen[i]);
    expect_failure(gan_dataset_balanced(all, &d, COUNT + 1), GAN_ERROR_ARGUMENT, "but there are");
    free_bars(&d);
}

static void refusals(void **state) {
    (void)state;
    gan_device *device = tiny_device(2);
    gan_dataset d = bars(3);
    gan_classifier *c;
    int32_t *labels = d.labels;
    d.labels = NULL;
    expect_failure(gan_classifier_train(&c, device, &d, NULL), GAN_ERROR_ARGUMENT,
                   "without labels");
    d.labels = labels;
    expect_ok(gan_classifier_train(&c, device, &d, &(gan_classifier_options){.updates = 1}));
    gan_dataset other = d;
    other.width = 2 * SIDE, other.count = 1;
    double a;
    expect_failure(gan_classifier_accuracy(&a, c, &other), GAN_ERROR_ARGUMENT, "12x12x1",
                   "12x24x1");
    int32_t named;
    const float x = 0;
    expect_failure(gan_classifier_classify(c, &named, &x, 0, 0, 1), GAN_ERROR_ARGUMENT, "0 images");
    gan_classifier_close(c);
    d.height = 4;
    expect_failure(gan_classifier_train(&c, device, &d, NULL), GAN_ERROR_ARGUMENT, "8x8");
    assert_null(c);
    free_bars(&d);
    gan_device_close(device);
}

/* ---- matching ---- */

/* The best sum over all permutations of rows from `row` on. */
static int64_t best(const int64_t *table, int64_t n, int64_t row, unsigned taken) {
    int64_t most = row == n ? 0 : INT64_MIN;
    for (int64_t j = 0; row < n && j < n; j++) {
        if (taken & 1u << j) continue;
        const int64_t sum = table[row * n + j] + best(table, n, row + 1, taken | 1u << j);
        if (sum > most) most = sum;
    }
    return most;
}

static void the_best_matching_is_found(void **state) {
    (void)state;
    seed_now = 5;
    for (int trial = 0; trial < 300; trial++) {
        const int64_t n = 1 + trial % 7;
        const int values = trial % 3 ? 100 : 3; /* with ties */
        int64_t table[49], column[7], total, sum = 0;
        unsigned taken = 0;
        for (int64_t i = 0; i < n * n; i++) table[i] = chance(values);
        expect_ok(gan_metric_matching(column, &total, table, n));
        for (int64_t i = 0; i < n; i++) {
            assert_in_range(column[i], 0, n - 1);
            taken |= 1u << column[i];
            sum += table[i * n + column[i]];
        }
        assert_int_equal(taken, (1u << n) - 1);
        assert_int_equal(sum, total);
        assert_int_equal(total, best(table, n, 0, 0));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_learns_what_it_is_shown),
        cmocka_unit_test_setup_teardown(a_file_keeps_it, scratch_setup, scratch_teardown),
        cmocka_unit_test(few_examples_are_balanced),
        cmocka_unit_test(refusals),
        cmocka_unit_test(the_best_matching_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
