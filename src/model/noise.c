/* Noise that enters a generator at a later layer (Goodfellow 2016, section 2.1: the entries of z
 * need not all be inputs of the first layer).
 */
#include "graph/op.h"
#include "model/model.h"

gan_node *gan_noise_split(gan_noise *n, gan_scope *s, gan_node *z, const gan_model_options *o,
                          int layers) {
    *n = (gan_noise){.scope = s};
    if (!s || !z || !o->z_late) return z;
    gan_graph *g = gan_scope_graph(s);
    const int64_t width = gan_node_shape(z).dim[1], first = o->z_dim - o->z_late;
    n->layer = o->z_layer ? o->z_layer : layers / 2 + 1;
    if (o->z_late < 0 || first < 1 || o->z_dim > width || n->layer < 1 || n->layer > layers)
        return gan_graph_error(
            g, GAN_ERROR_ARGUMENT,
            "%s: %lld of %lld noise values to enter at layer %lld; expected fewer "
            "than all of them, and a layer from 1 to %d",
            gan_scope_name(s), (long long)o->z_late, (long long)o->z_dim, (long long)n->layer,
            layers);
    n->late = gan_slice(g, z, 1, first, o->z_late);
    gan_node *early = gan_slice(g, z, 1, 0, first);
    if (o->z_dim == width) return early;
    /* What follows the noise, such as a class, goes to the first layer. */
    return gan_concat(g, 1, 2,
                      (gan_node *[]){early, gan_slice(g, z, 1, o->z_dim, width - o->z_dim)});
}

gan_node *gan_noise_join(const gan_noise *n, int layer, gan_node *x) {
    if (!x || !n->late || n->layer != layer) return x;
    gan_graph *g = gan_scope_graph(n->scope);
    gan_shape shape = gan_node_shape(x), one = shape;
    const int last = shape.rank - 1;
    shape.dim[last] = one.dim[last] = gan_node_shape(n->late).dim[1];
    for (int i = 1; i < last; i++) one.dim[i] = 1;
    gan_node *late = gan_broadcast(g, gan_reshape(g, n->late, one), shape);
    gan_node *both[2] = {gan_scope_activation(n->scope, x), gan_scope_activation(n->scope, late)};
    return gan_concat(g, last, 2, both);
}
