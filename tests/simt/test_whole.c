/* Batch norm with its statistics, and its gradient with its sums, as one launch: to the bit what
 * several make of them, and as many launches as the program says; and with a sum that it is
 * of, of which one operand is repeated. */
#include <math.h>
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

/* Who reads a sum beside its norm. */
typedef enum readers { NOBODY, OUTPUT, GRADIENT } readers;

/* What is added: `low`, repeated to `whole`, which is shown in the shape of the sum. */
typedef struct addend {
    gan_shape low, whole;
    readers readers;
    bool conv; /* the other operand is a convolution's, with its bias */
} addend;

/* saved: of the launches forward and back, which are two each, and one more where the sums of two
 * groups are added; of a sum, 1 if it is of one launch with its norm. */
typedef struct norm_case {
    gan_shape x;
    int64_t groups;
    bool bf16;
    follower follow;
    int saved;
    const addend *added; /* NULL: x is no sum */
    int cache;           /* KiB of the device's; 0: more than enough */
} norm_case;

static const norm_case cases[] = {
    {{2, {6, 4}}, 1, false, RELU, 2, NULL, 0},
    {{2, {9, 8}}, 3, true, LEAKY, 2, NULL, 0},
    {{4, {4, 4, 4, 264}}, 2, false, NOTHING, 3, NULL, 0}, /* tiles, one of them cut short */
    {{4, {4, 4, 4, 264}}, 2, true, RELU, 3, NULL, 0},
    {{2, {5003, 20}}, 1, false, LEAKY, 2, NULL, 0}, /* parts, the last one of fewer rows */
    {{2, {5003, 24}}, 1, true, NOTHING, 2, NULL, 0},
    {{2, {2 * 1500, 136}}, 2, false, RELU, 3, NULL, 0}, /* more pieces than blocks */
    {{2, {2 * 1500, 136}}, 2, true, LEAKY, 3, NULL, 0},
    {{2, {40000, 8}}, 1, true, RELU, 2, NULL, 0},     /* more rows than stay on the chip */
    {{2, {40000, 4}}, 2, false, LEAKY, 2, NULL, 0},   /* the sums are copied, being few */
    {{3, {2, 70, 16}}, 4, true, NOTHING, 2, NULL, 0}, /* groups within an example */
    {{3, {2, 70, 16}}, 4, true, RELU, 1, NULL, 0},
    {{2, {3000, 16}}, 1, true, TANH, 1, NULL, 0}, /* what follows is a program of its own */
    {{2, {300, 7}}, 1, false, RELU, 0, NULL, 0},  /* no whole vectors */
    {{2, {300, 12}}, 1, true, RELU, 0, NULL, 0},
    /* waves: of 64 channels and of 32, the last one of fewer; of several tiles; forward only */
    {{2, {5003, 136}}, 1, false, LEAKY, 2, NULL, 2048},
    {{2, {2 * 2500, 264}}, 2, true, RELU, 3, NULL, 1024},
    {{2, {1000, 300}}, 1, false, NOTHING, 2, NULL, 1400},
    {{2, {2 * 2500, 72}}, 2, true, LEAKY, 3, NULL, 500},
    {{2, {5003, 100}}, 1, true, RELU, 0, NULL, 500}, /* no whole vectors */
};

/* Maps of h x w, each element f x f times. */
#define UP(n, h, w, c, f) .low = {6, {n, h, 1, w, 1, c}}, .whole = {6, {n, h, f, w, f, c}}

