/* Every op on the CPU against the reference, whatever the number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "support/devices.h"

static gan_device *open_cpu(int threads) {
    gan_device *device;
    assert_int_equal(gan_device_open(&device, "cpu", &(gan_device_options){.threads = threads}),
                     GAN_OK);
    return device;
}

/* An op that no case computes is not tested, whatever else passes. */
static void every_op_has_a_case(void **state) {
    (void)state;
    bool op[GAN_OP_COUNT] = {false}, fn[GAN_FN_COUNT] = {false};
    int missing = 0;
    for (int i = 0; i < case_count(); i++) {
        test_case t;
        case_open(&t, i);
        for (int n = 0; n < t.built_nodes; n++) {
            const gan_node *node = t.g->node[n];
            op[node->op] = true;
            for (int s = 0; node->program && s < node->program->n_steps; s++)
                fn[node->program->step[s].fn] = true;
        }
        case_close(&t);
    }
    for (int i = 0; i < GAN_OP_COUNT; i++)
        if (!op[i]) {
            print_error("%s: no case\n", gan_op_table[i].name);
            missing++;
        }
    for (int i = 0; i < GAN_FN_COUNT; i++)
        if (!fn[i] &&
            gan_fn_table[i].arity > 0) { /* one without operands only occurs in fused programs */
            print_error("%s: no case\n", gan_fn_table[i].name);
            missing++;
        }
    assert_int_equal(missing, 0);
}

static void cpu_agrees_with_the_reference(void **state) {
    (void)state;
    gan_device *device = open_cpu(0);
    assert_int_equal(check_all_cases(device), 0);
    gan_device_close(device);
}

static void threads_do_not_change_a_bit(void **state) {
    (void)state;
    enum { MOST = 3 };
    gan_device *device[MOST];
    int bad = 0;
    for (int i = 0; i < MOST; i++) device[i] = open_cpu(i + 1);
    for (int i = 0; i < case_count(); i++) {
        case_result result[MOST];
        for (int k = 0; k < MOST; k++) {
            test_case t;
            case_open(&t, i);
            bad += !case_execute(&t, device[k], &(case_run){3, false}, &result[k]);
            if (k > 0 && result[k].n == result[0].n)
                bad += case_compare_bits(&t, &result[0], &result[k],
                                         k == 1 ? "1 and 2 threads" : "1 and 3 threads");
            case_close(&t);
        }
        for (int k = 0; k < MOST; k++) case_result_free(&result[k]);
    }
    for (int i = 0; i < MOST; i++) gan_device_close(device[i]);
    assert_int_equal(bad, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_has_a_case),
        cmocka_unit_test(cpu_agrees_with_the_reference),
        cmocka_unit_test(threads_do_not_change_a_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
