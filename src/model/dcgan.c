/* DCGAN (Radford et al. 2016): 4x4 stride-2 (transposed) convolutions, batch norm in G and D but
 * not in D's first and G's last layer. The smallest map is 4x4 for 32 and 64 pixels and 7x7 for 28.
 */
#include "graph/op.h"
#include "model/model.h"

/* The sizes of the maps: [0] is the image, each next is half of it, [levels] is the smallest. */
typedef struct pyramid {
    int levels;
    int64_t height[8], width[8];
} pyramid;

static bool halve(int64_t size) { return size > 7 && size % 2 == 0; }

static bool measure(pyramid *p, gan_scope *s, const gan_model_options *o) {
    *p = (pyramid){.height = {o->height}, .width = {o->width}};
    while (p->levels < 7 && halve(p->height[p->levels]) && halve(p->width[p->levels])) {
        p->height[p->levels + 1] = p->height[p->levels] / 2;
        p->width[p->levels + 1] = p->width[p->levels] / 2;
        p->levels++;
    }
    const int64_t h = p->height[p->levels], w = p->width[p->levels];
    if (p->levels && h >= 2 && w >= 2 && h <= 16 && w <= 16) return true;
    gan_graph_error(
        gan_scope_graph(s), GAN_ERROR_ARGUMENT,
        "dcgan: images of %lldx%lld pixels do not halve down to at most 16x16; expected sizes "
        "such as 28, 32, 64",
        (long long)o->height, (long long)o->width);
    return false;
}

static const gan_init weights = {GAN_INIT_NORMAL, 0, 0.02f};
static const gan_init gains = {GAN_INIT_NORMAL, 1, 0.02f};

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    pyramid p;
    if (!s || !z || !measure(&p, s, o)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, p.levels);
    const bool shifts = gan_scope_norm(s, "batch")->shifts; /* beside which biases do nothing */
    const gan_layer_options layer = {.weight = &weights, .no_bias = shifts};
    const gan_norm_options norm = {.gamma = &gains};
    int64_t channels = gan_features(o->generator_features, 64) << (p.levels - 1);
    const int64_t h = p.height[p.levels], w = p.width[p.levels];
    /* The first transposed convolution sees a 1x1 map: it is a product with z. */
    gan_scope *project = gan_scope_enter(s, "project");
    gan_node *x = gan_layer_linear(project, "linear", z, h * w * channels, &layer);
    x = gan_reshape(g, x, gan_shape4(-1, h, w, channels));
    x = gan_relu(g, gan_layer_norm(project, "norm", x, "batch", &norm));
    for (int i = p.levels - 1; i >= 0; i--) {
        gan_scope *block = gan_scope_enter(s, "up%d", p.levels - i);
        channels = i ? channels / 2 : o->channels;
        x = gan_noise_join(&noise, p.levels - i, gan_drop(s, x, o->generator_keep));
        x = gan_layer_conv2d_transpose(block, "conv", x, channels, 4, gan_window_same(2, 1),
                                       p.height[i], p.width[i], &layer);
        if (i) x = gan_relu(g, gan_layer_norm(block, "norm", x, "batch", &norm));
    }
    return gan_tanh(g, gan_cast(g, x, GAN_F32));
}

/* With spectral norm there is no batch norm, as in Miyato et al. 2018, and biases take its place.
 */
static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    pyramid p;
    if (!s || !x || !measure(&p, s, o)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const char *own = o->spectral_norm ? "none" : "batch";
    const gan_layer_options layer = {.weight = &weights,
                                     .no_bias = gan_scope_norm(s, own)->shifts,
                                     .spectral_norm = o->spectral_norm};
    const gan_norm_options norm = {.gamma = &gains};
    int64_t channels = gan_features(o->discriminator_features, 64);
    for (int i = 0; i < p.levels; i++, channels *= 2) {
        gan_scope *block = gan_scope_enter(s, "down%d", i + 1);
        x = gan_layer_conv2d(block, "conv", x, channels, 4, gan_window_same(2, 1), &layer);
        if (i) x = gan_layer_norm(block, "norm", x, own, &norm);
        x = gan_drop(s, gan_leaky_relu(g, x, GAN_LEAKY_SLOPE), o->discriminator_keep);
    }
    return x;
}

const gan_model gan_model_dcgan = {
    .name = "dcgan",
    .about = "DCGAN for 28, 32, 64 … pixels: 4x4 stride-2 convolutions, batch norm",
    .low = -1,
    .high = 1,
    .initial = {.height = 28,
                .width = 28,
                .channels = 1,
                .z_dim = 100,
                .generator_features = 64,
                .discriminator_features = 64},
    .generator = generator,
    .features = features,
    .output = {GAN_INIT_NORMAL, 0, 0.02f},
    .output_no_bias = true,
};
