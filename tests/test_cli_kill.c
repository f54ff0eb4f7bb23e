/* kill -9 at random moments of a run that saves at every step: the checkpoint on disk always loads,
 * and the run goes on from it. GANC_KILLS says how often; the long test includes this file with
 * more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/philox.h"
#include "support/command.h"
#include "support/process.h"
#include "support/scratch.h"
#include "support/tiny.h"

#ifndef GANC_KILLS
#define GANC_KILLS 20
#endif

#define RUN                                                                                        \
    "train", "ring8", "--out", "r", "--device", "cpu", "--steps", "1000000000", "--set",           \
        "batch=16", "--set", "checkpoint.every=1", "--set", "log.every=1", "--set",                \
        "sample.count=50"

static void pause_ms(uint32_t ms) {
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static int64_t loaded_step(void) {
    gan_settings *s;
    gan_checkpoint_info info;
    expect_ok(gan_checkpoint_open(&s, &info, scratch("r/checkpoint.safetensors")));
    gan_settings_destroy(s);
    return info.step;
}

/* Waits until the run has saved behind `step`. */
static void wait_for_a_save(int64_t step) {
    for (int i = 0; i < 30000 && loaded_step() <= step; i++) pause_ms(1);
    assert_true(loaded_step() > step);
}

/* Half of the kills come some time after the start, whatever is going on then; the others in the
 * thick of saving, which takes longer than the step itself. */
static void the_checkpoint_always_loads(void **state) {
    int64_t last;
    (void)state;
    command_done(ARGS(RUN, "--steps", "1"));
    last = loaded_step();
    for (uint32_t i = 0; i < GANC_KILLS; i++) {
        const uint32_t random = gan_philox(7, 0, i).v[0];
        const pid_t process = command_start(ARGS(RUN, "--resume"));
        if (i % 2) wait_for_a_save(last);
        pause_ms(i % 2 ? random % 50 : random % 400);
        process_kill(process);
        const int64_t step = loaded_step();
        if (step < last + i % 2)
            fail_msg("kill %u: step %lld after step %lld", i, (long long)step, (long long)last);
        last = step;
        command_done(ARGS("sample", "r/checkpoint.safetensors", "-o", "x.png", "--device", "cpu"));
    }
    print_message("%d kills, step %lld\n", GANC_KILLS, (long long)last);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_checkpoint_always_loads, scratch_setup,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
