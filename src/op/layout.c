/* Where elements are: reshape, permute, concat, and the adjoint pairs slice/pad,
 * gather/scatter_add. */
#include "op/rules.h"

/* ---- reshape ---- */

bool gan_reshape_infer(gan_node *node) {
    const gan_node *x = node->in[0];
    if (!gan_check_shape(node, node->attr.target.shape)) return false;
    node->dtype = x->dtype;
    node->shape = node->attr.target.shape;
    if (gan_shape_size(node->shape) == gan_shape_size(x->shape)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "to %s, of %lld elements; expected %lld",
                          GAN_TEXT(node), (long long)gan_shape_size(node->shape),
                          (long long)gan_shape_size(x->shape));
}

void gan_reshape_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    if (need[0]) dx[0] = gan_reshape(node->graph, dy, node->in[0]->shape);
}

/* Fills in a length of -1; what is wrong is left for infer to say. */
static gan_shape resolve(gan_shape shape, int64_t size) {
    int64_t rest = 1;
    int open = -1;
    if (shape.rank < 0 || shape.rank > GAN_MAX_RANK) return shape;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dim[i] != -1)
            rest *= shape.dim[i];
        else if (open >= 0)
            return shape;
        else
            open = i;
    }
    if (open >= 0 && rest > 0) shape.dim[open] = size / rest;
    return shape;
}

static bool is_valid(gan_shape shape) {
    bool valid = shape.rank >= 0 && shape.rank <= GAN_MAX_RANK;
    for (int i = 0; valid && i < shape.rank; i++) valid = shape.dim[i] >= 0;
    return valid;
}

gan_node *gan_reshape(gan_graph *g, gan_node *x, gan_shape shape) {
    if (!gan_check_given(g, "reshape", x)) return NULL;
    shape = resolve(shape, gan_shape_size(x->shape));
    if (gan_shape_equal(x->shape, shape)) return x;
    if (x->op == GAN_OP_constant && is_valid(shape) &&
        gan_shape_size(shape) == gan_shape_size(x->shape))
        return gan_leaf_create(g, GAN_OP_constant, x->dtype, shape, &x->attr);
    return gan_node_create(g, GAN_OP_reshape, 1, &x, &(gan_attr){.target = {shape}}, NULL);
}

/* ---- permute ---- */

bool gan_permute_infer(gan_node *node) {
    const gan_node *x = node->in[0];
    const int rank = x->shape.rank, *order = node->attr.permute.order;
    unsigned seen = 0;
    node->dtype = x->dtype;
    node->shape.rank = rank;
    for (int i = 0; i < rank; i++) {
        if (order[i] < 0 || order[i] >= rank || seen >> order[i] & 1)
            return gan_node_error(node, GAN_ERROR_ARGUMENT,
                                  "axis %d at place %d; expected each of 0 to %d once", order[i], i,
                                  rank - 1);
        seen |= 1u << order[i];
        node->shape.dim[i] = x->shape.dim[order[i]];
    }
    return true;
}

void gan_permute_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    int inverse[GAN_MAX_RANK] = {0};
    for (int i = 0; i < node->shape.rank; i++) inverse[node->attr.permute.order[i]] = i;
    if (need[0]) dx[0] = gan_permute(node->graph, dy, inverse);
}

gan_node *gan_permute(gan_graph *g, gan_node *x, const int *order) {
    if (!gan_check_given(g, "permute", x)) return NULL;
    gan_attr attr = {0};
    bool same = true;
    for (int i = 0; i < x->shape.rank; i++) {
        attr.permute.order[i] = order[i];
        same = same && order[i] == i;
    }
    return same ? x : gan_node_create(g, GAN_OP_permute, 1, &x, &attr, NULL);
}

gan_node *gan_transpose(gan_graph *g, gan_node *x) {
    if (!gan_check_given(g, "transpose", x)) return NULL;
    const int rank = x->shape.rank;
    if (rank < 2)
        return gan_graph_error(g, GAN_ERROR_SHAPE, "transpose: of %s; expected at least 2 axes",
                               GAN_TEXT(x));
    int order[GAN_MAX_RANK];
    for (int i = 0; i < rank; i++) order[i] = i;
    order[rank - 2] = rank - 1;
    order[rank - 1] = rank - 2;
    return gan_permute(g, x, order);
}

/* ---- concat ---- */

static bool check_axis(gan_node *node, int axis) {
    const int rank = node->in[0]->shape.rank;
    if (axis >= 0 && axis < rank) return true;
    return gan_node_error(node, GAN_ERROR_ARGUMENT, "axis %d; expected one of %d axes", axis, rank);
}

bool gan_concat_infer(gan_node *node) {
    const int axis = node->attr.concat.axis;
    if (node->n_in < 1)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "of nothing; expected operands");
    if (!check_axis(node, axis)) return false;
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    for (int i = 1; i < node->n_in; i++) {
        const gan_node *x = node->in[i];
        gan_shape expected = node->shape;
        if (axis < x->shape.rank) expected.dim[axis] = x->shape.dim[axis];
        if (x->dtype != node->dtype || !gan_shape_equal(x->shape, expected))
            return gan_node_error(
                node, GAN_ERROR_SHAPE,
                "operand %d is %s; expected the first one's type and shape but for axis %d", i,
                GAN_TEXT(x), axis);
        node->shape.dim[axis] += x->shape.dim[axis];
    }
    return true;
}

