#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/data.h"
#include "ganc/io.h"
#include "support/scratch.h"

/* An IDX file whose elements are first, first + 1, ... */
static void put_idx(const char *name, int rank, const uint32_t *dims, int first) {
    uint8_t bytes[4096] = {0, 0, 8, (uint8_t)rank};
    size_t size = 4, elements = 1;
    for (int i = 0; i < rank; i++) {
        for (int b = 24; b >= 0; b -= 8) bytes[size++] = (uint8_t)(dims[i] >> b);
        elements *= dims[i];
    }
    assert_true(size + elements <= sizeof bytes);
    for (size_t i = 0; i < elements; i++) bytes[size++] = (uint8_t)((size_t)first + i);
    scratch_put(name, bytes, size);
}

static void put_set(const char *folder, uint32_t train, uint32_t test) {
    char name[128];
    expect_ok(gan_file_make_directory(scratch(folder)));
    for (int t = 0; t < 2; t++) {
        const uint32_t count = t ? test : train;
        snprintf(name, sizeof name, "%s/%s-images-idx3-ubyte", folder, t ? "t10k" : "train");
        put_idx(name, 3, (uint32_t[]){count, 2, 3}, t ? 100 : 0);
        snprintf(name, sizeof name, "%s/%s-labels-idx1-ubyte", folder, t ? "t10k" : "train");
        put_idx(name, 1, (uint32_t[]){count}, t ? 1 : 0);
    }
}

static void folder_of_four_files(void **state) {
    (void)state;
    put_set("set", 4, 2);
    gan_dataset *d;
    expect_ok(gan_dataset_open(&d, scratch("set"), NULL));
    assert_int_equal(d->count, 4);
    assert_int_equal(d->height, 2);
    assert_int_equal(d->width, 3);
    assert_int_equal(d->channels, 1);
    assert_int_equal(d->classes, 4);
    for (int i = 0; i < 24; i++) assert_int_equal(d->images[i], i);
    for (int i = 0; i < 4; i++) assert_int_equal(d->labels[i], i);
    gan_dataset_destroy(d);
    expect_ok(
        gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.split = GAN_SPLIT_TEST}));
    assert_int_equal(d->count, 2);
    assert_int_equal(d->images[0], 100);
    assert_int_equal(d->labels[1], 2);
    gan_dataset_destroy(d);
}

static void by_name_in_folders(void **state) {
    (void)state;
    put_set("shelf/mnist", 3, 1);
    const char *folders[] = {scratch("absent"), scratch("shelf")};
    const gan_dataset_options options = {.folders = folders, .folder_count = 2};
    gan_dataset *d;
    expect_ok(gan_dataset_open(&d, "mnist", &options));
    assert_string_equal(d->name, "mnist");
    assert_int_equal(d->count, 3);
    assert_int_equal(d->classes, 10);
    gan_dataset_destroy(d);
}

static void single_files(void **state) {
    (void)state;
    put_idx("my-images-idx3-ubyte", 3, (uint32_t[]){2, 3, 3}, 5);
    gan_dataset *d;
    expect_ok(gan_dataset_open(&d, scratch("my-images-idx3-ubyte"), NULL));
    assert_null(d->labels);
    assert_int_equal(d->classes, 0);
    assert_int_equal(d->images[17], 22);
    gan_dataset_destroy(d);
    put_idx("my-labels-idx1-ubyte", 1, (uint32_t[]){2}, 6);
    expect_ok(gan_dataset_open(&d, scratch("my-images-idx3-ubyte"), NULL));
    assert_non_null(d->labels);
    assert_int_equal(d->labels[1], 7);
    assert_int_equal(d->classes, 8);
    gan_dataset_destroy(d);
    put_idx("rgb", 4, (uint32_t[]){2, 4, 5, 3}, 0);
    expect_ok(gan_dataset_open(&d, scratch("rgb"), NULL));
    assert_int_equal(d->height, 4);
    assert_int_equal(d->width, 5);
    assert_int_equal(d->channels, 3);
    gan_dataset_destroy(d);
}

