/* What is said of presets, and of runs that are looked at again, from elsewhere or with other keys.
 */
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

#define CPU "--device", "cpu"
#define SMALL CPU, "--set", "batch=8", "--set", "sample.count=9"

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

/* The list says of each preset what it is trained on, in which batches and for how long. */
static void presets_are_listed_with_their_size(void **state) {
    gan_settings *s;
    outcome list, ring;
    char key[3][64], expected[256];
    (void)state;
    command(&list, ARGS("presets"));
    command(&ring, ARGS("presets", "ring8"));
    expect_ok(gan_settings_create(&s));
    expect_ok(gan_settings_read_memory(s, ring.out, strlen(ring.out), "ring8"));
    expect_ok(gan_settings_get(s, "data", key[0], sizeof key[0]));
    expect_ok(gan_settings_get(s, "batch", key[1], sizeof key[1]));
    expect_ok(gan_settings_get(s, "steps", key[2], sizeof key[2]));
    gan_settings_destroy(s);
    snprintf(expected, sizeof expected, "  %-13s  %5s  %6s  eight Gaussians", key[0], key[1],
             key[2]);
    const char *line = strstr(list.out, "\nring8 ");
    assert_non_null(line);
    assert_has(line, expected);
    const size_t head = strcspn(list.out, "\n"), row = (size_t)(strstr(line, key[2]) - line - 1);
    const char *steps = strstr(list.out, "STEPS");
    assert_true(steps && steps < list.out + head);
    assert_int_equal(steps + strlen("STEPS") - list.out, row + strlen(key[2])); /* right-aligned */
}

/* With other keys, figures are not those of the checkpoint; with bad ones nothing is printed. */
static void info_says_whose_the_figures_are(void **state) {
    static const char note[] = "of a run like it, with what --set and --data change";
    outcome r;
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", "--steps", "2", SMALL));
    command(&r, ARGS("info", "r", CPU));
    assert_int_equal(r.code, 0);
    assert_has(r.out, "checkpoint   ring8, step 2, by ganc ");
    assert_null(strstr(r.out, note));
    command(&r, ARGS("info", "r", CPU, "--set", "batch=16"));
    assert_int_equal(r.code, 0);
    assert_has(r.out, "checkpoint   ring8, step 2, by ganc ");
    assert_has(r.out, note);
    command(&r, ARGS("info", "r", CPU, "--set", "model=mlp"));
    assert_int_equal(r.code, 1);
    assert_string_equal(r.out, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(presets_are_listed_with_their_size),
        TEST(info_says_whose_the_figures_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
