/* G and D of residual blocks (Miyato et al. 2018, tables 3 to 6 of the appendix). A block of G:
 * norm, ReLU, upsampling, 3x3, norm, ReLU, 3x3; a block of D: ReLU, 3x3, ReLU, 3x3, mean pooling;
 * the short cut is a 1x1 convolution where size or channels change, else nothing. Pooling is part
 * of the convolution before it.
 */
#include "model/residual.h"

#include "graph/op.h"

/* ---- plans ---- */

enum { BLOCKS = 6 };

/* Channels as multiples of the network's width. G begins with channel[0] at the smallest map and
 * every block doubles it; D's first `downs` blocks halve it. */
typedef struct plan {
    int64_t pixels;
    int ups;
    int64_t g_width, g_channels[BLOCKS + 1]; /* the first: of the projected noise */
    int blocks, downs;
    int64_t d_width, d_channels[BLOCKS];
} plan;

/* Those that are published. */
static const plan plans[] = {
    {16, 2, 256, {1, 1, 1}, 4, 2, 128, {1, 1, 1, 1}},
    {28, 2, 256, {1, 1, 1}, 4, 2, 128, {1, 1, 1, 1}},
    {32, 3, 256, {1, 1, 1, 1}, 4, 2, 128, {1, 1, 1, 1}},
    {48, 3, 64, {8, 4, 2, 1}, 5, 4, 64, {1, 2, 4, 8, 16}},
    {64, 4, 64, {16, 8, 4, 2, 1}, 5, 5, 64, {1, 2, 4, 8, 16}},
    {128, 5, 64, {16, 16, 8, 4, 2, 1}, 6, 5, 64, {1, 2, 4, 8, 16, 16}},
};

/* Small images as the published plans have those of 48 pixels and more: what a map loses in size
 * its channels gain. */
static const plan tapering[] = {
    {16, 2, 64, {4, 2, 1}, 3, 2, 64, {1, 2, 4}},
    {28, 2, 64, {4, 2, 1}, 3, 2, 64, {1, 2, 4}},
    {32, 3, 64, {8, 4, 2, 1}, 4, 3, 64, {1, 2, 4, 8}},
};

static bool suits(const plan *p, const gan_model_options *o) {
    const int most = p->ups > p->downs ? p->ups : p->downs;
    return p->pixels == o->height && o->width > 0 && o->width % (1 << most) == 0;
}

/* The plan for images of this height; the width has to halve as often. */
static const plan *plan_of(gan_scope *s, const gan_model_options *o,
                           const gan_residual_style *style) {
    for (size_t i = 0; style->tapering && i < sizeof tapering / sizeof *tapering; i++)
        if (suits(&tapering[i], o)) return &tapering[i];
    for (size_t i = 0; i < sizeof plans / sizeof *plans; i++)
        if (suits(&plans[i], o)) return &plans[i];
    gan_graph_error(gan_scope_graph(s), GAN_ERROR_ARGUMENT,
                    "%s: images of %lldx%lld pixels; expected a height of 16, 28, 32, 48, 64 or "
                    "128 and a width that halves as often",
                    style->name, (long long)o->height, (long long)o->width);
    return NULL;
}

/* ---- layers ---- */

typedef enum resizing { SAME, UP, DOWN } resizing;

/* He's gain in the blocks' convolutions: U(±sqrt(2·6 / (fan_in + fan_out))). */
static gan_node *conv3x3(gan_scope *s, const char *name, gan_node *x, int64_t channels,
                         resizing change, bool bias, bool spectral) {
    const gan_shape in = gan_node_shape(x);
    if (!x) return NULL;
    gan_init init = gan_init_xavier(9 * in.dim[3], 9 * channels);
    const float gain = 1.41421356f;
    init.a *= gain, init.b *= gain;
    const gan_layer_options o = {.no_bias = !bias, .weight = &init, .spectral_norm = spectral};
    if (change == UP) return gan_layer_conv2d_up(s, name, x, channels, 3, &o);
    if (change == DOWN) return gan_layer_conv2d_down(s, name, x, channels, 3, &o);
    return gan_layer_conv2d(s, name, x, channels, 3, gan_window_same(1, 1), &o);
}

static gan_node *conv1x1(gan_scope *s, const char *name, gan_node *x, int64_t channels, bool bias,
                         bool spectral) {
    const gan_layer_options o = {.no_bias = !bias, .spectral_norm = spectral};
    return gan_layer_conv2d(s, name, x, channels, 1, gan_window_same(1, 0), &o);
}

/* Attention where it belongs: at maps of half the image's height, at most 32 (table 1: maps of
 * 32 do best for images of 128). */
static bool attends(int64_t height, const gan_model_options *o, const gan_residual_style *style) {
    return (style->attention || o->nonlocal) && height == (o->height / 2 < 32 ? o->height / 2 : 32);
}

