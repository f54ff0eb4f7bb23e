/* What the shape rules say about operands that they refuse: the op, what was given, what was
 * expected. */
#include "support/operands.h"

static void check_refused(gan_status status, int line, const char *const *texts) {
    const gan_status given = gan_graph_status(g);
    if (given != status)
        fail_msg("line %d: %s (%s), expected %s", line, gan_status_name(given), gan_last_error(),
                 gan_status_name(status));
    for (; *texts; texts++)
        if (!strstr(gan_last_error(), *texts))
            fail_msg("line %d: '%s' does not say '%s'", line, gan_last_error(), *texts);
    close_graph(NULL);
    open_graph(NULL);
}

#define SAYS(status, ...) check_refused(status, __LINE__, (const char *[]){__VA_ARGS__, NULL})
#define REFUSED_AS(status, node, ...)                                                              \
    do {                                                                                           \
        assert_null(node);                                                                         \
        SAYS(status, __VA_ARGS__);                                                                 \
    } while (0)
#define REFUSED(node, ...) REFUSED_AS(GAN_ERROR_SHAPE, node, __VA_ARGS__)
#define UNFIT(node, ...) REFUSED_AS(GAN_ERROR_ARGUMENT, node, __VA_ARGS__)

static void refuses_operands(void **state) {
    (void)state;
    REFUSED(gan_constant(g, 1, SHAPE(2, -1)), "constant", "-1");
    REFUSED(gan_add(g, F32(2, 3), F32(4, 3)), "add", "f32(2,3)", "f32(4,3)");
    REFUSED(gan_mul(g, F32(2), I32(2)), "mul", "f32(2)", "i32(2)");
    REFUSED(gan_exp(g, I32(2)), "exp", "i32(2)", "expected");
    REFUSED(gan_pointwise(g, GAN_FN_add, F32(2), F32(3), 0), "add", "f32(2)", "f32(3)");
    UNFIT(gan_pointwise(g, GAN_FN_value, F32(2), NULL, 0), "value", "0 expected");
    UNFIT(gan_leaky_relu(g, F32(2), -0.1), "leaky_relu", "-0.1", "(0, 1)");
    UNFIT(gan_cast(g, F32(2), GAN_U8), "cast", "u8", "f32(2)");
    REFUSED(gan_one_hot(g, F32(2), 3), "one_hot", "f32", "expected i32");
    UNFIT(gan_one_hot(g, I32(2), 0), "one_hot", "0 classes");
    REFUSED(gan_sum_axes(g, U8(2), 1), "sum", "u8");
    UNFIT(gan_max_axes(g, F32(2, 3), 4), "max", "0x4", "f32(2,3)");
    REFUSED(gan_max_axes(g, F32(0, 3), 1), "max", "no elements", "f32(0,3)");
    REFUSED(gan_mean(g, F32(0, 3)), "mean", "no elements", "f32(0,3)");
    REFUSED(gan_broadcast(g, F32(2, 3), SHAPE(2, 4)), "broadcast", "f32(2,4)", "f32(2,3)");
    REFUSED(gan_broadcast(g, F32(2, 3), SHAPE(3)), "broadcast", "f32(3)", "f32(2,3)");
    REFUSED(gan_reshape(g, F32(2, 3), SHAPE(4, -1)), "reshape", "f32(4,1)", "expected 6");
    REFUSED(gan_reshape(g, F32(2, 3), SHAPE(-1, -1)), "reshape", "-1", "f32(2,3)");
    UNFIT(gan_permute(g, F32(2, 3), (int[]){1, 1}), "permute", "0 to 1", "f32(2,3)");
    REFUSED(gan_transpose(g, F32(2)), "transpose", "f32(2)");
    REFUSED(gan_concat(g, 1, 2, (gan_node *[]){F32(2, 3), F32(4, 3)}), "concat", "f32(4,3)",
            "axis 1");
    UNFIT(gan_concat(g, 2, 1, (gan_node *[]){F32(2, 3)}), "concat", "axis 2");
    UNFIT(gan_slice(g, F32(4), 0, 2, 3), "slice", "3 elements from 2", "f32(4)");
    UNFIT(gan_slice(g, F32(4), 1, 0, 1), "slice", "axis 1");
    UNFIT(gan_pad(g, F32(4), 0, -1, 0), "pad", "-1 before");
    REFUSED(gan_gather(g, F32(4, 2), F32(3)), "gather", "index is f32", "i32");
    REFUSED(gan_gather(g, F32(4, 2), I32(3, 1)), "gather", "2 axes", "i32(3,1)");
    REFUSED(gan_scatter_add(g, F32(4, 2), I32(3), 9), "scatter_add", "4 rows and 3");
}

