/* Walks between noises, and pictures of neighbours, from checkpoints of tiny runs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

static double length_of(const float *z, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += (double)z[i] * (double)z[i];
    return sqrt(sum);
}

static void an_arc_keeps_the_length(void **state) {
    const float a[] = {3, 0, 4}, b[] = {0, 5, 0};
    float z[3], line[3];
    (void)state;
    for (int i = 0; i <= 10; i++) {
        gan_walk_between(z, a, b, 3, i / 10.0, true);
        gan_walk_between(line, a, b, 3, i / 10.0, false);
        assert_true(fabs(length_of(z, 3) - 5) < 1e-5);
        for (int k = 0; k < 3; k++)
            assert_true(fabs((double)line[k] -
                             ((1 - i / 10.0) * (double)a[k] + i / 10.0 * (double)b[k])) < 1e-6);
        if (i == 0) assert_memory_equal(line, a, sizeof a);
        if (i == 10) assert_memory_equal(line, b, sizeof b);
    }
    gan_walk_between(z, a, a, 3, 0.5, true); /* no arc: a line */
    for (int k = 0; k < 3; k++) assert_true(fabs((double)z[k] - (double)a[k]) < 1e-6);
}

#define SMALL "--device", "cpu", "--set", "batch=8", "--set", "threads=1"

static void assert_same_file(const char *one, const char *other, bool same) {
    size_t a, b;
    unsigned char *x = scratch_get(one, &a), *y = scratch_get(other, &b);
    assert_int_equal(a == b && !memcmp(x, y, a), same);
    free(x);
    free(y);
}

static void pictures_come_from_a_run(void **state) {
    outcome r;
    gan_picture picture;
    (void)state;
    tiny_images("images-idx3-ubyte", 40, 8);
    command_done(
        ARGS("train", "mlp", "--data", "images-idx3-ubyte", "--out", "r", "--steps", "2", SMALL));
    command_done(ARGS("interpolate", "r", "-o", "a.png", "--rows", "3", "--steps", "4"));
    command_done(ARGS("interpolate", "r", "-o", "b.png", "--rows", "3", "--steps", "4",
                      "--spherical", "--device", "cpu"));
    command_done(ARGS("interpolate", "r", "-o", "c.png", "--rows", "3", "--steps", "4", "--linear",
                      "--device", "cpu"));
    assert_same_file("a.png", "b.png", true); /* the noise is normal */
    assert_same_file("a.png", "c.png", false);
    expect_ok(gan_png_read(&picture, scratch("a.png")));
    assert_int_equal(picture.width, 4 * 10 + 2);
    assert_int_equal(picture.height, 3 * 10 + 2);
    gan_png_free(&picture);
    command(&r, ARGS("neighbours", "r", "-o", "n.png", "--count", "5", "--device", "cpu"));
    assert_int_equal(r.code, 0);
    int lines = 0;
    for (const char *c = r.out; *c; c = strchr(c, '\n') + 1, lines++) {
        int sample, example, end = 0;
        double distance;
        assert_int_equal(sscanf(c, "sample %d: nearest to example %d, distance %lf%n", &sample,
                                &example, &distance, &end),
                         3);
        assert_true(c[end] == '\n' && sample == lines && example >= 0 && distance > 0);
    }
    assert_int_equal(lines, 5);
    command_refused(2, "--steps: '1' given", ARGS("interpolate", "r", "-o", "x", "--steps", "1"));
    command_refused(2, "exclude each other",
                    ARGS("interpolate", "r", "-o", "x", "--linear", "--spherical"));
    command_refused(2, "--count: '0' given", ARGS("neighbours", "r", "-o", "x", "--count", "0"));
    command_done(ARGS("train", "ring8", "--out", "p", "--steps", "2", SMALL));
    command_done(ARGS("interpolate", "p", "-o", "p.png", "--device", "cpu"));
    command_refused(1, "are no images", ARGS("neighbours", "p", "-o", "x", "--device", "cpu"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_arc_keeps_the_length),
        TEST(pictures_come_from_a_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
