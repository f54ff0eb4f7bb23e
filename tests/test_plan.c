/* The plan: what is fused, and in which order it runs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "graph/plan.h"
#include "support/planned.h"
#include "support/setting.h"

static bool no_matmul(const void *context, gan_op_id op) {
    (void)context;
    return op != GAN_OP_matmul;
}

static int whole_values(const gan_plan *plan, int64_t size) {
    int n = 0;
    for (int i = 0; i < plan->n_launches; i++) n += gan_shape_size(plan->order[i]->shape) == size;
    return n;
}

/* ---- fusion ---- */

static void a_layer_is_one_launch(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 5), "x");
    gan_output(s.g, layer(s.g, x, "d", 7));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(plan->n_launches, 1);
    const gan_node *m = plan->order[0];
    assert_int_equal(m->op, GAN_OP_matmul);
    assert_non_null(m->program);
    assert_int_equal(m->program->n_steps, 2);
    assert_int_equal(m->n_in, 3);
    close_setting(s, plan);
}

static void a_reshape_and_back_is_not_in_the_way(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 6), "x");
    gan_node *y = gan_matmul(s.g, x, weight(s.g, "d/w", gan_shape2(12, 6)), false, true);
    y = gan_reshape(s.g, gan_reshape(s.g, y, gan_shape4(8, 2, 2, 3)), gan_shape2(8, 12));
    gan_output(s.g, gan_tanh(s.g, y));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(plan->n_launches, 1);
    close_setting(s, plan);
}

static void a_loss_is_a_reduction_with_prologue(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 1), "logits");
    gan_output(s.g, gan_logits_loss(s.g, x, 1));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_sum), 1);
    assert_non_null(plan->order[position_of(plan, GAN_OP_sum)]->program);
    assert_true(plan->n_launches <= 2);
    close_setting(s, plan);
}

static void a_value_with_two_readers_is_computed_once(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape1(9), "x");
    gan_node *y = gan_exp(s.g, x);
    gan_output(s.g, gan_add(s.g, y, x));
    gan_output(s.g, gan_mul(s.g, y, x));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(plan->n_launches, 3);
    close_setting(s, plan);
}

static void batch_norm_and_activation_are_one_pass(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape4(4, 3, 3, 8), "x");
    gan_node *y = gan_batch_norm(s.g, x, gan_moments(s.g, x, 1), NULL, NULL, 1e-5);
    gan_output(s.g, gan_relu(s.g, y));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(whole_values(plan, 4 * 3 * 3 * 8), 1);
    close_setting(s, plan);
}

/* dy times the activation's derivative is never stored, nor is the result read again. */
static void the_way_back_through_batch_norm_is_two_passes(void **state) {
    enum { NONE, RELU, LEAKY, TANH, WAYS };
    static const double slope[WAYS] = {1, 0, (double)0.2f, 1};
    static const int passes[WAYS] = {1, 1, 1, 2};
    (void)state;
    for (int way = 0; way < WAYS; way++) {
        setting s = open_setting();
        gan_node *x = gan_input(s.g, GAN_F32, gan_shape4(4, 3, 3, 8), "x"), *dx[2];
        gan_node *w = gan_input(s.g, GAN_F32, gan_shape4(4, 3, 3, 8), "w");
        gan_node *gamma = weight(s.g, "d/gamma", gan_shape1(8));
        gan_node *y = gan_batch_norm_training(s.g, x, 2, gamma, NULL, 1e-5, NULL);
        if (way == RELU) y = gan_relu(s.g, y);
        if (way == LEAKY) y = gan_leaky_relu(s.g, y, 0.2);
        if (way == TANH) y = gan_tanh(s.g, y);
        gan_node *loss = gan_sum(s.g, gan_mul(s.g, y, w));
        assert_int_equal(gan_gradient(s.g, loss, 2, (gan_node *[]){x, gamma}, dx), GAN_OK);
        gan_output(s.g, dx[0]);
        gan_output(s.g, dx[1]);
        gan_plan *plan = make_plan(s.g);
        assert_int_equal(launches_of(plan, GAN_OP_moments), 1);
        assert_int_equal(launches_of(plan, GAN_OP_batch_norm_sums), 1);
        assert_int_equal(launches_of(plan, GAN_OP_batch_norm_grad), 1);
        const int at[2] = {position_of(plan, GAN_OP_batch_norm_sums),
                           position_of(plan, GAN_OP_batch_norm_grad)};
        for (int i = 0; i < 2; i++) assert_true(plan->order[at[i]]->attr.norm.slope == slope[way]);
        assert_int_equal(whole_values(plan, 4 * 3 * 3 * 8), passes[way]);
        close_setting(s, plan);
    }
}

static void long_chains_are_cut_where_a_program_ends(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape1(5), "x");
    for (int i = 0; i < 100; i++) x = gan_shift(s.g, x, i);
    gan_output(s.g, x);
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(plan->n_launches, (100 + GAN_MAX_PROGRAM_STEPS - 1) / GAN_MAX_PROGRAM_STEPS);
    close_setting(s, plan);
}

/* ---- order ---- */

