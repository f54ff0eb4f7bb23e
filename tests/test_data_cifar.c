/* CIFAR's binary files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "ganc/data.h"
#include "ganc/io.h"
#include "support/scratch.h"

enum { SIDE = 32, PIXELS = SIDE * SIDE };

/* The byte of a channel of a pixel of record n. */
static uint8_t value(int n, int c, int pixel) { return (uint8_t)(pixel * 3 + c * 101 + n * 17); }

/* Records first … first + count - 1: label n mod 10, or coarse n mod 20 and fine n mod 100. */
static void put_records(const char *name, int labels, int first, int count) {
    const size_t record = (size_t)labels + 3 * PIXELS;
    uint8_t *bytes = malloc(record * (size_t)count);
    assert_non_null(bytes);
    for (int n = first; n < first + count; n++) {
        uint8_t *to = bytes + record * (size_t)(n - first);
        to[0] = (uint8_t)(n % (labels == 1 ? 10 : 20));
        if (labels == 2) to[1] = (uint8_t)(n % 100);
        for (int c = 0; c < 3; c++)
            for (int i = 0; i < PIXELS; i++) to[labels + c * PIXELS + i] = value(n, c, i);
    }
    scratch_put(name, bytes, record * (size_t)count);
    free(bytes);
}

static void expect_records(const gan_dataset *d, int classes, int first, int count) {
    assert_int_equal(d->count, count);
    assert_int_equal(d->height, SIDE);
    assert_int_equal(d->width, SIDE);
    assert_int_equal(d->channels, 3);
    assert_int_equal(d->classes, classes);
    for (int k = 0; k < count; k++) {
        const int n = first + k;
        assert_int_equal(d->labels[k], n % classes);
        for (int i = 0; i < PIXELS; i++)
            for (int c = 0; c < 3; c++)
                assert_int_equal(d->images[(k * PIXELS + i) * 3 + c], value(n, c, i));
    }
}

static void put_cifar10(const char *folder, int batches) {
    char name[64];
    expect_ok(gan_file_make_directory(scratch(folder)));
    for (int b = 1; b <= batches; b++) {
        snprintf(name, sizeof name, "%s/data_batch_%d.bin", folder, b);
        put_records(name, 1, 4 * (b - 1), 4);
    }
    snprintf(name, sizeof name, "%s/test_batch.bin", folder);
    put_records(name, 1, 50, 3);
    snprintf(name, sizeof name, "%s/batches.meta.txt", folder);
    scratch_put(name, "airplane\n", 9);
}

static void ten_classes(void **state) {
    (void)state;
    gan_dataset *d;
    put_cifar10("shelf/cifar-10", 5);
    expect_ok(gan_dataset_open(&d, scratch("shelf/cifar-10"), NULL));
    expect_records(d, 10, 0, 20);
    gan_dataset_destroy(d);
    gan_dataset_options options = {.split = GAN_SPLIT_TEST};
    expect_ok(gan_dataset_open(&d, scratch("shelf/cifar-10"), &options));
    expect_records(d, 10, 50, 3);
    gan_dataset_destroy(d);
    const char *folders[] = {scratch("shelf")};
    options = (gan_dataset_options){.folders = folders, .folder_count = 1};
    expect_ok(gan_dataset_open(&d, "cifar-10", &options));
    expect_records(d, 10, 0, 20);
    gan_dataset_destroy(d);
}

static void a_hundred_classes(void **state) {
    (void)state;
    gan_dataset *d;
    expect_ok(gan_file_make_directory(scratch("set")));
    put_records("set/train.bin", 2, 90, 20);
    put_records("set/test.bin", 2, 7, 2);
    expect_ok(gan_dataset_open(&d, scratch("set"), NULL));
    expect_records(d, 100, 90, 20);
    gan_dataset_destroy(d);
    expect_ok(
        gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.split = GAN_SPLIT_TEST}));
    expect_records(d, 100, 7, 2);
    gan_dataset_destroy(d);
}

