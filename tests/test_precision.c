/* What layers compute in: types of nodes, launches, and how near bf16 comes to f32. */
#include <math.h>
#include <stdlib.h>

#include "ganc/device.h"
#include "ganc/nn.h"
#include "graph/plan.h"
#include "support/operands.h"
#include "support/rules.h"

static gan_scope *scope_in(gan_precision precision) {
    return gan_scope_create(g, "discriminator",
                            &(gan_scope_settings){.training = true, .precision = precision});
}

static const gan_model_options small = {.height = 16,
                                        .width = 16,
                                        .channels = 1,
                                        .z_dim = 5,
                                        .generator_features = 8,
                                        .discriminator_features = 8};

static void names(void **state) {
    gan_precision p = GAN_PRECISION_F32;
    (void)state;
    assert_true(gan_precision_find(&p, "bf16") && p == GAN_PRECISION_BF16);
    assert_true(gan_precision_find(&p, "tf32") && p == GAN_PRECISION_TF32);
    assert_true(gan_precision_find(&p, "f32") && p == GAN_PRECISION_F32);
    assert_false(gan_precision_find(&p, "f16"));
    assert_string_equal(gan_precision_name(GAN_PRECISION_TF32), "tf32");
}

/* Activations are bf16; logits, weights and their gradients f32. */
static void types(void **state) {
    (void)state;
    gan_scope *s = scope_in(GAN_PRECISION_BF16);
    gan_node *x = F32(4, 16, 16, 1), *w[32], *grad[32];
    const gan_model *dcgan = gan_model_find("dcgan");
    assert_int_equal(gan_node_dtype(dcgan->features(s, x, &small)), GAN_BF16);
    gan_node *logits = gan_model_logits(dcgan, s, x, &small);
    assert_int_equal(gan_node_dtype(logits), GAN_F32);
    const int n = gan_group_weights(g, "discriminator", w, 32);
    assert_int_equal(gan_gradient(g, gan_logits_loss(g, logits, 1), n, w, grad), GAN_OK);
    assert_true(n > 3);
    for (int i = 0; i < n; i++) {
        assert_int_equal(gan_node_dtype(w[i]), GAN_F32);
        assert_int_equal(gan_node_dtype(grad[i]), GAN_F32);
    }
}

static int products(gan_op_id op, bool tf32) {
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++) n += g->node[i]->op == op && g->node[i]->tf32 == tf32;
    return n;
}

/* What tf32 allows a product it allows its gradients, of any order; norms of weights stay exact. */
static void tensor_float(void **state) {
    (void)state;
    const gan_layer_options spectral = {.spectral_norm = true};
    gan_scope *s = scope_in(GAN_PRECISION_TF32);
    gan_node *x = F32(4, 6), *grad, *w[8], *of_grad[8];
    gan_node *h = gan_tanh(g, gan_layer_linear(s, "a", x, 5, NULL));
    gan_node *y = gan_layer_linear(s, "b", h, 3, &spectral);
    const int exact = products(GAN_OP_matmul, false);
    assert_int_equal(products(GAN_OP_matmul, true), 2);
    assert_int_equal(gan_gradient(g, gan_sum(g, gan_square(g, y)), 1, &x, &grad), GAN_OK);
    assert_int_equal(products(GAN_OP_matmul, true), 4);
    assert_int_equal(products(GAN_OP_matmul, false), exact);
    const int n = gan_group_weights(g, "discriminator", w, 8);
    gan_gradient(g, gan_sum(g, gan_square(g, grad)), n, w, of_grad);
    assert_int_equal(gan_graph_status(g), GAN_OK);
    assert_true(products(GAN_OP_matmul, true) > 6);
}

