/* The gradient of ‖∇ₓD(x)‖² by D's weights, as gradient penalties need it, against central
 * differences of the reference in double: for whole discriminators, at small sizes. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/nn.h"
#include "graph/store.h"
#include "support/gradients.h"

enum { WEIGHTS = 64 };

/* Values that make every layer count; initial ones (0.005 for maxout) would leave nothing to
 * compare. */
static void fill(double *x, int64_t n, uint64_t seed, double centre, double width) {
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        x[i] = centre + width * (ldexp((double)(seed >> 11), -52) - 1);
    }
}

static int check(const char *model, gan_shape x_shape, const gan_model_options *options,
                 bool training) {
    gan_store *store;
    gan_graph *g;
    assert_int_equal(gan_store_create(&store, 11), GAN_OK);
    assert_int_equal(gan_graph_create(&g, store), GAN_OK);
    gan_node *counter = gan_variable_node(g, GAN_COUNTER, "c/count", GAN_I64, gan_shape0(),
                                          (gan_init){GAN_INIT_CONSTANT, 0, 0});
    gan_scope *scope =
        gan_scope_create(g, "d", &(gan_scope_settings){.training = training, .counter = counter});
    gan_node *x = gan_input(g, GAN_F32, x_shape, "x"), *inner, *weight[WEIGHTS], *grad[WEIGHTS];
    gan_node *score = gan_model_logits(gan_model_find(model), scope, x, options);
    gan_gradient(g, gan_sum(g, score), 1, &x, &inner);
    gan_node *penalty = gan_sum(g, gan_square(g, inner));
    const int n = gan_group_weights(g, "d", weight, WEIGHTS);
    assert_true(n > 1 && n <= WEIGHTS);
    if (gan_gradient(g, penalty, n, weight, grad) != GAN_OK)
        fail_msg("%s: %s", model, gan_last_error());

    reference *r = ref_create(g);
    difference_input list[WEIGHTS];
    fill(ref_input_values(r, x), gan_shape_size(x_shape), 3, 0, 1);
    for (int i = 0; i < n; i++) {
        const gan_variable *v = weight[i]->attr.variable.variable;
        const int64_t size = gan_shape_size(v->shape);
        const bool gain = strstr(v->name, "gamma") != NULL;
        list[i] = (difference_input){v->name, ref_variable_values(r, v), size, grad[i]};
        /* variance 2/fan_in keeps the signal through rectifiers: width² / 3 · fan_in = 2 */
        const double fan_in = v->shape.rank > 1 ? (double)size / (double)v->shape.dim[0] : 30;
        fill(list[i].value, size, (uint64_t)(i + 5), gain ? 1 : 0, gain ? 0.3 : sqrt(6 / fan_in));
    }
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_role(v) == GAN_STATISTIC)
            fill(ref_variable_values(r, v), gan_shape_size(v->shape), i, 1, 0.5);
    }
    /* A small step: the gradient in x jumps wherever a unit changes its side. */
    const int bad = check_differences(r, penalty, n, list, model, 1e-7, 1);
    ref_run_to(r, penalty);
    print_message("%s: penalty %g, %d weights\n", model, ref_value(r, penalty)[0], n);
    assert_true(ref_value(r, penalty)[0] > 1e-3);
    ref_destroy(r);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    return bad;
}

static void mlp(void **state) {
    (void)state;
    const gan_model_options o = {
        .height = 6, .width = 5, .channels = 2, .discriminator_features = 16};
    assert_int_equal(check("mlp", gan_shape4(4, 6, 5, 2), &o, true), 0);
}

static void maxout(void **state) {
    (void)state;
    const gan_model_options o = {
        .height = 4, .width = 4, .channels = 1, .discriminator_features = 10};
    assert_int_equal(check("maxout", gan_shape4(3, 4, 4, 1), &o, false), 0);
    assert_int_equal(check("maxout", gan_shape4(3, 4, 4, 1), &o, true), 0); /* with dropout */
}

static void dcgan(void **state) {
    (void)state;
    const gan_model_options o = {
        .height = 16, .width = 16, .channels = 2, .discriminator_features = 3};
    assert_int_equal(check("dcgan", gan_shape4(4, 16, 16, 2), &o, true), 0);
    assert_int_equal(check("dcgan", gan_shape4(4, 16, 16, 2), &o, false), 0);
}

static void resnet(void **state) {
    (void)state;
    gan_model_options o = {.height = 16, .width = 16, .channels = 2, .discriminator_features = 3};
    assert_int_equal(check("resnet", gan_shape4(2, 16, 16, 2), &o, true), 0);
    o.spectral_norm = true;
    assert_int_equal(check("resnet", gan_shape4(2, 16, 16, 2), &o, true), 0);
}

static void sngan(void **state) {
    (void)state;
    const gan_model_options o = {
        .height = 8, .width = 16, .channels = 3, .discriminator_features = 8};
    assert_int_equal(check("sngan", gan_shape4(3, 8, 16, 3), &o, true), 0);
}

static void infogan(void **state) {
    (void)state;
    gan_model_options o = {.height = 8, .width = 8, .channels = 2, .discriminator_features = 4};
    assert_int_equal(check("infogan-net", gan_shape4(5, 8, 8, 2), &o, true), 0);
    assert_int_equal(check("infogan-net", gan_shape4(5, 8, 8, 2), &o, false), 0);
}

static void sagan(void **state) {
    (void)state;
    gan_model_options o = {.height = 16, .width = 16, .channels = 1, .discriminator_features = 8};
    assert_int_equal(check("sagan", gan_shape4(2, 16, 16, 1), &o, true), 0);
}

/* A block of every kind of pairs. */
static void with_nonlocal_blocks(void **state) {
    (void)state;
    for (size_t i = 0; i < gan_pairwise_count(); i++) {
        gan_model_options o = {
            .height = 16, .width = 16, .channels = 1, .discriminator_features = 4};
        o.nonlocal = gan_pairwise_at(i);
        assert_int_equal(check("resnet", gan_shape4(2, 16, 16, 1), &o, true), 0);
    }
}

static void with_minibatch_layers(void **state) {
    (void)state;
    gan_model_options o = {.height = 16,
                           .width = 16,
                           .channels = 1,
                           .discriminator_features = 2,
                           .minibatch_kernels = 3,
                           .minibatch_dims = 2,
                           .minibatch_std = true};
    assert_int_equal(check("dcgan", gan_shape4(4, 16, 16, 1), &o, true), 0);
    o.discriminator_features = 8, o.channels = 2;
    assert_int_equal(check("toy", gan_shape2(6, 2), &o, true), 0);
    o.minibatch_mean = true, o.minibatch_inner = true;
    assert_int_equal(check("toy", gan_shape2(6, 2), &o, true), 0);
}

static void with_spectral_norm(void **state) {
    (void)state;
    gan_model_options o = {.height = 16,
                           .width = 16,
                           .channels = 1,
                           .discriminator_features = 3,
                           .spectral_norm = true};
    assert_int_equal(check("dcgan", gan_shape4(4, 16, 16, 1), &o, true), 0);
    o.discriminator_features = 16;
    o.channels = 2;
    assert_int_equal(check("toy", gan_shape2(9, 2), &o, true), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp),
        cmocka_unit_test(maxout),
        cmocka_unit_test(dcgan),
        cmocka_unit_test(resnet),
        cmocka_unit_test(sngan),
        cmocka_unit_test(infogan),
        cmocka_unit_test(sagan),
        cmocka_unit_test(with_nonlocal_blocks),
        cmocka_unit_test(with_minibatch_layers),
        cmocka_unit_test(with_spectral_norm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
