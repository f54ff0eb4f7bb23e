/* Convolutions with what follows them: one launch where cuDNN's engines take both, two where they
 * refuse, the same numbers either way, and never another count than the program says. */
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

enum { N = 2, SIZE = 6, C = 4, K = 8, MOST = N * 8 * 8 * K };
enum { ALONE = 18 }; /* directions, windows, types */

typedef gan_node *follower(gan_graph *g, gan_node *y, gan_node *counter);

static gan_node *draw(gan_graph *g, gan_node *counter, gan_shape shape) {
    return gan_random_normal(g, counter, shape, 0, 1);
}

static gan_node *bias_leaky(gan_graph *g, gan_node *y, gan_node *counter) {
    return gan_leaky_relu(g, gan_add(g, y, draw(g, counter, gan_shape1(y->shape.dim[3]))), 0.2);
}

static gan_node *bias_residual_relu(gan_graph *g, gan_node *y, gan_node *counter) {
    gan_node *bias = draw(g, counter, gan_shape1(y->shape.dim[3]));
    return gan_relu(g, gan_add(g, gan_add(g, y, bias), draw(g, counter, y->shape)));
}

/* The sum of two others, as a short cut with a bias of its own is. */
static gan_node *bias_sum(gan_graph *g, gan_node *y, gan_node *counter) {
    gan_node *bias = draw(g, counter, gan_shape1(y->shape.dim[3]));
    gan_node *others = gan_add(g, draw(g, counter, y->shape), draw(g, counter, bias->shape));
    return gan_add(g, gan_add(g, y, bias), others);
}

static gan_node *step_residual(gan_graph *g, gan_node *y, gan_node *counter) {
    gan_node *z = draw(g, counter, y->shape);
    gan_node *step = gan_pointwise(g, GAN_FN_leaky_step, z, NULL, 0);
    return gan_add(g, gan_mul(g, y, step), draw(g, counter, y->shape));
}

static gan_node *scaled_tanh(gan_graph *g, gan_node *y, gan_node *counter) {
    (void)counter;
    return gan_tanh(g, gan_shift(g, gan_scale(g, y, 0.25), -0.5));
}

static gan_node *softplus(gan_graph *g, gan_node *y, gan_node *counter) {
    (void)counter;
    return gan_softplus(g, y);
}

static gan_node *channel_of_image(gan_graph *g, gan_node *y, gan_node *counter) {
    return gan_mul(g, y, draw(g, counter, gan_shape4(N, 1, 1, y->shape.dim[3])));
}

typedef enum type { F32, TF32, BF16 } type;

typedef struct fused_case {
    follower *follow;
    type type;
    bool adjoint;
    int64_t channels;
    bool fused; /* as documented */
} fused_case;

static const fused_case cases[] = {
    {bias_leaky, BF16, false, C, true},
    {bias_leaky, BF16, true, C, true},
    {bias_leaky, TF32, false, C, true},
    {bias_leaky, TF32, true, 3, true},
    {bias_residual_relu, BF16, false, C, true},
    {bias_residual_relu, TF32, true, C, true},
    {bias_sum, BF16, false, C, true},
    {bias_sum, TF32, true, C, true},
    {step_residual, BF16, true, C, true},
    {step_residual, TF32, false, C, true},
    {scaled_tanh, BF16, false, 3, true},
    {bias_leaky, BF16, true, 3, false}, /* 48 bits a pixel */
    {bias_leaky, F32, false, C, false}, /* tensor cores would round it */
    {step_residual, F32, true, C, false},
    {softplus, BF16, false, C, false},
    {channel_of_image, BF16, true, C, false},
};
enum { CASES = sizeof cases / sizeof *cases };

typedef struct built {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_node *out;
} built;

static gan_node *operand(gan_graph *g, gan_node *counter, gan_shape shape, type t) {
    gan_node *x = draw(g, counter, shape);
    return t == BF16 ? gan_cast(g, x, GAN_BF16) : x;
}

static gan_direct direct = GAN_DIRECT_RULE;

