/* The convolutional networks of Miyato et al. 2018 (appendix B.4, table 3), for sizes that divide
 * by 8: 32 and 48 in the paper. D has no batch norm; spectral norm is an option.
 */
#include "graph/op.h"
#include "model/model.h"

enum { UPS = 3 };
#define SLOPE 0.1

static const gan_init weights = {GAN_INIT_NORMAL, 0, 0.02f};

static bool check_size(gan_scope *s, const gan_model_options *o) {
    if (o->height > 0 && o->width > 0 && o->height % 8 == 0 && o->width % 8 == 0) return true;
    gan_graph_error(gan_scope_graph(s), GAN_ERROR_ARGUMENT,
                    "sngan: images of %lldx%lld pixels; expected multiples of 8, such as 32 or 48",
                    (long long)o->height, (long long)o->width);
    return false;
}

/* z -> (H/8, W/8, 8f) -> 4f -> 2f -> f by 4x4 stride 2, then 3x3. */
static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    if (!s || !z || !check_size(s, o)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, UPS + 1);
    const bool shifts = gan_scope_norm(s, "batch")->shifts;
    const gan_layer_options layer = {.weight = &weights, .no_bias = shifts},
                            last = {.weight = &weights};
    int64_t channels = gan_features(o->generator_features, 64) << UPS;
    int64_t h = o->height >> UPS, w = o->width >> UPS;
    gan_scope *project = gan_scope_enter(s, "project");
    gan_node *x = gan_layer_linear(project, "linear", z, h * w * channels, &layer);
    x = gan_relu(g, gan_layer_norm(project, "norm", x, "batch", NULL));
    x = gan_reshape(g, x, gan_shape4(-1, h, w, channels));
    for (int i = 1; i <= UPS; i++) {
        gan_scope *block = gan_scope_enter(s, "up%d", i);
        h *= 2, w *= 2, channels /= 2;
        x = gan_layer_conv2d_transpose(block, "conv", gan_noise_join(&noise, i, x), channels, 4,
                                       gan_window_same(2, 1), h, w, &layer);
        x = gan_relu(g, gan_layer_norm(block, "norm", x, "batch", NULL));
        x = gan_drop(s, x, o->generator_keep);
    }
    x = gan_layer_conv2d(s, "output", gan_noise_join(&noise, UPS + 1, x), o->channels, 3,
                         gan_window_same(1, 1), &last);
    return gan_tanh(g, gan_cast(g, x, GAN_F32));
}

/* Pairs of 3x3 and 4x4 stride 2 at f, 2f and 4f channels, then 3x3 at 8f. */
static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    if (!s || !x || !check_size(s, o)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_layer_options layer = {.weight = &weights,
                                     .no_bias = gan_scope_norm(s, "none")->shifts,
                                     .spectral_norm = o->spectral_norm};
    int64_t channels = gan_features(o->discriminator_features, 64);
    for (int i = 1; i <= 2 * UPS + 1; i++) {
        gan_scope *block = gan_scope_enter(s, "conv%d", i);
        const bool down = i % 2 == 0;
        x = gan_layer_conv2d(block, "conv", x, channels, down ? 4 : 3,
                             gan_window_same(down ? 2 : 1, 1), &layer);
        if (i > 1) x = gan_layer_norm(block, "norm", x, "none", NULL);
        x = gan_drop(s, gan_leaky_relu(g, x, SLOPE), o->discriminator_keep);
        if (down) channels *= 2;
    }
    return x;
}

const gan_model gan_model_sngan = {
    .name = "sngan",
    .about = "SN-GAN's convolutional networks for 32, 48 … pixels; D without batch norm",
    .low = -1,
    .high = 1,
    .initial = {.height = 32, .width = 32, .channels = 3, .z_dim = 128},
    .generator = generator,
    .features = features,
    .output = {GAN_INIT_NORMAL, 0, 0.02f},
};