static void bad_sets(void **state) {
    (void)state;
    gan_dataset *d;
    put_idx("a-images-idx3", 3, (uint32_t[]){2, 3, 3}, 0);
    put_idx("a-labels-idx1", 1, (uint32_t[]){3}, 0);
    expect_failure(gan_dataset_open(&d, scratch("a-images-idx3"), NULL), GAN_ERROR_FORMAT,
                   "/a-labels-idx1: has 3 labels for the 2 images of ", "/a-images-idx3");
    assert_null(d);
    put_idx("a-labels-idx1", 3, (uint32_t[]){2, 1, 1}, 0);
    expect_failure(gan_dataset_open(&d, scratch("a-images-idx3"), NULL), GAN_ERROR_FORMAT,
                   "/a-labels-idx1: has 3 dimensions, expected 1 (labels)");
    put_idx("labels", 1, (uint32_t[]){2}, 0);
    expect_failure(gan_dataset_open(&d, scratch("labels"), NULL), GAN_ERROR_FORMAT,
                   "/labels: ", "expected 3 or 4 (images)");
    put_idx("empty", 3, (uint32_t[]){0, 28, 28}, 0);
    expect_failure(gan_dataset_open(&d, scratch("empty"), NULL), GAN_ERROR_FORMAT,
                   "/empty: is empty");
    put_idx("two", 4, (uint32_t[]){1, 2, 2, 2}, 0);
    expect_failure(gan_dataset_open(&d, scratch("two"), NULL), GAN_ERROR_FORMAT,
                   "/two: images have 2 channels, expected 1 or 3");

    expect_ok(gan_file_make_directory(scratch("nothing")));
    expect_failure(gan_dataset_open(&d, scratch("nothing"), NULL), GAN_ERROR_IO,
                   "/nothing: has no pictures", "train-images-idx3-ubyte", "data_batch_1.bin");
    put_set("shelf/mnist", 3, 1);
    put_idx("shelf/mnist/train-labels-idx1-ubyte", 1, (uint32_t[]){3}, 8);
    const char *folders[] = {scratch("shelf")};
    const gan_dataset_options options = {.folders = folders, .folder_count = 1};
    expect_failure(gan_dataset_open(&d, "mnist", &options), GAN_ERROR_FORMAT,
                   "train-labels-idx1-ubyte: ", "label 10 of image 2, expected 0 to 9");
}

static void unknown_names(void **state) {
    (void)state;
    gan_dataset *d;
    expect_failure(gan_dataset_open(&d, "fasion-mnist", NULL), GAN_ERROR_ARGUMENT,
                   "fasion-mnist: ", "did you mean 'fashion-mnist'?");
    expect_failure(gan_dataset_open(&d, scratch("no/such"), NULL), GAN_ERROR_ARGUMENT,
                   "/no/such: ", "fashion-mnist, mnist, cifar-10, cifar-100 or a path");
    assert_string_equal(gan_dataset_known(0), "fashion-mnist");
    assert_string_equal(gan_dataset_known(3), "cifar-100");
    assert_null(gan_dataset_known(4));
    if (!gan_file_exists("/usr/share/datasets/mnist") && !gan_file_exists("mnist"))
        expect_failure(gan_dataset_open(&d, "mnist", NULL), GAN_ERROR_IO, "'mnist'",
                       "give the path");
}

static void bad_options(void **state) {
    (void)state;
    gan_dataset *d;
    put_set("set", 4, 2);
    expect_failure(gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.size = -1}),
                   GAN_ERROR_ARGUMENT, "image size -1, expected 1 to 4096");
    expect_failure(gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.channels = 2}),
                   GAN_ERROR_ARGUMENT, "2 channels, expected 1 or 3");
    expect_failure(gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.width = 4097}),
                   GAN_ERROR_ARGUMENT, "image size 4097, expected 1 to 4096");
    expect_failure(gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.width = 8}),
                   GAN_ERROR_ARGUMENT, "image width 8 without a size");
    expect_failure(gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.border = 256}),
                   GAN_ERROR_ARGUMENT, "border 256, expected 0 to 255");
    expect_ok(gan_dataset_open(&d, scratch("set"), &(gan_dataset_options){.size = 4, .width = 5}));
    assert_int_equal(d->height, 4);
    assert_int_equal(d->width, 5);
    gan_dataset_destroy(d);
}

/* The real set, where the package is installed. */
static void fashion_mnist(void **state) {
    (void)state;
    gan_dataset *d;
    if (!gan_file_exists("/usr/share/datasets/fashion-mnist")) {
        expect_failure(gan_dataset_open(&d, "fashion-mnist", NULL), GAN_ERROR_IO,
                       "install the package dataset-fashion-mnist", "give the path");
        skip();
    }
    for (int test = 0; test < 2; test++) {
        const gan_dataset_options options = {.split = test ? GAN_SPLIT_TEST : GAN_SPLIT_TRAIN,
                                             .size = 32};
        expect_ok(gan_dataset_open(&d, "fashion-mnist", &options));
        const int64_t count = test ? 10000 : 60000;
        assert_int_equal(d->count, count);
        assert_int_equal(d->height, 32);
        assert_int_equal(d->width, 32);
        assert_int_equal(d->channels, 1);
        assert_int_equal(d->classes, 10);
        int64_t of[10] = {0};
        double sum = 0;
        for (int64_t i = 0; i < count; i++) of[d->labels[i]]++;
        for (int64_t i = 0; i < count * 32 * 32; i++) sum += d->images[i];
        for (int i = 0; i < 10; i++) assert_int_equal(of[i], count / 10);
        /* The set's published mean is 0.286 at 28x28. */
        const double mean = sum / (double)(count * 28 * 28) / 255;
        assert_true(mean > 0.284 && mean < 0.289);
        gan_dataset_destroy(d);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(folder_of_four_files), TEST(by_name_in_folders), TEST(single_files),  TEST(bad_sets),
        TEST(unknown_names),        TEST(bad_options),        TEST(fashion_mnist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
