/* The plan where small calls are joined: what becomes one of them, or need not be a call at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ganc/nn.h"
#include "graph/plan.h"
#include "support/rules.h"
#include "support/setting.h"

static gan_plan *make_plan(const gan_graph *g) {
    gan_plan *plan;
    gan_plan_options options = {.supported = every_op};
    assert_int_equal(gan_plan_create(&plan, g, &options), GAN_OK);
    return plan;
}

static gan_plan *make_joined_plan(const gan_graph *g) {
    gan_plan *plan;
    gan_plan_options options = {
        .supported = every_op, .takes = takes_all, .joins = joins_all, .join_room = 48};
    assert_int_equal(gan_plan_create(&plan, g, &options), GAN_OK);
    return plan;
}

static void a_shuffled_batch_waits_for_no_indices(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *counter =
        gan_variable_node(s.g, GAN_COUNTER, "t/c", GAN_I64, gan_shape0(), gan_init_constant(0));
    gan_node *data = gan_variable_node(s.g, GAN_DATA, "d/d", GAN_U8, gan_shape4(9, 2, 2, 1),
                                       gan_init_constant(0));
    gan_node *index = gan_shuffled_index(s.g, counter, 9, 4, 4, 0, 0);
    gan_output(s.g, gan_minibatch(s.g, data, index, counter, 1, 0, false));
    gan_plan *plan = make_joined_plan(s.g), *apart = make_plan(s.g);
    assert_int_equal(plan->n_launches, 1);
    assert_int_equal(apart->n_launches, 2);
    gan_plan_destroy(apart);
    close_setting(s, plan);
}

/* The counter that the indices were made by is another one by then. */
static void a_later_batch_does(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *counter =
        gan_variable_node(s.g, GAN_COUNTER, "t/c", GAN_I64, gan_shape0(), gan_init_constant(0));
    gan_node *data = gan_variable_node(s.g, GAN_DATA, "d/d", GAN_U8, gan_shape4(9, 2, 2, 1),
                                       gan_init_constant(0));
    gan_node *index = gan_shuffled_index(s.g, counter, 9, 4, 4, 0, 0);
    gan_advance(s.g, counter, 1);
    gan_output(s.g, gan_minibatch(s.g, data, index, counter, 1, 0, false));
    gan_plan *plan = make_joined_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_shuffled_index), 1);
    close_setting(s, plan);
}

static void a_row_times_a_matrix_is_a_sum(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *row = gan_input(s.g, GAN_F32, gan_shape2(8, 1), "row"),
             *x = gan_input(s.g, GAN_F32, gan_shape2(8, 16), "x");
    gan_output(s.g, gan_matmul(s.g, row, x, true, false));
    gan_plan *plan = make_joined_plan(s.g);
    assert_int_equal(plan->n_launches, 1);
    assert_int_equal(launches_of(plan, GAN_OP_sum), 1);
    close_setting(s, plan);
}

static gan_plan *plan_logit(setting s, gan_dtype dtype, bool transposed, bool matrices) {
    const bool first = matrices && transposed, second = matrices && !transposed;
    gan_node *x = gan_input(s.g, dtype, first ? gan_shape2(16, 8) : gan_shape2(8, 16), "x"),
             *w = gan_input(s.g, dtype, gan_shape2(second ? 3 : 1, 16), "w");
    gan_node *y = gan_matmul(s.g, x, w, first, true);
    gan_output(s.g, gan_exp(s.g, gan_cast(s.g, y, GAN_F32)));
    return make_joined_plan(s.g);
}

static void a_matrix_times_a_column_is_a_sum(void **state) {
    (void)state;
    for (int half = 0; half < 2; half++) {
        setting s = open_setting();
        gan_plan *plan = plan_logit(s, half ? GAN_BF16 : GAN_F32, false, false);
        assert_int_equal(launches_of(plan, GAN_OP_sum), 1);
        assert_int_equal(launches_of(plan, GAN_OP_pointwise), 1);
        assert_int_equal(plan->n_launches, 2); /* and no cast: what is summed up is not rounded */
        assert_int_equal(plan->order[0]->dtype, GAN_F32);
        assert_int_equal(plan->order[0]->n_in, 2);
        close_setting(s, plan);
    }
}