static void refuses_products(void **state) {
    (void)state;
    REFUSED(gan_matmul(g, F32(128, 784), F32(256, 100), false, true), "matmul", "f32(256,100)",
            "f32(128,784)", "expected 784");
    REFUSED(gan_matmul(g, F32(2, 3), F32(2, 3, 4), false, false), "matmul", "2 and 3 axes");
    REFUSED(gan_matmul(g, F32(2, 3, 4), F32(5, 4, 3), false, false), "matmul",
            "batches of 2 and 5");
    REFUSED(gan_conv2d(g, F32(1, 8, 8, 3), F32(4, 3, 3, 2), WINDOW(1, 0)), "conv2d",
            "channels of w is 2", "expected 3");
    REFUSED(gan_conv2d(g, F32(1, 8, 2, 3), F32(4, 3, 3, 3), WINDOW(1, 0)), "conv2d", "width",
            "3 does not fit 2");
    REFUSED(gan_conv2d(g, F32(8, 8, 3), F32(4, 3, 3, 3), WINDOW(1, 0)), "conv2d", "x has 3 axes");
    UNFIT(gan_conv2d(g, F32(1, 8, 8, 3), F32(4, 3, 3, 3), WINDOW(0, 0)), "conv2d", "stride (0,0)");
    UNFIT(gan_conv2d(g, F32(1, 8, 8, 3), F32(4, 3, 3, 3), WINDOW(1, -1)), "conv2d", "padding",
          "-1");
    REFUSED(gan_conv2d_grad_input(g, F32(1, 4, 4, 8), F32(8, 3, 3, 2), 9, 8, WINDOW(2, 1)),
            "conv2d_grad_input", "height of dy is 4", "expected 5");
    REFUSED(gan_conv2d_grad_weight(g, F32(1, 8, 8, 2), F32(2, 4, 4, 8), 3, 3, WINDOW(2, 1)),
            "conv2d_grad_weight", "number of dy is 2", "expected 1");
    REFUSED(gan_average_pool(g, F32(1, 2, 2, 1), 3, 3, WINDOW(1, 0)), "average_pool", "height",
            "f32(1,2,2,1)");
    UNFIT(gan_max_pool(g, F32(1, 8, 8, 1), 2, 2, WINDOW(2, 2)), "max_pool", "(2,2)");
    REFUSED(gan_fold_up(g, F32(3, 3, 1), GAN_F32), "fold", "w has 3 axes");
    REFUSED(gan_fold_down(g, F32(4, 0, 3, 2), GAN_F32), "fold", "0 x 3 taps", "expected >= 1");
    UNFIT(gan_fold_down(g, F32(4, 3, 3, 2), GAN_I32), "fold", "to i32", "f32 or bf16");
    REFUSED(gan_upsample(g, F32(8, 8, 1), 2), "upsample", "f32(8,8,1)");
}