static built build(const fused_case *c, bool planned) {
    built b;
    const gan_window window = {1, 1, 1, 1, 1, 1};
    expect_ok(gan_device_open(&b.device, "cuda",
                              &(gan_device_options){.plan_only = planned, .direct = direct}));
    expect_ok(gan_store_create(&b.store, 1));
    expect_ok(gan_graph_create(&b.g, b.store));
    gan_node *counter = gan_game_counter(b.g);
    gan_node *x =
        operand(b.g, counter, gan_shape4(N, SIZE, SIZE, c->adjoint ? K : c->channels), c->type);
    gan_node *w = operand(b.g, counter, gan_shape4(K, 3, 3, c->channels), c->type);
    gan_node *y = c->adjoint ? gan_conv2d_grad_input(b.g, x, w, SIZE, SIZE, window)
                             : gan_conv2d(b.g, x, w, window);
    y->tf32 = c->type == TF32;
    y = c->follow(b.g, c->type == BF16 ? gan_cast(b.g, y, GAN_F32) : y, counter);
    b.out = c->type == BF16 ? gan_cast(b.g, y, GAN_BF16) : y;
    gan_output(b.g, b.out);
    expect_ok(gan_compile(&b.program, b.g, b.device));
    return b;
}

static void release(built *b) {
    gan_program_destroy(b->program);
    gan_graph_destroy(b->g);
    gan_store_destroy(b->store);
    gan_device_close(b->device);
}

static int launches(const built *b) {
    gan_program_info info;
    gan_program_describe(b->program, &info);
    return info.launches;
}

static long executed(const built *b) {
    expect_ok(gan_device_synchronize(b->device));
    const simt_counts before = simt_count();
    expect_ok(gan_program_run(b->program, 1));
    expect_ok(gan_device_synchronize(b->device));
    const simt_counts after = simt_count();
    return after.operations - before.operations - (after.graph_launches - before.graph_launches);
}

static void read_floats(const built *b, float *to) {
    const size_t size = (size_t)gan_shape_size(b->out->shape);
    if (b->out->dtype == GAN_F32) {
        expect_ok(gan_program_read(b->program, b->out, to, size * sizeof *to));
        return;
    }
    uint16_t half[MOST];
    expect_ok(gan_program_read(b->program, b->out, half, size * sizeof *half));
    for (size_t i = 0; i < size; i++) {
        const union {
            uint32_t bits;
            float value;
        } v = {(uint32_t)half[i] << 16};
        to[i] = v.value;
    }
}

static void fused_and_refused_are_alike(void **state) {
    static const simt_fusion answers[] = {SIMT_FUSION_WORKS, SIMT_FUSION_UNKNOWN, SIMT_FUSION_NONE,
                                          SIMT_FUSION_FAILS};
    const fused_case *c = *state;
    float value[4][MOST];
    int count[4];
    int64_t size = 0;
    for (int i = 0; i < 4; i++) {
        simt_set_fusion(answers[i]);
        built b = build(c, false);
        count[i] = launches(&b);
        expect_ok(gan_program_load(b.program));
        assert_int_equal(executed(&b), count[i]);
        read_floats(&b, value[i]);
        size = gan_shape_size(b.out->shape);
        release(&b);
        assert_int_equal(simt_count().handles, 0);
    }
    simt_set_fusion(SIMT_FUSION_WORKS);
    for (int i = 1; i < 4; i++) assert_int_equal(count[i], count[0] + c->fused);

    double most = 0; /* one rounding of the convolution more, to 8 bits, or none */
    for (int64_t k = 0; k < size; k++) most = fmax(most, fabs((double)value[0][k]));
    const double within = most * (c->type == BF16 ? 1.0 / 64 : 1e-6);
    for (int i = 1; i < 4; i++)
        for (int64_t k = 0; k < size; k++)
            assert_true(fabs((double)value[i][k] - (double)value[0][k]) <= within);

    built planned = build(c, true);
    assert_int_equal(launches(&planned), count[0]);
    release(&planned);
}

/* ---- a sum and its ReLU ---- */

typedef struct pair_case {
    bool sum; /* a bias and a short cut are added first */
    type type;
    int launches[5]; /* by what the library answers */
} pair_case;

static const simt_fusion answers_to_pairs[] = {SIMT_FUSION_WORKS, SIMT_FUSION_ONE, SIMT_FUSION_NONE,
                                               SIMT_FUSION_UNKNOWN, SIMT_FUSION_FAILS};
static const pair_case pairs[] = {
    {true, BF16, {1, 2, 3, 3, 3}},
    {false, BF16, {1, 2, 2, 2, 2}},
    {true, TF32, {1, 2, 3, 3, 3}},
    {true, F32, {3, 3, 3, 3, 3}}, /* as two nodes */
};
enum { PAIRS = sizeof pairs / sizeof *pairs };