/* Nor of a matrix that is transposed. */
static void a_matrix_times_a_matrix_is_none(void **state) {
    (void)state;
    for (int transposed = 0; transposed < 2; transposed++) {
        setting s = open_setting();
        gan_plan *plan = plan_logit(s, GAN_F32, transposed, true);
        assert_int_equal(launches_of(plan, GAN_OP_sum), 0);
        assert_int_equal(launches_of(plan, GAN_OP_matmul), 1);
        close_setting(s, plan);
    }
}

static gan_join joins_no_sum(const void *context, const gan_node *node) {
    (void)context;
    return (gan_join){node->op != GAN_OP_sum, true};
}

static void a_product_stays_where_the_sum_is_no_task(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 16), "x"),
             *w = gan_input(s.g, GAN_F32, gan_shape2(16, 1), "w");
    gan_output(s.g, gan_matmul(s.g, x, w, false, false));
    gan_plan *plan, *apart = make_plan(s.g);
    const gan_plan_options options = {
        .supported = every_op, .takes = takes_all, .joins = joins_no_sum, .join_room = 48};
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
    assert_int_equal(launches_of(plan, GAN_OP_matmul), 1);
    assert_int_equal(launches_of(apart, GAN_OP_matmul), 1);
    gan_plan_destroy(apart);
    close_setting(s, plan);
}

/* A product that stores its activation leaves nothing to do again, here through a reshape, too. */
static void a_sum_reads_what_a_product_stores(void **state) {
    (void)state;
    for (int shown = 0; shown < 2; shown++) {
        setting s = open_setting();
        gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 4), "x"),
                 *v = gan_input(s.g, GAN_F32, gan_shape2(4, 16), "v"),
                 *w = gan_input(s.g, GAN_F32, gan_shape2(shown ? 8 : 16, 1), "w");
        gan_node *y = gan_relu(s.g, gan_matmul(s.g, x, v, false, false));
        if (shown) y = gan_reshape(s.g, y, gan_shape2(16, 8));
        gan_output(s.g, gan_matmul(s.g, y, w, false, false));
        gan_plan *plan = make_joined_plan(s.g);
        assert_int_equal(plan->n_launches, 2);
        assert_int_equal(plan->order[0]->op, GAN_OP_matmul);
        assert_non_null(plan->order[0]->program);
        assert_int_equal(plan->order[1]->program->n_steps, 1);
        close_setting(s, plan);
    }
}

static void a_column_times_a_row_is_part_of_what_repeats_it(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *column = gan_input(s.g, GAN_F32, gan_shape2(8, 1), "column"),
             *row = gan_input(s.g, GAN_F32, gan_shape2(1, 16), "row"),
             *x = gan_input(s.g, GAN_F32, gan_shape4(8, 3, 3, 16), "x");
    gan_node *outer = gan_matmul(s.g, column, row, false, false);
    gan_output(s.g, gan_mul(s.g, x, gan_reshape(s.g, outer, gan_shape4(8, 1, 1, 16))));
    gan_plan *plan = make_joined_plan(s.g);
    assert_int_equal(plan->n_launches, 1);
    assert_int_equal(launches_of(plan, GAN_OP_pointwise), 1);
    close_setting(s, plan);
}

/* Types in between are no obstacle, if nobody else reads the product. */
static void so_it_is_in_bf16(void **state) {
    (void)state;
    for (int read = 0; read < 2; read++) {
        setting s = open_setting();
        gan_node *column = gan_input(s.g, GAN_BF16, gan_shape2(8, 1), "column"),
                 *row = gan_input(s.g, GAN_BF16, gan_shape2(1, 16), "row"),
                 *x = gan_input(s.g, GAN_BF16, gan_shape4(8, 3, 3, 16), "x");
        gan_node *outer = gan_cast(s.g, gan_matmul(s.g, column, row, false, false), GAN_F32);
        if (read) gan_output(s.g, outer);
        outer = gan_cast(s.g, gan_reshape(s.g, outer, gan_shape4(8, 1, 1, 16)), GAN_BF16);
        gan_output(s.g, gan_mul(s.g, x, gan_broadcast(s.g, outer, x->shape)));
        gan_plan *plan = make_joined_plan(s.g);
        assert_int_equal(launches_of(plan, GAN_OP_matmul), 0);
        assert_int_equal(launches_of(plan, GAN_OP_pointwise), 1 + read);
        close_setting(s, plan);
    }
}

