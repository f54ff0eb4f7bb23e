/* A process that trains may have signal handlers of its own: a profiler's, an interpreter's. Their
 * frames must not land in what generated code computes with. */
#define _XOPEN_SOURCE 700 /* setitimer */

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/time.h>

#include <cmocka.h>

#include "support/scratch.h"
#include "support/tiny.h"

static volatile sig_atomic_t taken;

static void take(int number) {
    (void)number;
    taken++;
}

static void set_timer(int microseconds) {
    const struct itimerval every = {{0, microseconds}, {0, microseconds}};
    assert_int_equal(setitimer(ITIMER_REAL, &every, NULL), 0);
}

static void signals_leave_a_run_alone(void **state) {
    static const tiny_pairs pairs = {{"model", "mlp"},
                                     {"batch", "32"},
                                     {"model.generator_features", "128"},
                                     {"model.discriminator_features", "128"}};
    char data[512];
    const struct sigaction action = {.sa_handler = take, .sa_flags = SA_RESTART};
    (void)state;
    tiny_images("images-idx3-ubyte", 40, 28);
    snprintf(data, sizeof data, "%s", scratch("images-idx3-ubyte"));
    gan_settings *s = tiny_settings(data, &pairs);
    tiny_run(s, "calm", 60, 2, false);
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    set_timer(500);
    tiny_run(s, "storm", 60, 2, false);
    set_timer(0);
    assert_true(taken > 20);
    tiny_same_tensors(scratch("calm/checkpoint.safetensors"),
                      scratch("storm/checkpoint.safetensors"));
    gan_settings_destroy(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(signals_leave_a_run_alone, scratch_setup, scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
