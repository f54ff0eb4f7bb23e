/* Small networks for points in the plane. Three hidden layers: with two, G cannot fold its noise
 * sharply enough, and too many samples lie on bridges between modes. */
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    const int64_t f = gan_features(o->generator_features, 128), width[3] = {f, f, f};
    gan_node *x = gan_stack_generator(s, z, o, GAN_HIDDEN_LEAKY, 3, width, o->channels);
    return gan_cast(gan_scope_graph(s), x, GAN_F32);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t f = gan_features(o->discriminator_features, 128), width[3] = {f, f, f};
    return gan_stack_features(s, x, o, GAN_HIDDEN_LEAKY, 3, width);
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
    .inner = true,
};
