/* Non-local layers (Wang et al. 2018) and self-attention (Zhang et al. 2019): every place of a map
 * gets a mean over all places, weighted by a function of pairs.
 */
#include <string.h>

#include "graph/op.h"
#include "ganc/nn.h"

gan_node *gan_softmax(gan_graph *g, gan_node *x) {
    if (!x) return NULL;
    const int rank = gan_node_shape(x).rank;
    if (rank < 1)
        return gan_graph_error(g, GAN_ERROR_SHAPE, "softmax of a scalar; expected (…, n)");
    const uint32_t last = 1u << (rank - 1);
    gan_node *y = gan_cast(g, x, GAN_F32);
    y = gan_exp(g, gan_sub(g, y, gan_stop_gradient(g, gan_max_axes(g, y, last))));
    return gan_div(g, y, gan_sum_axes(g, y, last));
}

/* ---- functions of pairs: theta (m,N,K) and phi (m,M,K) -> weights (m,N,M), f32 ---- */

static gan_node *products(gan_scope *s, gan_node *theta, gan_node *phi) {
    gan_graph *g = gan_scope_graph(s);
    return gan_cast(g, gan_scope_product(s, gan_matmul(g, theta, phi, false, true)), GAN_F32);
}

static gan_node *softmax_of_products(gan_scope *s, gan_node *theta, gan_node *phi) {
    return gan_softmax(gan_scope_graph(s), products(s, theta, phi));
}

/* Divided by the number of places, so that the gradient does not grow with the map. */
static gan_node *mean_of(gan_scope *s, gan_node *f) {
    return f ? gan_scale(gan_scope_graph(s), f, 1 / (double)gan_node_shape(f).dim[2]) : NULL;
}

static gan_node *products_of(gan_scope *s, gan_node *theta, gan_node *phi) {
    return mean_of(s, products(s, theta, phi));
}

/* x (m,N,K) -> w·x (m,N). */
static gan_node *projected(gan_scope *s, const char *name, gan_node *x, int64_t k) {
    const gan_shape shape = gan_node_shape(x);
    gan_graph *g = gan_scope_graph(s);
    gan_node *rows = gan_reshape(g, x, gan_shape2(-1, k));
    const gan_layer_options o = {.no_bias = true};
    gan_node *y = gan_cast(g, gan_layer_linear(s, name, rows, 1, &o), GAN_F32);
    return gan_reshape(g, y, gan_shape2(shape.dim[0], shape.dim[1]));
}

/* relu(w·[theta, phi]): w falls into a part for either. */
static gan_node *concatenations(gan_scope *s, gan_node *theta, gan_node *phi) {
    gan_graph *g = gan_scope_graph(s);
    const gan_shape t = gan_node_shape(theta), p = gan_node_shape(phi);
    gan_node *a = projected(s, "pair_theta", theta, t.dim[2]);
    gan_node *b = projected(s, "pair_phi", phi, p.dim[2]);
    gan_node *sum = gan_add(g, gan_reshape(g, a, gan_shape3(t.dim[0], t.dim[1], 1)),
                            gan_reshape(g, b, gan_shape3(p.dim[0], 1, p.dim[1])));
    return mean_of(s, gan_relu(g, sum));
}

static const gan_pairwise table[] = {
    {"gaussian", "softmax of x·x'", false, softmax_of_products},
    {"embedded-gaussian", "softmax of theta·phi", true, softmax_of_products},
    {"dot-product", "theta·phi over the number of places", true, products_of},
    {"concatenation", "relu(w·[theta, phi]) over the number of places", true, concatenations},
};

size_t gan_pairwise_count(void) { return sizeof table / sizeof *table; }

const gan_pairwise *gan_pairwise_at(size_t index) {
    return index < gan_pairwise_count() ? &table[index] : NULL;
}

