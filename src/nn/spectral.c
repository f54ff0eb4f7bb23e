/* Miyato et al., "Spectral normalization for generative adversarial networks" (2018), algorithm 1.
 */
#include "nn/spectral.h"

#include "nn/scope.h"

/* Keeps the division finite where a weight or a vector is zero. */
#define SPECTRAL_EPS 1e-12

gan_node *gan_spectral_weight(gan_scope *scope, gan_node *weight, int64_t rows, int64_t columns) {
    if (!weight) return NULL;
    gan_graph *g = gan_scope_graph(scope);
    const gan_init unit = {GAN_INIT_UNIT, 0, 1};
    gan_node *u = gan_scope_statistic(scope, "u", gan_shape1(rows), unit);
    gan_node *v = gan_scope_statistic(scope, "v", gan_shape1(columns), unit);
    gan_node *w = gan_reshape(g, weight, gan_shape2(rows, columns));
    if (!u || !v || !w) return NULL;
    if (gan_scope_get(scope)->update_statistics && gan_scope_first(scope, u))
        gan_power_iteration(g, u, v, w, SPECTRAL_EPS);
    /* sigma = u'Wv; u and v are variables, so the gradient takes them for constants, as it should.
     */
    gan_node *wv = gan_matmul(g, w, gan_reshape(g, v, gan_shape2(columns, 1)), false, false);
    gan_node *sigma = gan_matmul(g, gan_reshape(g, u, gan_shape2(1, rows)), wv, false, false);
    gan_shape one = gan_node_shape(weight);
    for (int i = 0; i < one.rank; i++) one.dim[i] = 1;
    return gan_div(g, weight, gan_reshape(g, sigma, one));
}
