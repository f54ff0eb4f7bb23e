/* Shape rules of all ops: what each makes of its operands. */
#include "support/operands.h"

static bool seen[GAN_OP_COUNT]; /* ops that some shape was asked of */

static int count_and_close(void **state) {
    for (int i = 0; i < g->n_nodes && g->status == GAN_OK; i++) seen[g->node[i]->op] = true;
    return close_graph(state);
}

static void check_made(const gan_node *node, gan_dtype dtype, gan_shape shape, int line) {
    char given[GAN_SHAPE_TEXT], wanted[GAN_SHAPE_TEXT];
    if (!node) fail_msg("line %d: refused: %s", line, (gan_graph_status(g), gan_last_error()));
    if (node->dtype != dtype || !gan_shape_equal(node->shape, shape))
        fail_msg("line %d: %s, expected %s", line, gan_shape_text(given, node->dtype, node->shape),
                 gan_shape_text(wanted, dtype, shape));
}

#define MAKES_TYPE(dtype, node, ...) check_made(node, dtype, SHAPE(__VA_ARGS__), __LINE__)
#define MAKES(node, ...) MAKES_TYPE(GAN_F32, node, __VA_ARGS__)

static void makes_leaves(void **state) {
    (void)state;
    MAKES(gan_constant(g, 2, SHAPE(3, 0)), 3, 0);
    MAKES_TYPE(GAN_I32, I32(4), 4);
    MAKES_TYPE(GAN_I64, counter());
    MAKES_TYPE(GAN_BF16, gan_stop_gradient(g, BF16(2, 3)), 2, 3);
}

static void makes_pointwise(void **state) {
    (void)state;
    MAKES(gan_add(g, F32(2, 3), F32(2, 3)), 2, 3);
    MAKES(gan_sub(g, F32(2, 3), F32(3)), 2, 3);
    MAKES(gan_mul(g, F32(2, 1), F32(1, 3)), 2, 3);
    MAKES(gan_div(g, F32(), F32(4, 2, 3)), 4, 2, 3);
    MAKES(gan_maximum(g, F32(0, 3), F32(1, 3)), 0, 3);
    MAKES(gan_minimum(g, F32(5, 1), F32(0)), 5, 0);
    MAKES_TYPE(GAN_BF16, gan_greater(g, BF16(2), BF16(2)), 2);
    MAKES_TYPE(GAN_F32, gan_mul(g, F32(2), BF16(2)), 2);
    MAKES_TYPE(GAN_F32, gan_sub(g, BF16(3, 2), F32(2)), 3, 2);
    MAKES_TYPE(GAN_BF16, gan_equal(g, gan_constant(g, 1, gan_shape0()), BF16(2)), 2);
    gan_node *(*const unary[])(gan_graph *, gan_node *) = {
        gan_neg,   gan_abs,        gan_sign,     gan_floor, gan_square, gan_sqrt,
        gan_rsqrt, gan_reciprocal, gan_exp,      gan_log,   gan_sin,    gan_cos,
        gan_tanh,  gan_sigmoid,    gan_softplus, gan_relu};
    for (size_t i = 0; i < COUNT(unary); i++) MAKES(unary[i](g, F32(2, 3, 4)), 2, 3, 4);
    MAKES(gan_leaky_relu(g, F32(3), 0.2), 3);
    MAKES(gan_scale(g, F32(3), 2), 3);
    MAKES(gan_shift(g, F32(3), 2), 3);
    MAKES(gan_power(g, F32(3), 2), 3);
    MAKES_TYPE(GAN_BF16, gan_cast(g, F32(2, 3), GAN_BF16), 2, 3);
    MAKES(gan_cast(g, counter(), GAN_F32));
    MAKES(gan_one_hot(g, I32(5), 10), 5, 10);
    MAKES(gan_one_hot(g, I32(), 3), 3);
}

