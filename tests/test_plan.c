/* The plan: what is fused, in which order it runs, and that no two living values share bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "graph/plan.h"
#include "support/rules.h"
#include "support/setting.h"

/* Every op has a kernel but those that exist to be expanded. */
static bool most(const void *context, gan_op_id op) {
    (void)context;
    return op != GAN_OP_batch_norm && op != GAN_OP_logits_loss && op != GAN_OP_logits_loss_grad;
}

static bool no_matmul(const void *context, gan_op_id op) {
    (void)context;
    return op != GAN_OP_matmul;
}

static gan_plan *make_plan(const gan_graph *g) {
    gan_plan *plan;
    gan_plan_options options = {.supported = most};
    assert_int_equal(gan_plan_create(&plan, g, &options), GAN_OK);
    return plan;
}

static int position_of(const gan_plan *plan, gan_op_id op) {
    for (int i = 0; i < plan->n_launches; i++)
        if (plan->order[i]->op == op) return i;
    return -1;
}

static int whole_values(const gan_plan *plan, int64_t size) {
    int n = 0;
    for (int i = 0; i < plan->n_launches; i++) n += gan_shape_size(plan->order[i]->shape) == size;
    return n;
}

static gan_node *weight(gan_graph *g, const char *name, gan_shape shape) {
    return gan_variable_node(g, GAN_WEIGHT, name, GAN_F32, shape,
                             (gan_init){GAN_INIT_NORMAL, 0, .1f});
}

static gan_node *layer(gan_graph *g, gan_node *x, const char *name, int64_t out) {
    char text[64];
    int64_t in = gan_node_shape(x).dim[1];
    snprintf(text, sizeof text, "%s/weight", name);
    gan_node *w = weight(g, text, gan_shape2(out, in));
    snprintf(text, sizeof text, "%s/bias", name);
    gan_node *b = weight(g, text, gan_shape1(out));
    return gan_leaky_relu(g, gan_add(g, gan_matmul(g, x, w, false, true), b), .2);
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

/* ---- places ---- */

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

static gan_node *mean_square(gan_graph *g, gan_node *x) { return gan_mean(g, gan_square(g, x)); }

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
    gan_node *counter = gan_variable_node(s.g, GAN_COUNTER, "train/iteration", GAN_I64,
                                          gan_shape0(), (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_adam(s.g, "d", n, w, grad,
             &(gan_adam_options){.beta1 = .5,
                                 .beta2 = .999,
                                 .eps = 1e-8,
                                 .rate = gan_constant(s.g, 1e-3, gan_shape0()),
                                 .counter = counter,
                                 .per_iteration = 1});
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
        cmocka_unit_test(a_missing_kernel_is_named),
        cmocka_unit_test(what_nobody_needs_is_dropped),
        cmocka_unit_test(living_values_do_not_share_bytes),
        cmocka_unit_test(an_update_reads_gradients_where_they_are),
        cmocka_unit_test(gradients_that_an_update_changes_are_packed),
        cmocka_unit_test(a_chain_needs_the_bytes_of_two_values),
        cmocka_unit_test(a_joined_batch_is_written_in_place),
        cmocka_unit_test(inputs_cannot_be_joined_in_place),
        cmocka_unit_test(images_are_written_in_bf16),
        cmocka_unit_test(no_weight_gradient_of_a_frozen_network),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
