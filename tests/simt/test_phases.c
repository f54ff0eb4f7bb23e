/* Joined launches in phases: the bits of separate launches, and fewer of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "support/devices.h"
#include "support/gradients.h"
#include "support/scratch.h"

static const char *const families[] = {"phases"};
enum { FAMILIES = sizeof families / sizeof *families };

static bool is_of(const char *name, const char *family) {
    const size_t n = strlen(family);
    return strncmp(name, family, n) == 0 && name[n] == '/';
}

/* What one way to run a case gives, and the kernels that it launches. */
typedef struct run {
    test_case t;
    gan_device *device;
    case_result result;
    long kernels, cooperative;
} run;

static void run_open(run *r, int i, bool gradients, const gan_device_options *options) {
    expect_ok(gan_device_open(&r->device, "cuda", options));
    case_open(&r->t, i);
    if (gradients) case_add_gradients(&r->t);
    const simt_counts before = simt_count();
    assert_true(case_execute(&r->t, r->device, &(case_run){3, false, true}, &r->result));
    r->kernels = simt_count().kernels - before.kernels;
    r->cooperative = simt_count().cooperative - before.cooperative;
}

static void run_close(run *r) {
    case_result_free(&r->result);
    case_close(&r->t);
    gan_device_close(r->device);
}

static void compare(int i, bool gradients, long *saved) {
    run apart, phases, branches;
    run_open(&apart, i, gradients, &(gan_device_options){.cooperative = -1});
    run_open(&phases, i, gradients, NULL);
    run_open(&branches, i, gradients, &(gan_device_options){.branches = true});
    assert_int_equal(case_compare_bits(&phases.t, &phases.result, &apart.result, "phases"), 0);
    assert_int_equal(case_compare_bits(&phases.t, &branches.result, &apart.result, "branches"), 0);
    assert_int_equal(apart.cooperative, 0);
    assert_true(phases.kernels <= apart.kernels);
    *saved += phases.kernels < apart.kernels;
    run_close(&apart);
    run_close(&phases);
    run_close(&branches);
}

static void they_change_no_bit(void **state) {
    const char *family = *state;
    long saved = 0;
    for (int i = 0; i < case_count(); i++) {
        test_case t;
        case_open(&t, i);
        const bool wanted = is_of(t.name, family), gradients = case_has_gradient(&t);
        case_close(&t);
        if (wanted) compare(i, false, &saved);
        if (wanted && gradients) compare(i, true, &saved);
    }
    print_message("%s: %ld cases with fewer launches\n", family, saved);
    assert_true(saved >= 5);
}

static int first_of(const char *family) {
    for (int i = 0; i < case_count(); i++) {
        test_case t;
        case_open(&t, i);
        const bool found = is_of(t.name, family);
        case_close(&t);
        if (found) return i;
    }
    fail_msg("no case of %s", family);
    return -1;
}

/* Three power iterations side by side are one launch. */
static void an_iteration_is_one_launch(void **state) {
    (void)state;
    run r;
    run_open(&r, first_of("phases"), false, NULL);
    assert_int_equal(r.kernels, 3);
    assert_int_equal(r.cooperative, 3);
    run_close(&r);
}

/* Features summed up over images, logits of them, and their loss: in f32 and in bf16. What comes
 * back has the same bits, too. */
static void a_head_is_one_launch(void **state) {
    (void)state;
    for (int half = 0; half < 2; half++) {
        const int i = first_of("head") + 2 + half;
        long saved = 0;
        run r;
        run_open(&r, i, false, NULL);
        assert_int_equal(r.kernels, 3);
        assert_int_equal(r.cooperative, 3);
        run_close(&r);
        compare(i, true, &saved);
        assert_int_equal(saved, 1);
    }
}

/* From a product on, with batch norm behind it, to a loss; and all that comes back but products of
 * f32, which are the library's. Bits of those of bf16 are not the library's. */
static void batch_norm_is_a_phase(void **state) {
    (void)state;
    enum { CASES = 6, F32 = 2 };
    const int first = first_of("phased");
    for (int i = first; i < first + CASES; i++) {
        const bool half = i >= first + F32;
        run whole, pairs;
        for (int gradients = 0; gradients < 2; gradients++) {
            run_open(&whole, i, gradients, NULL);
            run_open(&pairs, i, gradients, &(gan_device_options){.cooperative = 1});
            if (!gradients) assert_int_equal(whole.kernels, half ? 3 : 6);
            assert_true(pairs.kernels >= whole.kernels + (gradients ? 9 : 3));
            if (!half)
                assert_int_equal(
                    case_compare_bits(&whole.t, &whole.result, &pairs.result, "phases"), 0);
            run_close(&whole);
            run_close(&pairs);
        }
    }
}

/* A device that cannot has separate launches. */
static void it_takes_a_device_that_can(void **state) {
    (void)state;
    run r, other;
    const int i = first_of("phases");
    run_open(&r, i, false, &(gan_device_options){.cooperative = -1});
    simt_set_cooperative(0);
    run_open(&other, i, false, NULL);
    assert_int_equal(other.kernels, r.kernels);
    assert_int_equal(other.cooperative, 0);
    assert_int_equal(case_compare_bits(&r.t, &r.result, &other.result, "no device"), 0);
    run_close(&r);
    run_close(&other);
    simt_reset();
}

/* Two that were on the device in part would wait for each other. */
static void there_is_one_at_a_time(void **state) {
    (void)state;
    test_case t;
    gan_device *device;
    gan_program *program;
    int gather = 0;
    expect_ok(gan_device_open(&device, "cuda", &(gan_device_options){.branches = true}));
    case_open(&t, first_of("phases") + 2);
    case_add_gradients(&t);
    expect_ok(gan_compile(&program, t.g, device));
    for (int i = 0; i < program->n_calls; i++)
        if (program->call[i].gathers) {
            gather++;
            assert_int_equal(program->call[i].lane, 0);
        }
    assert_true(gather > 1);
    gan_program_destroy(program);
    case_close(&t);
    gan_device_close(device);
}

int main(void) {
    struct CMUnitTest tests[FAMILIES + 5] = {
        cmocka_unit_test(an_iteration_is_one_launch), cmocka_unit_test(a_head_is_one_launch),
        cmocka_unit_test(batch_norm_is_a_phase),      cmocka_unit_test(it_takes_a_device_that_can),
        cmocka_unit_test(there_is_one_at_a_time),
    };
    for (int i = 0; i < FAMILIES; i++)
        tests[5 + i] = (struct CMUnitTest){"they_change_no_bit", they_change_no_bit, NULL, NULL,
                                           (void *)(uintptr_t)families[i]};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