/* A node of a function always has operands of its own shape; broadcasts are nodes of their own. */
static void broadcasts_explicitly(void **state) {
    (void)state;
    const gan_node *y = gan_add(g, F32(2, 3), F32(3));
    assert_int_equal(y->op, GAN_OP_pointwise);
    assert_int_equal(y->program->n_steps, 1);
    assert_int_equal(y->in[0]->op, GAN_OP_input);
    assert_int_equal(y->in[1]->op, GAN_OP_broadcast);
    assert_int_equal(y->in[1]->in[0]->op, GAN_OP_reshape);
    check_made(y->in[1]->in[0], GAN_F32, SHAPE(1, 3), __LINE__);
}

/* A constant operand becomes the constant of a function, and constants of constants are constants.
 */
static void folds_constants(void **state) {
    (void)state;
    gan_node *x = F32(2, 3), *two = gan_constant(g, 2, gan_shape0());
    const gan_node *y = gan_mul(g, two, x);
    assert_int_equal(y->program->step[0].fn, GAN_FN_scale);
    assert_float_equal(y->program->step[0].k, 2, 0);
    y = gan_sub(g, two, x);
    assert_int_equal(y->program->step[0].fn, GAN_FN_shift);
    assert_int_equal(y->in[0]->program->step[0].fn, GAN_FN_neg);
    assert_ptr_equal(gan_scale(g, x, 1), x);
    y = gan_power(g, gan_broadcast(g, gan_shift(g, two, 1), SHAPE(4, 5)), 2);
    assert_int_equal(y->op, GAN_OP_constant);
    assert_float_equal((float)y->attr.constant.value, 9, 0);
    check_made(y, GAN_F32, SHAPE(4, 5), __LINE__);
}

static void makes_reductions(void **state) {
    (void)state;
    MAKES(gan_sum_axes(g, F32(2, 3, 4), 2), 2, 1, 4);
    MAKES(gan_sum_axes(g, BF16(2, 3), 1), 1, 3);
    MAKES(gan_sum_axes(g, F32(0, 3), 1), 1, 3);
    MAKES(gan_mean_axes(g, F32(2, 3), GAN_ALL_AXES), 1, 1);
    MAKES(gan_mean_axes(g, F32(2, 0), 1), 1, 0);
    MAKES_TYPE(GAN_BF16, gan_max_axes(g, BF16(2, 3), 2), 2, 1);
    MAKES(gan_max_axes(g, F32(0, 3), 2), 0, 1);
    MAKES(gan_sum(g, F32(2, 3)));
    MAKES(gan_sum(g, F32()));
    MAKES(gan_mean(g, BF16(2, 3)));
    MAKES(gan_broadcast(g, F32(3, 1), SHAPE(2, 3, 4)), 2, 3, 4);
    MAKES(gan_broadcast(g, F32(1), SHAPE(0)), 0);
    assert_true(gan_shape_equal(gan_sum_axes(g, F32(2, 3), 2)->attr.reduce.in_shape, SHAPE(2, 3)));
}

static void makes_layouts(void **state) {
    (void)state;
    MAKES(gan_reshape(g, F32(2, 3, 4), SHAPE(6, -1)), 6, 4);
    MAKES(gan_reshape(g, F32(1, 1), gan_shape0()));
    MAKES_TYPE(GAN_I32, gan_reshape(g, I32(0, 3), SHAPE(3, -1)), 3, 0);
    MAKES(gan_permute(g, F32(2, 3, 4), (int[]){2, 0, 1}), 4, 2, 3);
    MAKES(gan_transpose(g, F32(5, 2, 3)), 5, 3, 2);
    MAKES(gan_concat(g, 1, 3, (gan_node *[]){F32(2, 3), F32(2, 0), F32(2, 1)}), 2, 4);
    MAKES(gan_slice(g, F32(4, 5), 1, 2, 3), 4, 3);
    MAKES(gan_slice(g, F32(4, 5), 0, 4, 0), 0, 5);
    MAKES(gan_pad(g, F32(4, 5), 0, 1, 2), 7, 5);
    MAKES_TYPE(GAN_U8, gan_gather(g, U8(9, 2, 2), I32(5)), 5, 2, 2);
    MAKES(gan_scatter_add(g, F32(5, 2), I32(5), 9), 9, 2);
    gan_node *a = F32(2, 3), *b = F32(2, 4);
    /* Nothing looks through an operand: a gradient may be asked for with respect to it. */
    gan_node *all = gan_concat(g, 1, 2, (gan_node *[]){a, b}), *flat = gan_reshape(g, a, SHAPE(6));
    assert_ptr_equal(gan_slice(g, all, 1, 3, 4)->in[0], all);
    assert_ptr_equal(gan_reshape(g, flat, SHAPE(2, 3))->in[0], flat);
}

