/* Places in the plan: no two living values share bytes, and what belongs together lies together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "graph/plan.h"
#include "support/planned.h"
#include "support/rules.h"
#include "support/setting.h"

static void check_places(const gan_plan *plan) {
    const gan_graph *g = plan->graph;
    int *first = test_calloc((size_t)g->n_nodes, sizeof *first),
        *last = test_calloc((size_t)g->n_nodes, sizeof *last);
    for (int id = 0; id < g->n_nodes; id++) first[id] = last[id] = -1;
    for (int t = 0; t < plan->n_launches; t++) {
        const gan_node *node = plan->order[t];
        first[node->id] = t;
        if (last[node->id] < t) last[node->id] = t;
        for (int i = 0; i < node->n_in; i++) last[gan_node_base(node->in[i])->id] = t;
    }
    for (int i = 0; i < g->n_outputs; i++) last[gan_node_base(g->output[i])->id] = plan->n_launches;
    for (int a = 0; a < g->n_nodes; a++)
        for (int b = 0; b < a; b++) {
            const gan_place *p = &plan->place[a], *q = &plan->place[b];
            if (first[a] < 0 || first[b] < 0 || p->kind != GAN_PLACE_ARENA ||
                q->kind != GAN_PLACE_ARENA)
                continue;
            if (g->node[a]->op == GAN_OP_concat || g->node[b]->op == GAN_OP_concat)
                continue; /* holds its pieces */
            if (g->node[a]->op == GAN_OP_pack || g->node[b]->op == GAN_OP_pack) continue;
            if (first[a] > last[b] || first[b] > last[a]) continue;
            bool apart = p->offset + gan_node_bytes(g->node[a]) <= q->offset ||
                         q->offset + gan_node_bytes(g->node[b]) <= p->offset;
            assert_true(apart);
        }
    test_free(first);
    test_free(last);
}

static void living_values_do_not_share_bytes(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *h = gan_input(s.g, GAN_F32, gan_shape2(32, 20), "x"), *w[32], *grad[32];
    for (int i = 0; i < 6; i++) {
        char name[16];
        snprintf(name, sizeof name, "d/%d", i);
        h = layer(s.g, h, name, 20 + 7 * i);
    }
    int n = gan_group_weights(s.g, "d", w, 32);
    assert_int_equal(n, 12);
    assert_int_equal(gan_gradient(s.g, mean_square(s.g, h), n, w, grad), GAN_OK);
    add_adam(s.g, add_counter(s.g), n, w, grad);
    gan_plan *plan = make_plan(s.g);
    check_places(plan);
    assert_int_equal(launches_of(plan, GAN_OP_pack),
                     0); /* the gradients are computed where Adam reads them */
    close_setting(s, plan);
}

/* A device that reads so many pieces of a gradient. */
static bool takes_pieces(const void *context, const gan_node *node) {
    return gan_op_pieces(node) <= *(const int *)context;
}

static const gan_node *update_of(const gan_plan *plan) {
    const int at = position_of(plan, GAN_OP_momentum);
    assert_true(at >= 0);
    return plan->order[at];
}

static void an_update_reads_gradients_where_they_are(void **state) {
    (void)state;
    for (int most_pieces = 1; most_pieces <= 2; most_pieces++)
        for (int others = 0; others < 2; others++) {
            setting s = open_setting();
            gan_node *w[2] = {weight(s.g, "d/a", gan_shape1(7)),
                              weight(s.g, "d/b", gan_shape1(20))};
            gan_node *grad[2] = {gan_exp(s.g, gan_input(s.g, GAN_F32, gan_shape1(7), "x")),
                                 gan_input(s.g, GAN_F32, gan_shape1(20), "y")};
            gan_momentum(s.g, "d", 2, w, grad, gan_constant(s.g, .1, gan_shape0()),
                         gan_constant(s.g, .9, gan_shape0()));
            for (int id = 0; others && id < s.g->n_nodes; id++)
                if (s.g->node[id]->op == GAN_OP_pack) gan_output(s.g, s.g->node[id]);
            const gan_plan_options options = {
                .supported = most, .takes = takes_pieces, .context = &most_pieces};
            gan_plan *plan;
            assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
            const gan_node *update = update_of(plan);
            const bool packed = others || most_pieces < 2;
            assert_int_equal(launches_of(plan, GAN_OP_pack), packed);
            assert_int_equal(gan_op_pieces(update), packed ? 0 : 2);
            assert_int_equal(update->n_in, packed ? 5 : 6);
            assert_int_equal(update->in[gan_op_piece(update, 0)]->op,
                             packed ? GAN_OP_pack : GAN_OP_pointwise);
            if (!packed) assert_int_equal(update->in[gan_op_piece(update, 1)]->op, GAN_OP_input);
            assert_null(gan_op_copy(update));
            close_setting(s, plan);
        }
}

