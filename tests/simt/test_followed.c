/* A convolution to few channels whose result is needed as it is and with a function behind it, as
 * a generator's last one is: one launch stores both, to the bit what two launches would. */
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

typedef enum follower { TANH, BIAS_TANH, SQUARE_OF_TANH, NOTHING } follower;

typedef struct followed_case {
    bool up; /* conv2d_grad_input with a stride of 2; else conv2d with 1 */
    bool bf16;
    follower follow;
} followed_case;

enum { N = 3, SIZE = 9, MANY = 24, FEW = 3 };

typedef struct opened {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_node *raw, *y, *bias;
    int64_t n;
} opened;

static gan_node *random_values(gan_graph *g, const followed_case *c, gan_shape shape) {
    gan_node *x = gan_random_normal(g, gan_game_counter(g), shape, 0, 0.2);
    return c->bf16 ? gan_cast(g, x, GAN_BF16) : x;
}

static gan_node *convolution(gan_graph *g, const followed_case *c) {
    gan_node *x = random_values(g, c, gan_shape4(N, SIZE, SIZE, MANY));
    if (!c->up) {
        gan_node *w = random_values(g, c, gan_shape4(FEW, 3, 3, MANY));
        return gan_conv2d(g, x, w, gan_window_same(1, 1));
    }
    gan_node *w = random_values(g, c, gan_shape4(MANY, 4, 4, FEW));
    return gan_conv2d_grad_input(g, x, w, 2 * SIZE, 2 * SIZE, gan_window_same(2, 1));
}

static gan_node *follow(opened *o, follower f) {
    gan_graph *g = o->g;
    switch (f) {
    case TANH:
        return gan_tanh(g, o->raw);
    case BIAS_TANH:
        return gan_tanh(g, gan_add(g, o->raw, o->bias));
    case SQUARE_OF_TANH:
        return gan_square(g, gan_tanh(g, gan_neg(g, o->raw)));
    default:
        return NULL;
    }
}

static void open_case(opened *o, const followed_case *c, follower f) {
    const gan_device_options options = {.direct = GAN_DIRECT_ALWAYS};
    *o = (opened){.device = NULL};
    expect_ok(gan_device_open(&o->device, "cuda", &options));
    expect_ok(gan_store_create(&o->store, 1));
    expect_ok(gan_graph_create(&o->g, o->store));
    o->raw = convolution(o->g, c);
    o->bias = random_values(o->g, c, gan_shape1(FEW));
    o->n = gan_shape_size(o->raw->shape);
    o->y = follow(o, f);
    if (o->y) gan_output(o->g, o->y);
    gan_output(o->g, o->raw);
    gan_output(o->g, o->bias);
    expect_ok(gan_compile(&o->program, o->g, o->device));
    expect_ok(gan_program_load(o->program));
}

static void close_case(opened *o) {
    gan_program_destroy(o->program);
    gan_graph_destroy(o->g);
    gan_store_destroy(o->store);
    gan_device_close(o->device);
}

/* How many calls the convolution's launch makes. */
static int made(const gan_program *p) {
    for (int i = 0; i < p->n_calls; i++)
        if (p->call[i].node->op == GAN_OP_conv2d || p->call[i].node->op == GAN_OP_conv2d_grad_input)
            return p->call[i].joined;
    return -1;
}

static void run(opened *o) {
    gan_program_info info;
    gan_program_describe(o->program, &info);
    expect_ok(gan_device_synchronize(o->device));
    const simt_counts before = simt_count();
    expect_ok(gan_program_run(o->program, 1));
    expect_ok(gan_device_synchronize(o->device));
    const simt_counts after = simt_count();
    assert_int_equal(after.operations - before.operations -
                         (after.graph_launches - before.graph_launches),
                     info.launches);
}

