/* Folders of pictures. */
#define _XOPEN_SOURCE 700 /* symlink */

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <png.h>

#include "data/files.h"
#include "ganc/data.h"
#include "ganc/io.h"
#include "support/pictures.h"
#include "support/scratch.h"

static void folder(const char *name) { expect_ok(gan_file_make_directory(scratch(name))); }

static gan_dataset *open_set(const char *name, gan_dataset_options options) {
    gan_dataset *d;
    expect_ok(gan_dataset_open(&d, scratch(name), &options));
    return d;
}

#define OPEN(name, ...) open_set(name, (gan_dataset_options){__VA_ARGS__})

#define EXPECT_REFUSED(name, status, ...)                                                          \
    do {                                                                                           \
        gan_dataset *d_;                                                                           \
        expect_failure(gan_dataset_open(&d_, scratch(name), &(gan_dataset_options){.size = 4}),    \
                       status, __VA_ARGS__);                                                       \
        assert_null(d_);                                                                           \
    } while (0)

/* ---- what is in it ---- */

static void all_pictures_in_order(void **state) {
    (void)state;
    folder("set/b");
    folder("set/.hidden");
    put_plain_png("set/z.png", 2, 3, 1, 5);
    put_plain_png("set/A.PNG", 2, 3, 1, 1);
    put_plain_png("set/a.png", 2, 3, 1, 4);
    put_plain_png("set/b/a.png", 2, 3, 1, 2);
    put_plain_png("set/b.png", 2, 3, 1, 9);
    put_plain_png("set/.thumbnail.png", 2, 3, 1, 99);
    put_plain_png("set/.hidden/a.png", 2, 3, 1, 99);
    scratch_put("set/README", "text", 4);
    scratch_put("set/notes.txt", "text", 4);
    gan_dataset *d = OPEN("set", 0);
    assert_int_equal(d->count, 5);
    assert_int_equal(d->height, 2);
    assert_int_equal(d->width, 3);
    assert_int_equal(d->channels, 1);
    /* A.PNG, a.png, b/a.png, b.png, z.png: folders before files that begin alike */
    const uint8_t expected[] = {1, 4, 2, 9, 5};
    for (int i = 0; i < 30; i++) assert_int_equal(d->images[i], expected[i / 6]);
    assert_null(d->labels);
    assert_int_equal(d->classes, 0);
    assert_null(d->class_names);
    gan_dataset_destroy(d);
}

static void order_of_paths(void **state) {
    (void)state;
    assert_int_equal(gan_files_compare("a/z", "a-b/a"), -1);
    assert_int_equal(gan_files_compare("a.png", "a/z.png"), 1);
    assert_int_equal(gan_files_compare("a", "a/b"), -1);
    assert_int_equal(gan_files_compare("B", "a"), -1);
    assert_int_equal(gan_files_compare("\xc3\xa4", "z"), 1);
    assert_int_equal(gan_files_compare("a/b", "a/b"), 0);
}

static void folders_are_classes(void **state) {
    (void)state;
    folder("set/cat/young");
    folder("set/cat-like");
    folder("set/ant");
    folder("set/none");
    put_plain_png("set/cat/b.png", 1, 1, 1, 3);
    put_plain_png("set/cat/young/a.png", 1, 1, 1, 4);
    put_plain_png("set/cat-like/a.png", 1, 1, 1, 5);
    put_plain_png("set/ant/y.png", 1, 1, 1, 1);
    put_plain_png("set/ant/z.png", 1, 1, 1, 2);
    gan_dataset *d = OPEN("set", 0);
    assert_int_equal(d->count, 5);
    assert_int_equal(d->classes, 3);
    assert_string_equal(d->class_names[0], "ant");
    assert_string_equal(d->class_names[1], "cat");
    assert_string_equal(d->class_names[2], "cat-like");
    const int32_t labels[] = {0, 0, 1, 1, 2};
    const uint8_t values[] = {1, 2, 3, 4, 5};
    assert_memory_equal(d->labels, labels, sizeof labels);
    assert_memory_equal(d->images, values, sizeof values);
    gan_dataset_destroy(d);
    put_plain_png("set/alone.png", 1, 1, 1, 0); /* in no class: then there are none */
    d = OPEN("set", 0);
    assert_int_equal(d->count, 6);
    assert_null(d->labels);
    assert_int_equal(d->classes, 0);
    gan_dataset_destroy(d);
}

static void train_and_test(void **state) {
    (void)state;
    folder("set/train/a");
    folder("set/train/b");
    folder("set/test/a");
    put_plain_png("set/train/a/1.png", 1, 1, 1, 1);
    put_plain_png("set/train/b/1.png", 1, 1, 1, 2);
    put_plain_png("set/test/a/1.png", 1, 1, 1, 3);
    gan_dataset *d = OPEN("set", 0);
    assert_int_equal(d->count, 2);
    assert_int_equal(d->classes, 2);
    assert_int_equal(d->images[1], 2);
    gan_dataset_destroy(d);
    d = OPEN("set", .split = GAN_SPLIT_TEST);
    assert_int_equal(d->count, 1);
    assert_int_equal(d->images[0], 3);
    gan_dataset_destroy(d);
}

