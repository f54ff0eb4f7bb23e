#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>
#include <png.h>

#include "ganc/io.h"
#include "support/pictures.h"
#include "support/scratch.h"

static const uint8_t *pixel(const gan_picture *p, int64_t x, int64_t y) {
    assert_true(x >= 0 && x < p->width && y >= 0 && y < p->height);
    return p->pixels + (y * p->width + x) * p->channels;
}

/* Five 3x2 images in two columns: each lands where it should, the gaps and the empty cell are
 * black. */
static void grid_of_bytes(void **state) {
    (void)state;
    enum { N = 5, H = 3, W = 2 };
    for (int64_t channels = 1; channels <= 3; channels += 2) {
        uint8_t values[N * H * W * 3];
        for (int i = 0; i < (int)sizeof values; i++) values[i] = (uint8_t)(10 + i);
        const gan_images images = {.pixels = values,
                                   .dtype = GAN_U8,
                                   .count = N,
                                   .height = H,
                                   .width = W,
                                   .channels = channels};
        expect_ok(gan_png_write_grid(scratch("g.png"), &images, 2));
        gan_picture p;
        expect_ok(gan_png_read(&p, scratch("g.png")));
        assert_int_equal(p.channels, channels);
        assert_int_equal(p.width, 2 * (W + 2) + 2);
        assert_int_equal(p.height, 3 * (H + 2) + 2);
        size_t drawn = 0;
        for (int64_t i = 0; i < p.width * p.height * p.channels; i++) drawn += p.pixels[i] != 0;
        assert_int_equal(drawn, N * H * W * channels);
        for (int64_t n = 0; n < N; n++)
            for (int64_t y = 0; y < H; y++)
                for (int64_t x = 0; x < W; x++)
                    assert_memory_equal(pixel(&p, 2 + n % 2 * (W + 2) + x, 2 + n / 2 * (H + 2) + y),
                                        values + ((n * H + y) * W + x) * channels,
                                        (size_t)channels);
        gan_png_free(&p);
    }
}

static void grid_of_floats(void **state) {
    (void)state;
    const float values[] = {-1, 1, 0, -2, 2, NAN, -INFINITY, INFINITY, 0.5f};
    const uint8_t expected[] = {0, 255, 128, 0, 255, 0, 0, 255, 191};
    const gan_images images = {.pixels = values,
                               .dtype = GAN_F32,
                               .count = 9,
                               .height = 1,
                               .width = 1,
                               .channels = 1,
                               .low = -1,
                               .high = 1};
    expect_ok(gan_png_write_grid(scratch("g.png"), &images, 0));
    gan_picture p;
    expect_ok(gan_png_read(&p, scratch("g.png")));
    assert_int_equal(p.width, 3 * 3 + 2);
    assert_int_equal(p.height, 3 * 3 + 2);
    for (int i = 0; i < 9; i++)
        assert_int_equal(*pixel(&p, 2 + i % 3 * 3, 2 + i / 3 * 3), expected[i]);
    gan_png_free(&p);
}

static void grid_columns_beyond_images(void **state) {
    (void)state;
    const uint8_t values[] = {1, 2};
    const gan_images images = {
        .pixels = values, .dtype = GAN_U8, .count = 2, .height = 1, .width = 1, .channels = 1};
    expect_ok(gan_png_write_grid(scratch("g.png"), &images, 8));
    gan_picture p;
    expect_ok(gan_png_read(&p, scratch("g.png")));
    assert_int_equal(p.width, 8);
    assert_int_equal(p.height, 5);
    gan_png_free(&p);
}

