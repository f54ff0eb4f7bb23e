/* SAGAN (Zhang et al. 2019): residual networks with self-attention and, in both of them, spectral
 * norm. */
#include "model/residual.h"

static const gan_residual_style style = {
    .name = "sagan", .spectral_norm = true, .attention = true, .tapering = true};

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    return gan_residual_generator(s, z, o, &style);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    return gan_residual_features(s, x, o, &style);
}

const gan_model gan_model_sagan = {
    .name = "sagan",
    .about = "SAGAN: self-attention, spectral norm in G and D; 16, 28, 32, 48, 64, 128 pixels",
    .low = -1,
    .high = 1,
    .initial = {.height = 32, .width = 32, .channels = 3, .z_dim = 128},
    .generator = generator,
    .features = features,
    .spectral_norm = true,
};