/* ---- sizes and colours ---- */

static void sizes(void **state) {
    (void)state;
    folder("set");
    put_plain_png("set/a.png", 30, 10, 3, 50);
    put_plain_png("set/b.png", 1, 1, 3, 60);
    put_plain_png("set/c.png", 10, 30, 3, 70);
    gan_dataset *d;
    expect_failure(gan_dataset_open(&d, scratch("set"), NULL), GAN_ERROR_FORMAT,
                   "/set/b.png: has 1x1 pixels, but a.png has 10x30", "data.size");
    assert_null(d);
    for (gan_fit fit = GAN_FIT_PAD; fit <= GAN_FIT_STRETCH; fit++) {
        d = OPEN("set", .size = 6, .width = 4, .fit = fit, .border = 200);
        assert_int_equal(d->count, 3);
        assert_int_equal(d->height, 6);
        assert_int_equal(d->width, 4);
        for (int i = 0; i < 3 * 6 * 4 * 3; i++) {
            const int value = 50 + i / 72 * 10;
            if (d->images[i] != 200) assert_int_equal(d->images[i], value);
        }
        int border[3] = {0};
        for (int i = 0; i < 3 * 72; i += 3) border[i / 72] += d->images[i] == 200;
        static const int expected[][3] = {{0, 23, 0}, {0, 0, 0}, {12, 8, 20}, {0, 0, 0}};
        for (int i = 0; i < 3; i++) assert_int_equal(border[i], expected[fit][i]);
        gan_dataset_destroy(d);
    }
}

/* A folder gives what its pictures would give as a set of equal sizes. */
static void as_a_set_of_one_size(void **state) {
    (void)state;
    enum { N = 3, H = 9, W = 11, SIZE = 5 };
    uint8_t pixels[N][H * W * 3];
    folder("set");
    for (int n = 0; n < N; n++) {
        for (int i = 0; i < H * W * 3; i++) pixels[n][i] = (uint8_t)(i * i * 7 + n * 31 + i);
        char name[32];
        snprintf(name, sizeof name, "set/%d.png", n);
        put_png(name, &(png_file){.type = PNG_COLOR_TYPE_RGB,
                                  .depth = 8,
                                  .height = H,
                                  .width = W,
                                  .rows = pixels[n],
                                  .row_bytes = W * 3});
    }
    gan_dataset *whole = OPEN("set", 0), *small = OPEN("set", .size = SIZE, .fit = GAN_FIT_RESIZE);
    assert_memory_equal(whole->images, pixels, sizeof pixels);
    expect_ok(gan_dataset_fit(whole, SIZE, SIZE, GAN_FIT_RESIZE, 0));
    assert_memory_equal(whole->images, small->images, N * SIZE * SIZE * 3);
    gan_dataset_destroy(whole);
    gan_dataset_destroy(small);
}

static void grey_among_coloured(void **state) {
    (void)state;
    folder("set");
    put_plain_png("set/a.png", 2, 2, 1, 10);
    put_plain_png("set/b.png", 2, 2, 1, 20);
    gan_dataset *d = OPEN("set", 0);
    assert_int_equal(d->channels, 1);
    gan_dataset_destroy(d);
    d = OPEN("set", .channels = 3);
    assert_int_equal(d->channels, 3);
    for (int i = 0; i < 24; i++) assert_int_equal(d->images[i], i < 12 ? 10 : 20);
    gan_dataset_destroy(d);

    const uint8_t colours[] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9};
    put_png("set/c.png", &(png_file){.type = PNG_COLOR_TYPE_RGB,
                                     .depth = 8,
                                     .height = 2,
                                     .width = 2,
                                     .rows = colours,
                                     .row_bytes = 6});
    put_plain_png("set/d.png", 2, 2, 1, 40);
    d = OPEN("set", 0); /* the first in colour is the third */
    assert_int_equal(d->channels, 3);
    for (int i = 0; i < 24; i++) assert_int_equal(d->images[i], i < 12 ? 10 : 20);
    assert_memory_equal(d->images + 24, colours, sizeof colours);
    for (int i = 36; i < 48; i++) assert_int_equal(d->images[i], 40);
    gan_dataset_destroy(d);
    d = OPEN("set", .channels = 1);
    assert_int_equal(d->channels, 1);
    const uint8_t luma[] = {10, 10, 10, 10, 20, 20, 20, 20, 76, 150, 29, 9, 40, 40, 40, 40};
    assert_memory_equal(d->images, luma, sizeof luma);
    gan_dataset_destroy(d);
}

/* ---- what is refused ---- */

