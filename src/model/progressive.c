/* Progressive growing (Karras et al. 2018, table 2): level 1 makes the smallest map, every further
 * level doubles it. All levels' weights are there from the start; what lies above the level in play
 * is declared, by a pass whose values nobody takes, and not computed.
 */
#include <math.h>

#include "graph/op.h"
#include "model/model.h"

enum { MOST_CHANNELS = 512, MOST_LEVELS = 12 };

/* ---- the plan ---- */

typedef struct plan {
    int levels, level; /* level: in play, 1 … levels */
    int64_t height[MOST_LEVELS + 1], width[MOST_LEVELS + 1];
    int64_t channels[MOST_LEVELS + 1];
} plan;

static bool halves(int64_t size) { return size > 7 && size % 2 == 0; }

static int levels_of(const gan_model_options *o) {
    int64_t h = o->height, w = o->width;
    int levels = 1;
    for (; levels < MOST_LEVELS && halves(h) && halves(w); levels++) h /= 2, w /= 2;
    return levels;
}

/* Channels double with every level down, to at most 512; `features` are those of the last. */
static bool measure(plan *p, gan_scope *s, const gan_model_options *o, int64_t features) {
    *p = (plan){.levels = levels_of(o)};
    p->level = o->level ? o->level : p->levels;
    if (o->height < 2 || o->width < 2 || o->level < 0 || p->level > p->levels) {
        gan_graph_error(gan_scope_graph(s), GAN_ERROR_ARGUMENT,
                        "progressive: level %d of images of %lldx%lld pixels; expected 1 to %d",
                        o->level, (long long)o->height, (long long)o->width, p->levels);
        return false;
    }
    const int64_t own = 16384 / (o->height > 32 ? o->height : 32);
    for (int i = p->levels; i > 0; i--) {
        const int64_t c = gan_features(features, own > 0 ? own : 1) << (p->levels - i);
        p->channels[i] = c < MOST_CHANNELS || features > MOST_CHANNELS ? c : MOST_CHANNELS;
        p->height[i] = o->height >> (p->levels - i);
        p->width[i] = o->width >> (p->levels - i);
    }
    return true;
}

/* The same variables in a pass without effects, for what is declared only. */
static gan_scope *quiet(gan_scope *s) {
    gan_scope_settings settings = *gan_scope_get(s);
    settings.training = settings.update_statistics = false;
    settings.reference = 0;
    return gan_scope_create(gan_scope_graph(s), gan_scope_name(s), &settings);
}

/* alpha·new + (1 - alpha)·old. */
static gan_node *fade(gan_scope *s, gan_node *old, gan_node *new, gan_node *alpha) {
    gan_graph *g = gan_scope_graph(s);
    gan_node *a = gan_cast(g, old, GAN_F32), *b = gan_cast(g, new, GAN_F32);
    return gan_add(g, a, gan_mul(g, gan_sub(g, b, a), alpha));
}

static gan_node *halved(gan_graph *g, gan_node *x) {
    return gan_average_pool(g, x, 2, 2, gan_window_same(2, 0));
}

/* ---- layers ---- */

/* Equalised learning rate, or spectral norm in its place. */
static gan_layer_options layer_of(double gain, bool spectral, gan_init *init, int64_t fan_in) {
    *init = gan_init_normal(0, gain / sqrt((double)fan_in));
    return (gan_layer_options){
        .equalized = spectral ? 0 : gain, .spectral_norm = spectral, .weight = init};
}

static gan_node *conv(gan_scope *s, const char *name, gan_node *x, int64_t channels, int size,
                      double gain, bool spectral) {
    if (!x) return NULL;
    gan_init init;
    const gan_layer_options o =
        layer_of(gain, spectral, &init, gan_node_shape(x).dim[3] * size * size);
    return gan_layer_conv2d(s, name, x, channels, size, gan_window_same(1, size / 2), &o);
}

/* Upsampling, then a convolution. */
static gan_node *up_conv(gan_scope *s, const char *name, gan_node *x, int64_t channels) {
    if (!x) return NULL;
    gan_init init;
    const gan_layer_options o = layer_of(sqrt(2), false, &init, gan_node_shape(x).dim[3] * 3 * 3);
    return gan_layer_conv2d_up(s, name, x, channels, 3, &o);
}

static gan_node *leaky(gan_scope *s, gan_node *x) {
    return gan_leaky_relu(gan_scope_graph(s), x, GAN_LEAKY_SLOPE);
}

/* ---- the generator ---- */

static gan_node *first_block(gan_scope *s, gan_node *z, const plan *p) {
    gan_graph *g = gan_scope_graph(s);
    const int64_t c = p->channels[1];
    gan_init init;
    const gan_layer_options o = layer_of(sqrt(2) / 4, false, &init,
                                         gan_node_shape(z).dim[1]); /* as in its published code */
    const gan_scope_settings none = {.norm = gan_norm_find("pixel")};
    z = gan_layer_norm(gan_scope_create(g, gan_scope_name(s), &none), "latent", z, "pixel", NULL);
    gan_node *x = gan_layer_linear(s, "project", z, p->height[1] * p->width[1] * c, &o);
    x = leaky(s, gan_reshape(g, x, gan_shape4(-1, p->height[1], p->width[1], c)));
    x = gan_layer_norm(s, "norm1", x, "pixel", NULL);
    return gan_layer_norm(s, "norm2", leaky(s, conv(s, "conv", x, c, 3, sqrt(2), false)), "pixel",
                          NULL);
}

