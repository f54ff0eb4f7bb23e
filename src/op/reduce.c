/* Sums and maxima over axes, and their adjoint, the broadcast. */
#include "op/rules.h"

/* ---- rules ---- */

bool gan_reduce_infer(gan_node *node) {
    const gan_node *x = node->in[0];
    const uint32_t all = (1u << x->shape.rank) - 1;
    if (!gan_check_float(node, 0, "x")) return false;
    if (node->attr.reduce.axes == GAN_ALL_AXES) node->attr.reduce.axes = all;
    const uint32_t axes = node->attr.reduce.axes;
    if (axes & ~all)
        return gan_node_error(node, GAN_ERROR_ARGUMENT,
                              "axes %#x; expected axes of a shape with %d", axes, x->shape.rank);
    node->attr.reduce.in_shape = node->shape = x->shape;
    for (int i = 0; i < x->shape.rank; i++)
        if (axes >> i & 1) node->shape.dim[i] = 1;
    if (node->op == GAN_OP_max && gan_shape_size(x->shape) == 0 && gan_shape_size(node->shape) > 0)
        return gan_node_error(node, GAN_ERROR_SHAPE, "of no elements; expected at least one");
    node->dtype = node->op == GAN_OP_sum ? GAN_F32 : x->dtype;
    return true;
}

void gan_sum_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_graph *g = node->graph;
    const gan_node *x = node->in[0];
    if (need[0]) dx[0] = gan_broadcast(g, gan_cast(g, dy, x->dtype), x->shape);
}

/* The maxima of a row share its gradient equally, as the symmetric subgradient. */
void gan_max_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_graph *g = node->graph;
    gan_node *x = node->in[0];
    if (!need[0]) return;
    gan_node *hit = gan_equal(g, x, node);
    gan_node *count = gan_cast(g, gan_sum_axes(g, hit, node->attr.reduce.axes), x->dtype);
    dx[0] = gan_mul(g, hit, gan_div(g, dy, count));
}

static bool broadcasts(gan_shape from, gan_shape to) {
    bool fits = from.rank == to.rank;
    for (int i = 0; fits && i < to.rank; i++)
        fits = from.dim[i] == to.dim[i] || (from.dim[i] == 1 && to.dim[i] >= 0);
    return fits;
}

bool gan_broadcast_infer(gan_node *node) {
    const gan_shape to = node->attr.target.shape;
    if (!gan_check_float(node, 0, "x") || !gan_check_shape(node, to)) return false;
    node->dtype = node->in[0]->dtype;
    node->shape = to;
    if (broadcasts(node->in[0]->shape, to)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "to %s; expected each axis equal or 1 before",
                          GAN_TEXT(node));
}

void gan_broadcast_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_graph *g = node->graph;
    const gan_shape from = node->in[0]->shape;
    uint32_t axes = 0;
    for (int i = 0; i < from.rank; i++)
        if (from.dim[i] != node->shape.dim[i]) axes |= 1u << i;
    if (need[0]) dx[0] = gan_cast(g, gan_sum_axes(g, dy, axes), node->dtype);
}

/* ---- builders ---- */

/* Whether nothing is reduced: every axis asked for has length 1. */
static bool reduces_nothing(const gan_node *x, uint32_t axes) {
    if (axes != GAN_ALL_AXES && axes >> x->shape.rank) return false; /* for infer to refuse */
    for (int i = 0; i < x->shape.rank; i++)
        if (axes >> i & 1 && x->shape.dim[i] != 1) return false;
    return gan_is_float(x->dtype);
}

static gan_node *reduce(gan_graph *g, gan_op_id op, gan_node *x, uint32_t axes) {
    return gan_node_create(g, op, 1, &x, &(gan_attr){.reduce = {.axes = axes}}, NULL);
}

gan_node *gan_sum_axes(gan_graph *g, gan_node *x, uint32_t axes) {
    if (x && reduces_nothing(x, axes)) return gan_cast(g, x, GAN_F32);
    return reduce(g, GAN_OP_sum, x, axes);
}

gan_node *gan_max_axes(gan_graph *g, gan_node *x, uint32_t axes) {
    if (x && reduces_nothing(x, axes)) return x;
    return reduce(g, GAN_OP_max, x, axes);
}

gan_node *gan_mean_axes(gan_graph *g, gan_node *x, uint32_t axes) {
    gan_node *sum = gan_sum_axes(g, x, axes);
    if (!sum) return NULL;
    const int64_t size = gan_shape_size(x->shape), results = gan_shape_size(sum->shape);
    if (results == 0) return sum;
    if (size == 0)
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "mean: of no elements of %s; expected at least one", GAN_TEXT(x));
    return gan_scale(g, sum, (double)results / (double)size);
}

gan_node *gan_sum(gan_graph *g, gan_node *x) {
    return gan_reshape(g, gan_sum_axes(g, x, GAN_ALL_AXES), gan_shape0());
}

gan_node *gan_mean(gan_graph *g, gan_node *x) {
    return gan_reshape(g, gan_mean_axes(g, x, GAN_ALL_AXES), gan_shape0());
}

gan_node *gan_broadcast(gan_graph *g, gan_node *x, gan_shape shape) {
    if (!gan_check_given(g, "broadcast", x) || gan_shape_equal(x->shape, shape)) return x;
    if (x->shape.rank < shape.rank && shape.rank <= GAN_MAX_RANK) {
        gan_shape wide = {.rank = shape.rank};
        const int missing = shape.rank - x->shape.rank;
        for (int i = 0; i < shape.rank; i++)
            wide.dim[i] = i < missing ? 1 : x->shape.dim[i - missing];
        x = gan_reshape(g, x, wide);
        if (!x || gan_shape_equal(x->shape, shape)) return x;
    }
    if (x->op == GAN_OP_constant && broadcasts(x->shape, shape))
        return gan_leaf_create(g, GAN_OP_constant, x->dtype, shape, &x->attr);
    return gan_node_create(g, GAN_OP_broadcast, 1, &x, &(gan_attr){.target = {shape}}, NULL);
}
