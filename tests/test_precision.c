/* What layers compute in: types of nodes, launches, and how near bf16 comes to f32. */
#include <math.h>
#include <stdlib.h>

#include "ganc/device.h"
#include "ganc/nn.h"
#include "graph/plan.h"
#include "support/operands.h"

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

static bool every_op(const void *context, gan_op_id op) {
    (void)context;
    (void)op;
    return true;
}

/* One copy of all of a group's weights for as long as they stay as they are. */
static void weights_are_cast_together(void **state) {
    (void)state;
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
    }
    assert_int_equal(gan_graph_status(g), GAN_OK);
    gan_plan *plan;
    const gan_plan_options options = {.supported = every_op};
    assert_int_equal(gan_plan_create(&plan, g, &options), GAN_OK);
    int casts = 0, updates = 0;
    for (int i = 0; i < plan->n_launches; i++) {
        const gan_node *node = plan->order[i];
        updates += node->op == GAN_OP_adam;
        if (node->op == GAN_OP_cast && node->in[0]->op == GAN_OP_variable) {
            assert_true(node->in[0]->attr.variable.variable->is_flat);
            assert_int_equal(casts++, updates);
        }
    }
    assert_int_equal(casts, 2);
    gan_plan_destroy(plan);
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
        TEST(weights_are_cast_together),
        TEST(bf16_is_near_f32),
        TEST(tf32_is_f32_on_the_cpu),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
