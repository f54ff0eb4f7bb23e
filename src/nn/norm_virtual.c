/* Virtual batch normalisation (Salimans et al. 2016, section 3.5): every example is normalised by
 * the statistics of a fixed reference batch and of itself, so that it does not depend on the
 * others.
 */
#include "graph/op.h"
#include "nn/norm.h"

/* The mean and variance of x over `axes`, which keep length 1. */
typedef struct statistics {
    gan_node *mean, *variance;
} statistics;

static statistics statistics_of(gan_graph *g, gan_node *x, uint32_t axes) {
    gan_node *mean = gan_mean_axes(g, x, axes);
    return (statistics){mean, gan_mean_axes(g, gan_square(g, gan_sub(g, x, mean)), axes)};
}

static gan_node *normalise(gan_graph *g, gan_node *x, statistics s, double eps) {
    return gan_mul(g, gan_sub(g, x, s.mean), gan_rsqrt(g, gan_shift(g, s.variance, eps)));
}

/* What evaluation has in place of a reference batch: its statistics and number of examples in the
 * last pass that updated statistics. */
typedef struct kept {
    gan_node *mean, *variance, *count;
} kept;

static kept kept_of(gan_scope *s, int64_t channels) {
    const gan_shape each = gan_shape1(channels);
    return (kept){
        gan_scope_statistic(s, "reference_mean", each, gan_init_constant(0)),
        gan_scope_statistic(s, "reference_variance", each, gan_init_constant(1)),
        gan_scope_statistic(s, "reference_count", gan_shape1(1), gan_init_constant(0)),
    };
}

/* The batch by [n/(n+1)] of the reference's and [1/(n+1)] of each example's moments; the variance
 * is that of the mixture, a·v + b·v' + a·b·(m - m')². */
static gan_node *by_both(gan_graph *g, gan_node *x, statistics reference, gan_node *n, double eps) {
    const uint32_t axes = ((1u << gan_node_shape(x).rank) - 2) &
                          ~(1u << (gan_node_shape(x).rank - 1)); /* an example's map */
    const statistics own = statistics_of(g, x, axes);
    gan_node *b = gan_reciprocal(g, gan_shift(g, n, 1)), *a = gan_mul(g, n, b);
    gan_node *apart = gan_sub(g, reference.mean, own.mean);
    const statistics s = {
        gan_add(g, gan_mul(g, reference.mean, a), gan_mul(g, own.mean, b)),
        gan_add(g, gan_add(g, gan_mul(g, reference.variance, a), gan_mul(g, own.variance, b)),
                gan_mul(g, gan_square(g, apart), gan_mul(g, a, b)))};
    return normalise(g, x, s, eps);
}

gan_node *gan_norm_virtual(gan_scope *s, gan_node *x, const gan_norm_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const gan_scope_settings *settings = gan_scope_get(s);
    const gan_shape shape = gan_node_shape(x);
    const int64_t c = gan_channels(x), n = settings->reference, m = shape.rank ? shape.dim[0] : 0;
    const double eps = o->eps > 0 ? o->eps : 1e-5;
    if (n < 0 || n >= m || (settings->training && n == 0))
        return gan_graph_error(g, GAN_ERROR_ARGUMENT,
                               "%s: virtual batch norm of %lld rows, %lld of them the reference "
                               "batch; expected at least one of either",
                               gan_scope_name(s), (long long)m, (long long)n);
    gan_node *y = gan_cast(g, x, GAN_F32);
    const kept k = kept_of(s, c);
    if (n == 0) {
        const statistics reference = {k.mean, k.variance};
        y = by_both(g, y, reference, k.count, eps);
        return gan_scope_activation(s, gan_norm_affine(s, y, o));
    }
    gan_node *first = gan_slice(g, y, 0, 0, n), *rest = gan_slice(g, y, 0, n, m - n);
    const uint32_t all_but_channels = (1u << (shape.rank - 1)) - 1;
    const statistics reference = statistics_of(g, first, all_but_channels);
    if (settings->training && settings->update_statistics) {
        gan_assign(g, k.mean, gan_reshape(g, reference.mean, gan_shape1(c)));
        gan_assign(g, k.variance, gan_reshape(g, reference.variance, gan_shape1(c)));
        gan_assign(g, k.count, gan_constant(g, (double)n, gan_shape1(1)));
    }
    gan_node *count = gan_constant(g, (double)n, gan_shape1(1));
    gan_node *both[2] = {normalise(g, first, reference, eps),
                         by_both(g, rest, reference, count, eps)};
    y = gan_norm_affine(s, gan_concat(g, 0, 2, both), o);
    return gan_scope_activation(s, y);
}
