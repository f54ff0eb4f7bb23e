/* Batch normalisation (Ioffe and Szegedy 2015): moments of channels, and what is done with them.
 *
 * The moments are an operand of batch_norm, so that batch, running and virtual statistics are one
 * op, and the gradient through statistics is the sum of two rules: that of batch_norm and that of
 * moments. Where a batch is normalised by its own, the sum is one op: batch_norm_grad.
 */
#include "op/rules.h"

/* ---- views ---- */

/* x seen as rows of channels. With one group it keeps its shape, so that what follows fuses with
 * what comes before; else it is (groups, rows, C). Vectors of a group's channels broadcast against
 * it. */
typedef struct rows {
    gan_shape x, vector;
    uint32_t axes; /* over which a group's rows lie */
    double count;  /* rows in a group */
} rows;

static rows rows_of(gan_shape shape, int64_t groups) {
    const int last = shape.rank - 1;
    const int64_t channels = shape.dim[last];
    int64_t n = 1;
    for (int i = 0; i < last; i++) n *= shape.dim[i];
    rows r = {.count = (double)(n / groups)};
    if (groups == 1) {
        r.x = r.vector = shape;
        for (int i = 0; i < last; i++) r.vector.dim[i] = 1;
        r.axes = (1u << last) - 1;
    } else {
        r.x = gan_shape3(groups, n / groups, channels);
        r.vector = gan_shape3(groups, 1, channels);
        r.axes = 1u << 1;
    }
    return r;
}

static gan_node *view(gan_graph *g, gan_node *x, const rows *r) {
    return gan_reshape(g, gan_cast(g, x, GAN_F32), r->x);
}

enum { MEAN, VARIANCE };

/* One of the two vectors of (groups, 2, C). */
static gan_node *part(gan_graph *g, gan_node *pair, int which, const rows *r) {
    return pair ? gan_reshape(g, gan_slice(g, pair, 1, which, 1), r->vector) : NULL;
}

/* The same of an incoming gradient. Most are a pair that batch_norm's rule has just put together:
 * its halves are taken as they are, which saves three launches a layer. (Operands are never looked
 * through like that: a gradient may be asked for with respect to any of them.) */
static gan_node *gradient_part(gan_graph *g, gan_node *dy, int which, const rows *r) {
    const bool paired = dy && dy->op == GAN_OP_concat && dy->n_in == 2 &&
                        dy->attr.concat.axis == 1 && dy->in[0]->shape.dim[1] == 1;
    return paired ? gan_reshape(g, dy->in[which], r->vector) : part(g, dy, which, r);
}

static gan_node *pair_of(gan_graph *g, gan_node *first, gan_node *second, gan_shape pair) {
    const gan_shape half = gan_shape3(pair.dim[0], 1, pair.dim[2]);
    return gan_concat(g, 1, 2,
                      (gan_node *[]){gan_reshape(g, first, half), gan_reshape(g, second, half)});
}

/* 1/sqrt(variance + eps) of a node with x and its moments. */
static gan_node *inverse_deviation(gan_node *node, const rows *r) {
    gan_graph *g = node->graph;
    return gan_rsqrt(g, gan_shift(g, part(g, node->in[1], VARIANCE, r), node->attr.norm.eps));
}

static gan_node *centred(gan_node *node, const rows *r) {
    gan_graph *g = node->graph;
    return gan_sub(g, view(g, node->in[0], r), part(g, node->in[1], MEAN, r));
}

/* (x - mean)·a + beta with a = gamma/sqrt(variance + eps): as exact as dividing, one chain over x.
 */
static gan_node *normalised(gan_node *node, gan_node *gamma, gan_node *beta, const rows *r) {
    gan_graph *g = node->graph;
    gan_node *a = gan_mul(g, inverse_deviation(node, r), gamma);
    return gan_add(g, gan_mul(g, centred(node, r), a), beta);
}

/* dy (operand 2) before the activation's derivative. */
static gan_node *incoming(gan_node *node, const rows *r) {
    gan_graph *g = node->graph;
    const double slope = node->attr.norm.slope;
    gan_node *dy = view(g, node->in[2], r);
    if (slope == 1) return dy;
    gan_node *y = normalised(node, node->in[3], node->in[4], r);
    return gan_mul(g, dy, gan_pointwise(g, GAN_FN_leaky_step, y, NULL, slope));
}

/* ---- shape rules ---- */

/* x (..., C) falls into `groups` parts of equal rows. */
static bool check_rows(gan_node *node, int64_t groups) {
    const gan_shape x = node->in[0]->shape;
    if (!gan_check_float(node, 0, "x")) return false;
    if (x.rank < 1)
        return gan_node_error(node, GAN_ERROR_SHAPE, "x is a scalar; expected (..., channels)");
    int64_t n = 1;
    for (int i = 0; i + 1 < x.rank; i++) n *= x.dim[i];
    if (groups >= 1 && n % groups == 0) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%lld rows in %lld groups; expected equal groups",
                          (long long)n, (long long)groups);
}

