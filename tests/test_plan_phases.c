/* Launches that become phases of one: pairs and products between joined calls. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ganc/nn.h"
#include "graph/plan.h"
#include "support/rules.h"
#include "support/setting.h"

/* ---- a device that has such launches ---- */

static gan_join joins_sums(const void *context, const gan_node *node) {
    (void)context;
    return (gan_join){node->op == GAN_OP_pointwise || node->op == GAN_OP_sum, false};
}

static int pairs_and_products(const void *context, int n, gan_node *const *calls) {
    (void)context;
    return (n == 2 && calls[0]->op == GAN_OP_moments) || (n == 1 && calls[0]->op == GAN_OP_matmul);
}

static gan_plan *plan_with_room(setting s, int room) {
    gan_plan *plan;
    const gan_plan_options options = {.supported = every_op,
                                      .takes = takes_all,
                                      .joins = joins_sums,
                                      .join_room = room,
                                      .pairs = norm_pairs,
                                      .phase = pairs_and_products};
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
    return plan;
}

static int call_of(const gan_plan *plan, gan_op_id op) {
    for (int i = 0; i < plan->n_launches; i++)
        if (plan->order[i]->op == op) return i;
    fail();
    return -1;
}

static int stage_of(const gan_plan *plan, gan_op_id op) { return plan->stage[call_of(plan, op)]; }

static int phase_of(const gan_plan *plan, gan_op_id op) { return plan->phase[call_of(plan, op)]; }

/* What a call reads comes before it; what of that is of its stage and no partner of it, in a phase
 * before. */
static void expect_order(const gan_plan *plan) {
    for (int i = 0; i < plan->n_launches; i++)
        for (int k = 0; k < plan->order[i]->n_in; k++)
            for (int j = 0; j < plan->n_launches; j++) {
                if (gan_node_base(plan->order[i]->in[k]) != plan->order[j]) continue;
                assert_true(j < i);
                assert_true(plan->stage[j] <= plan->stage[i]);
                if (plan->stage[j] == plan->stage[i])
                    assert_true(plan->phase[j] < plan->phase[i] ||
                                plan->order[j]->op == GAN_OP_moments);
            }
}

/* ---- graphs ---- */

static gan_node *matrix(setting s, const char *name, int64_t rows) {
    return gan_input(s.g, GAN_F32, gan_shape2(rows, 8), name);
}

static gan_node *normalised(setting s, gan_node *x) {
    gan_node *gamma = gan_input(s.g, GAN_F32, gan_shape1(8), "gamma");
    return gan_batch_norm(s.g, x, gan_moments(s.g, x, 1), gamma, gamma, 1e-5);
}

static gan_node *kept(setting s) {
    return gan_variable_node(s.g, GAN_RECORD, "t/k", GAN_F32, gan_shape3(8, 8, 1),
                             gan_init_constant(0));
}

static void small_calls_around_a_pair(void **state) {
    (void)state;
    for (int room = 2; room < 4; room++) {
        setting s = open_setting();
        gan_output(s.g, gan_sum_axes(s.g, normalised(s, gan_exp(s.g, matrix(s, "x", 16))), 1));
        gan_plan *plan = plan_with_room(s, room);
        assert_int_equal(plan->n_launches, 4);
        assert_int_equal(stage_of(plan, GAN_OP_pointwise), stage_of(plan, GAN_OP_batch_norm));
        assert_int_equal(phase_of(plan, GAN_OP_pointwise), 0);
        assert_int_equal(phase_of(plan, GAN_OP_moments), 1);
        assert_int_equal(phase_of(plan, GAN_OP_batch_norm), 1);
        assert_int_equal(stage_of(plan, GAN_OP_sum),
                         stage_of(plan, GAN_OP_moments) + (room < 3)); /* as far as there is room */
        assert_int_equal(phase_of(plan, GAN_OP_sum), room < 3 ? 0 : 2);
        expect_order(plan);
        close_setting(s, plan);
    }
}

static void a_product_only_beside_a_pair(void **state) {
    (void)state;
    for (int beside = 0; beside < 2; beside++) {
        setting s = open_setting();
        gan_node *y =
            gan_matmul(s.g, gan_exp(s.g, matrix(s, "x", 16)), matrix(s, "w", 8), false, false);
        if (beside) y = normalised(s, y);
        gan_output(s.g, gan_sum_axes(s.g, y, 1));
        gan_plan *plan = plan_with_room(s, 48);
        assert_int_equal(stage_of(plan, GAN_OP_sum) - stage_of(plan, GAN_OP_pointwise),
                         beside ? 0 : 2);
        if (beside) assert_int_equal(phase_of(plan, GAN_OP_sum), 3);
        expect_order(plan);
        close_setting(s, plan);
    }
}

/* What lies between: another large call, one whose result the product reads, an effect. */
static void a_product_moves_up_to_its_pair(void **state) {
    (void)state;
    enum { OTHER, READ, EFFECT, WAYS };
    for (int way = 0; way < WAYS; way++) {
        setting s = open_setting();
        gan_node *y = normalised(s, matrix(s, "x", 16)), *w = matrix(s, "w", 8);
        gan_node *most =
            gan_output(s.g, gan_max_axes(s.g, gan_reshape(s.g, y, gan_shape3(8, 8, 2)), 4));
        if (way == READ) w = gan_reshape(s.g, most, gan_shape2(8, 8));
        if (way == EFFECT) gan_assign(s.g, kept(s), most);
        gan_output(s.g, gan_matmul(s.g, y, w, false, false));
        gan_plan *plan = plan_with_room(s, 48);
        const int pair = stage_of(plan, GAN_OP_moments), product = stage_of(plan, GAN_OP_matmul);
        if (way == OTHER) {
            assert_int_equal(product, pair);
            assert_int_equal(phase_of(plan, GAN_OP_matmul), 1);
            assert_true(stage_of(plan, GAN_OP_max) > product);
        } else {
            assert_true(product > stage_of(plan, way == READ ? GAN_OP_max : GAN_OP_assign));
            assert_true(product > pair);
        }
        expect_order(plan);
        close_setting(s, plan);
    }
}

/* A pair that something parts is none. */
static void a_parted_pair_is_no_phase(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_exp(s.g, matrix(s, "x", 16)), *moments = gan_moments(s.g, x, 1);
    gan_node *from = gan_reshape(s.g, moments, gan_shape2(2, 8));
    gan_node *gamma = gan_reshape(s.g, gan_max_axes(s.g, from, 1), gan_shape1(8));
    gan_output(s.g, gan_batch_norm(s.g, x, moments, gamma, gamma, 1e-5));
    gan_plan *plan = plan_with_room(s, 48);
    assert_true(stage_of(plan, GAN_OP_pointwise) < stage_of(plan, GAN_OP_moments));
    assert_true(stage_of(plan, GAN_OP_moments) < stage_of(plan, GAN_OP_max));
    assert_true(stage_of(plan, GAN_OP_max) < stage_of(plan, GAN_OP_batch_norm));
    close_setting(s, plan);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(small_calls_around_a_pair),
        cmocka_unit_test(a_product_only_beside_a_pair),
        cmocka_unit_test(a_product_moves_up_to_its_pair),
        cmocka_unit_test(a_parted_pair_is_no_phase),
    };
    return cmocka_run_group_tests_name("plan, phases", tests, NULL, NULL);
}