static const norm_case sums[] = {
    {{4, {2, 6, 10, 8}}, 1, false, RELU, 1, &(addend){UP(2, 3, 5, 8, 2), NOBODY, false}, 0},
    {{4, {2, 6, 10, 8}}, 1, true, LEAKY, 1, &(addend){UP(2, 3, 5, 8, 2), OUTPUT, false}, 0},
    {{4, {2, 6, 10, 8}}, 2, true, RELU, 1, &(addend){UP(2, 3, 5, 8, 2), GRADIENT, false}, 0},
    {{4, {2, 9, 21, 24}}, 2, true, NOTHING, 1, &(addend){UP(2, 3, 7, 24, 3), NOBODY, false}, 0},
    /* tiles cut short, parts */
    {{4, {2, 34, 14, 136}}, 1, false, LEAKY, 1, &(addend){UP(2, 17, 7, 136, 2), NOBODY, false}, 0},
    {{4, {2, 34, 22, 136}}, 2, true, RELU, 1, &(addend){UP(2, 17, 11, 136, 2), GRADIENT, false}, 0},
    /* more rows than stay on the chip */
    {{4, {8, 70, 72, 8}}, 1, true, RELU, 1, &(addend){UP(8, 35, 36, 8, 2), NOBODY, false}, 0},
    {{4, {8, 70, 72, 8}}, 1, true, RELU, 1, &(addend){UP(8, 35, 36, 8, 2), OUTPUT, false}, 0},
    /* waves */
    {{4, {2, 34, 22, 136}},
     1,
     false,
     RELU,
     1,
     &(addend){UP(2, 17, 11, 136, 2), NOBODY, false},
     800},
    {{4, {2, 34, 22, 136}},
     2,
     true,
     LEAKY,
     1,
     &(addend){UP(2, 17, 11, 136, 2), OUTPUT, false},
     200},
    /* rows in a row; all of them, again and again; one */
    {{2, {350, 16}},
     1,
     true,
     RELU,
     1,
     &(addend){{3, {50, 1, 16}}, {3, {50, 7, 16}}, NOBODY, false},
     0},
    {{2, {120, 4}},
     2,
     false,
     RELU,
     1,
     &(addend){{3, {1, 30, 4}}, {3, {4, 30, 4}}, OUTPUT, false},
     0},
    {{3, {3, 100, 16}},
     1,
     true,
     NOTHING,
     1,
     &(addend){{2, {1, 16}}, {2, {300, 16}}, GRADIENT, false},
     0},
    /* of a residual block */
    {{4, {3, 8, 8, 16}}, 1, false, RELU, 1, &(addend){UP(3, 4, 4, 16, 2), GRADIENT, true}, 0},
    /* what follows is a program of its own; no whole vectors; repeated in three ways; channels */
    {{4, {2, 6, 10, 8}}, 1, true, TANH, 0, &(addend){UP(2, 3, 5, 8, 2), NOBODY, false}, 0},
    {{4, {2, 6, 10, 7}}, 1, false, RELU, 0, &(addend){UP(2, 3, 5, 7, 2), NOBODY, false}, 0},
    {{4, {2, 6, 10, 8}},
     1,
     false,
     RELU,
     0,
     &(addend){{6, {1, 3, 1, 5, 1, 8}}, {6, {2, 3, 2, 5, 2, 8}}, NOBODY, false},
     0},
    {{3, {3, 10, 16}}, 1, true, RELU, 0, &(addend){{2, {30, 1}}, {2, {30, 16}}, NOBODY, false}, 0},
};
enum { CASES = sizeof cases / sizeof *cases, SUMS = sizeof sums / sizeof *sums, OUTPUTS = 9 };

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

static gan_node *random_values(gan_graph *g, const norm_case *c, gan_shape shape, double mean,
                               double deviation) {
    gan_node *x = gan_random_normal(g, gan_game_counter(g), shape, mean, deviation);
    return c->bf16 ? gan_cast(g, x, GAN_BF16) : x;
}

/* Its operands are outputs, so that nobody goes without their rounding. `repeated`: what is
 * repeated is one, too, so that it is made in any case and the sum is one like others. */
static gan_node *sum_of(gan_graph *g, const norm_case *c, bool repeated, gan_node *operand[2]) {
    gan_node *x = random_values(g, c, c->x, 3, 2);
    operand[0] = gan_output(g, x);
    operand[1] = gan_output(g, random_values(g, c, c->added->low, -1, 1));
    if (c->added->conv) {
        const int64_t n = c->x.dim[3];
        gan_node *filters = random_values(g, c, gan_shape4(n, 1, 1, n), 0, 1);
        gan_node *bias = random_values(g, c, gan_shape1(n), 0, 1);
        x = gan_add(g, gan_conv2d(g, x, filters, (gan_window){.stride_h = 1, .stride_w = 1}), bias);
    }
    gan_node *up = gan_reshape(g, gan_broadcast(g, operand[1], c->added->whole), c->x);
    if (repeated) gan_output(g, up);
    return gan_add(g, x, up);
}

/* Returns how many outputs there are in `out` that all ways of running it have. */
static int build(gan_graph *g, const norm_case *c, bool repeated, gan_node *out[OUTPUTS]) {
    gan_node *gradient[4], *operands[2] = {NULL, NULL};
    const gan_shape vector = gan_shape1(c->x.dim[c->x.rank - 1]);
    const bool is_sum = c->added != NULL;
    gan_node *x = is_sum ? sum_of(g, c, repeated, operands) : random_values(g, c, c->x, 3, 2);
    gan_node *dy = random_values(g, c, c->x, 0.5, 1);
    gan_node *gamma = gan_random_normal(g, gan_game_counter(g), vector, 1, 1);
    gan_node *beta = gan_random_normal(g, gan_game_counter(g), vector, 0, 1);
    gan_node *y = gan_batch_norm_training(g, x, c->groups, gamma, beta, 1e-5, &out[0]);
    int n = 2;
    out[1] = follow(g, y, c->follow);
    if (is_sum && c->added->readers == OUTPUT) out[n++] = x;
    if (!is_sum || c->added->readers == GRADIENT) {
        gan_node *from[4] = {is_sum ? operands[0] : x, gamma, beta, operands[1]};
        const int count = is_sum ? 4 : 3;
        gan_node *loss = gan_sum(g, gan_cast(g, gan_mul(g, out[1], dy), GAN_F32));
        expect_ok(gan_gradient(g, loss, count, from, gradient));
        for (int i = 0; i < count; i++) out[n++] = gradient[i];
    }
    for (int i = 0; i < n; i++) out[i] = gan_output(g, out[i]);
    for (int i = 0; is_sum && i < 2; i++) out[n++] = operands[i];
    return n;
}

