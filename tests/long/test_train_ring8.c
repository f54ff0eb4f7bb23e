/* The ring of eight, as a person would train it: 8 of 8 modes with at least 75 % of the samples
 * within three deviations of one, for at least 8 of 10 seeds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

enum { SEEDS = 10, WANTED = 8, FEW = 3 };

static bool covers(int seed, const char *precision) {
    char name[32], set[32], log[64], number[16], *line;
    double modes, share;
    snprintf(name, sizeof name, "seed-%d-%s", seed, precision);
    snprintf(set, sizeof set, "precision=%s", precision);
    snprintf(log, sizeof log, "%s/log.jsonl", name);
    snprintf(number, sizeof number, "%d", seed);
    command_done(
        ARGS("train", "ring8", "--out", name, "--seed", number, "--device", "cpu", "--set", set));
    expect_ok(gan_journal_last(&line, scratch(log)));
    expect_ok(gan_journal_number(&modes, line, "modes"));
    expect_ok(gan_journal_number(&share, line, "high_quality"));
    print_message("seed %d: %.0f modes, %.3f of high quality\n", seed, modes, share);
    free(line);
    return modes >= 8 && share >= 0.75;
}

static void ring8_is_covered_for_most_seeds(void **state) {
    int good = 0;
    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) good += covers(seed, "f32");
    assert_true(good >= WANTED);
}

static void ring8_is_covered_in_bf16(void **state) {
    int good = 0;
    (void)state;
    for (int seed = 1; seed <= FEW; seed++) good += covers(seed, "bf16");
    assert_true(good >= FEW - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(ring8_is_covered_for_most_seeds, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(ring8_is_covered_in_bf16, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
