/* Images completed from what is known of them: convolutions down, z joined to the smallest map,
 * transposed convolutions up with the maps of the way down beside them (Ronneberger et al. 2015;
 * Isola et al. 2017, section 3.2.1). D is DCGAN's. */
#include "graph/op.h"
#include "model/model.h"

static const gan_init weights = {GAN_INIT_NORMAL, 0, 0.02f};
enum { Z_MAPS = 8 };

static bool check(gan_scope *s, const gan_model_options *o, const gan_node *context) {
    gan_graph *g = gan_scope_graph(s);
    const bool sizes = o->height >= 8 && o->width >= 8 && o->height % 4 == 0 && o->width % 4 == 0;
    if (o->z_late)
        gan_graph_error(g, GAN_ERROR_ARGUMENT,
                        "completion: all of z enters in the middle, so z.late is 0; given %lld",
                        (long long)o->z_late);
    else if (!sizes)
        gan_graph_error(
            g, GAN_ERROR_ARGUMENT,
            "completion: images of %lldx%lld pixels; expected multiples of 4, 8 or more",
            (long long)o->height, (long long)o->width);
    else if (!context)
        gan_graph_error(g, GAN_ERROR_ARGUMENT,
                        "completion: makes images from what is known of them, but no context is "
                        "given");
    return sizes && context && !o->z_late;
}

static gan_node *finish(gan_scope *s, const char *name, gan_node *x, double keep) {
    x = gan_leaky_relu(gan_scope_graph(s), gan_layer_norm(s, name, x, "batch", NULL),
                       GAN_LEAKY_SLOPE);
    return gan_drop(s, x, keep);
}

static gan_node *beside(gan_graph *g, gan_node *a, gan_node *b) {
    return a && b ? gan_concat(g, 3, 2, (gan_node *[2]){a, b}) : NULL;
}

/* (H, W) -> (H/2, W/2, f) -> (H/4, W/4, 2f), 2f more, and z as maps; then back. */
static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    gan_node *context = s ? gan_scope_get(s)->context : NULL;
    if (!s || !z || !check(s, o, context)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_layer_options first = {.weight = &weights},
                            layer = {.weight = &weights,
                                     .no_bias = gan_scope_norm(s, "batch")->shifts};
    const int64_t f = gan_features(o->generator_features, 32), h = o->height / 4, w = o->width / 4;
    const double keep = o->generator_keep;
    const gan_window half = gan_window_same(2, 1), same = gan_window_same(1, 1);
    gan_node *x = gan_scope_activation(s, context);
    gan_node *down1 = gan_layer_conv2d(s, "down1", x, f, 4, half, &first);
    down1 = gan_leaky_relu(g, down1, GAN_LEAKY_SLOPE);
    gan_node *down2 = gan_layer_conv2d(s, "down2", down1, 2 * f, 4, half, &layer);
    down2 = finish(s, "norm1", down2, 0);
    gan_node *noise = gan_layer_linear(s, "noise", z, h * w * Z_MAPS, &first);
    noise = gan_reshape(g, noise, gan_shape4(-1, h, w, Z_MAPS));
    x = gan_layer_conv2d(s, "middle1", beside(g, down2, noise), 2 * f, 3, same, &layer);
    x = finish(s, "norm2", x, keep);
    x = gan_layer_conv2d(s, "middle2", x, 2 * f, 3, same, &layer);
    x = finish(s, "norm3", x, keep);
    x = gan_layer_conv2d_transpose(s, "up1", beside(g, x, down2), f, 4, half, 2 * h, 2 * w, &layer);
    x = finish(s, "norm4", x, keep);
    x = gan_layer_conv2d_transpose(s, "up2", beside(g, x, down1), o->channels, 4, half, 4 * h,
                                   4 * w, &first);
    return gan_tanh(g, gan_cast(g, x, GAN_F32));
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    return gan_model_dcgan.features(s, x, o);
}

const gan_model gan_model_completion = {
    .name = "completion",
    .about = "images completed from a part of them, for 28, 32, 64 … pixels",
    .low = -1,
    .high = 1,
    .initial = {.height = 28, .width = 28, .channels = 1, .z_dim = 32},
    .generator = generator,
    .features = features,
    .output = {GAN_INIT_NORMAL, 0, 0.02f},
    .output_no_bias = true,
    .completes = true,
};