/* A compiled graph of a case. */
typedef struct opened {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_node *out[OUTPUTS];
    int n_out;
    gan_program_info info;
} opened;

static void open_as(opened *o, const norm_case *c, bool repeated,
                    const gan_device_options *options) {
    simt_set_cache(c->cache ? c->cache << 10 : 50 << 20);
    expect_ok(gan_device_open(&o->device, "cuda", options));
    expect_ok(gan_store_create(&o->store, 1));
    expect_ok(gan_graph_create(&o->g, o->store));
    o->n_out = build(o->g, c, repeated, o->out);
    expect_ok(gan_compile(&o->program, o->g, o->device));
    gan_program_describe(o->program, &o->info);
}

static void open_case(opened *o, const norm_case *c, const gan_device_options *options) {
    open_as(o, c, false, options);
}

static void close_case(opened *o) {
    gan_program_destroy(o->program);
    gan_graph_destroy(o->g);
    gan_store_destroy(o->store);
    gan_device_close(o->device);
}

/* `formed`: sums of one launch with their norm; `passed`: those that are stored nowhere. */
typedef struct result {
    void *value[OUTPUTS];
    size_t bytes[OUTPUTS];
    int n, launches, formed, passed;
} result;

static long executed(gan_device *device, gan_program *program) {
    expect_ok(gan_device_synchronize(device));
    const simt_counts before = simt_count();
    expect_ok(gan_program_run(program, 1));
    expect_ok(gan_device_synchronize(device));
    const simt_counts after = simt_count();
    return after.operations - before.operations - (after.graph_launches - before.graph_launches);
}

static void count_formed(result *r, const gan_program *p) {
    for (int i = 0; i + 2 < p->n_calls; i++) {
        const gan_call *call = &p->call[i];
        r->passed += call->passed;
        r->formed += call[0].joined == 3 && call[0].node->op == GAN_OP_pointwise &&
                     call[1].node->op == GAN_OP_moments && call[2].node->op == GAN_OP_batch_norm;
    }
}

static void evaluate_as(result *r, const norm_case *c, bool repeated,
                        const gan_device_options *options) {
    opened o;
    open_as(&o, c, repeated, options);
    expect_ok(gan_program_load(o.program));
    *r = (result){.n = o.n_out, .launches = o.info.launches};
    count_formed(r, o.program);
    for (int run = 0; run < 2; run++) /* counters and barrier are as they were */
        assert_int_equal(executed(o.device, o.program), o.info.launches);
    for (int i = 0; i < r->n; i++) {
        r->bytes[i] = gan_node_bytes(o.out[i]);
        r->value[i] = malloc(r->bytes[i]);
        assert_non_null(r->value[i]);
        expect_ok(gan_program_read(o.program, o.out[i], r->value[i], r->bytes[i]));
    }
    close_case(&o);
}

static void evaluate(result *r, const norm_case *c, const gan_device_options *options) {
    evaluate_as(r, c, false, options);
}

static void expect_equal(const result *a, const result *b) {
    assert_int_equal(a->n, b->n);
    for (int i = 0; i < a->n; i++) {
        assert_int_equal(a->bytes[i], b->bytes[i]);
        assert_memory_equal(a->value[i], b->value[i], a->bytes[i]);
    }
}

/* The moments, summed up in other waves where the cache is small. */
static void expect_alike(const result *a, const result *b, const norm_case *c) {
    const float *x = a->value[0], *y = b->value[0];
    if (!c->cache) {
        expect_equal(a, b);
        return;
    }
    assert_int_equal(a->n, b->n);
    for (size_t i = 0; i < a->bytes[0] / sizeof *x; i++)
        assert_true(fabsf(x[i] - y[i]) <= 1e-5f * (1 + fabsf(y[i])));
}

static void release(result *r) {
    for (int i = 0; i < r->n; i++) free(r->value[i]);
}