/* Two updates of a network in bf16; `clipped`: each is followed by an assignment to all weights. */
static void two_steps(bool clipped) {
    gan_node *counter_node = counter(), *w[16], *grad[16];
    const gan_model *mlp = gan_model_find("mlp");
    for (int step = 0; step < 2; step++) {
        gan_scope *s = scope_in(GAN_PRECISION_BF16);
        gan_node *loss = gan_logits_loss(g, gan_model_logits(mlp, s, F32(4, 256), &small), 1);
        const int n = gan_group_weights(g, "discriminator", w, 16);
        gan_gradient(g, loss, n, w, grad);
        gan_adam(g, "discriminator", n, w, grad,
                 &(gan_adam_options){.beta1 = 0.5,
                                     .beta2 = 0.9,
                                     .eps = 1e-8,
                                     .rate = gan_constant(g, 1e-3, gan_shape0()),
                                     .counter = counter_node,
                                     .per_iteration = 2,
                                     .offset = step});
        gan_node *all = gan_flat_variables(g, GAN_WEIGHT, "discriminator");
        if (clipped) gan_assign(g, all, gan_minimum(g, all, gan_constant(g, 1, all->shape)));
    }
    assert_int_equal(gan_graph_status(g), GAN_OK);
}

/* The plan, how many updates keep a copy in bf16, and how many casts of weights it has. */
static gan_plan *plan_of(int *copies, int *casts) {
    gan_plan *plan;
    const gan_plan_options options = {.supported = every_op};
    assert_int_equal(gan_plan_create(&plan, g, &options), GAN_OK);
    *copies = *casts = 0;
    for (int i = 0; i < plan->n_launches; i++) {
        const gan_node *node = plan->order[i];
        *copies += gan_op_copy(node) != NULL;
        if (node->op != GAN_OP_cast || node->in[0]->op != GAN_OP_variable) continue;
        assert_true(node->in[0]->attr.variable.variable->is_flat);
        (*casts)++;
    }
    return plan;
}

static void updates_keep_a_copy_of_the_weights(void **state) {
    int copies, casts;
    (void)state;
    two_steps(false);
    gan_plan *plan = plan_of(&copies, &casts);
    assert_int_equal(copies, 2);
    assert_int_equal(casts, 0);
    assert_int_equal(plan->n_refresh, 1);
    gan_plan_destroy(plan);
}

/* What else writes them leaves no copy: then one cast of all of a group's weights, for as long as
 * they stay as they are. */
static void weights_are_cast_together(void **state) {
    int copies, casts;
    (void)state;
    two_steps(true);
    gan_plan *plan = plan_of(&copies, &casts);
    assert_int_equal(copies, 0);
    assert_int_equal(casts, 2);
    assert_int_equal(plan->n_refresh, 0);
    gan_plan_destroy(plan);
}

/* The value of a cast is that of its moment, also where it is read after the update. */
static void a_cast_outlives_the_update(void **state) {
    gan_device *device;
    gan_program *program;
    float before[4] = {1, 2, 3, 4}, seen[4], now[4];
    (void)state;
    gan_node *w = weight("d/w", SHAPE(4)), *one = gan_constant(g, 1, gan_shape0());
    gan_node *half = gan_cast(g, w, GAN_BF16), *grad = gan_constant(g, 0.5, w->shape);
    gan_momentum(g, "d", 1, &w, &grad, one, one);
    gan_node *old = gan_output(g, gan_cast(g, half, GAN_F32));
    gan_node *new = gan_output(g, gan_cast(g, gan_cast(g, w, GAN_BF16), GAN_F32));
    assert_int_equal(gan_device_open(&device, "cpu", NULL), GAN_OK);
    assert_int_equal(gan_compile(&program, g, device), GAN_OK);
    assert_int_equal(gan_store_place(store, device), GAN_OK);
    const gan_variable *v = gan_store_find(store, GAN_WEIGHT, "d/w");
    assert_int_equal(gan_variable_write(store, v, before, sizeof before), GAN_OK);
    assert_int_equal(gan_program_run(program, 1), GAN_OK);
    assert_int_equal(gan_program_read(program, old, seen, sizeof seen), GAN_OK);
    assert_int_equal(gan_program_read(program, new, now, sizeof now), GAN_OK);
    for (int i = 0; i < 4; i++) {
        assert_true(seen[i] == before[i]);
        assert_true(now[i] == before[i] - 0.5f);
    }
    gan_program_destroy(program);
    close_graph(state);
    gan_device_close(device);
    open_graph(state);
}

