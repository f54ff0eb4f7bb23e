/* Fully connected networks for sequences of symbols. G makes a symbol's logits at every place; what
 * they become is the game's affair. */
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const int64_t f = gan_features(o->generator_features, 256), width[3] = {f, f, f};
    gan_node *x = gan_stack_generator(s, z, o, GAN_HIDDEN_LEAKY, 3, width, o->height * o->channels);
    return gan_reshape(g, gan_cast(g, x, GAN_F32), gan_shape3(-1, o->height, o->channels));
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t f = gan_features(o->discriminator_features, 256), width[3] = {f, f, f};
    return gan_stack_features(s, x, o, GAN_HIDDEN_LEAKY, 3, width);
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
    .inner = true,
};