static void one_launch_makes_the_bits_of_two(void **state) {
    const norm_case *c = *state;
    result two, one;
    evaluate(&two, c, &(gan_device_options){.cooperative = -1});
    for (int branches = 0; branches < 2; branches++) {
        evaluate(&one, c, &(gan_device_options){.branches = branches, .cooperative = 1});
        assert_int_equal(one.launches, two.launches - c->saved);
        expect_equal(&one, &two);
        release(&one);
        evaluate(&one, c, &(gan_device_options){.branches = branches}); /* as phases, too */
        assert_true(one.launches <= two.launches - c->saved);
        expect_equal(&one, &two);
        release(&one);
    }
    release(&two);
}

static void a_sum_is_formed_where_it_is_normalised(void **state) {
    const norm_case *c = *state;
    const gan_device_options apart = {.cooperative = -1};
    result all, two, one;
    evaluate_as(&all, c, true, &apart);
    evaluate(&two, c, &apart);
    assert_int_equal(all.formed + two.formed + all.passed + two.passed, 0);
    expect_alike(&two, &all, c);
    for (int branches = 0; branches < 2; branches++) {
        evaluate(&one, c, &(gan_device_options){.branches = branches, .cooperative = 1});
        assert_int_equal(one.formed, c->saved);
        assert_int_equal(one.passed, c->saved && c->added->readers == NOBODY);
        expect_equal(&one, &two);
        release(&one);
    }
    release(&two);
    release(&all);
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
            const norm_case c = {{2, {large ? 1 << 22 : 1 << 18, 16}},
                                 1,
                                 false,
                                 RELU,
                                 2,
                                 NULL,
                                 0}; /* 16 MiB, 256 MiB */
            open_case(&o, &c,
                      &(gan_device_options){.plan_only = true, .cooperative = apart ? -1 : 0});
            read[large][apart] = o.info.bytes_read;
            close_case(&o);
        }
    assert_int_equal(read[0][1] - read[0][0], 3ll * 16 * (1 << 18) * 4);
    assert_int_equal(read[1][1], read[1][0]);
}

/* Of what does not fit, a wave does: here forward, where there is no dy. */
static void waves_are_read_once(void **state) {
    (void)state;
    const norm_case c = {{2, {1 << 18, 256}}, 1, false, RELU, 2, NULL, 0}; /* 256 MiB */
    int64_t read[2];
    for (int apart = 0; apart < 2; apart++) {
        opened o;
        open_case(&o, &c, &(gan_device_options){.plan_only = true, .cooperative = apart ? -1 : 0});
        read[apart] = o.info.bytes_read;
        close_case(&o);
    }
    assert_int_equal(read[1] - read[0], 256 << 20);
}

/* What is added goes to memory where others read it, and where the cache does not hold it is read,
 * or its operands are, again. */
static void a_sum_is_counted_as_it_is_moved(void **state) {
    (void)state;
    for (int large = 0; large < 2; large++)
        for (int read = 0; read < 2; read++) {
            int64_t bytes[2][2];
            const int64_t rows = large ? 1 << 20 : 1 << 16, low = rows * 16 * 4, x = 4 * low;
            const addend added = {
                {3, {rows, 1, 16}}, {3, {rows, 4, 16}}, read ? OUTPUT : NOBODY, false};
            const norm_case c = {{2, {4 * rows, 16}}, 1, false, RELU, 1, &added, 0};
            for (int apart = 0; apart < 2; apart++) {
                opened o;
                open_case(&o, &c,
                          &(gan_device_options){.plan_only = true, .cooperative = apart ? -1 : 0});
                bytes[apart][0] = o.info.bytes_read;
                bytes[apart][1] = o.info.bytes_written;
                close_case(&o);
            }
            assert_int_equal(bytes[1][1] - bytes[0][1], read ? 0 : x);
            assert_int_equal(bytes[1][0] - bytes[0][0], !large ? 2 * x : read ? x : x - low);
        }
}

int main(void) {
    enum { OTHERS = 4 };
    struct CMUnitTest tests[OTHERS + CASES + SUMS] = {
        cmocka_unit_test(without_cooperative_launches_there_are_two),
        cmocka_unit_test(what_is_cached_is_read_once),
        cmocka_unit_test(waves_are_read_once),
        cmocka_unit_test(a_sum_is_counted_as_it_is_moved),
    };
    for (int i = 0; i < CASES; i++)
        tests[OTHERS + i] = (struct CMUnitTest){"one_launch_makes_the_bits_of_two",
                                                one_launch_makes_the_bits_of_two, NULL, NULL,
                                                (void *)(uintptr_t)&cases[i]};
    for (int i = 0; i < SUMS; i++)
        tests[OTHERS + CASES + i] = (struct CMUnitTest){"a_sum_is_formed_where_it_is_normalised",
                                                        a_sum_is_formed_where_it_is_normalised,
                                                        NULL, NULL, (void *)(uintptr_t)&sums[i]};
    return cmocka_run_group_tests_name("whole", tests, NULL, NULL);
}