/* ---- who else writes the weights ---- */

/* w moves by a gradient that is its bf16 copy, or in f32 itself; *seen is that copy. */
static gan_graph *doubling(gan_store *in, gan_dtype dtype, gan_node **seen) {
    gan_graph *made;
    assert_int_equal(gan_graph_create(&made, in), GAN_OK);
    gan_node *w = gan_variable_node(made, GAN_WEIGHT, "d/w", GAN_F32, gan_shape1(64),
                                    gan_init_uniform(-1, 1));
    gan_node *grad = gan_cast(made, gan_cast(made, w, dtype), GAN_F32);
    *seen = gan_output(made, gan_scale(made, grad, 2));
    gan_momentum(made, "d", 1, &w, &grad, gan_constant(made, -0.3, gan_shape0()),
                 gan_constant(made, 0, gan_shape0()));
    assert_int_equal(gan_graph_status(made), GAN_OK);
    return made;
}

static float rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff0000u;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Runs once; the copy that was read must be of the weights as they were. */
static void run_and_check(gan_program *p, const gan_node *seen, const gan_store *in, bool half) {
    float weights[64], read[64];
    const gan_variable *v = gan_store_find(in, GAN_WEIGHT, "d/w");
    assert_int_equal(gan_program_load(p), GAN_OK);
    assert_int_equal(gan_variable_read((gan_store *)(uintptr_t)in, v, weights, sizeof weights),
                     GAN_OK);
    assert_int_equal(gan_program_run(p, 1), GAN_OK);
    assert_int_equal(gan_program_read(p, seen, read, sizeof read), GAN_OK);
    for (int i = 0; i < 64; i++)
        assert_true(read[i] == 2 * (half ? rounded(weights[i]) : weights[i]));
}

static void copies_are_made_afresh_after_others(void **state) {
    gan_device *device;
    gan_store *own;
    gan_node *seen[3];
    gan_graph *graph[3];
    gan_program *p[3];
    float values[64];
    (void)state;
    assert_int_equal(gan_device_open(&device, "cpu", NULL), GAN_OK);
    assert_int_equal(gan_store_create(&own, 3), GAN_OK);
    for (int i = 0; i < 3; i++) {
        graph[i] = doubling(own, i == 1 ? GAN_F32 : GAN_BF16, &seen[i]);
        assert_int_equal(gan_compile(&p[i], graph[i], device), GAN_OK);
    }
    static const int turns[] = {0, 0, 1, 0, 2, 2, 0, 1, 1, 2};
    for (size_t i = 0; i < COUNT(turns); i++)
        run_and_check(p[turns[i]], seen[turns[i]], own, turns[i] != 1);
    for (int i = 0; i < 64; i++) values[i] = (float)sin(i);
    const gan_variable *v = gan_store_find(own, GAN_WEIGHT, "d/w");
    assert_int_equal(gan_variable_write(own, v, values, sizeof values), GAN_OK);
    run_and_check(p[2], seen[2], own, true);
    run_and_check(p[0], seen[0], own, true);
    for (int i = 0; i < 3; i++) {
        gan_program_destroy(p[i]);
        gan_graph_destroy(graph[i]);
    }
    gan_store_destroy(own);
    gan_device_close(device);
}

/* Loss and gradient of `model`'s discriminator, and of the norm of its gradient by x, from the same
 * weights. */
enum { MOST = 1 << 15 };

