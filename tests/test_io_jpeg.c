/* JPEG files: made by libjpeg, read back; damaged ones; and what is said without libjpeg. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/picture.h"
#include "support/scratch.h"

#ifndef GANC_HAVE_JPEG

static void refused(void **state) {
    (void)state;
    gan_picture p;
    const uint8_t bytes[] = {0xff, 0xd8, 0xff, 0xe0, 0, 16};
    scratch_put("a.jpg", bytes, sizeof bytes);
    expect_failure(gan_picture_read(&p, scratch("a.jpg")), GAN_ERROR_FORMAT,
                   "/a.jpg: is a JPEG file", "without libjpeg");
    assert_null(p.pixels);
}

#define TESTS TEST(refused)

#else

#include <jpeglib.h>

enum { H = 37, W = 53 };

/* A smooth picture, which JPEG at quality 95 keeps within a few levels. */
static uint8_t level(int y, int x, int c) {
    return (uint8_t)(40 + 2 * x + (c == 0 ? 2 * y : c == 1 ? -y / 2 : y));
}

typedef struct style {
    int channels;
    J_COLOR_SPACE given, kept;
    bool progressive, arithmetic, whole_colours, restarts;
} style;

static void put_jpeg(const char *name, const style *s) {
    struct jpeg_error_mgr errors;
    struct jpeg_compress_struct jpeg;
    uint8_t row[W * 4];
    JSAMPROW rows = row;
    FILE *file = fopen(scratch(name), "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_height = H;
    jpeg.image_width = W;
    jpeg.input_components = s->channels;
    jpeg.in_color_space = s->given;
    jpeg_set_defaults(&jpeg);
    jpeg_set_colorspace(&jpeg, s->kept);
    jpeg_set_quality(&jpeg, 95, TRUE);
    if (s->whole_colours) jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor = 1;
    if (s->progressive) jpeg_simple_progression(&jpeg);
    if (s->arithmetic) jpeg.arith_code = TRUE;
    if (s->restarts) jpeg.restart_interval = 2;
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++)
            for (int c = 0; c < s->channels; c++) row[x * s->channels + c] = level(y, x, c);
        jpeg_write_scanlines(&jpeg, &rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
}

static const style styles[] = {
    {1, JCS_GRAYSCALE, JCS_GRAYSCALE, false, false, false, false},
    {1, JCS_GRAYSCALE, JCS_GRAYSCALE, true, false, false, true},
    {3, JCS_RGB, JCS_YCbCr, false, false, false, false},
    {3, JCS_RGB, JCS_YCbCr, false, false, true, true},
    {3, JCS_RGB, JCS_YCbCr, true, false, false, false},
    {3, JCS_RGB, JCS_RGB, false, false, false, false},
};
enum { STYLES = sizeof styles / sizeof *styles };

static void every_style_is_read(void **state) {
    (void)state;
    for (size_t i = 0; i < STYLES; i++) {
        put_jpeg("a.jpg", &styles[i]);
        gan_picture p;
        expect_ok(gan_picture_read(&p, scratch("a.jpg")));
        assert_int_equal(p.height, H);
        assert_int_equal(p.width, W);
        assert_int_equal(p.channels, styles[i].channels);
        double worst = 0, sum = 0;
        for (int k = 0; k < H * W * styles[i].channels; k++) {
            const int c = k % styles[i].channels, at = k / styles[i].channels;
            const int error = abs(p.pixels[k] - level(at / W, at % W, c));
            if (error > worst) worst = error;
            sum += error;
        }
        if (!(worst <= 24 && sum <= 3.0 * H * W * styles[i].channels))
            fail_msg("style %zu: off by %g at most, %g in the mean", i, worst,
                     sum / (H * W * styles[i].channels));
        gan_png_free(&p);
    }
}

static void cmyk_is_refused(void **state) {
    (void)state;
    gan_picture p;
    const J_COLOR_SPACE kept[] = {JCS_CMYK, JCS_YCCK};
    for (int i = 0; i < 2; i++) {
        put_jpeg("a.jpg", &(style){.channels = 4, .given = JCS_CMYK, .kept = kept[i]});
        expect_failure(gan_picture_read(&p, scratch("a.jpg")), GAN_ERROR_FORMAT,
                       "/a.jpg: is a CMYK JPEG file");
        assert_null(p.pixels);
    }
    put_jpeg("a.jpg", &(style){.channels = 2, .given = JCS_UNKNOWN, .kept = JCS_UNKNOWN});
    expect_failure(gan_picture_read(&p, scratch("a.jpg")), GAN_ERROR_FORMAT,
                   "/a.jpg: is a JPEG file of 2 channels");
    assert_null(p.pixels);
}

/* Cut anywhere a file is refused, but where only its last marker is gone. */
static void cut_off(void **state) {
    (void)state;
    for (size_t i = 0; i < STYLES; i++) {
        put_jpeg("a.jpg", &styles[i]);
        size_t size;
        unsigned char *bytes = scratch_get("a.jpg", &size);
        gan_picture p;
        for (size_t cut = 0; cut < size; cut++) {
            const gan_status status = gan_picture_decode(&p, bytes, cut, "a.jpg");
            if (status == GAN_OK) fail_msg("style %zu: %zu of %zu bytes are read", i, cut, size);
            expect_failure(status, GAN_ERROR_FORMAT, "a.jpg: ");
            assert_null(p.pixels);
        }
        free(bytes);
    }
}

/* A header that says 65500 x 65500, and one that says more than the bytes can hold. */
static void absurd_sizes(void **state) {
    (void)state;
    put_jpeg("a.jpg", &styles[2]);
    size_t size, at = 2;
    unsigned char *bytes = scratch_get("a.jpg", &size);
    while (bytes[at + 1] != 0xc0) at += 2 + (size_t)bytes[at + 2] * 256 + bytes[at + 3];
    gan_picture p;
    memcpy(bytes + at + 5, (uint8_t[]){0xff, 0xdc, 0xff, 0xdc}, 4);
    expect_failure(gan_picture_decode(&p, bytes, size, "a.jpg"), GAN_ERROR_FORMAT,
                   "a.jpg: a picture of 65500x65500 pixels is too large");
    memcpy(bytes + at + 5, (uint8_t[]){0x40, 0, 0x40, 0}, 4);
    expect_failure(gan_picture_decode(&p, bytes, size, "a.jpg"), GAN_ERROR_FORMAT,
                   "a.jpg: ", "16384x16384 pixels, more than its bytes can hold");
    free(bytes);
}

/* Bytes between segments are harmless: cameras write such files. */
static void harmless_bytes(void **state) {
    (void)state;
    put_jpeg("a.jpg", &styles[2]);
    size_t size;
    unsigned char *bytes = scratch_get("a.jpg", &size), *more = malloc(size + 3);
    assert_non_null(more);
    memcpy(more, bytes, size - 2);
    memset(more + size - 2, 0, 3);
    memcpy(more + size + 1, bytes + size - 2, 2);
    gan_picture p;
    expect_ok(gan_picture_decode(&p, more, size + 3, "a.jpg"));
    gan_png_free(&p);
    free(bytes);
    free(more);
}

#define TESTS                                                                                      \
    TEST(every_style_is_read), TEST(cmyk_is_refused), TEST(cut_off), TEST(absurd_sizes),           \
        TEST(harmless_bytes)

#endif

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {TESTS};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