const gan_pairwise *gan_pairwise_find(const char *name) {
    for (size_t i = 0; i < gan_pairwise_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

/* ---- the block ---- */

typedef struct block {
    const gan_pairwise *pairs;
    int64_t keys, values; /* channels of theta and phi, and of what is averaged */
    bool pool;            /* halve phi and the values first */
    gan_layer_options layer, last;
} block;

static gan_node *conv1x1(gan_scope *s, const char *name, gan_node *x, int64_t channels,
                         const gan_layer_options *o) {
    return gan_layer_conv2d(s, name, x, channels, 1, gan_window_same(1, 0), o);
}

/* A map (m,H,W,C) as places (m,H·W,C), halved where asked. */
static gan_node *places(gan_graph *g, gan_node *map, bool pool) {
    if (pool) map = gan_max_pool(g, map, 2, 2, gan_window_same(2, 0));
    const gan_shape s = gan_node_shape(map);
    return gan_reshape(g, map, gan_shape3(s.dim[0], s.dim[1] * s.dim[2], s.dim[3]));
}

/* What is added to x, before its factor. */
static gan_node *mean_over_places(gan_scope *s, gan_node *x, const block *b) {
    gan_graph *g = gan_scope_graph(s);
    const gan_shape shape = gan_node_shape(x);
    if (shape.rank != 4)
        return gan_graph_error(g, GAN_ERROR_SHAPE, "%s: expected a map (m,H,W,C), given %s",
                               gan_scope_name(s),
                               gan_shape_text((char[GAN_SHAPE_TEXT]){0}, gan_node_dtype(x), shape));
    const bool pool = b->pool && shape.dim[1] % 2 == 0 && shape.dim[2] % 2 == 0;
    x = gan_scope_activation(s, x);
    gan_node *theta = x, *phi = x;
    if (b->pairs->embeds) {
        theta = conv1x1(s, "theta", x, b->keys, &b->layer);
        phi = conv1x1(s, "phi", x, b->keys, &b->layer);
    }
    gan_node *value = places(g, conv1x1(s, "g", x, b->values, &b->layer), pool);
    gan_node *f = b->pairs->weights(s, places(g, theta, false), places(g, phi, pool));
    gan_node *y = gan_matmul(g, gan_scope_activation(s, f), value, false, false);
    y = gan_reshape(g, gan_scope_product(s, y),
                    gan_shape4(shape.dim[0], shape.dim[1], shape.dim[2], b->values));
    return conv1x1(s, "output", y, shape.dim[3], &b->last);
}

static int64_t share(int64_t channels, int64_t part) {
    return channels > part ? channels / part : 1;
}

gan_node *gan_layer_nonlocal(gan_scope *scope, const char *name, gan_node *x,
                             const gan_pairwise *pairs, bool pool,
                             const gan_layer_options *options) {
    static const gan_init zero = {GAN_INIT_CONSTANT, 0, 0};
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_shape shape = gan_node_shape(x);
    const int64_t half = share(shape.dim[shape.rank - 1], 2);
    block b = {.pairs = pairs, .keys = half, .values = half, .pool = pool};
    if (options) b.layer = *options;
    b.last = b.layer;
    b.last.weight = &zero; /* the block starts as the identity */
    b.last.spectral_norm = false;
    return gan_add(g, gan_scope_activation(s, x), mean_over_places(s, x, &b));
}

gan_node *gan_layer_attention(gan_scope *scope, const char *name, gan_node *x, bool spectral_norm) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_shape shape = gan_node_shape(x);
    const int64_t c = shape.dim[shape.rank - 1];
    const gan_layer_options layer = {.no_bias = true, .spectral_norm = spectral_norm};
    const block b = {.pairs = gan_pairwise_find("embedded-gaussian"),
                     .keys = share(c, 8),
                     .values = share(c, 2),
                     .pool = true,
                     .layer = layer,
                     .last = layer};
    gan_node *gamma = gan_scope_weight(s, "factor", gan_shape1(1), gan_init_constant(0));
    gan_node *y = gan_cast(g, mean_over_places(s, x, &b), GAN_F32);
    return gan_scope_activation(s, gan_add(g, gan_cast(g, x, GAN_F32), gan_mul(g, y, gamma)));
}