static void makes_products(void **state) {
    (void)state;
    MAKES(gan_matmul(g, F32(2, 3), F32(3, 5), false, false), 2, 5);
    MAKES(gan_matmul(g, F32(3, 2), F32(3, 5), true, false), 2, 5);
    MAKES(gan_matmul(g, F32(2, 3), F32(5, 3), false, true), 2, 5);
    MAKES(gan_matmul(g, F32(7, 3, 2), F32(7, 5, 3), true, true), 7, 2, 5);
    MAKES(gan_matmul(g, F32(2, 0), F32(0, 5), false, false), 2, 5);
    MAKES(gan_conv2d(g, F32(2, 28, 27, 3), F32(8, 5, 4, 3), WINDOW(2, 2)), 2, 14, 14, 8);
    MAKES(gan_conv2d(g, F32(0, 4, 4, 1), F32(8, 4, 4, 1), WINDOW(1, 0)), 0, 1, 1, 8);
    MAKES(gan_conv2d(g, F32(2, 4, 4, 1), F32(8, 3, 3, 1), (gan_window){2, 1, 0, 1, 1, 0}), 2, 2, 3,
          8);
    MAKES(gan_conv2d_grad_input(g, F32(2, 14, 14, 8), F32(8, 5, 4, 3), 28, 27, WINDOW(2, 2)), 2, 28,
          27, 3);
    MAKES(gan_conv2d_grad_weight(g, F32(2, 28, 27, 3), F32(2, 14, 14, 8), 5, 4, WINDOW(2, 2)), 8, 5,
          4, 3);
}

/* Of the images that one stride maps to the same size, each gets back its own. */
static void keeps_image_sizes(void **state) {
    (void)state;
    for (int64_t h = 7; h <= 12; h++)
        for (int stride = 1; stride <= 4; stride++) {
            gan_node *x = F32(1, h, h + 1, 2), *w = F32(3, 3, 2, 2), *dx[2], *ddx[2];
            gan_node *y = gan_conv2d(g, x, w, WINDOW(stride, 1));
            assert_int_equal(
                gan_gradient(g, gan_sum(g, gan_square(g, y)), 2, (gan_node *[]){x, w}, dx), GAN_OK);
            assert_true(gan_shape_equal(dx[0]->shape, x->shape));
            gan_node *norm =
                gan_add(g, gan_sum(g, gan_square(g, dx[0])), gan_sum(g, gan_square(g, dx[1])));
            assert_int_equal(gan_gradient(g, norm, 2, (gan_node *[]){x, w}, ddx), GAN_OK);
            assert_true(gan_shape_equal(ddx[0]->shape, x->shape));
            assert_true(gan_shape_equal(ddx[1]->shape, w->shape));
        }
}

static void makes_folds(void **state) {
    (void)state;
    for (int up = 0; up < 2; up++) {
        gan_node *w = F32(4, 3, 5, 2), *dw, *ddw;
        gan_node *y = up ? gan_fold_up(g, w, GAN_BF16) : gan_fold_down(g, w, GAN_BF16);
        if (up)
            MAKES_TYPE(GAN_BF16, y, 2, 4, 6, 4);
        else
            MAKES_TYPE(GAN_BF16, y, 4, 4, 6, 2);
        assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, y)), 1, &w, &dw), GAN_OK);
        MAKES(dw, 4, 3, 5, 2);
        assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, dw)), 1, &w, &ddw), GAN_OK);
        MAKES(ddw, 4, 3, 5, 2);
    }
}

