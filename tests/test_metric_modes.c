#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <math.h>

#include "ganc/metric.h"
#include "metric/modes.h"
#include "support/scratch.h"

static void mixtures(void **state) {
    (void)state;
    const gan_mixture *ring = gan_mixture_find("ring8"), *grid = gan_mixture_find("grid25");
    assert_non_null(ring);
    assert_non_null(grid);
    assert_null(gan_mixture_find("ring9"));
    assert_null(gan_mixture_at(2));
    assert_int_equal(ring->modes, 8);
    assert_true(ring->sigma == 0.01f);
    const double pi = acos(-1);
    for (int i = 0; i < 8; i++) {
        assert_true(fabs((double)ring->centres[2 * i] - cos(pi * i / 4)) < 1e-7);
        assert_true(fabs((double)ring->centres[2 * i + 1] - sin(pi * i / 4)) < 1e-7);
    }
    assert_int_equal(grid->modes, 25);
    assert_true(grid->sigma == 0.05f);
    bool seen[5][5] = {{false}};
    for (int i = 0; i < 25; i++) {
        const int x = (int)lroundf(grid->centres[2 * i]),
                  y = (int)lroundf(grid->centres[2 * i + 1]);
        assert_true((float)x == grid->centres[2 * i] && (float)y == grid->centres[2 * i + 1]);
        assert_true(x >= -4 && x <= 4 && x % 2 == 0 && y >= -4 && y <= 4 && y % 2 == 0);
        assert_false(seen[x / 2 + 2][y / 2 + 2]);
        seen[x / 2 + 2][y / 2 + 2] = true;
    }
}

static void every_mode_equally(void **state) {
    (void)state;
    for (size_t i = 0; gan_mixture_at(i); i++) {
        const gan_mixture *m = gan_mixture_at(i);
        gan_mode_coverage c;
        expect_ok(gan_metric_mode_coverage(&c, m->centres, m->modes, m));
        assert_int_equal(c.points, m->modes);
        assert_int_equal(c.modes, m->modes);
        assert_int_equal(c.captured, m->modes);
        assert_true(c.high_quality == 1);
        assert_true(c.reverse_kl < 1e-12 && c.reverse_kl >= 0);
        for (int64_t k = 0; k < m->modes; k++)
            assert_int_equal(gan_mode_of(m, m->centres[2 * k], m->centres[2 * k + 1]), k);
    }
}

static void one_mode(void **state) {
    (void)state;
    const gan_mixture *m = gan_mixture_find("ring8");
    const float points[] = {0, 1, 0.005f, 1, 0, 0.99f, -0.001f, 1.001f};
    gan_mode_coverage c;
    expect_ok(gan_metric_mode_coverage(&c, points, 4, m));
    assert_int_equal(c.captured, 1);
    assert_true(c.high_quality == 1);
    assert_true(fabs(c.reverse_kl - log(8)) < 1e-12);
}

/* Three of quality on one mode, one on another, four on none: KL = 3/4 log(3/4 8) + 1/4 log(1/4 8).
 */
static void mixed(void **state) {
    (void)state;
    const gan_mixture *m = gan_mixture_find("ring8");
    const float points[] = {1, 0, 1.02f, 0, 1,        -0.02f,   0,     -1,
                            0, 0, NAN,   0, INFINITY, INFINITY, 1.04f, 0};
    gan_mode_coverage c;
    expect_ok(gan_metric_mode_coverage(&c, points, 8, m));
    assert_int_equal(c.captured, 2);
    assert_true(c.high_quality == 0.5);
    assert_true(fabs(c.reverse_kl - (0.75 * log(6) + 0.25 * log(2))) < 1e-12);
}

/* Three deviations, as a distance and not along each axis. */
static void the_limit(void **state) {
    (void)state;
    const gan_mixture *m = gan_mixture_find("grid25");
    assert_int_equal(gan_mode_of(m, 0.149f, 0), 12);
    assert_int_equal(gan_mode_of(m, 0.151f, 0), -1);
    assert_int_equal(gan_mode_of(m, 0.106f, 0.106f), 12);
    assert_int_equal(gan_mode_of(m, 0.107f, 0.107f), -1);
    assert_int_equal(gan_mode_of(m, 1, 1), -1);
}

static void none(void **state) {
    (void)state;
    const gan_mixture *m = gan_mixture_find("grid25");
    const float points[] = {1, 1, NAN, NAN};
    gan_mode_coverage c;
    expect_ok(gan_metric_mode_coverage(&c, points, 2, m));
    assert_int_equal(c.captured, 0);
    assert_true(c.high_quality == 0);
    assert_true(isinf(c.reverse_kl) && c.reverse_kl > 0);
    expect_failure(gan_metric_mode_coverage(&c, points, 0, m), GAN_ERROR_ARGUMENT, "0 points",
                   "expected at least 1");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mixtures),  cmocka_unit_test(every_mode_equally),
        cmocka_unit_test(one_mode),  cmocka_unit_test(mixed),
        cmocka_unit_test(the_limit), cmocka_unit_test(none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
