#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "ganc/data.h"
#include "support/scratch.h"

static gan_dataset set_of(int64_t count, int64_t height, int64_t width, int64_t channels) {
    static char name[] = "test";
    gan_dataset d = {
        .name = name, .count = count, .height = height, .width = width, .channels = channels};
    d.images = malloc((size_t)(count * height * width * channels));
    uint32_t random = 7;
    for (int64_t i = 0; i < count * height * width * channels; i++) {
        random = random * 1664525u + 1013904223u;
        d.images[i] = (uint8_t)(random >> 24);
    }
    return d;
}

static void replace(gan_dataset *d, const uint8_t *values) {
    memcpy(d->images, values, (size_t)(d->count * d->height * d->width * d->channels));
}

/* Every combination of larger and smaller sides against the definition. */
static void pad_and_crop(void **state) {
    (void)state;
    for (int64_t h = 1; h <= 7; h += 2)
        for (int64_t w = 2; w <= 8; w += 3)
            for (int64_t size = 1; size <= 9; size++) {
                gan_dataset d = set_of(2, h, w, 3), old = set_of(2, h, w, 3);
                expect_ok(gan_dataset_fit(&d, size, size, GAN_FIT_PAD, 0));
                assert_int_equal(d.height, size);
                assert_int_equal(d.width, size);
                const int64_t down = size > h ? -((size - h) / 2) : (h - size) / 2;
                const int64_t right = size > w ? -((size - w) / 2) : (w - size) / 2;
                for (int64_t n = 0; n < 2; n++)
                    for (int64_t y = 0; y < size; y++)
                        for (int64_t x = 0; x < size; x++)
                            for (int64_t c = 0; c < 3; c++) {
                                const int64_t oy = y + down, ox = x + right;
                                const bool inside = oy >= 0 && oy < h && ox >= 0 && ox < w;
                                assert_int_equal(
                                    d.images[((n * size + y) * size + x) * 3 + c],
                                    inside ? old.images[((n * h + oy) * w + ox) * 3 + c] : 0);
                            }
                free(d.images);
                free(old.images);
            }
}

static void fashion_size(void **state) {
    (void)state;
    gan_dataset d = set_of(1, 28, 28, 1), old = set_of(1, 28, 28, 1);
    expect_ok(gan_dataset_fit(&d, 32, 32, GAN_FIT_PAD, 0));
    for (int y = 0; y < 28; y++)
        assert_memory_equal(d.images + (y + 2) * 32 + 2, old.images + y * 28, 28);
    for (int i = 0; i < 64; i++) assert_int_equal(d.images[i], 0);
    free(d.images);
    free(old.images);
}

/* A shrunk image is the mean over areas: exact for whole factors, weighted for others. */
static void shrinks_by_area(void **state) {
    (void)state;
    gan_dataset d = set_of(1, 4, 4, 1);
    replace(&d, (const uint8_t[]){0, 4, 10, 10, 8, 12, 10, 10, 255, 255, 1, 2, 255, 255, 3, 4});
    expect_ok(gan_dataset_fit(&d, 2, 2, GAN_FIT_RESIZE, 0));
    assert_memory_equal(d.images, ((const uint8_t[]){6, 10, 255, 3}), 4); /* 2.5 rounds up */
    free(d.images);

    d = set_of(1, 3, 3, 1); /* each output covers 1.5 inputs a side */
    replace(&d, (const uint8_t[]){90, 90, 90, 90, 90, 90, 0, 0, 0});
    expect_ok(gan_dataset_fit(&d, 2, 2, GAN_FIT_RESIZE, 0));
    assert_memory_equal(d.images, ((const uint8_t[]){90, 90, 30, 30}), 4);
    free(d.images);

    d = set_of(1, 5, 5, 3);
    double mean[3] = {0};
    for (int i = 0; i < 75; i++) mean[i % 3] += d.images[i] / 25.0;
    expect_ok(gan_dataset_fit(&d, 1, 1, GAN_FIT_RESIZE, 0));
    for (int c = 0; c < 3; c++) assert_true(fabs(d.images[c] - mean[c]) <= 0.501);
    free(d.images);
}

static void grows_by_a_cubic(void **state) {
    (void)state;
    gan_dataset d = set_of(1, 2, 2, 1);
    replace(&d, (const uint8_t[]){0, 100, 0, 100});
    expect_ok(gan_dataset_fit(&d, 4, 4, GAN_FIT_RESIZE, 0));
    for (int y = 0; y < 4; y++)
        assert_memory_equal(d.images + 4 * y, ((const uint8_t[]){0, 20, 80, 107}),
                            4); /* 100 and a bit beyond */
    free(d.images);

    d = set_of(1, 1, 1, 3);
    replace(&d, (const uint8_t[]){1, 2, 255});
    expect_ok(gan_dataset_fit(&d, 3, 3, GAN_FIT_RESIZE, 0));
    for (int i = 0; i < 9; i++)
        assert_memory_equal(d.images + 3 * i, ((const uint8_t[]){1, 2, 255}), 3);
    free(d.images);
}