static gan_node *attend(gan_scope *s, gan_node *x, const gan_model_options *o,
                        const gan_residual_style *style, bool spectral) {
    const gan_layer_options layer = {.spectral_norm = spectral};
    if (!x || !attends(gan_node_shape(x).dim[1], o, style)) return x;
    if (o->nonlocal) return gan_layer_nonlocal(s, "nonlocal", x, o->nonlocal, true, &layer);
    return gan_layer_attention(s, "attention", x, spectral);
}

/* ---- the generator ---- */

/* The short cut's convolution is 1x1, so it may come before the upsampling: the same numbers, a
 * quarter of the work. As everywhere, what is for a norm that shifts has no bias: batch norm would
 * take it out again, here also behind the next blocks' short cuts. `normed`: so it is with the
 * block's result. */
static gan_node *up_block(gan_scope *s, gan_node *x, int64_t channels, bool normed, bool spectral) {
    gan_graph *g = gan_scope_graph(s);
    const bool shifts = gan_scope_norm(s, "batch")->shifts, bias = !(shifts && normed);
    gan_node *h = gan_relu(g, gan_layer_norm(s, "norm1", x, "batch", NULL));
    h = conv3x3(s, "conv1", h, channels, UP, !shifts, spectral);
    h = gan_relu(g, gan_layer_norm(s, "norm2", h, "batch", NULL));
    h = conv3x3(s, "conv2", h, channels, SAME, bias, spectral);
    x = conv1x1(s, "shortcut", x, channels, bias, spectral);
    return gan_add(g, h, gan_upsample(g, x, 2));
}

gan_node *gan_residual_generator(gan_scope *s, gan_node *z, const gan_model_options *o,
                                 const gan_residual_style *style) {
    if (!s || !z) return NULL;
    const plan *p = plan_of(s, o, style);
    if (!p) return NULL;
    gan_graph *g = gan_scope_graph(s);
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, p->ups);
    const bool spectral = style->spectral_norm;
    const int64_t width = gan_features(o->generator_features, p->g_width);
    const int64_t h = o->height >> p->ups, w = o->width >> p->ups, first = width * p->g_channels[0];
    const gan_layer_options layer = {.spectral_norm = spectral};
    gan_node *x = gan_layer_linear(s, "project", z, h * w * first, &layer);
    x = gan_reshape(g, x, gan_shape4(-1, h, w, first));
    for (int i = 1; i <= p->ups; i++) {
        const bool normed = !attends(h << i, o, style) && o->generator_keep == 0;
        x = up_block(gan_scope_enter(s, "up%d", i), gan_noise_join(&noise, i, x),
                     width * p->g_channels[i], normed, spectral);
        x = attend(s, x, o, style, spectral);
        x = gan_drop(s, x, o->generator_keep);
    }
    x = gan_relu(g, gan_layer_norm(s, "norm", x, "batch", NULL));
    x = gan_layer_conv2d(s, "output", x, o->channels, 3, gan_window_same(1, 1), &layer);
    return gan_tanh(g, gan_cast(g, x, GAN_F32));
}

/* ---- the discriminator ---- */

/* D has no norm of its own. */
static gan_node *active(gan_scope *s, const char *name, gan_node *x) {
    return gan_relu(gan_scope_graph(s), gan_layer_norm(s, name, x, "none", NULL));
}

/* The first block sees the image: it has no ReLU before its first convolution, which also widens
 * it; in the others the second one does. The short cut's convolution pools, too: to pool first
 * would be a quarter of its work, and a pass over x each way. */
static gan_node *down_block(gan_scope *s, gan_node *x, int64_t channels, bool first, bool down,
                            bool spectral) {
    if (!x) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const int64_t before = gan_node_shape(x).dim[3];
    const bool same = !down && before == channels;
    const gan_layer_options o = {.spectral_norm = spectral};
    gan_node *h = conv3x3(s, "conv1", first ? x : active(s, "norm1", x), first ? channels : before,
                          SAME, true, spectral);
    h = conv3x3(s, "conv2", active(s, "norm2", h), channels, down ? DOWN : SAME, true, spectral);
    gan_node *short_cut = same   ? x
                          : down ? gan_layer_conv2d_down(s, "shortcut", x, channels, 1, &o)
                                 : conv1x1(s, "shortcut", x, channels, true, spectral);
    return gan_add(g, h, short_cut);
}

gan_node *gan_residual_features(gan_scope *s, gan_node *x, const gan_model_options *o,
                                const gan_residual_style *style) {
    if (!s || !x) return NULL;
    const plan *p = plan_of(s, o, style);
    if (!p) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const bool spectral = style->spectral_norm || o->spectral_norm;
    const int64_t width = gan_features(o->discriminator_features, p->d_width);
    for (int i = 0; i < p->blocks; i++) {
        x = down_block(gan_scope_enter(s, "down%d", i + 1), x, width * p->d_channels[i], i == 0,
                       i < p->downs, spectral);
        if (i < p->downs) x = attend(s, x, o, style, spectral);
        x = gan_drop(s, x, o->discriminator_keep);
    }
    x = gan_sum_axes(g, active(s, "norm", x), 1u << 1 | 1u << 2);
    return gan_reshape(g, x, gan_shape2(-1, width * p->d_channels[p->blocks - 1]));
}