static void single_files(void **state) {
    (void)state;
    gan_dataset *d;
    put_records("one.bin", 1, 3, 2);
    expect_ok(gan_dataset_open(&d, scratch("one.bin"), NULL));
    expect_records(d, 10, 3, 2);
    gan_dataset_destroy(d);
    put_records("two.bin", 2, 30, 5);
    expect_ok(gan_dataset_open(&d, scratch("two.bin"), NULL));
    expect_records(d, 100, 30, 5);
    gan_dataset_destroy(d);
    put_records("one.bin", 1, 0, 1);
    expect_ok(
        gan_dataset_open(&d, scratch("one.bin"), &(gan_dataset_options){.size = 8, .channels = 1}));
    assert_int_equal(d->height, 8);
    assert_int_equal(d->channels, 1);
    gan_dataset_destroy(d);
}

/* As many bytes as whole records of either kind: the labels decide. */
static void either_size(void **state) {
    (void)state;
    gan_dataset *d;
    put_records("big.bin", 1, 0, 3074);
    expect_ok(gan_dataset_open(&d, scratch("big.bin"), NULL));
    assert_int_equal(d->count, 3074);
    assert_int_equal(d->classes, 10);
    assert_int_equal(d->labels[3073], 3);
    gan_dataset_destroy(d);
    put_records("big.bin", 2, 0, 3073);
    expect_ok(gan_dataset_open(&d, scratch("big.bin"), NULL));
    assert_int_equal(d->count, 3073);
    assert_int_equal(d->classes, 100);
    assert_int_equal(d->labels[3072], 72);
    gan_dataset_destroy(d);
}

#define EXPECT_REFUSED(name, status, ...)                                                          \
    do {                                                                                           \
        gan_dataset *d_;                                                                           \
        expect_failure(gan_dataset_open(&d_, scratch(name), NULL), status, __VA_ARGS__);           \
        assert_null(d_);                                                                           \
    } while (0)

static void damaged(void **state) {
    (void)state;
    scratch_put("a.bin", "", 0);
    EXPECT_REFUSED("a.bin", GAN_ERROR_FORMAT, "/a.bin: is empty");
    scratch_put("a.bin", "some text", 9);
    EXPECT_REFUSED("a.bin", GAN_ERROR_FORMAT, "/a.bin: has 9 bytes, expected a whole number",
                   "3073 (CIFAR-10) or 3074 (CIFAR-100)");
    put_cifar10("set", 2);
    size_t size;
    unsigned char *bytes = scratch_get("set/data_batch_2.bin", &size);
    scratch_put("set/data_batch_2.bin", bytes, size - 1);
    EXPECT_REFUSED("set", GAN_ERROR_FORMAT,
                   "/set/data_batch_2.bin: has 12291 bytes, expected a whole number of 3073");
    bytes[2 * 3073] = 10;
    scratch_put("set/data_batch_2.bin", bytes, size);
    EXPECT_REFUSED("set", GAN_ERROR_FORMAT,
                   "/set/data_batch_2.bin: label 10 of record 2, expected 0 to 9");
    free(bytes);
    put_cifar10("set", 3);
    unlink(scratch("set/data_batch_2.bin"));
    EXPECT_REFUSED("set", GAN_ERROR_IO, "/set/data_batch_2.bin: cannot open: No such file");

    put_records("set100.bin", 2, 0, 2);
    bytes = scratch_get("set100.bin", &size);
    bytes[3074 + 1] = 100;
    scratch_put("set100.bin", bytes, size);
    EXPECT_REFUSED("set100.bin", GAN_ERROR_FORMAT,
                   "/set100.bin: label 100 of record 1, expected 0 to 99");
    bytes[0] = 20;
    scratch_put("set100.bin", bytes, size);
    EXPECT_REFUSED("set100.bin", GAN_ERROR_FORMAT,
                   "/set100.bin: label 20 of record 0, expected 0 to 19");
    free(bytes);
    put_cifar10("only", 0);
    EXPECT_REFUSED("only", GAN_ERROR_IO, "/only/data_batch_1.bin: cannot open");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(ten_classes), TEST(a_hundred_classes), TEST(single_files),
        TEST(either_size), TEST(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
