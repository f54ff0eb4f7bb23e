#include "model/model.h"

static const char *const hidden[3] = {"hidden1", "hidden2", "hidden3"};

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

gan_node *gan_leaky_generator(gan_scope *scope, gan_node *z, const gan_model_options *options,
                              const int64_t width[3], int64_t units) {
    gan_noise noise;
    gan_node *h = gan_noise_split(&noise, scope, z, options, 3);
    for (int i = 0; i < 3; i++) {
        if (i > 0) h = gan_noise_join(&noise, i, h);
        h = gan_leaky_layer(scope, hidden[i], h, width[i], false);
        h = gan_drop(scope, h, options->generator_keep);
    }
    return gan_layer_linear(scope, "output", gan_noise_join(&noise, 3, h), units, NULL);
}

gan_node *gan_leaky_features(gan_scope *scope, gan_node *x, const gan_model_options *options,
                             int layers, const int64_t *width) {
    for (int i = 0; i < layers; i++) {
        if (i + 1 == layers) x = gan_inner_minibatch(scope, x, options);
        x = gan_leaky_layer(scope, hidden[i], x, width[i], options->spectral_norm);
        x = gan_drop(scope, x, options->discriminator_keep);
    }
    return x;
}
