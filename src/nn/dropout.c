/* Dropout (Srivastava et al. 2014), scaled while training. */
#include "graph/op.h"
#include "ganc/nn.h"

gan_node *gan_layer_dropout(gan_scope *scope, gan_node *x, double keep) {
    if (!scope || !x) return NULL;
    gan_graph *g = gan_scope_graph(scope);
    const gan_scope_settings *settings = gan_scope_get(scope);
    if (!(keep > 0 && keep <= 1))
        return gan_graph_error(g, GAN_ERROR_ARGUMENT,
                               "dropout in %s: keep %g, expected above 0, up to 1",
                               gan_scope_name(scope), keep);
    if (!settings->training || keep == 1) return x;
    if (!settings->counter)
        return gan_graph_error(g, GAN_ERROR_ARGUMENT,
                               "dropout in %s: the scope has no counter to draw by",
                               gan_scope_name(scope));
    const gan_shape shape = gan_node_shape(x);
    gan_node *noise = gan_random_uniform(g, settings->counter, shape, 0, 1);
    gan_node *mask = gan_greater(g, gan_constant(g, keep, shape), noise);
    gan_node *y = gan_mul(g, gan_cast(g, x, GAN_F32), gan_scale(g, mask, 1 / keep));
    return gan_cast(g, y, gan_node_dtype(x));
}
