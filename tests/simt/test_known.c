/* What networks write behind products is compiled ahead: of the benchmark's cases with such
 * products, none of our own interprets its program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "cuda/device.h"
#include "device/program.h"
#include "ganc/ganc.h"
#include "support/measured.h"

static void nothing_is_interpreted_in(const measured_case *c, gan_precision precision) {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *p;
    int own = 0, unknown = 0;
    assert_int_equal(gan_device_open(&device, "cuda", &(gan_device_options){.plan_only = true}),
                     GAN_OK);
    assert_int_equal(gan_store_create(&store, 1), GAN_OK);
    assert_int_equal(gan_graph_create(&g, store), GAN_OK);
    measured_build(g, c, precision);
    assert_int_equal(gan_compile(&p, g, device), GAN_OK);
    for (int i = 0; i < p->n_calls; i++) {
        const gan_call *call = &p->call[i];
        if (call->node->op != GAN_OP_matmul || !gan_cuda_matmul_is_own(call)) continue;
        own++;
        if (gan_cuda_matmul_is_known(call)) continue;
        unknown++;
        print_message("%s %s: call %d\n", c->name, gan_precision_name(precision), i);
    }
    print_message("%s %s: %d products of our own\n", c->name, gan_precision_name(precision), own);
    assert_true(own > 5);
    assert_int_equal(unknown, 0);
    gan_program_destroy(p);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
}

static void nothing_is_interpreted(void **state) {
    (void)state;
    for (int c = 0; c < 4; c++) {
        if (c == 2) continue; /* its products have nothing behind them */
        nothing_is_interpreted_in(&measured_cases[c], GAN_PRECISION_F32);
        nothing_is_interpreted_in(&measured_cases[c], GAN_PRECISION_BF16);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(nothing_is_interpreted)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