static void makes_pools(void **state) {
    (void)state;
    gan_node *x = F32(2, 7, 8, 3), *dx;
    MAKES(gan_average_pool(g, x, 2, 3, WINDOW(2, 0)), 2, 3, 3, 3);
    MAKES(gan_max_pool(g, x, 3, 3, WINDOW(2, 1)), 2, 4, 4, 3);
    MAKES(gan_upsample(g, x, 3), 2, 21, 24, 3);
    gan_node *pooled = gan_average_pool(g, x, 2, 3, WINDOW(2, 0));
    assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, pooled)), 1, &x, &dx), GAN_OK);
    MAKES(dx, 2, 7, 8, 3);
    pooled = gan_max_pool(g, x, 3, 3, WINDOW(2, 1));
    assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, pooled)), 1, &x, &dx), GAN_OK);
    MAKES(dx, 2, 7, 8, 3);
    assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, dx)), 1, &x, &dx), GAN_OK);
    MAKES(dx, 2, 7, 8, 3);
}

static void makes_norms_and_losses(void **state) {
    (void)state;
    for (int64_t groups = 1; groups <= 2; groups++) {
        gan_node *x = F32(4, 3, 5), *moments = gan_moments(g, x, groups), *grad;
        MAKES(moments, groups, 2, 5);
        gan_node *y = gan_batch_norm(g, x, moments, NULL, F32(5), 1e-5);
        MAKES(y, 4, 3, 5);
        assert_int_equal(gan_gradient(g, gan_logits_loss(g, y, 1), 1, &x, &grad), GAN_OK);
        MAKES(grad, 4, 3, 5);
        assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, grad)), 1, &x, &grad), GAN_OK);
        MAKES(grad, 4, 3, 5);
        y = gan_batch_norm_training(g, x, groups, F32(5), NULL, 1e-5, &moments);
        MAKES(y, 4, 3, 5);
        MAKES(moments, groups, 2, 5);
        assert_int_equal(gan_gradient(g, gan_logits_loss(g, y, 1), 1, &x, &grad), GAN_OK);
        MAKES(grad, 4, 3, 5);
        assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, grad)), 1, &x, &grad), GAN_OK);
        MAKES(grad, 4, 3, 5);
    }
    MAKES_TYPE(GAN_BF16,
               gan_batch_norm(g, BF16(6, 5), gan_moments(g, BF16(6, 5), 3), NULL, NULL, 0), 6, 5);
    MAKES(gan_logits_loss(g, BF16(3, 1), 0.9));
    gan_node *logits = F32(7, 10), *grad;
    MAKES(gan_softmax_loss(g, logits, I32(7)));
    assert_int_equal(gan_gradient(g, gan_softmax_loss(g, logits, I32(7)), 1, &logits, &grad),
                     GAN_OK);
    MAKES(grad, 7, 10);
    assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, grad)), 1, &logits, &grad), GAN_OK);
    MAKES(grad, 7, 10);
}

/* Storage in bf16 goes through a network and back, twice; statistics and losses are f32. */
static void keeps_half_precision(void **state) {
    (void)state;
    for (int64_t groups = 1; groups <= 2; groups++) {
        gan_node *x = BF16(4, 8, 8, 3), *w = BF16(6, 3, 3, 3), *gamma = F32(6), *grad[3];
        gan_node *h = gan_conv2d(g, x, w, WINDOW(1, 1));
        h = gan_batch_norm_training(g, h, groups, gamma, NULL, 1e-5, NULL);
        h = gan_max_pool(g, gan_upsample(g, gan_leaky_relu(g, h, 0.2), 2), 2, 2, WINDOW(2, 0));
        h = gan_maximum(g, h, gan_max_axes(g, h, 8));
        MAKES_TYPE(GAN_BF16, h, 4, 8, 8, 6);
        h = gan_reshape(g, gan_average_pool(g, h, 2, 2, WINDOW(2, 0)), SHAPE(16, 24));
        gan_node *loss = gan_add(g, gan_logits_loss(g, h, 0.9), gan_softmax_loss(g, h, I32(16)));
        loss = gan_add(g, loss, gan_mean(g, gan_square(g, h)));
        gan_node *const wrt[] = {x, w, gamma};
        for (int order = 1; order <= 2; order++) {
            assert_int_equal(gan_gradient(g, loss, 3, wrt, grad), GAN_OK);
            MAKES_TYPE(GAN_BF16, grad[0], 4, 8, 8, 3);
            MAKES_TYPE(GAN_BF16, grad[1], 6, 3, 3, 3);
            MAKES(grad[2], 6);
            loss = gan_sum(g, gan_square(g, grad[0]));
        }
    }
}

