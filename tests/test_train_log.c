/* What a line of the log tells: the scalars of its game, and no others. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scratch.h"
#include "support/tiny.h"

/* The last line after `steps` steps, the caller's to free. */
static char *line_after(const tiny_pairs *pairs, const char *name, int64_t steps) {
    tiny_images("images", 16, 8);
    gan_settings *s = tiny_settings(scratch("images"), pairs);
    char *line, log[64];
    snprintf(log, sizeof log, "%s/log.jsonl", name);
    tiny_run(s, name, steps, 1, false);
    expect_ok(gan_journal_last(&line, scratch(log)));
    gan_settings_destroy(s);
    return line;
}

static double number(const char *line, const char *name) {
    double value;
    expect_ok(gan_journal_number(&value, line, name));
    return value;
}

/* In the first step k is 0, so D's loss is R; where D stands still and G's step takes the same
 * fakes, G's loss is F. */
static void began_tells_its_convergence(void **state) {
    static const tiny_pairs pairs = {{"model", "mlp"},        {"objective", "began"},
                                     {"reuse_noise", "true"}, {"discriminator.rate", "1e-30"},
                                     {"log.every", "1"},      {"objective.gamma", "0.6"}};
    (void)state;
    char *line = line_after(&pairs, "run", 1);
    const double r = number(line, "d_loss"), f = number(line, "g_loss");
    assert_true(r > 0 && f > 0 && fabs(0.6 * r - f) > 1e-3 * r); /* else a part is not seen */
    const double m = r + fabs(0.6 * r - f);
    assert_true(fabs(number(line, "convergence") - m) <= 1e-5 * m);
    free(line);
}

/* A line is the mean over its steps, of this scalar as of the others. */
static void convergence_is_a_mean(void **state) {
    static const tiny_pairs each = {{"model", "mlp"}, {"objective", "began"}, {"log.every", "1"}};
    static const tiny_pairs three = {{"model", "mlp"}, {"objective", "began"}, {"log.every", "3"}};
    double sum = 0;
    (void)state;
    for (int64_t steps = 1; steps <= 3; steps++) {
        char name[8] = {'r', (char)('0' + steps), 0};
        char *line = line_after(&each, name, steps);
        sum += number(line, "convergence") / 3;
        free(line);
    }
    char *line = line_after(&three, "all", 3);
    assert_true(fabs(number(line, "convergence") - sum) <= 1e-6 * sum);
    free(line);
}

static void others_have_none(void **state) {
    static const tiny_pairs pairs = {{"model", "mlp"}, {"objective", "ebgan"}};
    (void)state;
    char *line = line_after(&pairs, "run", 3);
    assert_non_null(strstr(line, "\"d_fake\":"));
    assert_null(strstr(line, "convergence"));
    free(line);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(began_tells_its_convergence),
        TEST(convergence_is_a_mean),
        TEST(others_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
