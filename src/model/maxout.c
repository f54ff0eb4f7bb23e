/* The networks of the first paper on MNIST (Goodfellow et al. 2014), as in its published
 * configuration. */
#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "ganc/device.h"
#include "model/model.h"

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const int64_t width = gan_features(o->generator_features, 1200);
    const gan_init init = gan_init_uniform(-0.05, 0.05);
    const gan_layer_options layer = {.weight = &init};
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, 2);
    gan_node *h = gan_layer_linear(s, "hidden1", z, width, &layer);
    h = gan_relu(g, gan_layer_norm(s, "hidden1", h, "none", NULL));
    h = gan_noise_join(&noise, 1, gan_drop(s, h, o->generator_keep));
    h = gan_layer_linear(s, "hidden2", h, width, &layer);
    h = gan_relu(g, gan_layer_norm(s, "hidden2", h, "none", NULL));
    h = gan_noise_join(&noise, 2, gan_drop(s, h, o->generator_keep));
    h = gan_layer_linear(s, "output", h, o->height * o->width * o->channels, &layer);
    h = gan_sigmoid(g, gan_cast(g, h, GAN_F32));
    return gan_reshape(g, h, gan_shape4(-1, o->height, o->width, o->channels));
}

/* Dropout on what every layer takes in, also when D scores samples for G. */
static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    const int64_t width = gan_features(o->discriminator_features, 240);
    const gan_init init = gan_init_uniform(-0.005, 0.005);
    const gan_layer_options layer = {.weight = &init, .spectral_norm = o->spectral_norm};
    const double keep = o->discriminator_keep != 0 ? o->discriminator_keep : 0.5;
    gan_node *h = gan_layer_dropout(s, x, 0.8);
    h = gan_layer_maxout(s, "hidden1", h, width, 5, &layer);
    h = gan_layer_dropout(s, gan_layer_norm(s, "hidden1", h, "none", NULL), keep);
    h = gan_layer_maxout(s, "hidden2", gan_inner_minibatch(s, h, o), width, 5, &layer);
    return gan_layer_dropout(s, gan_layer_norm(s, "hidden2", h, "none", NULL), keep);
}

const gan_model gan_model_maxout = {
    .name = "maxout",
    .about = "the networks of 2014: G z-1200-1200-pixels, D maxout 240x5 twice with dropout",
    .low = 0,
    .high = 1,
    .initial = {.height = 28, .width = 28, .channels = 1, .z_dim = 100},
    .generator = generator,
    .features = features,
    .inner = true,
    .output = {GAN_INIT_UNIFORM, -0.005f, 0.005f},
};

gan_status gan_model_set_marginals(gan_store *store, const float *mean, int64_t n) {
    static const char name[] = "generator/output/bias";
    const gan_variable *bias = gan_store_find(store, GAN_WEIGHT, name);
    const gan_variable *average = gan_store_find(store, GAN_AVERAGE, name);
    if (!bias) return gan_fail(GAN_ERROR_ARGUMENT, "marginals: the store has no weight %s", name);
    const int64_t size = gan_shape_size(gan_variable_shape(bias));
    if (size != n)
        return gan_fail(GAN_ERROR_SHAPE, "marginals: given %lld pixels, but %s has %lld",
                        (long long)n, name, (long long)size);
    const size_t bytes = (size_t)n * sizeof(float);
    float *value = malloc(bytes + 1);
    if (!value) return gan_fail(GAN_ERROR_MEMORY, "marginals: out of memory");
    for (int64_t i = 0; i < n; i++) {
        const double p = fmin(fmax(mean[i], 1e-7), 1 - 1e-7);
        value[i] = (float)(log(p) - log1p(-p));
    }
    gan_status status = gan_variable_write(store, bias, value, bytes);
    if (status == GAN_OK && average) status = gan_variable_write(store, average, value, bytes);
    free(value);
    return status;
}
