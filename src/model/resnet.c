/* The residual networks of Miyato et al. 2018, for 16 to 128 pixels; spectral norm is an option. */
#include "model/residual.h"

static const gan_residual_style style = {.name = "resnet"};

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    return gan_residual_generator(s, z, o, &style);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    return gan_residual_features(s, x, o, &style);
}

const gan_model gan_model_resnet = {
    .name = "resnet",
    .about = "SN-GAN's residual networks for 16, 28, 32, 48, 64, 128 pixels",
    .low = -1,
    .high = 1,
    .initial = {.height = 32, .width = 32, .channels = 3, .z_dim = 128},
    .generator = generator,
    .features = features,
};
