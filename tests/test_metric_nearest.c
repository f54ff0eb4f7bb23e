/* Nearest examples against a plain search in double, over blocks that do not divide the set. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ganc/metric.h"
#include "support/scratch.h"

static gan_device *device;

static int open_device(void **state) {
    (void)state;
    return gan_device_open(&device, "cpu", &(gan_device_options){.threads = 1}) != GAN_OK;
}

static int close_device(void **state) {
    (void)state;
    gan_device_close(device);
    return 0;
}

static uint32_t next(uint32_t *seed) {
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 8;
}

enum { H = 5, W = 7, MOST = 5000, SAMPLES = 9 };

static double distance(const gan_dataset *set, int64_t example, const float *sample, double low,
                       double high, bool mirrored) {
    double sum = 0;
    for (int64_t y = 0; y < set->height; y++)
        for (int64_t x = 0; x < set->width; x++)
            for (int64_t c = 0; c < set->channels; c++) {
                const int64_t from = mirrored ? set->width - 1 - x : x;
                const int64_t row = (example * set->height + y) * set->width;
                const double a = set->images[(row + from) * set->channels + c] / 255.0;
                const double b =
                    ((double)sample[(y * set->width + x) * set->channels + c] - low) / (high - low);
                sum += (a - b) * (a - b);
            }
    return sqrt(sum);
}

static void check(int64_t count, int64_t channels, bool mirrored, double low, double high) {
    static uint8_t images[MOST * H * W * 3];
    static float samples[SAMPLES * H * W * 3];
    uint32_t seed = (uint32_t)(count + channels);
    gan_neighbour found[SAMPLES];
    gan_dataset set = {
        .images = images, .count = count, .height = H, .width = W, .channels = channels};
    for (size_t i = 0; i < sizeof images; i++) images[i] = (uint8_t)next(&seed);
    for (int i = 0; i < SAMPLES * H * W * 3; i++)
        samples[i] = (float)(low + (high - low) * next(&seed) / (1 << 24));
    expect_ok(gan_metric_nearest(found, device, &set, samples, SAMPLES, low, high, mirrored));
    for (int k = 0; k < SAMPLES; k++) {
        const float *sample = samples + k * H * W * channels;
        double best = INFINITY;
        int64_t index = -1;
        bool other = false;
        for (int64_t i = 0; i < count; i++)
            for (int m = 0; m <= mirrored; m++) {
                const double d = distance(&set, i, sample, low, high, m);
                if (d >= best) continue;
                best = d;
                index = i;
                other = m;
            }
        assert_int_equal(found[k].index, index);
        assert_int_equal(found[k].mirrored, other);
        assert_true(fabs(found[k].distance - best) <= 1e-5 * best);
    }
}

static void the_nearest_is_found(void **state) {
    (void)state;
    check(1, 1, false, 0, 1);
    check(2048, 1, false, -1, 1);
    check(2049, 3, false, -1, 1);
    check(MOST, 3, true, 0, 1);
    check(37, 1, true, -1, 1);
}

/* An example of the set is at distance 0 from itself, and the first of equals is named. */
static void an_example_is_its_own_neighbour(void **state) {
    static uint8_t images[100 * H * W];
    static float samples[SAMPLES * H * W];
    uint32_t seed = 5;
    gan_neighbour found[SAMPLES];
    gan_dataset set = {.images = images, .count = 100, .height = H, .width = W, .channels = 1};
    (void)state;
    for (int i = 0; i < 50 * H * W; i++) images[i] = images[i + 50 * H * W] = (uint8_t)next(&seed);
    for (int k = 0; k < SAMPLES; k++)
        for (int i = 0; i < H * W; i++) {
            const int at = k % 2 ? i : i + W - 1 - 2 * (i % W); /* every other one mirrored */
            samples[k * H * W + i] = (float)images[5 * k * H * W + at] / 255.0f * 2 - 1;
        }
    expect_ok(gan_metric_nearest(found, device, &set, samples, SAMPLES, -1, 1, true));
    for (int k = 0; k < SAMPLES; k++) {
        assert_int_equal(found[k].index, 5 * k);
        assert_int_equal(found[k].mirrored, !(k % 2));
        assert_true(found[k].distance < 1e-5);
    }
}

static void wrong_numbers_are_refused(void **state) {
    uint8_t image[1] = {0};
    float sample[1] = {0};
    gan_neighbour found[1];
    gan_dataset set = {.images = image, .count = 1, .height = 1, .width = 1, .channels = 1};
    (void)state;
    expect_failure(gan_metric_nearest(found, device, &set, sample, 0, 0, 1, false),
                   GAN_ERROR_ARGUMENT, "0 samples given, from 1 to 1024");
    expect_failure(gan_metric_nearest(found, device, &set, sample, 1025, 0, 1, false),
                   GAN_ERROR_ARGUMENT, "1025 samples");
    expect_failure(gan_metric_nearest(found, device, &set, sample, 1, 1, 1, false),
                   GAN_ERROR_ARGUMENT, "pixels from 1 to 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_is_found),
        cmocka_unit_test(an_example_is_its_own_neighbour),
        cmocka_unit_test(wrong_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, open_device, close_device);
}