static void grids_that_cannot_be_drawn(void **state) {
    (void)state;
    const float values[12] = {0};
    const gan_images good = {.pixels = values,
                             .dtype = GAN_F32,
                             .count = 1,
                             .height = 2,
                             .width = 2,
                             .channels = 3,
                             .low = 0,
                             .high = 1};
    gan_images bad = good;
    bad.count = 0;
    expect_failure(gan_png_write_grid(scratch("x.png"), &bad, 0), GAN_ERROR_ARGUMENT, "/x.png",
                   "0 images");
    bad = good;
    bad.channels = 2;
    expect_failure(gan_png_write_grid(scratch("x.png"), &bad, 0), GAN_ERROR_ARGUMENT, "/x.png",
                   "2 channels, expected 1 or 3");
    bad = good;
    bad.dtype = GAN_I32;
    expect_failure(gan_png_write_grid(scratch("x.png"), &bad, 0), GAN_ERROR_ARGUMENT, "u8 or f32");
    bad = good;
    bad.high = 0;
    expect_failure(gan_png_write_grid(scratch("x.png"), &bad, 0), GAN_ERROR_ARGUMENT,
                   "range [0, 0]");
    bad = good;
    bad.width = INT64_MAX / 2;
    expect_failure(gan_png_write_grid(scratch("x.png"), &bad, 0), GAN_ERROR_ARGUMENT, "too large");
    bad.width = bad.height = 1 << 19;
    expect_failure(gan_png_write_grid(scratch("x.png"), &bad, 0), GAN_ERROR_ARGUMENT, "too large");
    expect_failure(gan_png_write_grid(scratch("x.png"), &good, -1), GAN_ERROR_ARGUMENT,
                   "-1 columns");
    assert_int_equal(scratch_count(), 0);

    expect_failure(gan_png_write_grid(scratch("no/x.png"), &good, 0), GAN_ERROR_IO, "/no/x.png",
                   "No such file");
    expect_failure(gan_png_write_grid("/dev/full", &good, 0), GAN_ERROR_IO, "/dev/full",
                   "No space left");
    limit_file_size(40);
    expect_failure(gan_png_write_grid(scratch("x.png"), &good, 0), GAN_ERROR_IO, "/x.png",
                   "cannot write");
    lift_file_limit();
    assert_int_equal(scratch_count(), 0);
}

static double darkness(const gan_picture *p, double x, double y, double radius) {
    double sum = 0;
    for (int64_t py = 0; py < p->height; py++)
        for (int64_t px = 0; px < p->width; px++)
            if (hypot((double)px + 0.5 - x, (double)py + 0.5 - y) <= radius)
                for (int c = 0; c < 3; c++) sum += 255 - pixel(p, px, py)[c];
    return sum;
}

/* View [-1, 1] x [-2, 2] at 400 pixels: 16 of margin, 184 a half. */
static void scatter(void **state) {
    (void)state;
    const float points[] = {0.5f, 1, 0.5f, 1, NAN, 0, 9, 9, INFINITY, 1}, centres[] = {-0.5f, -1};
    gan_scatter s = {.points = points,
                     .count = 5,
                     .centres = centres,
                     .modes = 1,
                     .ring = 0.2f,
                     .x_low = -1,
                     .x_high = 1,
                     .y_low = -2,
                     .y_high = 2,
                     .size = 400};
    expect_ok(gan_png_write_scatter(scratch("s.png"), &s));
    gan_picture p;
    expect_ok(gan_png_read(&p, scratch("s.png")));
    assert_int_equal(p.width, 400);
    assert_int_equal(p.height, 400);
    assert_int_equal(p.channels, 3);
    const double two = darkness(&p, 292, 108, 6); /* y upwards */
    assert_true(two > 100);
    /* The ring: dark at its radius, white inside. 0.2 of the narrower scale, 92 pixels a unit. */
    assert_true(pixel(&p, 108 + 18, 292)[2] < 220);
    assert_true(darkness(&p, 108, 292, 12) == 0);
    assert_true(darkness(&p, 292, 292, 60) == 0);
    assert_true(darkness(&p, 108, 108, 60) == 0);
    assert_true(pixel(&p, 200, 50)[0] < 255); /* the axis x = 0 */
    assert_true(pixel(&p, 15, 200)[0] < 180); /* the frame */
    gan_png_free(&p);

    s.count = 1; /* points are transparent: two in one place are darker than one */
    expect_ok(gan_png_write_scatter(scratch("s.png"), &s));
    expect_ok(gan_png_read(&p, scratch("s.png")));
    const double one = darkness(&p, 292, 108, 6);
    assert_true(one > 100 && one < 0.8 * two);
    gan_png_free(&p);

    s.x_high = -1;
    expect_failure(gan_png_write_scatter(scratch("t.png"), &s), GAN_ERROR_ARGUMENT, "/t.png",
                   "view [-1, -1]");
    s.x_high = 1;
    s.size = 5;
    expect_failure(gan_png_write_scatter(scratch("t.png"), &s), GAN_ERROR_ARGUMENT, "/t.png",
                   "5 pixels");
    assert_int_equal(scratch_count(), 1);
}

