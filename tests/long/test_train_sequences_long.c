/* Every preset for sequences, as a person would train it: at most a quarter of what G makes breaks
 * the grammar, for each of three seeds, where an untrained G breaks it nearly always. */
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

enum { SEEDS = 3 };

static void every_preset_learns_the_grammar(void **state) {
    static const char *const preset[] = {"sequence-gumbel", "sequence-straight-through",
                                         "sequence-reinforce", "sequence-embedding"};
    (void)state;
    for (int i = 0; i < 4; i++)
        for (int seed = 1; seed <= SEEDS; seed++) {
            char run[64], log[96], number[16], *line;
            double violations, distinct;
            snprintf(run, sizeof run, "%s-%d", preset[i], seed);
            snprintf(log, sizeof log, "%s/log.jsonl", run);
            snprintf(number, sizeof number, "%d", seed);
            command_done(
                ARGS("train", preset[i], "--out", run, "--seed", number, "--device", "cpu"));
            expect_ok(gan_journal_last(&line, scratch(log)));
            expect_ok(gan_journal_number(&violations, line, "violations"));
            expect_ok(gan_journal_number(&distinct, line, "distinct"));
            print_message("%s, seed %d: %.3f break the grammar, %.0f different\n", preset[i], seed,
                          violations, distinct);
            free(line);
            assert_true(violations < 0.25);
            assert_true(distinct > 200);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_preset_learns_the_grammar, scratch_setup,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
