/* What the cost model says a program launches is what the device then executes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "control.h"
#include "games.h"
#include "support/scratch.h"

static const game networks[] = {
    {"mlp", "adam", "non-saturating", NULL, 8, 8, 1, false, false, 0},
    {"mlp", "momentum", "non-saturating", NULL, 28, 64, 2, true, false, 0.9},
    {"maxout", "momentum", "non-saturating", NULL, 8, 8, 1, false, false, 0},
    {"dcgan", "adam", "non-saturating", NULL, 28, 4, 1, false, false, 0.9},
    {"dcgan", "adam", "non-saturating", NULL, 32, 8, 2, true, false, 0},
};

typedef gan_status compiler(gan_program **out, gan_graph *graph, gan_device *device);

static void what_is_counted_is_executed(const game *n, compiler *compile, const char *how) {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_program_info info;
    expect_ok(gan_device_open(&device, "cuda", NULL));
    expect_ok(gan_store_create(&store, 1));
    expect_ok(gan_graph_create(&g, store));
    game_write(g, n, GAN_PRECISION_F32);
    expect_ok(compile(&program, g, device));
    expect_ok(gan_program_load(program));
    gan_program_describe(program, &info);
    expect_ok(gan_device_synchronize(device));
    const simt_counts before = simt_count();
    expect_ok(gan_program_run(program, 1));
    expect_ok(gan_device_synchronize(device));
    const simt_counts after = simt_count(); /* the launch of the whole is an operation, too */
    const long executed =
        after.operations - before.operations - (after.graph_launches - before.graph_launches);
    print_message("%s, %s: %d calls, %d launches\n", n->model, how, program->n_calls,
                  info.launches);
    assert_int_equal(info.launches, executed);
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
}

static void launches_are_counted(void **state) {
    what_is_counted_is_executed(*state, gan_compile, "joined");
    what_is_counted_is_executed(*state, gan_compile_apart, "one by one");
}

/* Binary cross-entropy and its gradient, of as many logits as batches have. */
static void a_loss_and_its_gradient_are_one_launch(void **state) {
    static const int64_t lengths[] = {1, 64, 4096};
    (void)state;
    for (int i = 0; i < 3; i++) {
        gan_device *device;
        gan_store *store;
        gan_graph *g;
        gan_program *program;
        gan_node *gradient;
        expect_ok(gan_device_open(&device, "cuda", NULL));
        expect_ok(gan_store_create(&store, 1));
        expect_ok(gan_graph_create(&g, store));
        gan_node *logits = gan_input(g, GAN_F32, gan_shape2(lengths[i], 1), "logits");
        gan_node *loss = gan_logits_loss(g, logits, 0.9);
        expect_ok(gan_gradient(g, loss, 1, &logits, &gradient));
        gan_output(g, loss);
        gan_output(g, gradient);
        expect_ok(gan_compile(&program, g, device));
        expect_ok(gan_program_load(program));
        expect_ok(gan_device_synchronize(device));
        const long before = simt_count().kernels;
        expect_ok(gan_program_run(program, 1));
        expect_ok(gan_device_synchronize(device));
        assert_int_equal(simt_count().kernels - before, 1);
        gan_program_destroy(program);
        gan_graph_destroy(g);
        gan_store_destroy(store);
        gan_device_close(device);
    }
}

/* Without a device the same is planned as with one. */
static void a_plan_is_what_the_device_gets(void **state) {
    gan_program_info info[2];
    for (int planned = 0; planned < 2; planned++) {
        gan_device *device;
        gan_store *store;
        gan_graph *g;
        gan_program *program;
        expect_ok(gan_device_open(&device, "cuda", &(gan_device_options){.plan_only = planned}));
        expect_ok(gan_store_create(&store, 1));
        expect_ok(gan_graph_create(&g, store));
        game_write(g, *state, GAN_PRECISION_F32);
        expect_ok(gan_compile(&program, g, device));
        gan_program_describe(program, &info[planned]);
        gan_program_destroy(program);
        gan_graph_destroy(g);
        gan_store_destroy(store);
        gan_device_close(device);
    }
    assert_int_equal(info[0].launches, info[1].launches);
    assert_int_equal(info[0].bytes_moved, info[1].bytes_moved);
    assert_int_equal(info[0].flops, info[1].flops);
    assert_int_equal(info[0].activation_bytes, info[1].activation_bytes);
}

/* A plan is made where there is no device. */
static void no_device_is_needed_for_a_plan(void **state) {
    (void)state;
    gan_device *device;
    gan_device_info info;
    simt_set_devices(0);
    simt_set_driver(0);
    assert_int_equal(gan_device_open(&device, "cuda", NULL), GAN_ERROR_DEVICE);
    expect_ok(gan_device_open(&device, "cuda", &(gan_device_options){.plan_only = true}));
    expect_ok(gan_device_describe(device, &info));
    assert_string_equal(info.kind, "cuda");
    gan_device_close(device);
    simt_reset();
}

int main(void) {
    enum { NETWORKS = sizeof networks / sizeof *networks };
    struct CMUnitTest tests[2 * NETWORKS + 2] = {
        cmocka_unit_test(no_device_is_needed_for_a_plan),
        cmocka_unit_test(a_loss_and_its_gradient_are_one_launch)};
    for (int i = 0; i < NETWORKS; i++) {
        void *n = (void *)(uintptr_t)&networks[i];
        tests[2 + 2 * i] =
            (struct CMUnitTest){"launches_are_counted", launches_are_counted, NULL, NULL, n};
        tests[3 + 2 * i] = (struct CMUnitTest){"a_plan_is_what_the_device_gets",
                                               a_plan_is_what_the_device_gets, NULL, NULL, n};
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
