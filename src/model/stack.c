#include "model/model.h"

static const char *const names[] = {"hidden1", "hidden2", "hidden3"};

static gan_node *layer(gan_scope *scope, const char *name, gan_node *x, gan_hidden hidden,
                       int64_t units, bool spectral_norm) {
    const gan_shape in = gan_node_shape(x);
    if (!scope || !x || in.rank < 2 || in.dim[0] < 1) return NULL;
    gan_graph *g = gan_scope_graph(scope);
    const int64_t fan_in = gan_shape_size(in) / in.dim[0];
    const bool leaky = hidden == GAN_HIDDEN_LEAKY;
    const gan_init initial =
        leaky ? gan_init_he(fan_in, GAN_LEAKY_SLOPE) : gan_init_xavier(fan_in, units);
    const gan_layer_options o = {.weight = &initial, .spectral_norm = spectral_norm};
    gan_node *y = gan_layer_linear(scope, name, x, units, &o);
    y = gan_layer_norm(scope, name, y, "none", NULL);
    return leaky ? gan_leaky_relu(g, y, GAN_LEAKY_SLOPE) : gan_tanh(g, y);
}

gan_node *gan_stack_generator(gan_scope *scope, gan_node *z, const gan_model_options *options,
                              gan_hidden hidden, int layers, const int64_t *width, int64_t units) {
    gan_noise noise;
    gan_node *h = gan_noise_split(&noise, scope, z, options, layers);
    for (int i = 0; i < layers; i++) {
        if (i > 0) h = gan_noise_join(&noise, i, h);
        h = layer(scope, names[i], h, hidden, width[i], false);
        h = gan_drop(scope, h, options->generator_keep);
    }
    return gan_layer_linear(scope, "output", gan_noise_join(&noise, layers, h), units, NULL);
}

gan_node *gan_stack_features(gan_scope *scope, gan_node *x, const gan_model_options *options,
                             gan_hidden hidden, int layers, const int64_t *width) {
    for (int i = 0; i < layers; i++) {
        if (i + 1 == layers) x = gan_inner_minibatch(scope, x, options);
        x = layer(scope, names[i], x, hidden, width[i], options->spectral_norm);
        x = gan_drop(scope, x, options->discriminator_keep);
    }
    return x;
}
