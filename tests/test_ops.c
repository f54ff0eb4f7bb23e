/* Every op on the CPU against the reference, whatever the number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/conv.h"
#include "cpu/device.h"
#include "cpu/simd.h"
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

/* With the inner loops of every instruction set that this machine has: others have only the
 * narrower ones. */
static void cpu_agrees_with_the_reference(void **state) {
    (void)state;
    enum { MOST = 8 };
    gan_device *device[MOST];
    const char *name[MOST];
    int n = 0;
    for (; n < MOST && gan_cpu_simd_at(n); n++) {
        device[n] = open_cpu(0);
        ((gan_cpu_device *)(void *)device[n])->simd = gan_cpu_simd_at(n);
        name[n] = gan_cpu_simd_at(n)->name;
    }
    assert_int_equal(check_cases(n, device, name, NULL), 0);
    while (n > 0) gan_device_close(device[--n]);
}

/* How many cases fail or, with other numbers of threads, differ. */
static int check_threads(const char *family, const gan_backend *backend) {
    enum { MOST = 3 };
    gan_device *device[MOST];
    const gan_backend *own = NULL;
    int bad = 0;
    for (int i = 0; i < MOST; i++) {
        device[i] = open_cpu(i + 1);
        own = device[i]->backend;
        if (backend) device[i]->backend = backend;
    }
    for (int i = 0; i < case_count(); i++) {
        case_result result[MOST] = {{0}};
        for (int k = 0; k < MOST; k++) {
            test_case t;
            case_open(&t, i);
            if (strncmp(t.name, family, strlen(family)) == 0) {
                bad += !case_execute(&t, device[k], &(case_run){3, false, false}, &result[k]);
                if (k > 0 && result[k].n == result[0].n)
                    bad += case_compare_bits(&t, &result[0], &result[k],
                                             k == 1 ? "1 and 2 threads" : "1 and 3 threads");
            }
            case_close(&t);
        }
        for (int k = 0; k < MOST; k++) case_result_free(&result[k]);
    }
    for (int i = 0; i < MOST; i++) {
        device[i]->backend = own;
        gan_device_close(device[i]);
    }
    return bad;
}

static void every_way_of_convolution_agrees(void **state) {
    (void)state;
    static const char *const families[] = {"conv", "epilogue"}, *const names[] = {"windows", "taps",
                                                                                  "phases"};
    const gan_kernel *ways[] = {gan_cpu_conv_by_windows, gan_cpu_conv_by_taps,
                                gan_cpu_conv_by_phases};
    gan_device *device = open_cpu(0);
    const gan_backend *own = device->backend;
    const gan_kernel *forced[GAN_OP_COUNT];
    memcpy(forced, own->kernel, sizeof forced);
    gan_backend backend = *own; /* whose convolutions go one way whatever the shape */
    backend.kernel = forced;
    int bad = 0;
    for (int way = 0; way < 3; way++) {
        forced[GAN_OP_conv2d] = &ways[way][GAN_CPU_CONV_Y];
        forced[GAN_OP_conv2d_grad_input] = &ways[way][GAN_CPU_CONV_DX];
        forced[GAN_OP_conv2d_grad_weight] = &ways[way][GAN_CPU_CONV_DW];
        for (int f = 0; f < 2; f++) {
            device->backend = &backend;
            bad += check_cases(1, &device, &names[way], families[f]) +
                   check_threads(families[f], &backend);
            device->backend = own;
        }
    }
    gan_device_close(device);
    assert_int_equal(bad, 0);
}

static void threads_do_not_change_a_bit(void **state) {
    (void)state;
    assert_int_equal(check_threads("", NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_has_a_case),
        cmocka_unit_test(cpu_agrees_with_the_reference),
        cmocka_unit_test(every_way_of_convolution_agrees),
        cmocka_unit_test(threads_do_not_change_a_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