static built build_pair(const pair_case *c, bool planned, gan_node **rectified) {
    built b;
    expect_ok(gan_device_open(&b.device, "cuda", &(gan_device_options){.plan_only = planned}));
    expect_ok(gan_store_create(&b.store, 1));
    expect_ok(gan_graph_create(&b.g, b.store));
    gan_node *counter = gan_game_counter(b.g);
    gan_node *x = operand(b.g, counter, gan_shape4(N, 8, 8, C), c->type);
    gan_node *w = operand(b.g, counter, gan_shape4(K, 3, 3, C), c->type);
    gan_node *y = gan_conv2d(b.g, x, w, (gan_window){1, 1, 1, 1, 1, 1});
    y->tf32 = c->type == TF32;
    if (c->type == BF16) y = gan_cast(b.g, y, GAN_F32);
    if (c->sum) y = bias_sum(b.g, y, counter);
    b.out = c->type == BF16 ? gan_cast(b.g, y, GAN_BF16) : y;
    *rectified = gan_relu(b.g, b.out);
    gan_output(b.g, b.out);
    gan_output(b.g, *rectified);
    expect_ok(gan_compile(&b.program, b.g, b.device));
    return b;
}

/* Both results, and that one is the other's ReLU to the bit. */
static void a_sum_and_its_relu_are_one_launch(void **state) {
    enum { SIZE_OF_PAIR = N * 8 * 8 * K };
    const pair_case *c = *state;
    float value[5][SIZE_OF_PAIR], relu[SIZE_OF_PAIR];
    int counted[5], drawn = 0;
    for (int i = 0; i < 5; i++) {
        gan_node *rectified;
        simt_set_fusion(answers_to_pairs[i]);
        built b = build_pair(c, false, &rectified);
        counted[i] = launches(&b);
        expect_ok(gan_program_load(b.program));
        assert_int_equal(executed(&b), counted[i]);
        read_floats(&b, value[i]);
        b.out = rectified;
        read_floats(&b, relu);
        for (int k = 0; k < SIZE_OF_PAIR; k++)
            assert_true(relu[k] == (value[i][k] > 0 ? value[i][k] : 0));
        release(&b);
        if (i == 0) drawn = counted[0] - c->launches[0]; /* those of the operands */
        assert_int_equal(counted[i] - drawn, c->launches[i]);
    }
    simt_set_fusion(SIMT_FUSION_WORKS);
    assert_memory_equal(value[0], value[1], sizeof value[0]);
    for (int i = 2; i < 5; i++)
        for (int k = 0; k < SIZE_OF_PAIR; k++)
            assert_true(fabs((double)value[i][k] - (double)value[0][k]) <=
                        (c->type == BF16 ? 0.2 : 1e-4));
    gan_node *rectified;
    built planned = build_pair(c, true, &rectified);
    assert_int_equal(launches(&planned), counted[0]);
    release(&planned);
}

/* Of few channels, our own kernels are one launch with any program, where the library needs two. */
static void own_kernels_are_one_launch(void **state) {
    (void)state;
    static const gan_direct ways[] = {GAN_DIRECT_NEVER, GAN_DIRECT_ALWAYS};
    simt_set_fusion(SIMT_FUSION_NONE);
    for (int i = 0; i < CASES; i++) {
        const fused_case *c = &cases[i];
        float value[2][MOST];
        int count[2];
        int64_t size = 0;
        for (int way = 0; way < 2 && c->channels == 3; way++) {
            direct = ways[way];
            built b = build(c, false);
            count[way] = launches(&b);
            expect_ok(gan_program_load(b.program));
            assert_int_equal(executed(&b), count[way]);
            read_floats(&b, value[way]);
            size = gan_shape_size(b.out->shape);
            release(&b);
        }
        if (size == 0) continue;
        assert_int_equal(count[1], count[0] - 1);
        double most = 0;
        for (int64_t k = 0; k < size; k++) most = fmax(most, fabs((double)value[0][k]));
        const double within = most / (c->type == BF16 ? 64 : 500); /* roundings to 8 and 11 bits */
        for (int64_t k = 0; k < size; k++)
            assert_true(fabs((double)value[1][k] - (double)value[0][k]) <= within);
    }
    direct = GAN_DIRECT_RULE;
    simt_set_fusion(SIMT_FUSION_WORKS);
}

/* What the library was once asked for is kept: the same convolution again asks nothing of it. */
static void plans_are_kept(void **state) {
    (void)state;
    built b = build(&cases[0], false);
    const long handles = simt_count().handles;
    simt_set_fusion(SIMT_FUSION_NONE);
    gan_program *again;
    expect_ok(gan_compile(&again, b.g, b.device));
    assert_int_equal(simt_count().handles, handles);
    gan_program_info info;
    gan_program_describe(again, &info);
    assert_int_equal(info.launches, launches(&b));
    simt_set_fusion(SIMT_FUSION_WORKS);
    gan_program_destroy(again);
    release(&b);
}

