/* Miyato et al., "Spectral normalization for generative adversarial networks" (2018), algorithm 1.
 */
#include "nn/spectral.h"

#include "nn/scope.h"

/* Keeps the division finite where a weight or a vector is zero. */
#define SPECTRAL_EPS 1e-12

static gan_node *unit(gan_graph *g, gan_node *x) {
    gan_node *square = gan_sum_axes(g, gan_square(g, x), GAN_ALL_AXES);
    gan_node *eps = gan_constant(g, SPECTRAL_EPS, gan_shape2(1, 1));
    return gan_div(g, x, gan_maximum(g, gan_sqrt(g, square), eps));
}

/* Products with a vector are written as sums: of all layers together they are a few launches. The
 * vectors are constants to the gradient, as they should be. */
gan_node *gan_spectral_weight(gan_scope *scope, gan_node *weight, int64_t rows, int64_t columns) {
    if (!weight) return NULL;
    gan_graph *g = gan_scope_graph(scope);
    const gan_init init = {GAN_INIT_UNIT, 0, 1};
    gan_node *kept_u = gan_scope_statistic(scope, "u", gan_shape1(rows), init);
    gan_node *kept_v = gan_scope_statistic(scope, "v", gan_shape1(columns), init);
    gan_node *w = gan_reshape(g, weight, gan_shape2(rows, columns));
    if (!kept_u || !kept_v || !w) return NULL;
    gan_node *u = gan_reshape(g, kept_u, gan_shape2(rows, 1));
    gan_node *v = gan_reshape(g, kept_v, gan_shape2(1, columns));
    const bool step = gan_scope_get(scope)->update_statistics && gan_scope_first(scope, kept_u);
    if (step) v = gan_stop_gradient(g, unit(g, gan_sum_axes(g, gan_mul(g, w, u), 1u << 0)));
    gan_node *wv = gan_sum_axes(g, gan_mul(g, w, v), 1u << 1);
    if (step) {
        u = gan_stop_gradient(g, unit(g, wv));
        gan_assign(g, kept_u, gan_reshape(g, u, gan_shape1(rows)));
        gan_assign(g, kept_v, gan_reshape(g, v, gan_shape1(columns)));
    }
    /* sigma = u'Wv; a row at a time, so that its gradient is summed row by row, too. */
    gan_node *sigma = gan_sum_axes(g, gan_mul(g, u, wv), GAN_ALL_AXES);
    sigma = gan_broadcast(g, sigma, gan_shape2(rows, 1));
    return gan_reshape(g, gan_div(g, w, sigma), gan_node_shape(weight));
}