/* Whatever is transposed, and with what follows; where it is no task, it stays a product. */
static void by_itself_it_is_a_program(void **state) {
    (void)state;
    for (int turned = 0; turned < 8; turned++) {
        const bool task = turned < 4, ta = turned & 1, tb = turned & 2;
        setting s = open_setting();
        gan_node *column = gan_input(s.g, GAN_F32, ta ? gan_shape2(1, 8) : gan_shape2(8, 1), "c"),
                 *row = gan_input(s.g, GAN_F32, tb ? gan_shape2(16, 1) : gan_shape2(1, 16), "r"),
                 *x = gan_input(s.g, GAN_F32, gan_shape2(8, 16), "x");
        gan_output(s.g, gan_mul(s.g, gan_relu(s.g, gan_matmul(s.g, column, row, ta, tb)), x));
        gan_plan *plan = task ? make_joined_plan(s.g) : make_plan(s.g);
        assert_int_equal(plan->n_launches, 1);
        assert_int_equal(launches_of(plan, task ? GAN_OP_pointwise : GAN_OP_matmul), 1);
        const gan_node *made = plan->order[0];
        assert_true(gan_shape_equal(made->shape, gan_shape2(8, 16)));
        for (int i = 0; task && i < made->n_in; i++) {
            const gan_shape in = made->in[i]->shape;
            assert_int_equal(in.rank, 2);
            assert_true(in.dim[0] == 8 || in.dim[0] == 1);
            assert_true(in.dim[1] == 16 || in.dim[1] == 1);
        }
        close_setting(s, plan);
    }
}

static void equal_sums_are_one(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_BF16, gan_shape2(8, 16), "x"),
             *y = gan_input(s.g, GAN_BF16, gan_shape2(8, 16), "y");
    gan_node *dy = gan_mul(s.g, x, y);
    for (int i = 0; i < 3; i++)
        gan_output(s.g, gan_scale(s.g, gan_sum_axes(s.g, dy, i < 2 ? 1 : 2), i + 2));
    gan_output(s.g, dy);
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_sum), 2);
    close_setting(s, plan);
}

/* Of a variable there may be a sum before an update and one after it. */
static void sums_around_an_update_are_two(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *v =
        gan_variable_node(s.g, GAN_STATISTIC, "s/v", GAN_F32, gan_shape1(8), gan_init_constant(1));
    gan_node *before = gan_sum(s.g, v);
    gan_assign(s.g, v, gan_scale(s.g, v, 2));
    gan_output(s.g, gan_sub(s.g, gan_sum(s.g, v), before));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_sum), 2);
    close_setting(s, plan);
}

static void a_sum_is_stored_as_its_reader_wants_it(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape4(8, 4, 4, 16), "x");
    gan_node *pooled = gan_reshape(s.g, gan_sum_axes(s.g, x, 6), gan_shape2(8, 16));
    gan_output(s.g, gan_cast(s.g, pooled, GAN_BF16));
    gan_plan *plan = make_joined_plan(s.g);
    assert_int_equal(plan->n_launches, 1);
    close_setting(s, plan);
}

/* ---- large calls that are one launch with a later one ---- */

static int stage_of(const gan_plan *plan, gan_op_id op) {
    for (int i = 0; i < plan->n_launches; i++)
        if (plan->order[i]->op == op) return plan->stage[i];
    fail();
    return -1;
}

/* gamma is made of the moments, or of others: of a row of them, or of their maxima, a large call.
 */