static void refuses_norms_losses_noise(void **state) {
    (void)state;
    gan_node *m;
    REFUSED(gan_moments(g, F32(5, 3), 2), "moments", "5 rows in 2 groups");
    REFUSED(gan_moments(g, F32(0, 3), 1), "moments", "no rows");
    m = F32(1, 2, 4);
    REFUSED(gan_batch_norm(g, F32(5, 3), m, NULL, NULL, 0), "batch_norm", "f32(1,2,4)",
            "(groups,2,3)");
    m = F32(1, 2, 3);
    REFUSED(gan_batch_norm(g, F32(5, 3), m, F32(4), NULL, 0), "batch_norm", "gamma is f32(4)",
            "f32(3)");
    REFUSED(gan_logits_loss(g, F32(0), 1), "logits_loss", "no logits");
    REFUSED(gan_softmax_loss(g, F32(5, 3), I32(4)), "softmax_loss", "i32(4)", "i32(5)");
    REFUSED(gan_random_normal(g, F32(), SHAPE(2), 0, 1), "random", "counter is f32()", "i64");
    UNFIT(gan_random_normal(g, counter(), SHAPE(2), 0, -1), "random", "deviation -1");
    UNFIT(gan_random_uniform(g, counter(), SHAPE(2), 1, 0), "random", "from 1 to 0");
    UNFIT(gan_random_index(g, counter(), SHAPE(2), 0), "random", "index below 0");
    UNFIT(gan_shuffled_index(g, counter(), 0, 4, 4, 0, 0), "shuffled_index", "0 examples");
    REFUSED(gan_minibatch(g, F32(9, 2, 2, 1), I32(3), counter(), 1, 0, false), "minibatch",
            "data is f32", "u8");
}

static void refuses_updates(void **state) {
    (void)state;
    gan_assign(g, F32(2), F32(2));
    SAYS(GAN_ERROR_ARGUMENT, "assign", "input", "expected a variable");
    gan_assign(g, statistic("t/u", SHAPE(2)), F32(3));
    SAYS(GAN_ERROR_SHAPE, "assign", "f32(3)", "f32(2)");
    gan_advance(g, statistic("t/u", SHAPE()), 1);
    SAYS(GAN_ERROR_SHAPE, "advance", "i64");
    gan_moving_average(g, statistic("t/u", SHAPE(2)), F32(2), F32(2));
    SAYS(GAN_ERROR_SHAPE, "moving_average", "decay is f32(2)");
    gan_record(g, variable(GAN_RECORD, "t/ring", GAN_F32, SHAPE(8, 2)), counter(), 1, 1,
               (gan_node *[]){F32()});
    SAYS(GAN_ERROR_SHAPE, "record", "1 values", "8 rows of 2");
    gan_power_iteration(g, statistic("t/u", SHAPE(4)), statistic("t/v", SHAPE(5)), F32(4, 2, 3), 0);
    SAYS(GAN_ERROR_SHAPE, "power_iteration", "f32(5)", "f32(4,2,3)");
    const gan_adam_options adam = {.beta1 = 1};
    gan_adam(g, "d", 0, NULL, NULL, &adam);
    SAYS(GAN_ERROR_ARGUMENT, "adam", "group d", "no weights");
    gan_node *w[] = {weight("d/w", SHAPE(2)), weight("d/b", SHAPE(3))}, *grad[] = {F32(2), F32(2)};
    gan_adam(g, "d", 1, w, grad, &adam);
    SAYS(GAN_ERROR_ARGUMENT, "adam", "d/b", "no gradient");
    w[0] = weight("d/w", SHAPE(2)), w[1] = weight("d/b", SHAPE(3)), grad[0] = F32(2),
    grad[1] = F32(2);
    gan_momentum(g, "d", 2, w, grad, NULL, NULL);
    SAYS(GAN_ERROR_SHAPE, "momentum", "d/b", "f32(2)", "f32(3)");
    w[0] = weight("d/w", SHAPE(2)), grad[0] = F32(2);
    gan_adam(g, "d", 1, w, grad,
             &(gan_adam_options){.beta1 = 1, .rate = F32(), .counter = counter()});
    SAYS(GAN_ERROR_ARGUMENT, "adam", "beta1 1");
    w[0] = weight("d/w", SHAPE(2)), grad[0] = F32(2), w[1] = F32(2), grad[1] = F32(2);
    gan_adam(g, "d", 2, w, grad, &adam);
    SAYS(GAN_ERROR_ARGUMENT, "adam", "2 gradients", "1 weights");
}

