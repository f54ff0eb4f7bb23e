/* Small networks for points in the plane. Three hidden layers: with two, G cannot fold its noise sharply
 * enough, and too many samples lie on bridges between modes. */
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    const int64_t width = gan_features(o->generator_features, 128);
    gan_node *h = gan_leaky_layer(s, "hidden1", z, width, false);
    h = gan_leaky_layer(s, "hidden2", h, width, false);
    h = gan_leaky_layer(s, "hidden3", h, width, false);
    return gan_layer_linear(s, "output", h, o->channels, NULL);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t width = gan_features(o->discriminator_features, 128);
    gan_node *h = gan_leaky_layer(s, "hidden1", x, width, o->spectral_norm);
    h = gan_leaky_layer(s, "hidden2", h, width, o->spectral_norm);
    return gan_leaky_layer(s, "hidden3", h, width, o->spectral_norm);
}

const gan_model gan_model_toy = {
    .name = "toy",
    .about = "points in the plane: G z-128-128-128-2, D 2-128-128-128-1, leaky rectifiers",
    .points = true,
    .low = -1,
    .high = 1,
    .initial = {.channels = 2,
                .z_dim = 2,
                .generator_features = 128,
                .discriminator_features = 128},
    .generator = generator,
    .features = features,
};