/* Writes one row of pixels in any of PNG's types, by libpng alone. */
static void write_raw(const char *path, int type, int depth, uint32_t width, const uint8_t *row) {
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    if (setjmp(png_jmpbuf(png))) fail();
    png_init_io(png, file);
    png_set_IHDR(png, info, width, 1, depth, type, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    const png_color palette[] = {{1, 2, 3}, {40, 50, 60}};
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 2);
    png_write_info(png, info);
    png_write_row(png, row);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(file);
}

static void every_type_is_read(void **state) {
    (void)state;
    static const struct {
        int type, depth;
        uint8_t row[16];
        int64_t channels;
        uint8_t expected[6]; /* two pixels */
    } cases[] = {
        {PNG_COLOR_TYPE_GRAY, 1, {0x40}, 1, {0, 255}},
        {PNG_COLOR_TYPE_GRAY, 2, {0x60}, 1, {85, 170}},
        {PNG_COLOR_TYPE_GRAY, 4, {0x1f}, 1, {17, 255}},
        {PNG_COLOR_TYPE_GRAY, 8, {7, 200}, 1, {7, 200}},
        {PNG_COLOR_TYPE_GRAY, 16, {7, 7, 200, 200}, 1, {7, 200}},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 8, {10, 255, 10, 0}, 1, {10, 255}},
        {PNG_COLOR_TYPE_PALETTE, 1, {0x40}, 3, {1, 2, 3, 40, 50, 60}},
        {PNG_COLOR_TYPE_RGB, 8, {1, 2, 3, 4, 5, 6}, 3, {1, 2, 3, 4, 5, 6}},
        {PNG_COLOR_TYPE_RGB, 16, {1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6}, 3, {1, 2, 3, 4, 5, 6}},
        {PNG_COLOR_TYPE_RGB_ALPHA,
         8,
         {0, 100, 255, 51, 9, 9, 9, 0},
         3,
         {204, 224, 255, 255, 255, 255}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        write_raw(scratch("t.png"), cases[i].type, cases[i].depth, 2, cases[i].row);
        gan_picture p;
        expect_ok(gan_png_read(&p, scratch("t.png")));
        assert_int_equal(p.width, 2);
        assert_int_equal(p.height, 1);
        assert_int_equal(p.channels, cases[i].channels);
        assert_memory_equal(p.pixels, cases[i].expected, (size_t)(2 * p.channels));
        gan_png_free(&p);
    }
}

/* A picture of some size, its rows interlaced (Adam7) or not, gives the same pixels. */
static void interlaced(void **state) {
    (void)state;
    enum { H = 11, W = 13 };
    uint8_t pixels[H * W * 4];
    for (int i = 0; i < H * W * 4; i++) pixels[i] = (uint8_t)(i * 29 + i / 7);
    const png_file plain = {.type = PNG_COLOR_TYPE_RGB,
                            .depth = 8,
                            .height = H,
                            .width = W,
                            .rows = pixels,
                            .row_bytes = W * 3};
    png_file laced = plain, deep = plain;
    gan_picture p;
    laced.interlace = PNG_INTERLACE_ADAM7;
    put_png("t.png", &laced);
    expect_ok(gan_png_read(&p, scratch("t.png")));
    assert_int_equal(p.height, H);
    assert_int_equal(p.width, W);
    assert_memory_equal(p.pixels, pixels, H * W * 3);
    gan_png_free(&p);

    deep.type = PNG_COLOR_TYPE_GRAY_ALPHA; /* 16 bits: a row has four bytes a pixel */
    deep.depth = 16;
    deep.row_bytes = W * 4;
    deep.interlace = PNG_INTERLACE_ADAM7;
    put_png("t.png", &deep);
    expect_ok(gan_png_read(&p, scratch("t.png")));
    assert_int_equal(p.channels, 1);
    for (int i = 0; i < H * W; i++) {
        const double v = (pixels[4 * i] * 256 + pixels[4 * i + 1]) / 65535.0;
        const double alpha = (pixels[4 * i + 2] * 256 + pixels[4 * i + 3]) / 65535.0;
        assert_true(fabs(p.pixels[i] - 255 * (v * alpha + 1 - alpha)) <= 1.5);
    }
    gan_png_free(&p);
}

