/* Sums that a launch with their moments forms: which are left to it, and where they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ganc/nn.h"
#include "graph/plan.h"
#include "support/rules.h"
#include "support/setting.h"

/* ---- a device that forms sums ---- */

static bool forms_all(const void *context, const gan_node *sum, const gan_node *moments) {
    (void)context;
    return sum->n_in == 2 && sum->program->n_steps == 1 &&
           gan_shape_equal(sum->in[0]->shape, sum->shape) &&
           gan_shape_size(sum->in[1]->shape) < gan_shape_size(sum->shape) &&
           gan_shape_size(moments->in[0]->shape) == gan_shape_size(sum->shape);
}

static bool forms_none(const void *context, const gan_node *sum, const gan_node *moments) {
    return (void)context, (void)sum, (void)moments, false;
}

typedef bool forms_rule(const void *context, const gan_node *sum, const gan_node *moments);

static gan_plan *plan_with(setting s, forms_rule *forms) {
    gan_plan *plan;
    const gan_plan_options options = {.supported = every_op,
                                      .takes = takes_all,
                                      .joins = joins_pointwise,
                                      .join_room = 48,
                                      .pairs = norm_pairs,
                                      .forms = forms};
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
    return plan;
}

/* ---- the end of a residual block that doubles the map ---- */

typedef struct block {
    gan_node *up, *sum, *moments, *out;
} block;

/* gamma, given the moments; NULL: of nothing. */
typedef gan_node *gamma_rule(gan_graph *g, gan_node *moments);

static block build_block(setting s, gamma_rule *gamma_of) {
    block b;
    gan_graph *g = s.g;
    gan_node *x = gan_input(g, GAN_F32, gan_shape4(2, 3, 3, 8), "x"),
             *h = gan_input(g, GAN_F32, gan_shape4(2, 6, 6, 8), "h"),
             *w = gan_input(g, GAN_F32, gan_shape4(8, 3, 3, 8), "w"),
             *v = gan_input(g, GAN_F32, gan_shape4(8, 1, 1, 8), "v"),
             *bias = gan_input(g, GAN_F32, gan_shape1(8), "bias");
    const gan_window same = {1, 1, 1, 1, 1, 1}, point = {1, 1, 0, 0, 0, 0};
    h = gan_add(g, gan_conv2d(g, h, w, same), bias);
    x = gan_add(g, gan_conv2d(g, x, v, point), bias);
    b.up = gan_upsample(g, x, 2);
    b.sum = gan_add(g, h, b.up);
    b.moments = gan_moments(g, b.sum, 1);
    gan_node *gamma = gamma_of ? gamma_of(g, b.moments) : bias;
    b.out = gan_output(g, gan_relu(g, gan_batch_norm(g, b.sum, b.moments, gamma, bias, 1e-5)));
    return b;
}

static int place_of(const gan_plan *plan, gan_op_id op, int which) {
    for (int i = 0; i < plan->n_launches; i++)
        if (plan->order[i]->op == op && which-- == 0) return i;
    fail();
    return -1;
}

static int kind_of(const gan_plan *plan, int call) {
    return (int)plan->place[plan->order[call]->id].kind;
}

/* Convolutions whose program is longer than their bias. */
static int long_programs(const gan_plan *plan) {
    int n = 0;
    for (int i = 0; i < plan->n_launches; i++)
        n += plan->order[i]->op == GAN_OP_conv2d && plan->order[i]->program->n_steps > 1;
    return n;
}

static void expect_formed(const gan_plan *plan) {
    const int sum = place_of(plan, GAN_OP_pointwise, 0);
    assert_int_equal(launches_of(plan, GAN_OP_broadcast), 0);
    assert_int_equal(launches_of(plan, GAN_OP_pointwise), 1);
    assert_int_equal(long_programs(plan), 0);
    assert_int_equal(plan->order[sum + 1]->op, GAN_OP_moments);
    assert_int_equal(plan->order[sum + 2]->op, GAN_OP_batch_norm);
    assert_int_equal(plan->stage[sum], plan->stage[sum + 1]);
    assert_int_equal(plan->stage[sum], plan->stage[sum + 2]);
    assert_true(gan_shape_size(plan->order[sum]->in[1]->shape) == 2 * 3 * 3 * 8);
}