static void no_pictures(void **state) {
    (void)state;
    folder("set/empty");
    scratch_put("set/README.txt", "text", 4);
    EXPECT_REFUSED("set", GAN_ERROR_IO, "/set: has no pictures (.png, .jpg, .jpeg)");
}

static void broken_files(void **state) {
    (void)state;
    folder("set");
    put_plain_png("set/a.png", 40, 40, 1, 10);
    scratch_put("set/b.png", "", 0);
    EXPECT_REFUSED("set", GAN_ERROR_FORMAT, "/set/b.png: is empty");
    scratch_put("set/b.png", "GIF89a", 6);
    EXPECT_REFUSED("set", GAN_ERROR_FORMAT, "/set/b.png: neither a PNG nor a JPEG file");
    size_t size;
    unsigned char *bytes = scratch_get("set/a.png", &size);
    scratch_put("set/b.png", bytes, size - 30);
    EXPECT_REFUSED("set", GAN_ERROR_FORMAT, "/set/b.png: damaged PNG file");
    bytes[size / 2] ^= 0xff;
    scratch_put("set/b.png", bytes, size);
    EXPECT_REFUSED("set", GAN_ERROR_FORMAT, "/set/b.png: damaged PNG file");
    free(bytes);
    unlink(scratch("set/b.png"));
    assert_int_equal(symlink("nowhere", scratch("set/b.png")), 0);
    EXPECT_REFUSED("set", GAN_ERROR_IO, "/set/b.png: cannot open: No such file");
}

static void unreadable(void **state) {
    (void)state;
    folder("set/closed");
    put_plain_png("set/a.png", 4, 4, 1, 10);
    if (geteuid() == 0) { /* root reads everything: a link into itself will do */
        assert_int_equal(symlink("..", scratch("set/closed/up")), 0);
        EXPECT_REFUSED("set", GAN_ERROR_IO,
                       "/set/closed/up: is a link to a folder that it lies in");
        return;
    }
    assert_int_equal(chmod(scratch("set/a.png"), 0), 0);
    EXPECT_REFUSED("set", GAN_ERROR_IO, "/set/a.png: cannot open: Permission denied");
    assert_int_equal(chmod(scratch("set/closed"), 0), 0);
    EXPECT_REFUSED("set", GAN_ERROR_IO, "/set/closed: cannot open the folder: Permission denied");
    assert_int_equal(chmod(scratch("set/closed"), 0700), 0);
}

static uint32_t crc(const uint8_t *bytes, size_t size) {
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        c ^= bytes[i];
        for (int k = 0; k < 8; k++) c = c & 1 ? 0xedb88320u ^ c >> 1 : c >> 1;
    }
    return ~c;
}

static void put_u32(uint8_t *to, uint32_t v) {
    for (int i = 0; i < 4; i++) to[i] = (uint8_t)(v >> (24 - 8 * i));
}

/* Headers that promise more than there is: refused before any pixel has room. */
static void absurd_sizes(void **state) {
    (void)state;
    folder("set");
    put_plain_png("set/a.png", 4, 4, 3, 10);
    size_t size;
    unsigned char *bytes = scratch_get("set/a.png", &size);
    static const struct {
        uint32_t width, height;
        const char *says;
    } rows[] = {{100000, 100000, "100000x100000 pixels is too large"},
                {0x7fffffff, 0x7fffffff, "is too large"},
                {1, 0x7fffffff, "is too large"},
                {10000, 10000, "10000x10000 pixels, more than its bytes can hold"},
                {0, 4, "damaged PNG file"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        put_u32(bytes + 16, rows[i].width);
        put_u32(bytes + 20, rows[i].height);
        put_u32(bytes + 29, crc(bytes + 12, 17));
        scratch_put("set/a.png", bytes, size);
        EXPECT_REFUSED("set", GAN_ERROR_FORMAT, "/set/a.png: ", rows[i].says);
    }
    free(bytes);
}

static void a_single_picture(void **state) {
    (void)state;
    put_plain_png("a.png", 4, 4, 3, 10);
    EXPECT_REFUSED("a.png", GAN_ERROR_FORMAT, "/a.png: is a single PNG picture");
}

#ifndef GANC_HAVE_JPEG
static void jpeg_is_missing(void **state) {
    (void)state;
    folder("set");
    scratch_put("set/a.jpg", "\xff\xd8\xff\xe0", 4);
    EXPECT_REFUSED("set", GAN_ERROR_FORMAT, "/set/a.jpg: is a JPEG file", "without libjpeg");
}
#endif

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(all_pictures_in_order),
        TEST(order_of_paths),
        TEST(folders_are_classes),
        TEST(train_and_test),
        TEST(sizes),
        TEST(as_a_set_of_one_size),
        TEST(grey_among_coloured),
        TEST(no_pictures),
        TEST(broken_files),
        TEST(unreadable),
        TEST(absurd_sizes),
        TEST(a_single_picture),
#ifndef GANC_HAVE_JPEG
        TEST(jpeg_is_missing),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