static int64_t channels_of(const gan_node *node) {
    const gan_shape x = node->in[0]->shape;
    return x.dim[x.rank - 1];
}

bool gan_moments_infer(gan_node *node) {
    const int64_t groups = node->attr.moments.groups;
    if (!check_rows(node, groups)) return false;
    node->dtype = GAN_F32;
    node->shape = gan_shape3(groups, 2, channels_of(node));
    if (rows_of(node->in[0]->shape, groups).count > 0) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "of no rows; expected at least one a group");
}

/* Operand 1: moments (groups, 2, C). */
static bool check_moments(gan_node *node) {
    if (!gan_check_dtype(node, 1, "moments", GAN_F32) || !gan_check_rank(node, 1, "moments", 3))
        return false;
    const int64_t *m = node->in[1]->shape.dim;
    if (!check_rows(node, m[0])) return false;
    if (!(node->attr.norm.eps >= 0))
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "eps is %g; expected >= 0",
                              node->attr.norm.eps);
    if (m[1] == 2 && m[2] == channels_of(node)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "moments are %s; expected (groups,2,%lld)",
                          GAN_TEXT(node->in[1]), (long long)channels_of(node));
}

static bool check_vector(gan_node *node, int i, const char *name) {
    const gan_node *v = node->in[i];
    if (v->dtype == GAN_F32 && gan_shape_equal(v->shape, gan_shape1(channels_of(node))))
        return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s is %s; expected f32(%lld)", name, GAN_TEXT(v),
                          (long long)channels_of(node));
}

bool gan_batch_norm_infer(gan_node *node) {
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    return check_moments(node) && check_vector(node, 2, "gamma") && check_vector(node, 3, "beta");
}

/* (x, moments, dy, gamma, beta, …) */
static bool check_gradient(gan_node *node) {
    const gan_node *x = node->in[0], *dy = node->in[2];
    if (!check_moments(node) || !check_vector(node, 3, "gamma") || !check_vector(node, 4, "beta"))
        return false;
    if (dy->dtype == x->dtype && gan_shape_equal(dy->shape, x->shape)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "dy is %s; expected %s", GAN_TEXT(dy),
                          GAN_TEXT(x));
}

bool gan_batch_norm_sums_infer(gan_node *node) {
    node->dtype = GAN_F32;
    node->shape = node->in[1]->shape;
    return check_gradient(node);
}

bool gan_batch_norm_grad_infer(gan_node *node) {
    const gan_node *moments = node->in[1], *sums = node->in[5];
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    if (!check_gradient(node)) return false;
    if (sums->dtype == GAN_F32 && gan_shape_equal(sums->shape, moments->shape)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "sums are %s; expected %s", GAN_TEXT(sums),
                          GAN_TEXT(moments));
}

/* ---- moments ---- */

/* Two passes: the difference from the mean is taken before squaring, so nothing cancels. */
gan_node *gan_moments_expand(gan_node *node) {
    gan_graph *g = node->graph;
    const rows r = rows_of(node->in[0]->shape, node->attr.moments.groups);
    gan_node *x = view(g, node->in[0], &r);
    gan_node *mean = gan_mean_axes(g, x, r.axes);
    gan_node *variance = gan_mean_axes(g, gan_square(g, gan_sub(g, x, mean)), r.axes);
    return pair_of(g, mean, variance, node->shape);
}

/* dx = (d mean + 2·(x - mean)·d variance) / n */
void gan_moments_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_graph *g = node->graph;
    gan_node *x = node->in[0];
    const rows r = rows_of(x->shape, node->attr.moments.groups);
    if (!need[0]) return;
    gan_node *distance = gan_sub(g, view(g, x, &r), part(g, node, MEAN, &r));
    gan_node *slope = gan_scale(g, gradient_part(g, dy, VARIANCE, &r), 2.0 / r.count);
    gan_node *offset = gan_scale(g, gradient_part(g, dy, MEAN, &r), 1.0 / r.count);
    gan_node *sum = gan_add(g, gan_mul(g, distance, slope), offset);
    dx[0] = gan_cast(g, gan_reshape(g, sum, x->shape), x->dtype);
}

gan_node *gan_moments(gan_graph *g, gan_node *x, int64_t groups) {
    return gan_node_create(g, GAN_OP_moments, 1, &x, &(gan_attr){.moments = {groups}}, NULL);
}

/* ---- batch_norm ---- */

gan_node *gan_batch_norm_expand(gan_node *node) {
    gan_graph *g = node->graph;
    const gan_node *x = node->in[0];
    const rows r = rows_of(x->shape, node->in[1]->shape.dim[0]);
    gan_node *y = normalised(node, node->in[2], node->in[3], &r);
    return gan_cast(g, gan_reshape(g, y, x->shape), x->dtype);
}

/* A sum over the groups of one of the two vectors: (C). Both are summed up, as one sum. */
static gan_node *over_groups(gan_graph *g, gan_node *pair, int which) {
    if (!pair) return NULL;
    gan_node *sum = gan_slice(g, gan_sum_axes(g, pair, 1u << 0), 1, which, 1);
    return gan_reshape(g, sum, gan_shape1(pair->shape.dim[2]));
}