static void expect_as_without(const gan_plan *plan) {
    assert_int_equal(launches_of(plan, GAN_OP_broadcast), 1);
    assert_int_equal(launches_of(plan, GAN_OP_pointwise), 0);
    assert_int_equal(long_programs(plan), 1);
}

static void a_sum_is_of_one_launch_with_its_norm(void **state) {
    (void)state;
    setting s = open_setting();
    build_block(s, NULL);
    gan_plan *plan = plan_with(s, forms_all);
    expect_formed(plan);
    assert_int_equal(plan->n_launches, 5);
    assert_int_equal(kind_of(plan, place_of(plan, GAN_OP_pointwise, 0)), GAN_PLACE_NONE);
    /* what is repeated comes first, as where it is part of the other product's program */
    const gan_node *last = plan->order[place_of(plan, GAN_OP_conv2d, 1)];
    assert_int_equal(gan_shape_size(last->shape), 2 * 6 * 6 * 8);
    close_setting(s, plan);
}

/* As it is, in another shape, or by a call. */
static void it_is_stored_for_others(void **state) {
    (void)state;
    for (int how = 0; how < 3; how++) {
        setting s = open_setting();
        const block b = build_block(s, NULL);
        gan_node *read = how == 0   ? b.sum
                         : how == 1 ? gan_reshape(s.g, b.sum, gan_shape2(72, 8))
                                    : gan_max_axes(s.g, b.sum, 1u << 3);
        gan_output(s.g, read);
        gan_plan *plan = plan_with(s, forms_all);
        expect_formed(plan);
        const gan_node *sum = plan->order[place_of(plan, GAN_OP_pointwise, 0)];
        const gan_place *place = &plan->place[sum->id],
                        *shown = &plan->place[plan->copy_of[read->id]->id];
        assert_int_equal(place->kind, GAN_PLACE_ARENA);
        assert_int_equal(shown->kind, GAN_PLACE_ARENA);
        assert_true(how == 2 || shown->offset == place->offset);
        close_setting(s, plan);
    }
}

static void a_sum_may_be_of_a_sum(void **state) {
    (void)state;
    setting s = open_setting();
    gan_graph *g = s.g;
    const block b = build_block(s, NULL);
    gan_node *x = gan_input(g, GAN_F32, gan_shape4(2, 2, 2, 8), "y"),
             *gamma = gan_input(g, GAN_F32, gan_shape1(8), "gamma");
    gan_node *sum = gan_add(g, gan_upsample(g, x, 3), b.sum);
    gan_output(g, gan_batch_norm(g, sum, gan_moments(g, sum, 1), gamma, gamma, 1e-5));
    gan_plan *plan = plan_with(s, forms_all);
    assert_int_equal(launches_of(plan, GAN_OP_broadcast), 0);
    assert_int_equal(launches_of(plan, GAN_OP_pointwise), 2);
    for (int i = 0; i < 2; i++) {
        const int at = place_of(plan, GAN_OP_pointwise, i);
        assert_int_equal(plan->stage[at], plan->stage[at + 2]);
        assert_int_equal(plan->order[at + 2]->op, GAN_OP_batch_norm);
        assert_int_equal(kind_of(plan, at), i == 0 ? GAN_PLACE_ARENA : GAN_PLACE_NONE);
    }
    close_setting(s, plan);
}

static void a_device_that_does_not_form_it_has_the_plan_of_before(void **state) {
    (void)state;
    for (int i = 0; i < 2; i++) {
        setting s = open_setting();
        build_block(s, NULL);
        gan_plan *plan = plan_with(s, i ? forms_none : NULL);
        expect_as_without(plan);
        close_setting(s, plan);
    }
}

