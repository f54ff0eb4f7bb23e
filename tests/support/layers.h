/* Gradients of one layer, first and second order, against differences of the reference. */
#ifndef GANC_TESTS_SUPPORT_LAYERS_H
#define GANC_TESTS_SUPPORT_LAYERS_H

#include "support/networks.h"

#include "support/gradients.h"

enum { LAYER_WEIGHTS = 48 };

/* All f32 variables of the store and the input x get values; gains lie about 1. */
static inline void fill_reference(reference *r, gan_node *x, uint64_t seed) {
    for (int64_t i = 0; i < gan_shape_size(gan_node_shape(x)); i++)
        ref_input_values(r, x)[i] = pseudo(&seed);
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_dtype(v) != GAN_F32) continue;
        const char *last = strrchr(gan_variable_name(v), '/') + 1;
        const bool gain =
            !strcmp(last, "gamma") || !strcmp(last, "gain") || strstr(last, "variance");
        double *value = ref_variable_values(r, v);
        for (int64_t k = 0; k < gan_shape_size(gan_variable_shape(v)); k++)
            value[k] = gain ? 1 + 0.2 * pseudo(&seed) : 0.5 * pseudo(&seed);
    }
}

static inline int differences(reference *r, gan_node *f, int n, gan_node *const *wrt,
                              gan_node *const *gradient, const char *title, double step) {
    difference_input input[LAYER_WEIGHTS + 1];
    for (int i = 0; i < n; i++) {
        const gan_shape shape = gan_node_shape(wrt[i]);
        input[i] = wrt[i]->op == GAN_OP_variable
                       ? (difference_input){gan_variable_name(wrt[i]->attr.variable.variable),
                                            ref_variable_values(r, wrt[i]->attr.variable.variable),
                                            gan_shape_size(shape), gradient[i]}
                       : (difference_input){"x", ref_input_values(r, wrt[i]), gan_shape_size(shape),
                                            gradient[i]};
    }
    return check_differences(r, f, n, input, title, step, 5);
}

/* Holds the gradients of a function of y = layer(x) by x and by the weights of `group`, and those
 * of the length of its gradient by x, as penalties need them; returns the number of disagreements.
 */
static inline int layer_disagrees(gan_node *x, gan_node *y, const char *group, const char *title,
                                  double step) {
    gan_node *wrt[LAYER_WEIGHTS + 1] = {x}, *first[LAYER_WEIGHTS + 1], *second[LAYER_WEIGHTS + 1];
    const int n = 1 + gan_group_weights(g, group, wrt + 1, LAYER_WEIGHTS);
    assert_true(n <= LAYER_WEIGHTS + 1);
    expect_ok(gan_graph_status(g));
    /* sin tells elements apart by their values, so nothing cancels by symmetry. */
    gan_node *loss = gan_sum(g, gan_sin(g, gan_shift(g, y, 0.3)));
    expect_ok(gan_gradient(g, loss, n, wrt, first));
    gan_node *penalty = gan_sum(g, gan_square(g, first[0]));
    expect_ok(gan_gradient(g, penalty, n, wrt, second));
    reference *r = ref_create(g);
    fill_reference(r, x, 17);
    const int bad = differences(r, loss, n, wrt, first, title, step) +
                    differences(r, penalty, n, wrt, second, title, step);
    ref_run_to(r, penalty);
    assert_true(ref_value(r, penalty)[0] > 1e-6);
    ref_destroy(r);
    return bad;
}

#endif
