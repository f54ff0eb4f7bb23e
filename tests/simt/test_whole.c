/* Batch norm with its statistics, and its gradient with its sums, as one launch: to the bit what
 * two launches make of them, and as many launches as the program says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "device/program.h"
#include "ganc/ganc.h"
#include "graph/graph.h"
#include "support/scratch.h"

typedef enum follower { NOTHING, RELU, LEAKY, TANH } follower;

/* saved: of the two launches, forward and back. */
typedef struct norm_case {
    gan_shape x;
    int64_t groups;
    bool bf16;
    follower follow;
    int saved;
} norm_case;

static const norm_case cases[] = {
    {{2, {6, 4}}, 1, false, RELU, 2},
    {{2, {9, 8}}, 3, true, LEAKY, 2},
    {{4, {4, 4, 4, 264}}, 2, false, NOTHING, 2}, /* tiles, one of them cut short */
    {{4, {4, 4, 4, 264}}, 2, true, RELU, 2},
    {{2, {5003, 20}}, 1, false, LEAKY, 2}, /* parts, the last one of fewer rows */
    {{2, {5003, 24}}, 1, true, NOTHING, 2},
    {{2, {2 * 1500, 136}}, 2, false, RELU, 2}, /* more pieces than blocks */
    {{2, {2 * 1500, 136}}, 2, true, LEAKY, 2},
    {{2, {40000, 8}}, 1, true, RELU, 2}, /* more rows than stay on the chip */
    {{2, {40000, 4}}, 2, false, LEAKY, 2},
    {{3, {2, 70, 16}}, 4, true, NOTHING, 2}, /* groups within an example */
    {{3, {2, 70, 16}}, 4, true, RELU, 1},
    {{2, {3000, 16}}, 1, true, TANH, 1}, /* what follows is a program of its own */
    {{2, {300, 7}}, 1, false, RELU, 0},  /* no whole vectors */
    {{2, {300, 12}}, 1, true, RELU, 0},
};
enum { CASES = sizeof cases / sizeof *cases, OUTPUTS = 5 };

static gan_node *follow(gan_graph *g, gan_node *y, follower f) {
    switch (f) {
    case RELU:
        return gan_relu(g, y);
    case LEAKY:
        return gan_leaky_relu(g, y, 0.2);
    case TANH:
        return gan_tanh(g, y);
    default:
        return y;
    }
}

static void build(gan_graph *g, const norm_case *c, gan_node *out[OUTPUTS]) {
    gan_node *counter = gan_game_counter(g), *gradient[3];
    const gan_shape vector = gan_shape1(c->x.dim[c->x.rank - 1]);
    gan_node *x = gan_random_normal(g, counter, c->x, 3, 2);
    gan_node *dy = gan_random_normal(g, counter, c->x, 0.5, 1);
    gan_node *gamma = gan_random_normal(g, counter, vector, 1, 1);
    gan_node *beta = gan_random_normal(g, counter, vector, 0, 1);
    if (c->bf16) {
        x = gan_cast(g, x, GAN_BF16);
        dy = gan_cast(g, dy, GAN_BF16);
    }
    gan_node *y = gan_batch_norm_training(g, x, c->groups, gamma, beta, 1e-5, &out[0]);
    out[1] = follow(g, y, c->follow);
    gan_node *from[3] = {x, gamma, beta};
    gan_node *loss = gan_sum(g, gan_cast(g, gan_mul(g, out[1], dy), GAN_F32));
    expect_ok(gan_gradient(g, loss, 3, from, gradient));
    memcpy(&out[2], gradient, sizeof gradient);
    for (int i = 0; i < OUTPUTS; i++) out[i] = gan_output(g, out[i]);
}

/* A compiled graph of a case. */
typedef struct opened {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_node *out[OUTPUTS];
    gan_program_info info;
} opened;

static void open_case(opened *o, const norm_case *c, const gan_device_options *options) {
    expect_ok(gan_device_open(&o->device, "cuda", options));
    expect_ok(gan_store_create(&o->store, 1));
    expect_ok(gan_graph_create(&o->g, o->store));
    build(o->g, c, o->out);
    expect_ok(gan_compile(&o->program, o->g, o->device));
    gan_program_describe(o->program, &o->info);
}

