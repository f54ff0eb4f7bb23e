/* Runs on sequences of symbols: what they write, and that they learn the grammar. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/data.h"
#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

enum { SEEDS = 3 };

static double logged(const char *run, const char *name) {
    char log[64], *line;
    double value;
    snprintf(log, sizeof log, "%s/log.jsonl", run);
    expect_ok(gan_journal_last(&line, scratch(log)));
    expect_ok(gan_journal_number(&value, line, name));
    free(line);
    return value;
}

/* The share of the lines of a text that break the grammar; how many there are. */
static double broken_lines(const char *name, int *count) {
    const gan_grammar *grammar = gan_grammar_find("expressions");
    char *text;
    size_t size;
    int broken = 0;
    expect_ok(gan_file_read(&text, &size, scratch(name), 1 << 20));
    *count = 0;
    for (char *line = text, *end; (end = strchr(line, '\n')); line = end + 1, ++*count) {
        int32_t symbols[64];
        assert_int_equal(end - line, grammar->length);
        for (int64_t i = 0; i < grammar->length; i++) {
            const char *letter = strchr(grammar->letters, line[i]);
            assert_non_null(letter);
            symbols[i] = (int32_t)(letter - grammar->letters);
        }
        broken += !gan_grammar_accepts(grammar, symbols);
    }
    free(text);
    return (double)broken / *count;
}

/* An untrained generator breaks the grammar nearly always; 400 steps leave less than a half, for
 * each of three seeds, and many different sequences. */
static void the_grammar_is_learnt(void **state) {
    (void)state;
    for (int seed = 1; seed <= SEEDS; seed++) {
        char run[32], text[32], number[16];
        snprintf(run, sizeof run, "run-%d", seed);
        snprintf(number, sizeof number, "%d", seed);
        command_done(ARGS("train", "sequence-gumbel", "--out", run, "--seed", number, "--device",
                          "cpu", "--set", "steps=400", "--set", "sample.every=0"));
        const double violations = logged(run, "violations"), distinct = logged(run, "distinct");
        print_message("seed %d: %.3f break the grammar, %.0f different\n", seed, violations,
                      distinct);
        assert_true(violations < 0.5);
        assert_true(distinct > 200);
        /* The run's own noise gives the run's own sequences. */
        snprintf(text, sizeof text, "%d.txt", seed);
        command_done(ARGS("sample", run, "-o", text, "--device", "cpu"));
        int count;
        assert_true(fabs(broken_lines(text, &count) - violations) < 1e-6);
        assert_int_equal(count, 1024);
    }
    command_done(ARGS("train", "sequence-gumbel", "--out", "untrained", "--device", "cpu", "--set",
                      "steps=1", "--set", "log.every=1", "--set", "generator.average=0"));
    assert_true(logged("untrained", "violations") > 0.98);
    command_done(ARGS("sample", "run-1", "-o", "strips.png", "--device", "cpu"));
    command_done(ARGS("interpolate", "run-1", "-o", "walk.png", "--device", "cpu"));
}

static void only_sequences_are_text(void **state) {
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "ring", "--device", "cpu", "--set", "steps=1"));
    command_refused(1, "only sequences can be written as text, but model 'toy' makes points",
                    ARGS("sample", "ring", "-o", "ring.txt", "--device", "cpu"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_grammar_is_learnt, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(only_sequences_are_text, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
