/* The networks for points in the plane of Metz et al. 2017 (section 3.1, appendix A): two hidden
 * layers of tanh each. Through updates of D, G's gradient sees how D bends, which rectifiers do
 * not. */
#include "model/model.h"

/* The paper's ring has radius 2; a mixture's points are brought into [-1, 1], the ring's to 2/3. */
#define PAPER 3.0

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    const int64_t f = gan_features(o->generator_features, 128), width[2] = {f, f};
    gan_graph *g = gan_scope_graph(s);
    gan_node *x = gan_stack_generator(s, z, o, GAN_HIDDEN_TANH, 2, width, o->channels);
    return gan_scale(g, gan_cast(g, x, GAN_F32), 1 / PAPER);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t f = gan_features(o->discriminator_features, 128), width[2] = {f, f};
    x = gan_scale(gan_scope_graph(s), x, PAPER);
    return gan_stack_features(s, x, o, GAN_HIDDEN_TANH, 2, width);
}

const gan_model gan_model_toy_tanh = {
    .name = "toy-tanh",
    .about = "points in the plane (Metz et al. 2017): G z-128-128-2, D 2-128-128-1, tanh",
    .points = true,
    .low = -1,
    .high = 1,
    .initial = {.channels = 2,
                .z_dim = 256,
                .generator_features = 128,
                .discriminator_features = 128},
    .generator = generator,
    .features = features,
    .inner = true,
};