/* Entries of a palette with their own transparency lie on white; at 1, 2, 4 and 8 bits. */
static void palettes(void **state) {
    (void)state;
    static const uint8_t palette[4][4] = {
        {10, 20, 30, 255}, {255, 0, 0, 0}, {0, 100, 200, 51}, {7, 8, 9, 255}};
    static const uint8_t expected[4][3] = {
        {10, 20, 30}, {255, 255, 255}, {204, 224, 244}, {7, 8, 9}};
    static const struct {
        int depth;
        uint8_t row[4];
        int entries;
    } cases[] = {{1, {0x50}, 2}, {2, {0x1b}, 4}, {4, {0x01, 0x23}, 4}, {8, {0, 1, 2, 3}, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put_png("t.png", &(png_file){.type = PNG_COLOR_TYPE_PALETTE,
                                     .depth = cases[i].depth,
                                     .height = 1,
                                     .width = 4,
                                     .rows = cases[i].row,
                                     .row_bytes = 4,
                                     .palette = palette,
                                     .entries = cases[i].entries});
        gan_picture p;
        expect_ok(gan_png_read(&p, scratch("t.png")));
        assert_int_equal(p.channels, 3);
        for (int x = 0; x < 4; x++)
            assert_memory_equal(p.pixels + 3 * x, expected[x % cases[i].entries], 3);
        gan_png_free(&p);
    }
}

/* Cut anywhere, or with any byte of its pixels or header changed, a file is refused. */
static void damaged(void **state) {
    (void)state;
    uint8_t values[64];
    for (int i = 0; i < 64; i++) values[i] = (uint8_t)(i * 37);
    const gan_images images = {
        .pixels = values, .dtype = GAN_U8, .count = 1, .height = 8, .width = 8, .channels = 1};
    expect_ok(gan_png_write_grid(scratch("g.png"), &images, 1));
    size_t size;
    unsigned char *bytes = scratch_get("g.png", &size);
    gan_picture p;
    for (size_t cut = 0; cut < size; cut++) {
        scratch_put("c.png", bytes, cut);
        expect_failure(gan_png_read(&p, scratch("c.png")), GAN_ERROR_FORMAT, "/c.png", "PNG");
        assert_null(p.pixels);
    }
    for (size_t at = 0; at + 12 < size; at++) {
        bytes[at] ^= 0x10;
        scratch_put("c.png", bytes, size);
        expect_failure(gan_png_read(&p, scratch("c.png")), GAN_ERROR_FORMAT, "/c.png", "PNG");
        bytes[at] ^= 0x10;
    }
    free(bytes);
    expect_failure(gan_png_read(&p, scratch("absent.png")), GAN_ERROR_IO, "/absent.png",
                   "No such file");
    expect_failure(gan_png_read(&p, scratch("")), GAN_ERROR_IO, "Is a directory");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(grid_of_bytes),
        TEST(grid_of_floats),
        TEST(grid_columns_beyond_images),
        TEST(grids_that_cannot_be_drawn),
        TEST(scatter),
        TEST(every_type_is_read),
        TEST(interlaced),
        TEST(palettes),
        TEST(damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