static void a_reader_runs_before_the_update_that_follows_it(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *w = weight(s.g, "d/w", gan_shape1(5));
    gan_node *before = gan_scale(s.g, w, 2);
    gan_assign(s.g, w, gan_constant(s.g, 0, gan_shape1(5)));
    gan_output(s.g, gan_shift(s.g, before, 1)); /* must not be fused into a later place */
    gan_output(s.g, gan_exp(s.g, w));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_pointwise), 3);
    int assign = position_of(plan, GAN_OP_assign);
    assert_true(position_of(plan, GAN_OP_pointwise) < assign);
    assert_true(assign < plan->n_launches - 1);
    close_setting(s, plan);
}

static void a_reader_through_a_view_too(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *w = weight(s.g, "d/w", gan_shape2(4, 16));
    gan_node *flat = gan_reshape(s.g, w, gan_shape1(64));
    gan_node *before = gan_sum(s.g, gan_exp(s.g, flat));
    gan_assign(s.g, w, gan_constant(s.g, 0, gan_shape2(4, 16)));
    gan_output(s.g, before);
    gan_plan *plan = make_plan(s.g);
    assert_true(position_of(plan, GAN_OP_sum) < position_of(plan, GAN_OP_assign));
    close_setting(s, plan);
}

static void a_gradient_after_the_update_is_refused(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *w = weight(s.g, "d/w", gan_shape1(5)), *grad;
    gan_node *loss = gan_sum(s.g, gan_square(s.g, w));
    gan_assign(s.g, w, gan_constant(s.g, 0, gan_shape1(5)));
    assert_int_equal(gan_gradient(s.g, loss, 1, &w, &grad), GAN_ERROR_ARGUMENT);
    assert_non_null(strstr(gan_last_error(), "d/w"));
    close_setting(s, NULL);
}

/* ---- lowering ---- */

/* All passes before an update take one set of filters and one sum, those behind it another. */
static void what_passes_fold_and_sum_alike_they_share(void **state) {
    enum { PASSES = 6, BEFORE = 4 };
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape4(2, 4, 4, 3), "x");
    gan_node *w = weight(s.g, "d/w", gan_shape4(5, 3, 3, 3));
    for (int i = 0; i < PASSES; i++) {
        gan_node *again = weight(s.g, "d/w", gan_shape4(5, 3, 3, 3));
        gan_output(s.g, gan_fold_up(s.g, again, GAN_F32));
        if (i % 2) gan_output(s.g, gan_fold_down(s.g, again, GAN_F32));
        gan_output(s.g, gan_sum_axes(s.g, again, 1));
        gan_output(s.g, gan_scale(s.g, gan_sum_axes(s.g, x, 1), i));
        if (i + 1 == BEFORE) gan_assign(s.g, w, gan_constant(s.g, 0, gan_shape4(5, 3, 3, 3)));
    }
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_fold), 4);
    assert_int_equal(launches_of(plan, GAN_OP_sum), 3);
    close_setting(s, plan);
}

static void a_missing_kernel_is_named(void **state) {
    (void)state;
    setting s = open_setting();
    gan_plan *plan;
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(3, 3), "x");
    gan_output(s.g, gan_matmul(s.g, x, x, false, false));
    gan_plan_options options = {.supported = no_matmul};
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_ERROR_DEVICE);
    assert_non_null(strstr(gan_last_error(), "matmul"));
    assert_null(plan);
    close_setting(s, NULL);
}

static void what_nobody_needs_is_dropped(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(3, 3), "x");
    gan_matmul(s.g, x, x, false, false);
    gan_output(s.g, gan_exp(s.g, x));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(plan->n_launches, 1);
    close_setting(s, plan);
}

/* ---- the game's economy ---- */

static void no_weight_gradient_of_a_frozen_network(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *z = gan_input(s.g, GAN_F32, gan_shape2(8, 4), "z"), *w[8], *grad[8];
    gan_node *fake = layer(s.g, z, "generator", 6);
    gan_node *score = layer(s.g, fake, "discriminator", 1);
    int n = gan_group_weights(s.g, "generator", w, 8);
    assert_int_equal(gan_gradient(s.g, mean_square(s.g, score), n, w, grad), GAN_OK);
    for (int i = 0; i < n; i++) gan_output(s.g, grad[i]);
    gan_plan *plan = make_plan(s.g);
    /* two forward, one through D to the image, one for G's weight; none for D's weight, none to z
     */
    assert_int_equal(launches_of(plan, GAN_OP_matmul), 4);
    close_setting(s, plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layer_is_one_launch),
        cmocka_unit_test(a_reshape_and_back_is_not_in_the_way),
        cmocka_unit_test(a_loss_is_a_reduction_with_prologue),
        cmocka_unit_test(a_value_with_two_readers_is_computed_once),
        cmocka_unit_test(batch_norm_and_activation_are_one_pass),
        cmocka_unit_test(the_way_back_through_batch_norm_is_two_passes),
        cmocka_unit_test(long_chains_are_cut_where_a_program_ends),
        cmocka_unit_test(a_reader_runs_before_the_update_that_follows_it),
        cmocka_unit_test(a_reader_through_a_view_too),
        cmocka_unit_test(a_gradient_after_the_update_is_refused),
        cmocka_unit_test(what_passes_fold_and_sum_alike_they_share),
        cmocka_unit_test(a_missing_kernel_is_named),
        cmocka_unit_test(what_nobody_needs_is_dropped),
        cmocka_unit_test(no_weight_gradient_of_a_frozen_network),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