static float *values(const opened *o, gan_node *node) {
    const size_t n = (size_t)gan_shape_size(node->shape), bytes = gan_node_bytes(node);
    float *x = malloc(n * sizeof *x);
    assert_non_null(x);
    expect_ok(gan_program_read(o->program, node, x, bytes));
    if (node->dtype != GAN_BF16) return x;
    uint16_t *half = malloc(bytes);
    assert_non_null(half);
    memcpy(half, x, bytes);
    for (size_t i = 0; i < n; i++) {
        const uint32_t bits = (uint32_t)half[i] << 16;
        memcpy(&x[i], &bits, sizeof bits);
    }
    free(half);
    return x;
}

static float expected(follower f, float raw, float bias) {
    switch (f) {
    case TANH:
        return tanhf(raw);
    case BIAS_TANH:
        return tanhf(raw + bias);
    default:
        return tanhf(-raw) * tanhf(-raw);
    }
}

/* To the nearest that has 8 bits, to an even one of two. */
static float rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static void both_are_stored(void **state) {
    const followed_case *c = *state;
    opened both, one;
    open_case(&both, c, c->follow);
    assert_int_equal(made(both.program), 2);
    open_case(&one, c, NOTHING);
    run(&both);
    run(&one);
    float *raw = values(&both, both.raw), *alone = values(&one, one.raw);
    float *y = values(&both, both.y), *bias = values(&both, both.bias);
    assert_memory_equal(raw, alone, (size_t)both.n * sizeof *raw);
    for (int64_t i = 0; i < both.n; i++) {
        const float wanted = expected(c->follow, raw[i], bias[i % FEW]);
        if (!(y[i] == (c->bf16 ? rounded(wanted) : wanted)))
            fail_msg("element %lld: %g of %g, expected %g", (long long)i, (double)y[i],
                     (double)raw[i], (double)wanted);
    }
    free(raw);
    free(alone);
    free(y);
    free(bias);
    close_case(&both);
    close_case(&one);
}

static const followed_case cases[] = {
    {true, false, TANH},           {true, true, TANH},      {false, false, TANH},
    {false, true, BIAS_TANH},      {true, true, BIAS_TANH}, {true, false, SQUARE_OF_TANH},
    {false, true, SQUARE_OF_TANH},
};
enum { CASES = sizeof cases / sizeof *cases };

/* A sum of such a result that is normalised is of one launch with the one or with the other. */
static void a_sum_is_of_one_launch(void **state) {
    (void)state;
    enum { CHANNELS = 4, ROWS = N * SIZE * SIZE };
    const gan_device_options options = {.direct = GAN_DIRECT_ALWAYS};
    const followed_case c = {false, false, NOTHING};
    opened o = {.device = NULL};
    expect_ok(gan_device_open(&o.device, "cuda", &options));
    expect_ok(gan_store_create(&o.store, 1));
    expect_ok(gan_graph_create(&o.g, o.store));
    gan_node *x = random_values(o.g, &c, gan_shape4(N, SIZE, SIZE, MANY));
    gan_node *w = random_values(o.g, &c, gan_shape4(CHANNELS, 3, 3, MANY));
    gan_node *low = gan_output(o.g, random_values(o.g, &c, gan_shape4(1, 1, 1, CHANNELS)));
    gan_node *gamma = random_values(o.g, &c, gan_shape1(CHANNELS)), *moments;
    o.raw = gan_output(o.g, gan_conv2d(o.g, x, w, gan_window_same(1, 1)));
    gan_node *sum = gan_add(o.g, o.raw, gan_broadcast(o.g, low, o.raw->shape));
    gan_output(o.g, gan_batch_norm_training(o.g, sum, 1, gamma, gamma, 1e-5, &moments));
    gan_output(o.g, moments);
    expect_ok(gan_compile(&o.program, o.g, o.device));
    expect_ok(gan_program_load(o.program));
    assert_int_equal(made(o.program), 2);
    run(&o);
    float *mean = values(&o, moments), *raw = values(&o, o.raw), *added = values(&o, low);
    for (int k = 0; k < CHANNELS; k++) {
        double wanted = 0;
        for (int i = 0; i < ROWS; i++) wanted += (double)raw[i * CHANNELS + k] / ROWS;
        assert_true(fabs((double)mean[k] - wanted - (double)added[k]) < 1e-5);
    }
    free(mean);
    free(raw);
    free(added);
    close_case(&o);
}