static void what_is_repeated_in_any_case_is_read(void **state) {
    (void)state;
    setting s = open_setting();
    gan_output(s.g, build_block(s, NULL).up);
    gan_plan *plan = plan_with(s, forms_all);
    expect_as_without(plan);
    close_setting(s, plan);
}

/* Moments that nobody goes on with here. */
static void a_sum_that_is_not_normalised_is_a_products(void **state) {
    (void)state;
    setting s = open_setting();
    gan_graph *g = s.g;
    gan_node *x = gan_input(g, GAN_F32, gan_shape4(2, 3, 3, 8), "x"),
             *h = gan_input(g, GAN_F32, gan_shape4(2, 6, 6, 8), "h"),
             *w = gan_input(g, GAN_F32, gan_shape4(8, 1, 1, 8), "w"),
             *bias = gan_input(g, GAN_F32, gan_shape1(8), "bias");
    h = gan_add(g, gan_conv2d(g, h, w, (gan_window){1, 1, 0, 0, 0, 0}), bias);
    gan_output(g, gan_moments(g, gan_add(g, h, gan_upsample(g, x, 2)), 1));
    gan_plan *plan = plan_with(s, forms_all);
    expect_as_without(plan);
    close_setting(s, plan);
}

/* A vector costs a product nothing. */
static void what_programs_repeat_themselves_stays_theirs(void **state) {
    (void)state;
    setting s = open_setting();
    gan_graph *g = s.g;
    gan_node *h = gan_input(g, GAN_F32, gan_shape4(2, 6, 6, 8), "h"),
             *w = gan_input(g, GAN_F32, gan_shape4(8, 1, 1, 8), "w"),
             *bias = gan_input(g, GAN_F32, gan_shape1(8), "bias");
    h = gan_add(g, gan_conv2d(g, h, w, (gan_window){1, 1, 0, 0, 0, 0}), bias);
    gan_output(g, gan_batch_norm(g, h, gan_moments(g, h, 1), bias, bias, 1e-5));
    gan_plan *plan = plan_with(s, forms_all);
    assert_int_equal(plan->n_launches, 3);
    assert_int_equal(launches_of(plan, GAN_OP_pointwise), 0);
    close_setting(s, plan);
}

/* ---- what has to come in between ---- */

static gan_node *gamma_of_maxima(gan_graph *g, gan_node *moments) {
    gan_node *largest = gan_max_axes(g, gan_reshape(g, moments, gan_shape2(2, 8)), 1u << 0);
    return gan_reshape(g, largest, gan_shape1(8));
}

static void what_has_to_come_between_parts_them(void **state) {
    (void)state;
    setting s = open_setting();
    build_block(s, gamma_of_maxima);
    gan_plan *plan = plan_with(s, forms_all);
    const int sum = place_of(plan, GAN_OP_pointwise, 0),
              moments = place_of(plan, GAN_OP_moments, 0);
    assert_true(plan->stage[sum] < plan->stage[moments]);
    assert_true(plan->stage[moments] < plan->stage[place_of(plan, GAN_OP_max, 0)]);
    assert_int_equal(kind_of(plan, sum), GAN_PLACE_ARENA);
    close_setting(s, plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_sum_is_of_one_launch_with_its_norm),
        cmocka_unit_test(it_is_stored_for_others),
        cmocka_unit_test(a_sum_may_be_of_a_sum),
        cmocka_unit_test(a_device_that_does_not_form_it_has_the_plan_of_before),
        cmocka_unit_test(what_is_repeated_in_any_case_is_read),
        cmocka_unit_test(a_sum_that_is_not_normalised_is_a_products),
        cmocka_unit_test(what_programs_repeat_themselves_stays_theirs),
        cmocka_unit_test(what_has_to_come_between_parts_them),
    };
    return cmocka_run_group_tests_name("plan, sums", tests, NULL, NULL);
}
