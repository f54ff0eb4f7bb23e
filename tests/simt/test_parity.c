/* No op that the CPU computes is out of the GPU's reach: it has a kernel there or an expansion. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/kernels.h"
#include "cuda/kernels.h"

/* How many ops are; their names are printed unless `quiet`. */
static int out_of_reach(const gan_kernel *const *cpu, const gan_kernel *const *cuda, bool quiet) {
    int n = 0;
    for (int op = 0; op < GAN_OP_COUNT; op++) {
        if (!cpu[op] || cuda[op] || gan_op_table[op].expand) continue;
        if (!quiet)
            print_error("%s: a CPU kernel, but neither a CUDA kernel nor an expansion\n",
                        gan_op_table[op].name);
        n++;
    }
    return n;
}

static void every_op_of_the_cpu_is_within_reach(void **state) {
    (void)state;
    assert_int_equal(out_of_reach(gan_cpu_kernels, gan_cuda_kernels, false), 0);
}

static void a_missing_kernel_is_noticed(void **state) {
    (void)state;
    const gan_kernel *cuda[GAN_OP_COUNT];
    int tried = 0;
    for (int op = 0; op < GAN_OP_COUNT; op++) {
        memcpy(cuda, gan_cuda_kernels, sizeof cuda);
        if (!gan_cpu_kernels[op] || !cuda[op] || gan_op_table[op].expand) continue;
        const int before = out_of_reach(gan_cpu_kernels, cuda, true);
        cuda[op] = NULL;
        assert_int_equal(out_of_reach(gan_cpu_kernels, cuda, true), before + 1);
        tried++;
    }
    assert_true(tried > 10);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_op_of_the_cpu_is_within_reach),
        cmocka_unit_test(a_missing_kernel_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
