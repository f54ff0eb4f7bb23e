/* Fully connected G and D with leaky rectifiers: z-256-512-1024-pixels, pixels-512-256-1. */
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const int64_t f = gan_features(o->generator_features, 256), width[3] = {f, 2 * f, 4 * f};
    gan_node *x = gan_stack_generator(s, z, o, GAN_HIDDEN_LEAKY, 3, width,
                                      o->height * o->width * o->channels);
    x = gan_tanh(g, gan_cast(g, x, GAN_F32));
    return gan_reshape(g, x, gan_shape4(-1, o->height, o->width, o->channels));
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t f = gan_features(o->discriminator_features, 256), width[2] = {2 * f, f};
    return gan_stack_features(s, x, o, GAN_HIDDEN_LEAKY, 2, width);
}

const gan_model gan_model_mlp = {
    .name = "mlp",
    .about = "fully connected, G z-256-512-1024-pixels, D pixels-512-256-1, leaky rectifiers",
    .low = -1,
    .high = 1,
    .initial = {.height = 28, .width = 28, .channels = 1, .z_dim = 100},
    .generator = generator,
    .features = features,
    .inner = true,
};