/* They are written while it reads. */
static void gradients_that_an_update_changes_are_packed(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *w[2] = {weight(s.g, "d/a", gan_shape1(7)), weight(s.g, "d/b", gan_shape1(7))};
    gan_node *grad[2] = {w[1], w[0]};
    gan_momentum(s.g, "d", 2, w, grad, gan_constant(s.g, .1, gan_shape0()),
                 gan_constant(s.g, .9, gan_shape0()));
    const int many = 9;
    const gan_plan_options options = {.supported = most, .takes = takes_pieces, .context = &many};
    gan_plan *plan;
    assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
    assert_int_equal(launches_of(plan, GAN_OP_pack), 1);
    assert_int_equal(gan_op_pieces(update_of(plan)), 0);
    close_setting(s, plan);
}

static void a_chain_needs_the_bytes_of_two_values(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *h = gan_input(s.g, GAN_F32, gan_shape2(64, 64), "x");
    for (int i = 0; i < 12; i++) h = gan_matmul(s.g, h, h, false, true);
    gan_output(s.g, h);
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(plan->n_launches, 12);
    assert_int_equal(plan->arena_bytes, 3 * 64 * 64 * sizeof(float)); /* the input keeps its own */
    close_setting(s, plan);
}

static void a_joined_batch_is_written_in_place(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 16), "x");
    gan_node *both[2] = {gan_exp(s.g, x), gan_tanh(s.g, x)};
    gan_output(s.g, gan_concat(s.g, 0, 2, both));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_concat), 0);
    assert_int_equal(plan->n_launches, 2);
    close_setting(s, plan);
}

static void inputs_cannot_be_joined_in_place(void **state) {
    (void)state;
    setting s = open_setting();
    gan_node *x = gan_input(s.g, GAN_F32, gan_shape2(8, 16), "x");
    gan_node *both[2] = {x, gan_tanh(s.g, x)};
    gan_output(s.g, gan_concat(s.g, 0, 2, both));
    gan_plan *plan = make_plan(s.g);
    assert_int_equal(launches_of(plan, GAN_OP_concat), 1);
    close_setting(s, plan);
}

/* Whoever reads images in f32 makes them again from what is stored in bf16 in any case. */
static void images_are_written_in_bf16(void **state) {
    (void)state;
    for (int read = 0; read < 2; read++) {
        setting s = open_setting();
        const gan_shape shape = gan_shape4(8, 4, 4, 3);
        gan_node *counter = gan_variable_node(s.g, GAN_COUNTER, "train/iteration", GAN_I64,
                                              gan_shape0(), (gan_init){GAN_INIT_CONSTANT, 0, 0});
        gan_node *data =
            gan_variable_node(s.g, GAN_DATA, "data/images", GAN_U8, gan_shape4(9, 4, 4, 3),
                              (gan_init){GAN_INIT_CONSTANT, 0, 0});
        gan_node *index = gan_input(s.g, GAN_I32, gan_shape1(8), "index");
        gan_node *real = gan_minibatch(s.g, data, index, counter, 1, 0, false);
        gan_node *x = gan_input(s.g, GAN_BF16, shape, "x"),
                 *dy = gan_input(s.g, GAN_F32, shape, "dy");
        gan_node *made = gan_tanh(s.g, gan_cast(s.g, x, GAN_F32));
        gan_node *both = gan_concat(s.g, 0, 2, (gan_node *[2]){real, made});
        gan_output(s.g, gan_cast(s.g, both, GAN_BF16));
        gan_output(s.g, gan_neg(s.g, gan_cast(s.g, made, GAN_BF16)));
        gan_output(s.g, gan_mul(s.g, dy, gan_square(s.g, made)));
        if (read) gan_output(s.g, both);
        const gan_plan_options options = {.supported = most, .takes = takes_all};
        gan_plan *plan;
        assert_int_equal(gan_plan_create(&plan, s.g, &options), GAN_OK);
        assert_int_equal(launches_of(plan, GAN_OP_concat), 0);
        assert_int_equal(launches_of(plan, GAN_OP_cast), read);
        assert_int_equal(plan->order[position_of(plan, GAN_OP_minibatch)]->dtype,
                         read ? GAN_F32 : GAN_BF16);
        assert_int_equal(plan->n_launches, read ? 5 : 4);
        close_setting(s, plan);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(living_values_do_not_share_bytes),
        cmocka_unit_test(an_update_reads_gradients_where_they_are),
        cmocka_unit_test(gradients_that_an_update_changes_are_packed),
        cmocka_unit_test(a_chain_needs_the_bytes_of_two_values),
        cmocka_unit_test(a_joined_batch_is_written_in_place),
        cmocka_unit_test(inputs_cannot_be_joined_in_place),
        cmocka_unit_test(images_are_written_in_bf16),
    };
    return cmocka_run_group_tests_name("plan, places", tests, NULL, NULL);
}
