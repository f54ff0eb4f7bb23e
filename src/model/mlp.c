/* Fully connected G and D with leaky rectifiers: z-256-512-1024-pixels, pixels-512-256-1. */
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const int64_t width = gan_features(o->generator_features, 256);
    const double keep = o->generator_keep;
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, 3);
    gan_node *h = gan_drop(s, gan_leaky_layer(s, "hidden1", z, width, false), keep);
    h = gan_leaky_layer(s, "hidden2", gan_noise_join(&noise, 1, h), 2 * width, false);
    h = gan_drop(s, h, keep);
    h = gan_leaky_layer(s, "hidden3", gan_noise_join(&noise, 2, h), 4 * width, false);
    h = gan_drop(s, h, keep);
    h = gan_layer_linear(s, "output", gan_noise_join(&noise, 3, h),
                         o->height * o->width * o->channels, NULL);
    h = gan_tanh(g, gan_cast(g, h, GAN_F32));
    return gan_reshape(g, h, gan_shape4(-1, o->height, o->width, o->channels));
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t width = gan_features(o->discriminator_features, 256);
    gan_node *h = gan_leaky_layer(s, "hidden1", x, 2 * width, o->spectral_norm);
    h = gan_drop(s, h, o->discriminator_keep);
    h = gan_leaky_layer(s, "hidden2", h, width, o->spectral_norm);
    return gan_drop(s, h, o->discriminator_keep);
}

const gan_model gan_model_mlp = {
    .name = "mlp",
    .about = "fully connected, G z-256-512-1024-pixels, D pixels-512-256-1, leaky rectifiers",
    .low = -1,
    .high = 1,
    .initial = {.height = 28, .width = 28, .channels = 1, .z_dim = 100},
    .generator = generator,
    .features = features,
};
