#include "support/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

enum { SEEDS = 3 };

static double covered(const char *preset, int seed) {
    char name[80], log[96], number[16], *line;
    /* What D sees at once divides it. */
    const char *batch = strstr(preset, "pacgan3") ? "batch=63" : "batch=64";
    double modes, share;
    snprintf(name, sizeof name, "%s-%d", preset, seed);
    snprintf(log, sizeof log, "%s/log.jsonl", name);
    snprintf(number, sizeof number, "%d", seed);
    command_done(ARGS("train", preset, "--out", name, "--seed", number, "--device", "cpu", "--set",
                      batch, "--set", "steps=1000", "--set", "rate.linear=1000", "--set",
                      "generator.average=0.99", "--set", "model.generator_features=64", "--set",
                      "model.discriminator_features=64", "--set", "sample.every=0", "--set",
                      "checkpoint.every=0"));
    expect_ok(gan_journal_last(&line, scratch(log)));
    expect_ok(gan_journal_number(&modes, line, "modes"));
    expect_ok(gan_journal_number(&share, line, "high_quality"));
    print_message("%s, seed %d: %.0f modes, %.3f of high quality\n", preset, seed, modes, share);
    free(line);
    return modes;
}

double ring_modes(const char *preset) {
    double sum = 0;
    for (int seed = 1; seed <= SEEDS; seed++) sum += covered(preset, seed) / SEEDS;
    return sum;
}