static gan_plan *plan_norm(setting s, bool large, bool of_moments) {
    gan_plan *plan;
    const gan_plan_options options = {.supported = every_op,
                                      .takes = takes_all,
                                      .joins = joins_pointwise,
                                      .join_room = 48,
                                      .pairs = norm_pairs};
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(16, 8), "x");
    gan_node *other = gan_input(s.g, GAN_F32, gan_shape3(1, 2, 8), "other");
    gan_node *moments = gan_moments(s.g, x, 1);
    gan_node *from = gan_reshape(s.g, of_moments ? moments : other, gan_shape2(2, 8));
    gan_node *gamma = large ? gan_max_axes(s.g, from, 1) : gan_slice(s.g, from, 0, 1, 1);
    gamma = gan_exp(s.g, gan_reshape(s.g, gamma, gan_shape1(8)));
    gan_output(s.g, gan_batch_norm(s.g, x, moments, gamma, gamma, 1e-5));
    gan_output(s.g, moments);
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
    return plan;
}

static void a_pair_is_one_stage(void **state) {
    (void)state;
    setting s = open_setting();
    gan_plan *plan = plan_norm(s, false, false);
    assert_int_equal(stage_of(plan, GAN_OP_moments), stage_of(plan, GAN_OP_batch_norm));
    assert_true(stage_of(plan, GAN_OP_pointwise) < stage_of(plan, GAN_OP_moments));
    close_setting(s, plan);
}

static void what_has_to_come_between_parts_a_pair(void **state) {
    (void)state;
    for (int large = 0; large < 2; large++) {
        setting s = open_setting();
        gan_plan *plan = plan_norm(s, large, true);
        assert_true(stage_of(plan, GAN_OP_moments) < stage_of(plan, GAN_OP_pointwise));
        assert_true(stage_of(plan, GAN_OP_pointwise) < stage_of(plan, GAN_OP_batch_norm));
        close_setting(s, plan);
    }
}

static gan_join joins_but_products(const void *context, const gan_node *node) {
    (void)context;
    const bool large = node->op == GAN_OP_matmul || node->op == GAN_OP_adam ||
                       node->op == GAN_OP_moments || node->op == GAN_OP_batch_norm;
    return (gan_join){!large, node->op == GAN_OP_random};
}

/* Beside what is between two products, neither behind the update, which takes what it was, nor in
 * a phase of its own behind the noise that it is drawn by. */
static void a_counter_moves_on_beside_others(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *counter = add_counter(s.g),
             *w = gan_variable_node(s.g, GAN_WEIGHT, "d/w", GAN_F32, gan_shape2(4, 6),
                                    gan_init_constant(1)),
             *z = gan_random_normal(s.g, counter, gan_shape2(8, 4), 0, 1), *grad;
    gan_node *y = gan_matmul(s.g, z, w, false, false);
    gan_node *loss = gan_output(s.g, gan_mean(s.g, gan_square(s.g, gan_exp(s.g, y))));
    assert_int_equal(gan_gradient(s.g, loss, 1, &w, &grad), GAN_OK);
    add_adam(s.g, counter, 1, &w, &grad);
    gan_advance(s.g, counter, 1);
    gan_plan *plan;
    const gan_plan_options options = {
        .supported = every_op, .takes = takes_all, .joins = joins_but_products, .join_room = 48};
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
    const int stage = stage_of(plan, GAN_OP_advance);
    assert_true(stage > stage_of(plan, GAN_OP_random));
    assert_int_equal(stage, stage_of(plan, GAN_OP_sum));
    assert_true(stage < stage_of(plan, GAN_OP_adam));
    for (int i = 0; i < plan->n_launches; i++)
        if (plan->order[i]->op == GAN_OP_advance) assert_int_equal(plan->phase[i], 0);
    close_setting(s, plan);
}

