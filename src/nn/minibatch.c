/* Layers that let a discriminator see how alike the examples of a batch are. Each group of the
 * batch is by itself, so that real and fake examples do not see each other; a reference batch is
 * one more.
 */
#include "graph/op.h"
#include "ganc/nn.h"

/* A statistic of (groups·n, …) rows, of every group by itself. */
typedef gan_node *(*statistic)(gan_graph *g, gan_node *x, int64_t groups, int64_t argument);

/* `f` of the reference rows and of the groups after them, one below the other. */
static gan_node *by_group(gan_scope *s, gan_node *x, statistic f, int64_t argument) {
    gan_graph *g = gan_scope_graph(s);
    const gan_scope_settings *settings = gan_scope_get(s);
    const int64_t m = gan_node_shape(x).dim[0], first = settings->reference;
    if (first < 0 || first >= m || (m - first) % settings->groups)
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "%s: %lld rows, %lld of a reference batch, in %d groups; expected "
                               "equal groups",
                               gan_scope_name(s), (long long)m, (long long)first, settings->groups);
    if (!first) return f(g, x, settings->groups, argument);
    gan_node *both[2] = {f(g, gan_slice(g, x, 0, 0, first), 1, argument),
                         f(g, gan_slice(g, x, 0, first, m - first), settings->groups, argument)};
    return gan_concat(g, 0, 2, both);
}

/* ---- minibatch discrimination ---- */

/* M (m,B,C) -> o (m,B), o_i = Σ_{j≠i} exp(-‖M_i - M_j‖₁); j = i adds exp(0), which is taken away.
 * `mean`: of the others in place of the sum; a row by itself has 0 in either. */
static gan_node *closeness(gan_graph *g, gan_node *x, int64_t groups, int64_t mean) {
    const gan_shape s = gan_node_shape(x);
    const int64_t n = s.dim[0] / groups, b = s.dim[1], c = s.dim[2];
    gan_node *row = gan_reshape(g, x, gan_shape_of(5, (int64_t[]){groups, n, 1, b, c}));
    gan_node *column = gan_reshape(g, x, gan_shape_of(5, (int64_t[]){groups, 1, n, b, c}));
    gan_node *distance = gan_sum_axes(g, gan_abs(g, gan_sub(g, row, column)), 1u << 4);
    gan_node *sum = gan_sum_axes(g, gan_exp(g, gan_neg(g, distance)), 1u << 2);
    sum = gan_shift(g, sum, -1);
    if (mean && n > 2) sum = gan_scale(g, sum, 1 / (double)(n - 1));
    return gan_reshape(g, sum, gan_shape2(s.dim[0], b));
}

gan_node *gan_layer_minibatch_discrimination(gan_scope *scope, const char *name, gan_node *x,
                                             int64_t kernels, int64_t dims, bool mean,
                                             const gan_layer_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_shape shape = gan_node_shape(x);
    if (kernels < 1 || dims < 1 || shape.rank < 2)
        return gan_graph_error(g, GAN_ERROR_ARGUMENT,
                               "%s: minibatch discrimination with %lld kernels of %lld dimensions; "
                               "expected at least one of either, and x (m,…)",
                               gan_scope_name(s), (long long)kernels, (long long)dims);
    const gan_init zero = gan_init_constant(0);
    gan_layer_options o = options ? *options : (gan_layer_options){0};
    const gan_init start = o.bias ? *o.bias : zero;
    const bool bias = !o.no_bias;
    o.no_bias = true;
    x = gan_reshape(g, gan_scope_activation(s, x),
                    gan_shape2(shape.dim[0], gan_shape_size(shape) / shape.dim[0]));
    gan_node *m = gan_layer_linear(s, "tensor", x, kernels * dims, &o);
    m = gan_reshape(g, gan_cast(g, m, GAN_F32), gan_shape3(shape.dim[0], kernels, dims));
    if (!m) return NULL;
    gan_node *close = by_group(s, m, closeness, mean);
    if (bias) close = gan_add(g, close, gan_scope_weight(s, "bias", gan_shape1(kernels), start));
    gan_node *both[2] = {x, gan_scope_activation(s, close)};
    return gan_concat(g, 1, 2, both);
}

/* ---- minibatch standard deviation ---- */

/* x (m,…) -> (m): of every feature the deviation over its group, the mean of them all. */
static gan_node *deviation(gan_graph *g, gan_node *x, int64_t groups, int64_t size) {
    const gan_shape s = gan_node_shape(x);
    const int64_t m = s.dim[0];
    if (size > 0 && size < m / groups) groups = m % size ? 0 : m / size;
    if (!groups)
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "minibatch deviation of %lld examples, %lld at a time; expected a "
                               "divisor",
                               (long long)m, (long long)size);
    const int64_t n = m / groups, features = gan_shape_size(s) / m;
    x = gan_reshape(g, x, gan_shape3(groups, n, features));
    gan_node *centred = gan_sub(g, x, gan_mean_axes(g, x, 1u << 1));
    gan_node *variance = gan_mean_axes(g, gan_square(g, centred), 1u << 1);
    gan_node *mean = gan_mean_axes(g, gan_sqrt(g, gan_shift(g, variance, 1e-8)), 1u << 2);
    return gan_reshape(g, gan_broadcast(g, mean, gan_shape3(groups, n, 1)), gan_shape1(m));
}

gan_node *gan_layer_minibatch_std(gan_scope *scope, gan_node *x, int64_t size) {
    if (!scope || !x) return NULL;
    gan_graph *g = gan_scope_graph(scope);
    gan_shape shape = gan_node_shape(x), one = shape;
    if (shape.rank < 2)
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "%s: minibatch deviation of %s; expected (m,…,C)",
                               gan_scope_name(scope),
                               gan_shape_text((char[GAN_SHAPE_TEXT]){0}, gan_node_dtype(x), shape));
    x = gan_scope_activation(scope, x);
    gan_node *d = by_group(scope, gan_cast(g, x, GAN_F32), deviation, size);
    for (int i = 1; i < one.rank; i++) one.dim[i] = 1;
    shape.dim[shape.rank - 1] = 1;
    d = gan_broadcast(g, gan_reshape(g, d, one), shape);
    gan_node *both[2] = {x, gan_scope_activation(scope, d)};
    return gan_concat(g, shape.rank - 1, 2, both);
}
