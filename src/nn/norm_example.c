/* Norms whose statistics are an example's own: the same in training and evaluation, whoever else is
 * in the batch. */
#include "graph/op.h"
#include "nn/norm.h"

/* (x - mean)/sqrt(variance + eps) over `axes`; two passes, so that nothing cancels. */
static gan_node *standardise(gan_graph *g, gan_node *x, uint32_t axes, double eps) {
    gan_node *centred = gan_sub(g, x, gan_mean_axes(g, x, axes));
    gan_node *variance = gan_mean_axes(g, gan_square(g, centred), axes);
    return gan_mul(g, centred, gan_rsqrt(g, gan_shift(g, variance, eps)));
}

static double eps_of(const gan_norm_options *o) { return o->eps > 0 ? o->eps : 1e-5; }

/* All axes but the batch's. */
static uint32_t axes_of(gan_shape shape) { return ((1u << shape.rank) - 1) & ~1u; }

gan_node *gan_norm_layer(gan_scope *s, gan_node *x, const gan_norm_options *o) {
    gan_graph *g = gan_scope_graph(s);
    gan_node *y = gan_cast(g, x, GAN_F32);
    y = standardise(g, y, axes_of(gan_node_shape(x)), eps_of(o));
    return gan_scope_activation(s, gan_norm_affine(s, y, o));
}

gan_node *gan_norm_instance(gan_scope *s, gan_node *x, const gan_norm_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const gan_shape shape = gan_node_shape(x);
    if (shape.rank < 3)
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "%s: instance norm of a layer without a map, where every value is "
                               "its own mean; expected (m,H,W,C), given %s",
                               gan_scope_name(s),
                               gan_shape_text((char[GAN_SHAPE_TEXT]){0}, gan_node_dtype(x), shape));
    gan_node *y = gan_cast(g, x, GAN_F32);
    y = standardise(g, y, axes_of(shape) & ~(1u << (shape.rank - 1)), eps_of(o));
    return gan_scope_activation(s, gan_norm_affine(s, y, o));
}

/* As many groups as divide the channels, at most 32, of two channels or more: of one it would be
 * instance norm. */
static int64_t groups_of(int64_t channels) {
    for (int64_t n = channels / 2 < 32 ? channels / 2 : 32; n > 1; n--)
        if (channels % n == 0) return n;
    return 1;
}

gan_node *gan_norm_group(gan_scope *s, gan_node *x, const gan_norm_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const gan_shape shape = gan_node_shape(x);
    const int64_t c = gan_channels(x), n = groups_of(c);
    if (shape.rank < 2 || (shape.rank == 2 && n == c))
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "%s: group norm of %lld values in %lld groups, where every value is "
                               "its own mean; expected a map or more channels",
                               gan_scope_name(s), (long long)c, (long long)n);
    int64_t pixels = 1;
    for (int i = 1; i + 1 < shape.rank; i++) pixels *= shape.dim[i];
    gan_node *y = gan_cast(g, x, GAN_F32);
    y = gan_reshape(g, y, gan_shape4(shape.dim[0], pixels, n, c / n));
    y = gan_reshape(g, standardise(g, y, 1u << 1 | 1u << 3, eps_of(o)), shape);
    return gan_scope_activation(s, gan_norm_affine(s, y, o));
}

/* x / sqrt(mean of x² over the channels + eps); nothing is learnt. */
gan_node *gan_norm_pixel(gan_scope *s, gan_node *x, const gan_norm_options *o) {
    gan_graph *g = gan_scope_graph(s);
    gan_node *y = gan_cast(g, x, GAN_F32);
    const uint32_t last = 1u << (gan_node_shape(x).rank - 1);
    gan_node *square = gan_mean_axes(g, gan_square(g, y), last);
    y = gan_mul(g, y, gan_rsqrt(g, gan_shift(g, square, o->eps > 0 ? o->eps : 1e-8)));
    return gan_scope_activation(s, y);
}
