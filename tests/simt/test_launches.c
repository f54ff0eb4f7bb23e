/* What the cost model says a program launches is what the device then executes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "control.h"
#include "device/program.h"
#include "ganc/ganc.h"
#include "support/scratch.h"

typedef struct network {
    const char *model, *optimizer;
    int64_t size, features;
    bool spectral_norm;
    int64_t d_steps;
    double average;
} network;

static const network networks[] = {
    {"mlp", "adam", 8, 8, false, 1, 0},        {"mlp", "momentum", 28, 64, true, 2, 0.9},
    {"maxout", "momentum", 8, 8, false, 1, 0}, {"dcgan", "adam", 28, 4, false, 1, 0.9},
    {"dcgan", "adam", 32, 8, true, 2, 0},
};

static gan_node *real_batch(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const network *n = user;
    gan_node *data = gan_variable_node(g, GAN_DATA, "data/images", GAN_U8,
                                       gan_shape4(20, n->size, n->size, 1), gan_init_constant(0));
    gan_node *index = gan_shuffled_index(g, counter, 20, 6, 6 * n->d_steps, 6 * step, 1u << 20);
    return gan_minibatch(g, data, index, counter, 2.0 / 255, -1, true);
}

static void build(gan_graph *g, const network *n) {
    gan_game game;
    const gan_game_options options = {.model = gan_model_find(n->model),
                                      .networks = {.height = n->size,
                                                   .width = n->size,
                                                   .channels = 1,
                                                   .z_dim = 10,
                                                   .generator_features = n->features,
                                                   .discriminator_features = n->features,
                                                   .spectral_norm = n->spectral_norm},
                                      .batch = 6,
                                      .d_steps = n->d_steps,
                                      .average = n->average,
                                      .objective = gan_objective_find("non-saturating"),
                                      .prior = gan_prior_find("normal"),
                                      .generator = gan_optimizer_defaults(n->optimizer),
                                      .discriminator = gan_optimizer_defaults(n->optimizer),
                                      .real = real_batch,
                                      .user = (void *)(uintptr_t)n};
    expect_ok(gan_game_build(&game, g, &options));
    gan_node *ring = gan_variable_node(g, GAN_RECORD, "train/ring", GAN_F32, gan_shape2(4, 4),
                                       gan_init_constant(0));
    gan_node *const scalar[4] = {game.d_loss, game.g_loss, game.d_real, game.d_fake};
    gan_record(g, ring, game.counter, 1, 4, scalar);
}

typedef gan_status compiler(gan_program **out, gan_graph *graph, gan_device *device);

static void what_is_counted_is_executed(const network *n, compiler *compile, const char *how) {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_program_info info;
    expect_ok(gan_device_open(&device, "cuda", NULL));
    expect_ok(gan_store_create(&store, 1));
    expect_ok(gan_graph_create(&g, store));
    build(g, n);
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
        build(g, *state);
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
