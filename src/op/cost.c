/* What ops cost: bytes of memory read and written, and the arithmetic of products. */
#include "graph/graph.h"
#include "op/rules.h"

static bool first_time(const gan_node *node, int i) {
    for (int j = 0; j < i; j++)
        if (node->in[j] == node->in[i]) return false;
    return true;
}

gan_cost gan_node_cost(const gan_node *node) {
    const bool effect = gan_op_of(node)->flags & GAN_OP_EFFECT;
    gan_cost cost = {.launches = 1, .written = effect ? 0 : (int64_t)gan_node_bytes(node)};
    for (int i = 0; i < node->n_in; i++) {
        const int64_t bytes = (int64_t)gan_node_bytes(node->in[i]);
        const bool copy = node->in[i] == gan_op_copy(node);
        if (first_time(node, i) && !copy) cost.read += bytes;
        if (i < gan_op_writes(node) || copy) cost.written += bytes;
    }
    if (gan_op_of(node)->cost) gan_op_of(node)->cost(node, &cost);
    return cost;
}

/* ---- products: two a multiplication and addition ---- */

void gan_matmul_cost(const gan_node *node, gan_cost *cost) {
    const gan_shape a = node->in[0]->shape;
    const int64_t inner = a.dim[a.rank - (node->attr.transpose.a ? 2 : 1)];
    cost->flops = 2 * gan_shape_size(gan_matmul_shape(node)) * inner;
}

/* All three of a convolution: for every place of dy and every filter, the filter's elements. */
static int64_t conv_flops(gan_shape dy, const gan_node *filters) {
    const int64_t n = filters->shape.dim[0];
    return n ? 2 * gan_shape_size(dy) * (gan_shape_size(filters->shape) / n) : 0;
}

void gan_conv2d_cost(const gan_node *node, gan_cost *cost) {
    cost->flops = conv_flops(gan_conv_shape(node), node->in[1]);
}

void gan_conv2d_grad_input_cost(const gan_node *node, gan_cost *cost) {
    cost->flops = conv_flops(node->in[0]->shape, node->in[1]);
}

void gan_conv2d_grad_weight_cost(const gan_node *node, gan_cost *cost) {
    cost->flops = conv_flops(node->in[1]->shape, node);
}

/* ---- ops that read a part of an operand, or an operand twice ---- */

static int64_t bytes_in(const gan_node *node, int i) {
    return (int64_t)gan_node_bytes(node->in[i]);
}

void gan_gather_cost(const gan_node *node, gan_cost *cost) {
    cost->read += (int64_t)gan_node_bytes(node) - bytes_in(node, 0);
}

void gan_slice_cost(const gan_node *node, gan_cost *cost) {
    cost->read = (int64_t)gan_node_bytes(node);
}

/* The examples of the batch, in the data's type. */
void gan_minibatch_cost(const gan_node *node, gan_cost *cost) {
    const int64_t pixel = (int64_t)gan_dtype_size(node->in[0]->dtype);
    cost->read += gan_shape_size(node->shape) * pixel - bytes_in(node, 0);
}

void gan_assign_cost(const gan_node *node, gan_cost *cost) { cost->read = bytes_in(node, 1); }

/* A row of the ring. */
void gan_record_cost(const gan_node *node, gan_cost *cost) {
    const int64_t rows = node->in[0]->shape.dim[0];
    cost->read -= bytes_in(node, 0);
    cost->written = rows ? bytes_in(node, 0) / rows : 0;
}

/* The weight is read for v, then for u. */
void gan_power_iteration_cost(const gan_node *node, gan_cost *cost) {
    cost->read += bytes_in(node, 2);
    cost->flops = 4 * gan_shape_size(node->in[2]->shape);
}