static void close_case(opened *o) {
    gan_program_destroy(o->program);
    gan_graph_destroy(o->g);
    gan_store_destroy(o->store);
    gan_device_close(o->device);
}

typedef struct result {
    void *value[OUTPUTS];
    size_t bytes[OUTPUTS];
    int launches;
} result;

static long executed(gan_device *device, gan_program *program) {
    expect_ok(gan_device_synchronize(device));
    const simt_counts before = simt_count();
    expect_ok(gan_program_run(program, 1));
    expect_ok(gan_device_synchronize(device));
    const simt_counts after = simt_count();
    return after.operations - before.operations - (after.graph_launches - before.graph_launches);
}

static void evaluate(result *r, const norm_case *c, const gan_device_options *options) {
    opened o;
    open_case(&o, c, options);
    expect_ok(gan_program_load(o.program));
    r->launches = o.info.launches;
    for (int run = 0; run < 2; run++) /* counters and barrier are as they were */
        assert_int_equal(executed(o.device, o.program), o.info.launches);
    for (int i = 0; i < OUTPUTS; i++) {
        r->bytes[i] = gan_node_bytes(o.out[i]);
        r->value[i] = malloc(r->bytes[i]);
        assert_non_null(r->value[i]);
        expect_ok(gan_program_read(o.program, o.out[i], r->value[i], r->bytes[i]));
    }
    close_case(&o);
}

static void release(result *r) {
    for (int i = 0; i < OUTPUTS; i++) free(r->value[i]);
}

static void one_launch_makes_the_bits_of_two(void **state) {
    const norm_case *c = *state;
    result two, one;
    evaluate(&two, c, &(gan_device_options){.cooperative = -1});
    for (int branches = 0; branches < 2; branches++) {
        evaluate(&one, c, &(gan_device_options){.branches = branches});
        assert_int_equal(one.launches, two.launches - c->saved);
        for (int i = 0; i < OUTPUTS; i++) {
            assert_int_equal(one.bytes[i], two.bytes[i]);
            assert_memory_equal(one.value[i], two.value[i], one.bytes[i]);
        }
        release(&one);
    }
    release(&two);
}

/* A device that cannot, is not asked to. */
static void without_cooperative_launches_there_are_two(void **state) {
    (void)state;
    result two, without;
    evaluate(&two, &cases[0], &(gan_device_options){.cooperative = -1});
    simt_set_cooperative(0);
    evaluate(&without, &cases[0], NULL);
    simt_set_cooperative(1);
    assert_int_equal(without.launches, two.launches);
    release(&two);
    release(&without);
}

/* x, and dy, of a pair are read once where they fit the cache. */
static void what_is_cached_is_read_once(void **state) {
    (void)state;
    int64_t read[2][2];
    for (int large = 0; large < 2; large++)
        for (int apart = 0; apart < 2; apart++) {
            opened o;
            const norm_case c = {
                {2, {large ? 1 << 22 : 1 << 18, 16}}, 1, false, RELU, 2}; /* 16 MiB, 256 MiB */
            open_case(&o, &c,
                      &(gan_device_options){.plan_only = true, .cooperative = apart ? -1 : 0});
            read[large][apart] = o.info.bytes_read;
            close_case(&o);
        }
    assert_int_equal(read[0][1] - read[0][0], 3ll * 16 * (1 << 18) * 4);
    assert_int_equal(read[1][1], read[1][0]);
}

int main(void) {
    struct CMUnitTest tests[CASES + 2] = {
        cmocka_unit_test(without_cooperative_launches_there_are_two),
        cmocka_unit_test(what_is_cached_is_read_once),
    };
    for (int i = 0; i < CASES; i++)
        tests[2 + i] = (struct CMUnitTest){"one_launch_makes_the_bits_of_two",
                                           one_launch_makes_the_bits_of_two, NULL, NULL,
                                           (void *)(uintptr_t)&cases[i]};
    return cmocka_run_group_tests_name("whole", tests, NULL, NULL);
}