/* ---- every fit, up and down, against its definition in double ---- */

/* The cubic of Keys with a = -1/2. */
static double keys(double x) {
    x = fabs(x);
    if (x < 1) return 1.5 * x * x * x - 2.5 * x * x + 1;
    if (x < 2) return -0.5 * x * x * x + 2.5 * x * x - 4 * x + 2;
    return 0;
}

/* How much input i (of `n`) counts in output o (of `m`). */
static double share(int64_t i, int64_t n, int64_t o, int64_t m) {
    const double scale = (double)n / (double)m;
    if (m <= n) {
        const double low = fmax((double)o * scale, (double)i);
        const double high = fmin((double)(o + 1) * scale, (double)(i + 1));
        return high > low ? (high - low) / scale : 0;
    }
    const double at = ((double)o + 0.5) * scale - 0.5;
    double sum = 0;
    for (int64_t j = -3; j < n + 3; j++)
        if ((j < 0 ? 0 : j >= n ? n - 1 : j) == i) sum += keys(at - (double)j);
    return sum;
}

typedef struct box {
    int64_t y, x, height, width;
} box;

/* The value before rounding of an output pixel, of the box `from` scaled to the box `to`. */
static double reference(const gan_dataset *d, const box *from, const box *to, int64_t y, int64_t x,
                        int64_t c) {
    double sum = 0;
    for (int64_t i = 0; i < from->height; i++)
        for (int64_t j = 0; j < from->width; j++)
            sum += share(i, from->height, y - to->y, to->height) *
                   share(j, from->width, x - to->x, to->width) *
                   d->images[((from->y + i) * d->width + from->x + j) * d->channels + c];
    return fmin(fmax(sum, 0), 255);
}

static void against_the_definition(void **state) {
    (void)state;
    /* from, to, fit, and which box goes into which, by hand */
    static const struct {
        int64_t h, w, height, width;
        gan_fit fit;
        box from, to;
    } rows[] = {
        {13, 7, 5, 3, GAN_FIT_STRETCH, {0, 0, 13, 7}, {0, 0, 5, 3}},
        {4, 5, 11, 9, GAN_FIT_STRETCH, {0, 0, 4, 5}, {0, 0, 11, 9}},
        {9, 3, 4, 8, GAN_FIT_STRETCH, {0, 0, 9, 3}, {0, 0, 4, 8}},
        {1, 2, 3, 1, GAN_FIT_STRETCH, {0, 0, 1, 2}, {0, 0, 3, 1}},
        {10, 30, 6, 6, GAN_FIT_RESIZE, {0, 10, 10, 10}, {0, 0, 6, 6}},
        {31, 10, 8, 4, GAN_FIT_RESIZE, {5, 0, 20, 10}, {0, 0, 8, 4}},
        {12, 11, 8, 16, GAN_FIT_RESIZE, {3, 0, 6, 11}, {0, 0, 8, 16}}, /* 5.5 rows become 6 */
        {10, 20, 8, 8, GAN_FIT_CONTAIN, {0, 0, 10, 20}, {2, 0, 4, 8}},
        {20, 10, 8, 8, GAN_FIT_CONTAIN, {0, 0, 20, 10}, {0, 2, 8, 4}},
        {3, 2, 9, 20, GAN_FIT_CONTAIN, {0, 0, 3, 2}, {0, 7, 9, 6}},
        {1, 50, 4, 4, GAN_FIT_CONTAIN, {0, 0, 1, 50}, {1, 0, 1, 4}}, /* never less than a row */
        {6, 4, 4, 9, GAN_FIT_PAD, {1, 0, 4, 4}, {0, 2, 4, 4}},
    };
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++)
        for (int64_t c = 1; c <= 3; c += 2) {
            gan_dataset d = set_of(1, rows[r].h, rows[r].w, c);
            gan_dataset old = set_of(1, rows[r].h, rows[r].w, c);
            const int64_t height = rows[r].height, width = rows[r].width;
            expect_ok(gan_dataset_fit(&d, height, width, rows[r].fit, 77));
            assert_int_equal(d.height, height);
            assert_int_equal(d.width, width);
            const box *to = &rows[r].to;
            for (int64_t i = 0; i < height * width * c; i++) {
                const int64_t y = i / c / width, x = i / c % width;
                const bool inside =
                    y >= to->y && y < to->y + to->height && x >= to->x && x < to->x + to->width;
                const double wanted = inside ? reference(&old, &rows[r].from, to, y, x, i % c) : 77;
                if (!(fabs(d.images[i] - wanted) <= 0.5 + 1e-4))
                    fail_msg("row %zu, pixel (%d, %d): %d, expected %g", r, (int)y, (int)x,
                             d.images[i], wanted);
            }
            free(d.images);
            free(old.images);
        }
}