void gan_concat_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    const int axis = node->attr.concat.axis;
    int64_t start = 0;
    for (int i = 0; i < node->n_in; i++) {
        const int64_t length = node->in[i]->shape.dim[axis];
        if (need[i]) dx[i] = gan_slice(node->graph, dy, axis, start, length);
        start += length;
    }
}

gan_node *gan_concat(gan_graph *g, int axis, int n, gan_node *const *x) {
    gan_node *y = gan_node_create(g, GAN_OP_concat, n, x, &(gan_attr){.concat = {axis}}, NULL);
    return y && n == 1 ? x[0] : y;
}

/* ---- slice and pad ---- */

bool gan_slice_infer(gan_node *node) {
    const int axis = node->attr.slice.axis;
    const int64_t start = node->attr.slice.start, length = node->attr.slice.length;
    if (!check_axis(node, axis)) return false;
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    const int64_t whole = node->shape.dim[axis];
    if (start < 0 || length < 0 || start > whole || length > whole - start)
        return gan_node_error(node, GAN_ERROR_ARGUMENT,
                              "%lld elements from %lld on axis %d; expected within %lld",
                              (long long)length, (long long)start, axis, (long long)whole);
    node->shape.dim[axis] = length;
    return true;
}

void gan_slice_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    const int axis = node->attr.slice.axis;
    const int64_t before = node->attr.slice.start;
    const int64_t after = node->in[0]->shape.dim[axis] - before - node->shape.dim[axis];
    if (need[0]) dx[0] = gan_pad(node->graph, dy, axis, before, after);
}

gan_node *gan_slice(gan_graph *g, gan_node *x, int axis, int64_t start, int64_t length) {
    if (!gan_check_given(g, "slice", x)) return NULL;
    if (axis >= 0 && axis < x->shape.rank && start == 0 && length == x->shape.dim[axis]) return x;
    return gan_node_create(g, GAN_OP_slice, 1, &x, &(gan_attr){.slice = {axis, start, length}},
                           NULL);
}

bool gan_pad_infer(gan_node *node) {
    const int axis = node->attr.pad.axis;
    const int64_t before = node->attr.pad.before, after = node->attr.pad.after;
    if (!gan_check_float(node, 0, "x") || !check_axis(node, axis)) return false;
    if (before < 0 || after < 0)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "%lld before and %lld after; expected >= 0",
                              (long long)before, (long long)after);
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    node->shape.dim[axis] += before + after;
    return true;
}

void gan_pad_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    const int axis = node->attr.pad.axis;
    if (need[0])
        dx[0] =
            gan_slice(node->graph, dy, axis, node->attr.pad.before, node->in[0]->shape.dim[axis]);
}

gan_node *gan_pad(gan_graph *g, gan_node *x, int axis, int64_t before, int64_t after) {
    if (x && before == 0 && after == 0 && axis >= 0 && axis < x->shape.rank) return x;
    return gan_node_create(g, GAN_OP_pad, 1, &x, &(gan_attr){.pad = {axis, before, after}}, NULL);
}

/* ---- gather and scatter_add ---- */

static bool check_index(gan_node *node) {
    if (!gan_check_dtype(node, 1, "index", GAN_I32) || !gan_check_rank(node, 1, "index", 1))
        return false;
    if (node->in[0]->shape.rank >= 1) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "a scalar has no rows; expected at least 1 axis");
}

bool gan_gather_infer(gan_node *node) {
    if (!check_index(node)) return false;
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    node->shape.dim[0] = node->in[1]->shape.dim[0];
    return true;
}

void gan_gather_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    const gan_node *table = node->in[0];
    if (need[0] && gan_is_float(table->dtype))
        dx[0] = gan_scatter_add(node->graph, dy, node->in[1], table->shape.dim[0]);
}

gan_node *gan_gather(gan_graph *g, gan_node *table, gan_node *index) {
    return gan_node_create(g, GAN_OP_gather, 2, (gan_node *[]){table, index}, NULL, NULL);
}

bool gan_scatter_add_infer(gan_node *node) {
    const gan_node *x = node->in[0], *index = node->in[1];
    if (!gan_check_float(node, 0, "x") || !check_index(node)) return false;
    if (x->shape.dim[0] != index->shape.dim[0])
        return gan_node_error(node, GAN_ERROR_SHAPE, "%lld rows and %lld indices; expected as many",
                              (long long)x->shape.dim[0], (long long)index->shape.dim[0]);
    if (node->attr.scatter_add.rows < 0)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "into %lld rows; expected >= 0",
                              (long long)node->attr.scatter_add.rows);
    node->dtype = x->dtype;
    node->shape = x->shape;
    node->shape.dim[0] = node->attr.scatter_add.rows;
    return true;
}

void gan_scatter_add_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    if (need[0]) dx[0] = gan_gather(node->graph, dy, node->in[1]);
}

gan_node *gan_scatter_add(gan_graph *g, gan_node *x, gan_node *index, int64_t rows) {
    return gan_node_create(g, GAN_OP_scatter_add, 2, (gan_node *[]){x, index},
                           &(gan_attr){.scatter_add = {rows}}, NULL);
}