/* With s = 1/sqrt(variance + eps) and, of each group's rows, S0 = Σ dy and S1 = Σ dy·(x - mean)·s:
 * dx = dy·gamma·s, d mean = -gamma·s·S0, d variance = -gamma·s²·S1 / 2, d gamma = S1, d beta = S0.
 */
void gan_batch_norm_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_graph *g = node->graph;
    gan_node *x = node->in[0], *moments = node->in[1], *gamma = node->in[2], *beta = node->in[3];
    const bool own = node->attr.norm.own, summed = (own ? need[0] : need[1]) || need[2] || need[3];
    const rows r = rows_of(x->shape, moments->shape.dim[0]);
    gan_node *in[] = {x, moments, dy, gamma, beta, NULL}, *sums = NULL;
    if (summed) sums = in[5] = gan_node_create(g, GAN_OP_batch_norm_sums, 5, in, &node->attr, NULL);
    if (own && need[0]) {
        dx[0] = gan_node_create(g, GAN_OP_batch_norm_grad, 6, in, &node->attr, NULL);
    } else if (need[0] || need[1]) {
        gan_node *s = inverse_deviation(node, &r), *a = gan_mul(g, s, gamma);
        gan_node *product = gan_mul(g, view(g, dy, &r), a);
        if (need[0]) dx[0] = gan_cast(g, gan_reshape(g, product, x->shape), x->dtype);
        if (need[1] && !own) {
            gan_node *mean = gan_neg(g, gan_mul(g, a, part(g, sums, 0, &r)));
            gan_node *scaled = gan_mul(g, gan_mul(g, a, s), part(g, sums, 1, &r));
            dx[1] = pair_of(g, mean, gan_scale(g, scaled, -0.5), moments->shape);
        }
    }
    if (need[2]) dx[2] = over_groups(g, sums, 1);
    if (need[3]) dx[3] = over_groups(g, sums, 0);
}

gan_node *gan_batch_norm_sums_expand(gan_node *node) {
    gan_graph *g = node->graph;
    const rows r = rows_of(node->in[0]->shape, node->in[1]->shape.dim[0]);
    gan_node *dy = incoming(node, &r);
    gan_node *product = gan_mul(g, dy, gan_mul(g, centred(node, &r), inverse_deviation(node, &r)));
    return pair_of(g, gan_sum_axes(g, dy, r.axes), gan_sum_axes(g, product, r.axes), node->shape);
}

/* dx = gamma·s·(dy - S0/n - (x - mean)·s·S1/n): what the two rules add up to. */
gan_node *gan_batch_norm_grad_expand(gan_node *node) {
    gan_graph *g = node->graph;
    const gan_node *x = node->in[0];
    const rows r = rows_of(x->shape, node->in[1]->shape.dim[0]);
    gan_node *s = inverse_deviation(node, &r), *sums = node->in[5];
    gan_node *offset = gan_scale(g, part(g, sums, 0, &r), 1 / r.count);
    gan_node *slope = gan_mul(g, gan_scale(g, part(g, sums, 1, &r), 1 / r.count), s);
    gan_node *dy = gan_sub(g, incoming(node, &r), offset);
    gan_node *dx = gan_mul(g, gan_sub(g, dy, gan_mul(g, centred(node, &r), slope)),
                           gan_mul(g, s, node->in[3]));
    return gan_cast(g, gan_reshape(g, dx, x->shape), x->dtype);
}

static gan_node *create(gan_graph *g, gan_node *x, gan_node *moments, gan_node *gamma,
                        gan_node *beta, double eps, bool own) {
    const gan_shape channels = gan_shape1(x->shape.rank > 0 ? x->shape.dim[x->shape.rank - 1] : 1);
    if (!gamma) gamma = gan_constant(g, 1.0, channels);
    if (!beta) beta = gan_constant(g, 0.0, channels);
    const gan_attr attr = {.norm = {eps, 1, own}};
    return gan_node_create(g, GAN_OP_batch_norm, 4, (gan_node *[]){x, moments, gamma, beta}, &attr,
                           NULL);
}

gan_node *gan_batch_norm(gan_graph *g, gan_node *x, gan_node *moments, gan_node *gamma,
                         gan_node *beta, double eps) {
    if (!gan_check_given(g, "batch_norm", x)) return NULL;
    return create(g, x, moments, gamma, beta, eps, false);
}

gan_node *gan_batch_norm_training(gan_graph *g, gan_node *x, int64_t groups, gan_node *gamma,
                                  gan_node *beta, double eps, gan_node **moments) {
    if (moments) *moments = NULL;
    if (!gan_check_given(g, "batch_norm", x)) return NULL;
    gan_node *own = gan_moments(g, x, groups);
    if (moments) *moments = own;
    return own ? create(g, x, own, gamma, beta, eps, true) : NULL;
}