/* One grey stays that grey at any size; and a picture that is not square loses its ends only. */
static void constants_stay(void **state) {
    (void)state;
    for (int64_t from = 1; from <= 40; from += 3)
        for (int64_t to = 1; to <= 40; to++)
            for (int value = 0; value <= 255; value += 85) {
                gan_dataset d = set_of(1, from, from + 4, 1);
                memset(d.images, value, (size_t)(from * (from + 4)));
                for (int64_t y = 0; y < from; y++) {
                    memset(d.images + y * (from + 4), 255 - value, 2);
                    memset(d.images + y * (from + 4) + from + 2, 255 - value, 2);
                }
                expect_ok(gan_dataset_fit(&d, to, to, GAN_FIT_RESIZE, 0));
                for (int64_t i = 0; i < to * to; i++) assert_int_equal(d.images[i], value);
                free(d.images);
            }
}

static void same_size_is_left_alone(void **state) {
    (void)state;
    for (gan_fit fit = GAN_FIT_PAD; fit <= GAN_FIT_RESIZE; fit++) {
        gan_dataset d = set_of(3, 6, 6, 3), old = set_of(3, 6, 6, 3);
        const uint8_t *images = d.images;
        expect_ok(gan_dataset_fit(&d, 6, 6, fit, 0));
        assert_ptr_equal(d.images, images);
        assert_memory_equal(d.images, old.images, 3 * 6 * 6 * 3);
        free(d.images);
        free(old.images);
    }
    /* Cut to a square of the size wanted, nothing is smoothed. */
    gan_dataset d = set_of(1, 6, 8, 1), old = set_of(1, 6, 8, 1);
    expect_ok(gan_dataset_fit(&d, 6, 6, GAN_FIT_RESIZE, 0));
    for (int y = 0; y < 6; y++) assert_memory_equal(d.images + 6 * y, old.images + 8 * y + 1, 6);
    free(d.images);
    free(old.images);
}

static void channels(void **state) {
    (void)state;
    gan_dataset d = set_of(2, 1, 2, 1);
    replace(&d, (const uint8_t[]){1, 2, 3, 255});
    expect_ok(gan_dataset_convert(&d, 3));
    assert_int_equal(d.channels, 3);
    assert_memory_equal(d.images, ((const uint8_t[]){1, 1, 1, 2, 2, 2, 3, 3, 3, 255, 255, 255}),
                        12);
    expect_ok(gan_dataset_convert(&d, 1)); /* grey is its own luma */
    assert_memory_equal(d.images, ((const uint8_t[]){1, 2, 3, 255}), 4);
    free(d.images);
    d = set_of(1, 1, 3, 3);
    replace(&d, (const uint8_t[]){255, 0, 0, 0, 255, 0, 0, 0, 255});
    expect_ok(gan_dataset_convert(&d, 1));
    assert_memory_equal(d.images, ((const uint8_t[]){76, 150, 29}), 3);
    free(d.images);
}

static void refused(void **state) {
    (void)state;
    gan_dataset d = set_of(1, 2, 2, 1);
    uint8_t *images = d.images;
    expect_failure(gan_dataset_fit(&d, 0, 0, GAN_FIT_PAD, 0), GAN_ERROR_ARGUMENT, "'test'",
                   "size 0");
    expect_failure(gan_dataset_fit(&d, 4097, 4097, GAN_FIT_PAD, 0), GAN_ERROR_ARGUMENT, "'test'",
                   "size 4097");
    expect_failure(gan_dataset_fit(&d, 2, 4097, GAN_FIT_PAD, 0), GAN_ERROR_ARGUMENT, "'test'",
                   "size 2x4097");
    expect_failure(gan_dataset_fit(&d, 2, 3, GAN_FIT_PAD, 256), GAN_ERROR_ARGUMENT, "'test'",
                   "border 256");
    expect_failure(gan_dataset_convert(&d, 4), GAN_ERROR_ARGUMENT, "'test'", "4 channels");
    assert_ptr_equal(d.images, images);
    assert_int_equal(d.height, 2);
    free(images);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pad_and_crop),
        cmocka_unit_test(fashion_size),
        cmocka_unit_test(shrinks_by_area),
        cmocka_unit_test(grows_by_a_cubic),
        cmocka_unit_test(constants_stay),
        cmocka_unit_test(same_size_is_left_alone),
        cmocka_unit_test(channels),
        cmocka_unit_test(refused),
        cmocka_unit_test(against_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