static void makes_noise_and_batches(void **state) {
    (void)state;
    gan_node *t = counter();
    MAKES(gan_random_uniform(g, t, SHAPE(2, 3), -1, 1), 2, 3);
    MAKES(gan_random_normal(g, t, SHAPE(0, 3), 0, 1), 0, 3);
    MAKES_TYPE(GAN_I32, gan_random_index(g, t, SHAPE(5), 10), 5);
    gan_node *index = gan_shuffled_index(g, t, 60000, 64, 128, 64, 0);
    MAKES_TYPE(GAN_I32, index, 64);
    MAKES(gan_minibatch(g, U8(60000, 28, 28, 1), index, t, 1 / 127.5, -1, true), 64, 28, 28, 1);
    gan_node *one = gan_random_normal(g, t, SHAPE(2), 0, 1),
             *two = gan_random_normal(g, t, SHAPE(2), 0, 1);
    assert_int_not_equal(one->attr.random.stream, two->attr.random.stream);
}

static const gan_node *last(gan_op_id op) {
    assert_int_equal(gan_graph_status(g), GAN_OK);
    const gan_node *node = g->node[g->n_nodes - 1];
    assert_int_equal(node->op, op);
    return node;
}

static void makes_updates(void **state) {
    (void)state;
    gan_node *u = statistic("t/u", SHAPE(4)), *v = statistic("t/v", SHAPE(6)),
             *rate = gan_constant(g, 0.1, SHAPE());
    gan_node *ring = variable(GAN_RECORD, "t/ring", GAN_F32, SHAPE(8, 2));
    gan_assign(g, u, F32(4));
    last(GAN_OP_assign);
    gan_advance(g, counter(), 1);
    last(GAN_OP_advance);
    gan_moving_average(g, u, F32(4), rate);
    last(GAN_OP_moving_average);
    gan_record(g, ring, counter(), 10, 2, (gan_node *[]){rate, F32(1, 1)});
    last(GAN_OP_record);
    gan_power_iteration(g, u, v, F32(4, 2, 3), 1e-12);
    last(GAN_OP_power_iteration);
    /* Gradients are packed in the order of the weights' creation, 16 elements a line. */
    gan_node *w[] = {weight("d/w", SHAPE(5, 4)), weight("d/b", SHAPE(5))};
    gan_node *wrt[] = {w[1], w[0]}, *grad[] = {F32(5), F32(5, 4)};
    gan_adam(
        g, "d", 2, wrt, grad,
        &(gan_adam_options){.beta2 = 0.99, .rate = rate, .counter = counter(), .per_iteration = 1});
    const gan_node *adam = last(GAN_OP_adam);
    MAKES(adam->in[3], 48);
    assert_ptr_equal(adam->in[3]->in[0], grad[1]);
    assert_ptr_equal(adam->in[3]->in[1], grad[0]);
    assert_true(gan_shape_equal(adam->in[0]->shape, SHAPE(48)));
    gan_momentum(g, "d", 2, wrt, grad, rate, rate);
    assert_ptr_equal(last(GAN_OP_momentum)->in[0], adam->in[0]);
}

static void every_op_has_a_shape_tested(void **state) {
    (void)state;
    for (int i = 0; i < GAN_OP_COUNT; i++)
        if (!seen[i]) fail_msg("no test makes a node of %s", gan_op_table[i].name);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_graph, count_and_close)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(makes_leaves),
        TEST(makes_pointwise),
        TEST(broadcasts_explicitly),
        TEST(folds_constants),
        TEST(makes_reductions),
        TEST(makes_layouts),
        TEST(makes_products),
        TEST(keeps_image_sizes),
        TEST(makes_folds),
        TEST(makes_pools),
        TEST(makes_norms_and_losses),
        TEST(keeps_half_precision),
        TEST(makes_noise_and_batches),
        TEST(makes_updates),
        cmocka_unit_test(every_op_has_a_shape_tested),
    };
    return cmocka_run_group_tests_name("op_shapes", tests, NULL, NULL);
}
