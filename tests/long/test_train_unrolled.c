/* Unrolled D at work (Metz et al. 2017, figure 2): where the plain game chases D from mode to mode,
 * G that looks five updates of D ahead finds all eight and stays. Nothing else differs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

enum { SEEDS = 3 };

static double modes_of(const char *unroll, int seed) {
    char log[64], folder[32], number[16], *line;
    double modes;
    snprintf(folder, sizeof folder, "%s-%d", unroll, seed);
    snprintf(number, sizeof number, "%d", seed);
    snprintf(log, sizeof log, "%s/log.jsonl", folder);
    command_done(ARGS("train", "ring8-unrolled5", "--out", folder, "--seed", number, "--device",
                      "cpu", "--set", unroll, "--set", "sample.every=0", "--set",
                      "checkpoint.every=0"));
    expect_ok(gan_journal_last(&line, scratch(log)));
    expect_ok(gan_journal_number(&modes, line, "modes"));
    free(line);
    print_message("%s, seed %d: %.0f modes\n", unroll, seed, modes);
    return modes;
}

static void unrolling_keeps_modes(void **state) {
    double plain = 0, unrolled = 0;
    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) {
        plain += modes_of("unroll=0", seed) / SEEDS;
        unrolled += modes_of("unroll=5", seed) / SEEDS;
    }
    assert_true(unrolled >= 7.5 && unrolled >= plain + 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(unrolling_keeps_modes, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