static gan_node *up_block(gan_scope *s, gan_node *x, int64_t channels) {
    x = leaky(s, up_conv(s, "conv1", x, channels));
    x = gan_layer_norm(s, "norm1", x, "pixel", NULL);
    x = leaky(s, conv(s, "conv2", x, channels, 3, sqrt(2), false));
    return gan_layer_norm(s, "norm2", x, "pixel", NULL);
}

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    plan p;
    if (!s || !z || !measure(&p, s, o, o->generator_features)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    gan_scope *declared = quiet(s);
    gan_noise noise;
    z = gan_noise_split(&noise, s, z, o, p.levels - 1);
    gan_node *x = NULL, *made = NULL, *before = NULL;
    for (int i = 1; i <= p.levels && (i == 1 ? z : x); i++) {
        gan_scope *block = gan_scope_enter(i <= p.level ? s : declared, "level%d", i);
        x = i == 1 ? first_block(block, z, &p)
                   : up_block(block, gan_noise_join(&noise, i - 1, x), p.channels[i]);
        x = gan_drop(block, x, o->generator_keep);
        const bool old = i == p.level - 1 && o->alpha;
        gan_scope *out = gan_scope_enter(i == p.level || old ? s : declared, "level%d", i);
        gan_node *image = conv(out, "to_rgb", x, o->channels, 1, 1, false);
        image = gan_cast(g, image, GAN_F32);
        if (old) before = gan_upsample(g, image, 2);
        if (i == p.level) made = image;
    }
    return before ? fade(s, before, made, o->alpha) : made;
}

/* ---- the discriminator ---- */

static gan_node *from_rgb(gan_scope *s, gan_node *x, int64_t channels, bool spectral) {
    return leaky(s, conv(s, "from_rgb", x, channels, 1, sqrt(2), spectral));
}

static gan_node *down_block(gan_scope *s, gan_node *x, const plan *p, int i, bool spectral) {
    x = conv(s, "conv1", x, p->channels[i], 3, sqrt(2), spectral);
    x = leaky(s, gan_layer_norm(s, "norm1", x, "none", NULL));
    x = conv(s, "conv2", x, p->channels[i - 1], 3, sqrt(2), spectral);
    x = leaky(s, gan_layer_norm(s, "norm2", x, "none", NULL));
    return halved(gan_scope_graph(s), x);
}

/* Deviations of four examples at a time, where a batch falls into such. */
static gan_node *last_block(gan_scope *s, gan_node *x, const plan *p, bool spectral) {
    const gan_scope_settings *settings = gan_scope_get(s);
    if (!x) return NULL;
    const int64_t reference = settings->reference, m = gan_node_shape(x).dim[0] - reference;
    const bool fours = m % (4 * settings->groups) == 0 && reference % 4 == 0;
    x = gan_layer_minibatch_std(s, x, fours ? 4 : 0);
    x = conv(s, "conv", x, p->channels[1], 3, sqrt(2), spectral);
    x = leaky(s, gan_layer_norm(s, "norm", x, "none", NULL));
    gan_init init;
    const gan_layer_options o =
        layer_of(sqrt(2), spectral, &init, p->height[1] * p->width[1] * p->channels[1]);
    return leaky(s, gan_layer_linear(s, "linear", x, p->channels[1], &o));
}

/* From the image at each level that is not in play, all zeros: declares its weights. */
static gan_node *blank(gan_scope *s, const plan *p, int i, int64_t channels) {
    return gan_constant(gan_scope_graph(s), 0, gan_shape4(1, p->height[i], p->width[i], channels));
}

static gan_node *features(gan_scope *s, gan_node *image, const gan_model_options *o) {
    plan p;
    if (!s || !image || !measure(&p, s, o, o->discriminator_features)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const bool spectral = o->spectral_norm;
    gan_scope *declared = quiet(s);
    gan_node *x = NULL;
    for (int i = p.levels; i > 0; i--) {
        const bool old = i == p.level - 1 && o->alpha, in_play = i == p.level || old;
        gan_scope *block = gan_scope_enter(i <= p.level ? s : declared, "level%d", i);
        gan_scope *in = gan_scope_enter(in_play ? s : declared, "level%d", i);
        gan_node *seen = i == p.level ? image
                         : old        ? halved(g, image)
                                      : blank(s, &p, i, o->channels);
        gan_node *entry = from_rgb(in, seen, p.channels[i], spectral);
        if (i == p.level) x = entry;
        if (old) x = gan_scope_activation(s, fade(s, entry, x, o->alpha));
        if (i > p.level)
            down_block(block, entry, &p, i, spectral);
        else if (i > 1)
            x = gan_drop(s, down_block(block, x, &p, i, spectral), o->discriminator_keep);
        else
            x = last_block(block, x, &p, spectral);
    }
    return gan_drop(s, x, o->discriminator_keep);
}

const gan_model gan_model_progressive = {
    .name = "progressive",
    .about = "progressive growing: pixel norm, equalised learning rate, minibatch deviation",
    .low = -1,
    .high = 1,
    .linear = true,
    .initial = {.height = 32, .width = 32, .channels = 3, .z_dim = 512},
    .generator = generator,
    .features = features,
    .output_equalized = 1,
    .levels = levels_of,
};

gan_node *gan_progressive_real(gan_graph *g, gan_node *x, const gan_model_options *o) {
    const int levels = levels_of(o), level = o->level ? o->level : levels;
    for (int i = levels; i > level; i--) x = halved(g, x);
    if (!o->alpha || level < 2) return x;
    gan_node *coarse = gan_upsample(g, halved(g, x), 2);
    return gan_add(g, coarse, gan_mul(g, gan_sub(g, x, coarse), o->alpha));
}
