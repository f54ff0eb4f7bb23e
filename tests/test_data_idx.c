#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "data/idx.h"
#include "support/scratch.h"

/* Three images of 2x4. */
static const uint8_t header[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 4};
enum { HEADER = sizeof header, ELEMENTS = 24, SIZE = HEADER + ELEMENTS };

static void make(uint8_t *file) {
    memcpy(file, header, HEADER);
    for (int i = 0; i < ELEMENTS; i++) file[HEADER + i] = (uint8_t)(i * 11);
}

static void put_gzip(const char *name, const void *bytes, size_t size) {
    gzFile file = gzopen(scratch(name), "wb9");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
}

static void expect_images(const gan_idx *idx, const uint8_t *file) {
    assert_int_equal(idx->rank, 3);
    assert_int_equal(idx->dim[0], 3);
    assert_int_equal(idx->dim[1], 2);
    assert_int_equal(idx->dim[2], 4);
    assert_memory_equal(idx->bytes, file + HEADER, ELEMENTS);
}

static void reads(void **state) {
    (void)state;
    uint8_t file[SIZE];
    gan_idx idx;
    make(file);
    scratch_put("plain", file, SIZE);
    expect_ok(gan_idx_read(&idx, scratch("plain"), 3, 4));
    expect_images(&idx, file);
    gan_idx_free(&idx);
    put_gzip("gz", file, SIZE);
    expect_ok(gan_idx_read(&idx, scratch("gz"), 3, 4));
    expect_images(&idx, file);
    gan_idx_free(&idx);
    expect_ok(gan_idx_read_memory(&idx, file, SIZE, "memory", 3, 4));
    expect_images(&idx, file);
    gan_idx_free(&idx);
    assert_null(idx.bytes);
}

/* More than one piece of memory, compressed well and badly. */
static void reads_large(void **state) {
    (void)state;
    const size_t size = 16 + 3u * 1024 * 1024;
    uint8_t *file = malloc(size);
    const uint8_t large[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 4, 0, 0, 0, 4, 0};
    for (int noisy = 0; noisy < 2; noisy++) {
        uint32_t random = 1;
        for (size_t i = 0; i < size; i++) {
            random = random * 1664525u + 1013904223u;
            file[i] = noisy ? (uint8_t)(random >> 24) : (uint8_t)(i >> 12);
        }
        memcpy(file, large, sizeof large);
        put_gzip("gz", file, size);
        gan_idx idx;
        expect_ok(gan_idx_read(&idx, scratch("gz"), 3, 3));
        assert_memory_equal(idx.bytes, file + 16, size - 16);
        gan_idx_free(&idx);
    }
    free(file);
}

static void cut_at_any_byte(void **state) {
    (void)state;
    uint8_t file[SIZE];
    gan_idx idx;
    make(file);
    for (size_t cut = 0; cut < SIZE; cut++) {
        scratch_put("f", file, cut);
        expect_failure(gan_idx_read(&idx, scratch("f"), 3, 4), GAN_ERROR_FORMAT,
                       "/f: ", cut < 4 ? "expected at least 4" : "is cut off");
        assert_null(idx.bytes);
        expect_failure(gan_idx_read_memory(&idx, file, cut, "memory", 3, 4), GAN_ERROR_FORMAT,
                       "memory: ");
    }
    expect_failure(gan_idx_read_memory(&idx, file, SIZE - 1, "memory", 3, 4), GAN_ERROR_FORMAT,
                   "is cut off: 23 elements, its header says 24");
    uint8_t more[SIZE + 1] = {0};
    memcpy(more, file, SIZE);
    scratch_put("f", more, SIZE + 1);
    expect_failure(gan_idx_read(&idx, scratch("f"), 3, 4), GAN_ERROR_FORMAT,
                   "/f: ", "bytes after the 24 elements");
}

static void gzip_cut_at_any_byte(void **state) {
    (void)state;
    uint8_t file[SIZE];
    size_t size;
    gan_idx idx;
    make(file);
    put_gzip("gz", file, SIZE);
    unsigned char *bytes = scratch_get("gz", &size);
    for (size_t cut = 0; cut < size; cut++) {
        scratch_put("f", bytes, cut);
        gan_status status = gan_idx_read(&idx, scratch("f"), 3, 4);
        if (cut < 2) /* too short to be told from a plain file */
            expect_failure(status, GAN_ERROR_FORMAT, "/f: ", "not an IDX file");
        else
            expect_failure(status, GAN_ERROR_FORMAT, "/f: ", "cut off");
        assert_null(idx.bytes);
    }
    free(bytes);
}

