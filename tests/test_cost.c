/* What a training iteration costs on a GPU, counted without one: launches and bytes of the
 * benchmark's cases, held against limits so that a change that adds launches or traffic fails.
 * With an argument, the launches of that case are listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device/program.h"
#include "ganc/ganc.h"

/* An iteration as bench/ measures it, and what it may cost. The ideal figures are counted by hand:
 * the kernels of the cheapest correct schedule with every chain in a product's epilogue, and the
 * bytes that they move with values stored as bf16. */
typedef struct cost_case {
    const char *name, *model, *optimizer;
    int64_t size, channels, features, batch;
    bool reuse_noise;
    int ideal_launches;
    double ideal_gflop, ideal_mb, ideal_updates_mb;
    /* limits: as found when they were last lowered */
    int launches;
    double mb, updates_mb;
} cost_case;

static const cost_case cases[] = {
    {"a1", "mlp", "adam", 28, 1, 0, 128, true, 29, 2.0, 26, 61, 1000, 1e6, 1e6},
    {"a2", "maxout", "momentum", 28, 1, 0, 100, false, 29, 3.6, 48, 82, 1000, 1e6, 1e6},
    {"b", "dcgan", "adam", 64, 3, 64, 128, true, 42, 291, 1005, 190, 1000, 1e6, 1e6},
    {"d", "dcgan", "adam", 128, 3, 96, 256, true, 50, 6893, 12181, 1579, 1000, 1e6, 1e6},
};
enum { CASES = sizeof cases / sizeof *cases, EXAMPLES = 10000, RING = 1024 };

static gan_node *real_batch(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const cost_case *c = user;
    gan_node *data = gan_variable_node(g, GAN_DATA, "data/images", GAN_U8,
                                       gan_shape4(EXAMPLES, c->size, c->size, c->channels),
                                       gan_init_constant(0));
    gan_node *index =
        gan_shuffled_index(g, counter, EXAMPLES, c->batch, c->batch, step * c->batch, 1u << 20);
    return gan_minibatch(g, data, index, counter, 2.0 / 255, -1, false);
}

typedef struct compiled {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
} compiled;

static void build(gan_graph *g, const cost_case *c) {
    gan_game game;
    const gan_game_options options = {.model = gan_model_find(c->model),
                                      .networks = {.height = c->size,
                                                   .width = c->size,
                                                   .channels = c->channels,
                                                   .z_dim = 100,
                                                   .generator_features = c->features,
                                                   .discriminator_features = c->features},
                                      .batch = c->batch,
                                      .d_steps = 1,
                                      .reuse_noise = c->reuse_noise,
                                      .objective = gan_objective_find("non-saturating"),
                                      .prior = gan_prior_find("normal"),
                                      .generator = gan_optimizer_defaults(c->optimizer),
                                      .discriminator = gan_optimizer_defaults(c->optimizer),
                                      .real = real_batch,
                                      .user = (void *)(uintptr_t)c};
    assert_int_equal(gan_game_build(&game, g, &options), GAN_OK);
    gan_node *ring = gan_variable_node(g, GAN_RECORD, "train/ring", GAN_F32, gan_shape2(RING, 4),
                                       gan_init_constant(0));
    gan_node *const scalar[4] = {game.d_loss, game.g_loss, game.d_real, game.d_fake};
    gan_record(g, ring, game.counter, 1, 4, scalar);
}

/* False when this build has no device of the kind. */
static bool compile(compiled *p, const cost_case *c, const char *kind) {
    const gan_device_options planned = {.plan_only = true};
    if (gan_device_open(&p->device, kind, &planned) != GAN_OK) return false;
    assert_int_equal(gan_store_create(&p->store, 1), GAN_OK);
    assert_int_equal(gan_graph_create(&p->g, p->store), GAN_OK);
    build(p->g, c);
    if (gan_compile(&p->program, p->g, p->device) != GAN_OK) fail_msg("%s", gan_last_error());
    return true;
}

static void release(compiled *p) {
    gan_program_destroy(p->program);
    gan_graph_destroy(p->g);
    gan_store_destroy(p->store);
    gan_device_close(p->device);
}

static void print_row(const char *name, const char *what, double is, double ideal, double limit) {
    print_message("%-4s %-16s %10.1f %10.1f %8.2f %10.1f\n", name, what, is, ideal, is / ideal,
                  limit);
}

static void costs_no_more_than_it_did(void **state) {
    const cost_case *c = *state;
    compiled p;
    gan_program_info info;
    if (!compile(&p, c, "cuda")) {
        print_message("%s: skipped, %s\n", c->name, gan_last_error());
        skip();
    }
    gan_program_describe(p.program, &info);
    release(&p);
    const double updates = (double)info.bytes_updates * 1e-6;
    const double mb = (double)info.bytes_moved * 1e-6 - updates;
    print_row(c->name, "launches", info.launches, c->ideal_launches, c->launches);
    print_row(c->name, "MB", mb, c->ideal_mb, c->mb);
    print_row(c->name, "MB of updates", updates, c->ideal_updates_mb, c->updates_mb);
    print_row(c->name, "GFLOP", (double)info.flops * 1e-9, c->ideal_gflop, 1.02 * c->ideal_gflop);
    print_row(c->name, "MB of memory", (double)(info.activation_bytes + info.variable_bytes) * 1e-6,
              0, 0);
    assert_true(info.launches <= c->launches);
    assert_true(mb <= c->mb);
    assert_true(updates <= c->updates_mb);
    assert_true((double)info.flops * 1e-9 <= 1.02 * c->ideal_gflop);
    /* No product, update or batch that the schedule does not need. */
    assert_int_equal(info.launches_least, c->ideal_launches);
}

static void nothing_runs_on_a_planned_device(void **state) {
    (void)state;
    compiled p;
    assert_true(compile(&p, &cases[0], "cpu"));
    assert_int_equal(gan_program_load(p.program), GAN_ERROR_DEVICE);
    assert_int_equal(gan_program_run(p.program, 1), GAN_ERROR_DEVICE);
    assert_int_equal(gan_store_place(p.store, p.device), GAN_ERROR_DEVICE);
    release(&p);
}

static int list(const char *name, const char *kind) {
    for (int i = 0; i < CASES; i++) {
        compiled p;
        if (strcmp(cases[i].name, name) != 0 || !compile(&p, &cases[i], kind)) continue;
        gan_program_print(p.program, stdout);
        release(&p);
        return 0;
    }
    return 1;
}

int main(int argc, char **argv) {
    if (argc > 1) return list(argv[1], argc > 2 ? argv[2] : "cuda");
    struct CMUnitTest tests[CASES + 1] = {cmocka_unit_test(nothing_runs_on_a_planned_device)};
    for (int i = 0; i < CASES; i++)
        tests[1 + i] = (struct CMUnitTest){.name = cases[i].name,
                                           .test_func = costs_no_more_than_it_did,
                                           .initial_state = (void *)(uintptr_t)&cases[i]};
    print_message("%-4s %-16s %10s %10s %8s %10s\n", "case", "", "is", "ideal", "ratio", "limit");
    return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
