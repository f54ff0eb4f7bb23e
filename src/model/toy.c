/* Small networks for points in the plane. Three hidden layers: with two, G cannot fold its noise sharply
 * enough, and too many samples lie on bridges between modes. */
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    const int64_t width = gan_features(o->generator_features, 128);
    const double keep = o->generator_keep;
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, 3);
    gan_node *h = gan_drop(s, gan_leaky_layer(s, "hidden1", z, width, false), keep);
    h = gan_leaky_layer(s, "hidden2", gan_noise_join(&noise, 1, h), width, false);
    h = gan_drop(s, h, keep);
    h = gan_leaky_layer(s, "hidden3", gan_noise_join(&noise, 2, h), width, false);
    h = gan_drop(s, h, keep);
    h = gan_layer_linear(s, "output", gan_noise_join(&noise, 3, h), o->channels, NULL);
    return gan_cast(gan_scope_graph(s), h, GAN_F32);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t width = gan_features(o->discriminator_features, 128);
    const double keep = o->discriminator_keep;
    gan_node *h = gan_drop(s, gan_leaky_layer(s, "hidden1", x, width, o->spectral_norm), keep);
    h = gan_drop(s, gan_leaky_layer(s, "hidden2", h, width, o->spectral_norm), keep);
    return gan_drop(s, gan_leaky_layer(s, "hidden3", h, width, o->spectral_norm), keep);
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
