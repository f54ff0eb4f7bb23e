#include "model/model.h"

gan_node *gan_leaky_layer(gan_scope *scope, const char *name, gan_node *x, int64_t units,
                          bool spectral_norm) {
    const gan_shape in = gan_node_shape(x);
    if (!scope || !x || in.rank < 2 || in.dim[0] < 1) return NULL;
    const gan_init he = gan_init_he(gan_shape_size(in) / in.dim[0], GAN_LEAKY_SLOPE);
    const gan_layer_options o = {.weight = &he, .spectral_norm = spectral_norm};
    gan_node *y = gan_layer_linear(scope, name, x, units, &o);
    y = gan_layer_norm(scope, name, y, "none", NULL);
    return gan_leaky_relu(gan_scope_graph(scope), y, GAN_LEAKY_SLOPE);
}