/* A changed byte in the compressed data, its sum or its length is noticed. */
static void gzip_damaged(void **state) {
    (void)state;
    uint8_t file[SIZE];
    size_t size;
    gan_idx idx;
    make(file);
    put_gzip("gz", file, SIZE);
    unsigned char *bytes = scratch_get("gz", &size);
    for (size_t at = 10; at < size; at++) {
        bytes[at] ^= 0x04;
        scratch_put("f", bytes, size);
        expect_failure(gan_idx_read(&idx, scratch("f"), 3, 4), GAN_ERROR_FORMAT, "/f: ");
        if (at >= size - 8)
            expect_failure(gan_idx_read(&idx, scratch("f"), 3, 4), GAN_ERROR_FORMAT,
                           "damaged gzip data");
        bytes[at] ^= 0x04;
    }
    free(bytes);
}

static gan_status changed(size_t at, uint8_t value) {
    uint8_t file[SIZE];
    gan_idx idx;
    make(file);
    file[at] = value;
    gan_status status = gan_idx_read_memory(&idx, file, SIZE, "set", 3, 4);
    gan_idx_free(&idx);
    return status;
}

static void headers(void **state) {
    (void)state;
    expect_ok(changed(SIZE - 1, 77));
    expect_failure(changed(0, 1), GAN_ERROR_FORMAT, "set: not an IDX file", "01 00 08 03",
                   "expected 00 00 08");
    expect_failure(changed(1, 1), GAN_ERROR_FORMAT, "not an IDX file");
    expect_failure(changed(2, 7), GAN_ERROR_FORMAT, "not an IDX file");
    expect_failure(changed(2, 0x0d), GAN_ERROR_FORMAT, "set: ", "32-bit float",
                   "expected unsigned byte");
    expect_failure(changed(3, 1), GAN_ERROR_FORMAT,
                   "set: has 1 dimensions, expected 3 or 4 (images)");
    expect_failure(changed(3, 5), GAN_ERROR_FORMAT, "has 5 dimensions");
    expect_failure(changed(3, 255), GAN_ERROR_FORMAT, "has 255 dimensions");
    expect_failure(changed(7, 0), GAN_ERROR_FORMAT, "set: is empty");
    expect_failure(changed(15, 0), GAN_ERROR_FORMAT, "set: is empty");
    expect_failure(changed(7, 2), GAN_ERROR_FORMAT, "bytes after the 16");
    expect_failure(changed(4, 255), GAN_ERROR_FORMAT, "is cut off");

    gan_idx idx;
    const uint8_t huge[] = {0, 0, 8, 3, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255};
    expect_failure(gan_idx_read_memory(&idx, huge, sizeof huge, "set", 3, 4), GAN_ERROR_FORMAT,
                   "more elements");
    const uint8_t terabytes[] = {0, 0, 8, 3, 0, 0, 255, 255, 0, 0, 255, 255, 0, 0, 255, 255, 1};
    expect_failure(gan_idx_read_memory(&idx, terabytes, sizeof terabytes, "set", 3, 4),
                   GAN_ERROR_FORMAT, "is cut off");
    expect_failure(gan_idx_read_memory(&idx, header, HEADER, "set", 1, 1), GAN_ERROR_FORMAT,
                   "has 3 dimensions, expected 1 (labels)");
}

static void not_there(void **state) {
    (void)state;
    gan_idx idx;
    expect_failure(gan_idx_read(&idx, scratch("absent"), 3, 4), GAN_ERROR_IO, "/absent",
                   "No such file");
    expect_failure(gan_idx_read(&idx, scratch(""), 3, 4), GAN_ERROR_IO, "is a folder");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads),        TEST(reads_large), TEST(cut_at_any_byte), TEST(gzip_cut_at_any_byte),
        TEST(gzip_damaged), TEST(headers),     TEST(not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
