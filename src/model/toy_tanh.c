/* The networks for points in the plane of Metz et al. 2017 (section 3.1, appendix A): two hidden
 * layers of tanh each. Through updates of D, G's gradient sees how D bends, which rectifiers do
 * not. */
#include "model/model.h"

/* The paper's ring has radius 2; a mixture's points are brought into [-1, 1], the ring's to 2/3. */
#define PAPER 3.0

static gan_node *layer(gan_scope *s, const char *name, gan_node *x, int64_t units,
                       bool spectral_norm, double keep) {
    const gan_init initial = gan_init_xavier(gan_node_shape(x).dim[1], units);
    const gan_layer_options o = {.weight = &initial, .spectral_norm = spectral_norm};
    gan_node *y = gan_layer_norm(s, name, gan_layer_linear(s, name, x, units, &o), "none", NULL);
    return gan_drop(s, gan_tanh(gan_scope_graph(s), y), keep);
}

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    const int64_t f = gan_features(o->generator_features, 128);
    gan_graph *g = gan_scope_graph(s);
    gan_noise noise;
    gan_node *h = gan_noise_split(&noise, s, z, o, 2);
    h = layer(s, "hidden1", h, f, false, o->generator_keep);
    h = layer(s, "hidden2", gan_noise_join(&noise, 1, h), f, false, o->generator_keep);
    gan_node *x = gan_layer_linear(s, "output", gan_noise_join(&noise, 2, h), o->channels, NULL);
    return gan_scale(g, gan_cast(g, x, GAN_F32), 1 / PAPER);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t f = gan_features(o->discriminator_features, 128);
    x = gan_scale(gan_scope_graph(s), x, PAPER);
    x = layer(s, "hidden1", x, f, o->spectral_norm, o->discriminator_keep);
    x = gan_inner_minibatch(s, x, o);
    return layer(s, "hidden2", x, f, o->spectral_norm, o->discriminator_keep);
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
