/* Every preset of the ring of eight learns: over three seeds it covers at least a quarter of the
 * modes after a thousand steps of small networks. */
#include <dirent.h>
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

static double mean_of(const char *preset) {
    double sum = 0;
    for (int seed = 1; seed <= SEEDS; seed++) sum += covered(preset, seed) / SEEDS;
    return sum;
}

static int is_ring(const struct dirent *e) {
    const size_t n = strlen(e->d_name);
    return n > 11 && !strncmp(e->d_name, "ring8-", 6) && !strcmp(e->d_name + n - 5, ".yaml");
}

static void every_preset_learns(void **state) {
    struct dirent **list;
    const int n = scandir(GANC_TEST_SOURCE "/tools/presets", &list, is_ring, alphasort);
    int bad = 0;
    (void)state;
    assert_true(n >= 40);
    for (int i = 0; i < n; i++) {
        char preset[64];
        snprintf(preset, sizeof preset, "%.*s", (int)strlen(list[i]->d_name) - 5, list[i]->d_name);
        const double modes = mean_of(preset);
        if (!(modes >= 2)) print_error("%s: %.1f modes\n", preset, modes), bad++;
        free(list[i]);
    }
    free(list);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_preset_learns, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