static int64_t evaluate(const char *model, gan_precision precision, double *out) {
    gan_store *own;
    gan_program *program;
    gan_device *device;
    assert_int_equal(gan_store_create(&own, 5), GAN_OK);
    gan_graph *kept = g;
    assert_int_equal(gan_graph_create(&g, own), GAN_OK);
    const bool maps = strcmp(model, "dcgan") == 0;
    gan_node *x = maps ? F32(6, 16, 16, 1) : F32(6, 256), *w[32], *grad[32], *by_x;
    gan_scope *s = gan_scope_create(
        g, "discriminator", &(gan_scope_settings){.training = true, .precision = precision});
    gan_node *loss = gan_logits_loss(g, gan_model_logits(gan_model_find(model), s, x, &small), 1);
    gan_gradient(g, loss, 1, &x, &by_x);
    loss = gan_add(g, loss, gan_sum(g, gan_square(g, by_x)));
    const int n = gan_group_weights(g, "discriminator", w, 32);
    gan_gradient(g, loss, n, w, grad);
    gan_output(g, loss);
    for (int i = 0; i < n; i++) gan_output(g, grad[i]);
    assert_int_equal(gan_graph_status(g), GAN_OK);
    assert_int_equal(gan_device_open(&device, "cpu", &(gan_device_options){.threads = 1}), GAN_OK);
    assert_int_equal(gan_compile(&program, g, device), GAN_OK);
    static float values[MOST];
    for (int i = 0; i < 6 * 256; i++) values[i] = (float)sin(0.37 * i);
    assert_int_equal(gan_program_write(program, x, values, 6 * 256 * sizeof *values), GAN_OK);
    assert_int_equal(gan_program_run(program, 1), GAN_OK);
    int64_t total = 0;
    for (int i = -1; i < n; i++) {
        gan_node *node = i < 0 ? loss : grad[i];
        const int64_t size = gan_shape_size(gan_node_shape(node));
        assert_true(total + size <= MOST);
        assert_int_equal(gan_program_read(program, node, values, (size_t)size * sizeof *values),
                         GAN_OK);
        for (int64_t k = 0; k < size; k++) out[total++] = (double)values[k];
    }
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(own);
    gan_device_close(device);
    g = kept;
    return total;
}

/* A rounding is at most 2^-9 of a value; a few of them in a row, of either sign. */
static void near_f32(const char *model, gan_precision precision, double within) {
    static double exact[MOST], rounded[MOST];
    const int64_t n = evaluate(model, GAN_PRECISION_F32, exact);
    assert_int_equal(evaluate(model, precision, rounded), n);
    double difference = 0, size = 0;
    for (int64_t i = 1; i < n; i++) {
        difference += (exact[i] - rounded[i]) * (exact[i] - rounded[i]);
        size += exact[i] * exact[i];
    }
    print_message("%s in %s: loss %.6g for %.6g, gradient off by %.2g\n", model,
                  gan_precision_name(precision), rounded[0], exact[0], sqrt(difference / size));
    assert_true(fabs(rounded[0] - exact[0]) <= within * fabs(exact[0]));
    assert_true(difference <= within * within * size);
    assert_true(precision != GAN_PRECISION_BF16 || difference > 0);
}

static void bf16_is_near_f32(void **state) {
    (void)state;
    near_f32("mlp", GAN_PRECISION_BF16, 0.02);
    near_f32("dcgan", GAN_PRECISION_BF16, 0.05);
}

static void tf32_is_f32_on_the_cpu(void **state) {
    (void)state;
    near_f32("mlp", GAN_PRECISION_TF32, 0);
    near_f32("dcgan", GAN_PRECISION_TF32, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_graph, close_graph)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(names),
        TEST(types),
        TEST(tensor_float),
        TEST(updates_keep_a_copy_of_the_weights),
        TEST(weights_are_cast_together),
        TEST(a_cast_outlives_the_update),
        TEST(copies_are_made_afresh_after_others),
        TEST(bf16_is_near_f32),
        TEST(tf32_is_f32_on_the_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