/* A function that reads other images' results as well has to wait for them. */
static void all_of_it_is_awaited(void **state) {
    (void)state;
    const gan_device_options options = {.direct = GAN_DIRECT_ALWAYS};
    const followed_case c = {false, false, NOTHING};
    opened o = {.device = NULL};
    expect_ok(gan_device_open(&o.device, "cuda", &options));
    expect_ok(gan_store_create(&o.store, 1));
    expect_ok(gan_graph_create(&o.g, o.store));
    o.raw = gan_output(o.g, convolution(o.g, &c));
    gan_node *one = gan_broadcast(o.g, gan_slice(o.g, o.raw, 0, 0, 1), o.raw->shape);
    gan_output(o.g, gan_sub(o.g, o.raw, one));
    expect_ok(gan_compile(&o.program, o.g, o.device));
    assert_int_equal(made(o.program), 1);
    expect_ok(gan_program_load(o.program));
    run(&o);
    close_case(&o);
}

/* The gradients of a filter and of the bias beside it, whichever is asked for first. */
static void gradients_are_one_launch(void **state) {
    (void)state;
    enum { FILTER = 4, PIXELS = 1u << 0 | 1u << 1 | 1u << 2 };
    const gan_device_options options = {.direct = GAN_DIRECT_ALWAYS};
    for (int way = 0; way < 4; way++) {
        const bool first = way % 2, bf16 = way / 2;
        const followed_case c = {false, bf16, NOTHING};
        opened o = {.device = NULL};
        expect_ok(gan_device_open(&o.device, "cuda", &options));
        expect_ok(gan_store_create(&o.store, 1));
        expect_ok(gan_graph_create(&o.g, o.store));
        gan_node *x = random_values(o.g, &c, gan_shape4(N, 2 * SIZE, 2 * SIZE, FEW));
        gan_node *dy = random_values(o.g, &c, gan_shape4(N, SIZE, SIZE, MANY)), *sum[2];
        for (int i = 0; i < 2; i++) {
            if (i == !first)
                gan_output(
                    o.g, gan_conv2d_grad_weight(o.g, x, dy, FILTER, FILTER, gan_window_same(2, 1)));
            sum[i] = gan_sum_axes(o.g, bf16 ? gan_cast(o.g, dy, GAN_F32) : dy, PIXELS);
        }
        gan_output(o.g, sum[0]);
        gan_output(o.g, dy);
        expect_ok(gan_compile(&o.program, o.g, o.device));
        expect_ok(gan_program_load(o.program));
        int both = 0;
        for (int i = 0; i < o.program->n_calls; i++) {
            const gan_call *call = &o.program->call[i];
            if (call->joined == 2 && (call[0].node->op == GAN_OP_conv2d_grad_weight ||
                                      call[1].node->op == GAN_OP_conv2d_grad_weight))
                both++;
        }
        assert_int_equal(both, bf16);
        run(&o);
        float *got = values(&o, sum[0]), *from = values(&o, dy);
        for (int k = 0; k < MANY; k++) {
            double wanted = 0;
            for (int i = 0; i < N * SIZE * SIZE; i++) wanted += (double)from[i * MANY + k];
            assert_true(fabs((double)got[k] - wanted) < 1e-5 * N * SIZE * SIZE);
        }
        free(got);
        free(from);
        close_case(&o);
    }
}

int main(void) {
    enum { OTHERS = 3 };
    struct CMUnitTest tests[OTHERS + CASES] = {cmocka_unit_test(a_sum_is_of_one_launch),
                                               cmocka_unit_test(all_of_it_is_awaited),
                                               cmocka_unit_test(gradients_are_one_launch)};
    for (int i = 0; i < CASES; i++)
        tests[OTHERS + i] = (struct CMUnitTest){"both_are_stored", both_are_stored, NULL, NULL,
                                                (void *)(uintptr_t)&cases[i]};
    return cmocka_run_group_tests_name("followed", tests, NULL, NULL);
}
