/* The networks of Lucic et al. 2018 ("Are GANs created equal?", section 5), which are those of
 * InfoGAN (Chen et al. 2016, appendix C) with leaky rectifiers, for 28 and 32 pixels.
 */
#include "graph/op.h"
#include "model/model.h"

static const gan_init weights = {GAN_INIT_NORMAL, 0, 0.02f};

static bool check_size(gan_scope *s, const gan_model_options *o) {
    if (o->height > 0 && o->width > 0 && o->height % 4 == 0 && o->width % 4 == 0) return true;
    gan_graph_error(gan_scope_graph(s), GAN_ERROR_ARGUMENT,
                    "infogan-net: images of %lldx%lld pixels; expected multiples of 4, such as 28",
                    (long long)o->height, (long long)o->width);
    return false;
}

/* What follows a layer: its norm, the rectifier, and dropout where asked. */
static gan_node *finish(gan_scope *s, const char *name, gan_node *x, const char *norm,
                        double keep) {
    x = gan_layer_norm(s, name, x, norm, NULL);
    return gan_drop(s, gan_leaky_relu(gan_scope_graph(s), x, GAN_LEAKY_SLOPE), keep);
}

/* z -> 1024 -> (H/4, W/4, 128) -> (H/2, W/2, 64) -> pixels, sigmoid. `generator_features` is
 * the 64. */
static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    if (!s || !z || !check_size(s, o)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, 3);
    const gan_layer_options layer = {.weight = &weights,
                                     .no_bias = gan_scope_norm(s, "batch")->shifts},
                            last = {.weight = &weights};
    const int64_t f = gan_features(o->generator_features, 64), h = o->height / 4, w = o->width / 4;
    const double keep = o->generator_keep;
    const gan_window half = gan_window_same(2, 1);
    gan_node *x = gan_layer_linear(s, "linear1", z, 16 * f, &layer);
    x = gan_noise_join(&noise, 1, finish(s, "norm1", x, "batch", keep));
    x = gan_layer_linear(s, "linear2", x, h * w * 2 * f, &layer);
    x = gan_reshape(g, finish(s, "norm2", x, "batch", keep), gan_shape4(-1, h, w, 2 * f));
    x = gan_layer_conv2d_transpose(s, "up1", gan_noise_join(&noise, 2, x), f, 4, half, 2 * h, 2 * w,
                                   &layer);
    x = gan_noise_join(&noise, 3, finish(s, "norm3", x, "batch", keep));
    x = gan_layer_conv2d_transpose(s, "up2", x, o->channels, 4, half, 4 * h, 4 * w, &last);
    return gan_sigmoid(g, gan_cast(g, x, GAN_F32));
}

/* pixels -> (H/2, W/2, 64) -> (H/4, W/4, 128) -> 1024; with spectral norm there is no batch norm.
 */
static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    if (!s || !x || !check_size(s, o)) return NULL;
    const char *own = o->spectral_norm ? "none" : "batch";
    const gan_layer_options first = {.weight = &weights, .spectral_norm = o->spectral_norm},
                            layer = {.weight = &weights,
                                     .no_bias = gan_scope_norm(s, own)->shifts,
                                     .spectral_norm = o->spectral_norm};
    const int64_t f = gan_features(o->discriminator_features, 64);
    const double keep = o->discriminator_keep;
    const gan_window half = gan_window_same(2, 1);
    x = gan_layer_conv2d(s, "down1", x, f, 4, half, &first);
    x = gan_drop(s, gan_leaky_relu(gan_scope_graph(s), x, GAN_LEAKY_SLOPE), keep);
    x = gan_layer_conv2d(s, "down2", x, 2 * f, 4, half, &layer);
    x = gan_layer_linear(s, "linear", finish(s, "norm1", x, own, keep), 16 * f, &layer);
    return finish(s, "norm2", x, own, keep);
}

const gan_model gan_model_infogan = {
    .name = "infogan-net",
    .about = "the networks of 'Are GANs created equal?' for 28, 32 … pixels",
    .low = 0,
    .high = 1,
    .initial = {.height = 28, .width = 28, .channels = 1, .z_dim = 64},
    .generator = generator,
    .features = features,
    .output = {GAN_INIT_NORMAL, 0, 0.02f},
};
