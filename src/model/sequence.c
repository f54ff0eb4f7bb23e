/* Fully connected networks for sequences of symbols. G makes a symbol's logits at every place; what
 * they become is the game's affair. */
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const int64_t width = gan_features(o->generator_features, 256);
    const double keep = o->generator_keep;
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, 3);
    gan_node *h = gan_drop(s, gan_leaky_layer(s, "hidden1", z, width, false), keep);
    h = gan_leaky_layer(s, "hidden2", gan_noise_join(&noise, 1, h), width, false);
    h = gan_drop(s, h, keep);
    h = gan_leaky_layer(s, "hidden3", gan_noise_join(&noise, 2, h), width, false);
    h = gan_drop(s, h, keep);
    h = gan_layer_linear(s, "output", gan_noise_join(&noise, 3, h), o->height * o->channels, NULL);
    return gan_reshape(g, gan_cast(g, h, GAN_F32), gan_shape3(-1, o->height, o->channels));
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t width = gan_features(o->discriminator_features, 256);
    const double keep = o->discriminator_keep;
    gan_node *h = gan_drop(s, gan_leaky_layer(s, "hidden1", x, width, o->spectral_norm), keep);
    h = gan_drop(s, gan_leaky_layer(s, "hidden2", h, width, o->spectral_norm), keep);
    return gan_drop(s, gan_leaky_layer(s, "hidden3", h, width, o->spectral_norm), keep);
}

const gan_model gan_model_sequence = {
    .name = "sequence",
    .about = "symbols: G z-256-256-256-length x symbols, D the other way, leaky rectifiers",
    .sequences = true,
    .low = 0,
    .high = 1,
    .linear = true,
    .initial = {.height = 16, .width = 1, .channels = 4, .z_dim = 64},
    .generator = generator,
    .features = features,
};