/* The first error stays, and what is built on it is NULL without a further word. */
static void passes_absence_on(void **state) {
    (void)state;
    gan_node *(*const unary[])(gan_graph *, gan_node *) = {
        gan_neg, gan_relu, gan_sum, gan_mean, gan_transpose, gan_stop_gradient};
    for (size_t i = 0; i < COUNT(unary); i++) UNFIT(unary[i](g, NULL), "missing");
    UNFIT(gan_add(g, NULL, F32(2)), "add", "missing");
    UNFIT(gan_add(g, F32(2), NULL), "add", "missing");
    gan_node *const none = gan_add(g, F32(2), F32(3)), *x = F32(2);
    assert_null(none);
    assert_null(x); /* a graph with an error makes nothing more */
    gan_node *list[] = {none, x};
    assert_null(gan_scale(g, none, 1));
    assert_null(gan_cast(g, none, GAN_F32));
    assert_null(gan_one_hot(g, none, 2));
    assert_null(gan_sum_axes(g, none, 1));
    assert_null(gan_mean_axes(g, none, 1));
    assert_null(gan_max_axes(g, none, 1));
    assert_null(gan_broadcast(g, none, SHAPE(2)));
    assert_null(gan_reshape(g, none, SHAPE(2)));
    assert_null(gan_permute(g, none, (int[]){0}));
    assert_null(gan_concat(g, 0, 2, list));
    assert_null(gan_slice(g, none, 0, 0, 1));
    assert_null(gan_pad(g, none, 0, 0, 0));
    assert_null(gan_gather(g, none, none));
    assert_null(gan_scatter_add(g, none, none, 1));
    assert_null(gan_matmul(g, none, none, false, false));
    assert_null(gan_conv2d(g, none, none, WINDOW(1, 0)));
    assert_null(gan_conv2d_grad_input(g, none, none, 1, 1, WINDOW(1, 0)));
    assert_null(gan_conv2d_grad_weight(g, none, none, 1, 1, WINDOW(1, 0)));
    assert_null(gan_fold_down(g, none, GAN_F32));
    assert_null(gan_fold_up(g, none, GAN_F32));
    assert_null(gan_average_pool(g, none, 1, 1, WINDOW(1, 0)));
    assert_null(gan_max_pool(g, none, 1, 1, WINDOW(1, 0)));
    assert_null(gan_upsample(g, none, 2));
    assert_null(gan_moments(g, none, 1));
    assert_null(gan_batch_norm(g, none, none, NULL, NULL, 0));
    assert_null(gan_logits_loss(g, none, 1));
    assert_null(gan_softmax_loss(g, none, none));
    assert_null(gan_random_normal(g, none, SHAPE(2), 0, 1));
    assert_null(gan_shuffled_index(g, none, 1, 1, 1, 0, 0));
    assert_null(gan_minibatch(g, none, none, none, 1, 0, false));
    gan_assign(g, none, none);
    gan_record(g, none, none, 1, 2, list);
    gan_adam(g, "d", 2, list, list, &(gan_adam_options){0});
    gan_momentum(g, "d", 2, list, list, none, none);
    SAYS(GAN_ERROR_SHAPE, "add", "f32(2)", "f32(3)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_graph, close_graph)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(refuses_operands), TEST(refuses_products),  TEST(refuses_norms_losses_noise),
        TEST(refuses_updates),  TEST(passes_absence_on),
    };
    return cmocka_run_group_tests_name("op_errors", tests, NULL, NULL);
}