/* Where ops are expanded, updates that keep weights in bf16 are lowered twice. */
static void an_update_may_be_lowered_twice(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *counter = add_counter(s.g),
             *w = gan_variable_node(s.g, GAN_WEIGHT, "d/w", GAN_F32, gan_shape2(1, 6),
                                    gan_init_constant(1)),
             *x = gan_input(s.g, GAN_BF16, gan_shape2(8, 6), "x"), *grad;
    gan_node *y = gan_matmul(s.g, x, gan_cast(s.g, w, GAN_BF16), false, true);
    gan_node *loss = gan_output(s.g, gan_logits_loss(s.g, gan_cast(s.g, y, GAN_F32), 1));
    assert_int_equal(gan_gradient(s.g, loss, 1, &w, &grad), GAN_OK);
    add_adam(s.g, counter, 1, &w, &grad);
    gan_advance(s.g, counter, 1);
    gan_plan *plan;
    const gan_plan_options options = {
        .supported = primitive_op, .takes = takes_all, .joins = joins_all, .join_room = 48};
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
    assert_int_equal(launches_of(plan, GAN_OP_logits_loss), 0);
    for (int i = 0; i < plan->n_launches; i++) {
        const gan_node *node = plan->order[i];
        if (node->op != GAN_OP_adam) continue;
        assert_int_equal(node->n_in, 7);
        assert_int_equal(gan_node_base(node->in[5])->op, GAN_OP_concat);
        assert_int_equal(gan_node_base(node->in[6])->dtype, GAN_BF16);
    }
    close_setting(s, plan);
}

/* Neither behind a pair of calls that something parts, nor where no other stage follows. */
static void a_counter_is_no_stage_by_itself(void **state) {
    (void)state;
    for (int last = 0; last < 2; last++) {
        setting s = open_setting();
        gan_node *counter = add_counter(s.g),
                 *x = gan_random_normal(s.g, counter, gan_shape2(16, 8), 0, 1);
        if (last) {
            gan_node *w = gan_input(s.g, GAN_F32, gan_shape2(8, 8), "w");
            gan_output(s.g, gan_matmul(s.g, x, w, false, false));
        } else {
            gan_node *moments = gan_moments(s.g, x, 1),
                     *row = gan_slice(s.g, gan_reshape(s.g, moments, gan_shape2(2, 8)), 0, 1, 1),
                     *gamma = gan_exp(s.g, gan_reshape(s.g, row, gan_shape1(8)));
            gan_output(s.g, gan_batch_norm(s.g, x, moments, gamma, gamma, 1e-5));
        }
        gan_advance(s.g, counter, 1);
        gan_plan *plan;
        const gan_plan_options options = {.supported = every_op,
                                          .takes = takes_all,
                                          .joins = joins_but_products,
                                          .join_room = 48,
                                          .pairs = norm_pairs};
        assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
        int others = 0;
        for (int i = 0; i < plan->n_launches; i++)
            others += plan->order[i]->op != GAN_OP_advance &&
                      plan->stage[i] == stage_of(plan, GAN_OP_advance);
        assert_true(others > 0);
        close_setting(s, plan);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shuffled_batch_waits_for_no_indices),
        cmocka_unit_test(a_later_batch_does),
        cmocka_unit_test(a_row_times_a_matrix_is_a_sum),
        cmocka_unit_test(a_matrix_times_a_column_is_a_sum),
        cmocka_unit_test(a_matrix_times_a_matrix_is_none),
        cmocka_unit_test(a_product_stays_where_the_sum_is_no_task),
        cmocka_unit_test(a_sum_reads_what_a_product_stores),
        cmocka_unit_test(a_column_times_a_row_is_part_of_what_repeats_it),
        cmocka_unit_test(so_it_is_in_bf16),
        cmocka_unit_test(by_itself_it_is_a_program),
        cmocka_unit_test(equal_sums_are_one),
        cmocka_unit_test(sums_around_an_update_are_two),
        cmocka_unit_test(a_sum_is_stored_as_its_reader_wants_it),
        cmocka_unit_test(a_pair_is_one_stage),
        cmocka_unit_test(what_has_to_come_between_parts_a_pair),
        cmocka_unit_test(a_counter_moves_on_beside_others),
        cmocka_unit_test(an_update_may_be_lowered_twice),
        cmocka_unit_test(a_counter_is_no_stage_by_itself),
    };
    return cmocka_run_group_tests_name("plan, joined", tests, NULL, NULL);
}