/* ---- alone ---- */

/* Of so few bits that tensor cores drop none. */
static gan_node *short_operand(gan_graph *g, gan_node *counter, gan_shape shape, type t) {
    gan_node *x = gan_scale(g, draw(g, counter, shape), 16);
    x = gan_scale(g, gan_pointwise(g, GAN_FN_floor, x, NULL, 0), 1.0 / 16);
    return t == BF16 ? gan_cast(g, x, GAN_BF16) : x;
}

/* Each direction of each type, without and with a frame: the last window hangs over one side. */
static void add_alone(gan_graph *g, gan_node **out) {
    const gan_window windows[] = {{1, 1, 1, 1, 1, 1}, {2, 2, 0, 0, 1, 1}};
    const int64_t places[] = {SIZE, SIZE / 2};
    gan_node *counter = gan_game_counter(g);
    for (int i = 0; i < ALONE; i++) {
        const int framed = i / 3 % 2, t = i / 6;
        const int64_t p = places[framed];
        const gan_window window = windows[framed];
        gan_node *x = short_operand(g, counter, gan_shape4(N, SIZE, SIZE, C), (type)t);
        gan_node *w = short_operand(g, counter, gan_shape4(K, 3, 3, C), (type)t);
        gan_node *y = short_operand(g, counter, gan_shape4(N, p, p, K), (type)t);
        gan_node *z = i % 3 == 0   ? gan_conv2d(g, x, w, window)
                      : i % 3 == 1 ? gan_conv2d_grad_input(g, y, w, SIZE, SIZE, window)
                                   : gan_conv2d_grad_weight(g, x, y, 3, 3, window);
        z->tf32 = t == TF32;
        out[i] = t == BF16 ? gan_cast(g, z, GAN_F32) : z;
        gan_output(g, out[i]);
    }
}

/* Where tensor cores may be used, convolutions are plans, also with nothing behind them; the
 * library's older functions are there where it has none, and for f32. */
static void alone_they_are_plans(void **state) {
    static const simt_fusion answers[] = {SIMT_FUSION_WORKS, SIMT_FUSION_NONE, SIMT_FUSION_FAILS};
    static float value[3][ALONE][MOST];
    (void)state;
    memset(value, 0, sizeof value);
    for (int a = 0; a < 3; a++) {
        built b;
        gan_node *out[ALONE];
        simt_set_fusion(answers[a]);
        const simt_counts before = simt_count();
        expect_ok(gan_device_open(&b.device, "cuda", NULL));
        expect_ok(gan_store_create(&b.store, 1));
        expect_ok(gan_graph_create(&b.g, b.store));
        add_alone(b.g, out);
        expect_ok(gan_compile(&b.program, b.g, b.device));
        expect_ok(gan_program_run(b.program, 1));
        for (int i = 0; i < ALONE; i++)
            expect_ok(gan_program_read(b.program, out[i], value[a][i],
                                       sizeof(float) * (size_t)gan_shape_size(out[i]->shape)));
        release(&b);
        assert_int_equal(simt_count().plans - before.plans, a == 0 ? ALONE / 3 * 2 : 0);
    }
    simt_set_fusion(SIMT_FUSION_WORKS);
    assert_memory_equal(value[0], value[1], sizeof value[0]);
    assert_memory_equal(value[0], value[2], sizeof value[0]);
}

int main(void) {
    struct CMUnitTest tests[CASES + 3 + PAIRS] = {cmocka_unit_test(plans_are_kept),
                                                  cmocka_unit_test(own_kernels_are_one_launch),
                                                  cmocka_unit_test(alone_they_are_plans)};
    for (int i = 0; i < CASES; i++)
        tests[3 + i] =
            (struct CMUnitTest){"fused_and_refused_are_alike", fused_and_refused_are_alike, NULL,
                                NULL, (void *)(uintptr_t)&cases[i]};
    for (int i = 0; i < PAIRS; i++)
        tests[3 + CASES + i] = (struct CMUnitTest){"a_sum_and_its_relu_are_one_launch",
                                                   a_sum_and_its_relu_are_one_launch, NULL, NULL,
                                                   (void *)(uintptr_t)&pairs[i]};
    return cmocka_run_group_tests_name("fused", tests, NULL, NULL);
}
