/* Matrix products, plain or batched. */
#include "op/rules.h"

bool gan_matmul_infer(gan_node *node) {
    const gan_node *a = node->in[0], *b = node->in[1];
    const int rank = a->shape.rank;
    if (!gan_check_float(node, 0, "a") || !gan_check_dtype(node, 1, "b", a->dtype)) return false;
    if ((rank != 2 && rank != 3) || b->shape.rank != rank)
        return gan_node_error(node, GAN_ERROR_SHAPE, "of %d and %d axes; expected both 2 or both 3",
                              rank, b->shape.rank);
    const int ta = node->attr.transpose.a, tb = node->attr.transpose.b;
    const int64_t rows = a->shape.dim[rank - 2 + ta], inner = a->shape.dim[rank - 1 - ta];
    const int64_t inner_b = b->shape.dim[rank - 2 + tb], columns = b->shape.dim[rank - 1 - tb];
    if (inner != inner_b)
        return gan_node_error(node, GAN_ERROR_SHAPE,
                              "%s%s does not go with %s%s: expected %lld, not %lld", GAN_TEXT(b),
                              tb ? " transposed" : "", GAN_TEXT(a), ta ? " transposed" : "",
                              (long long)inner, (long long)inner_b);
    if (rank == 3 && a->shape.dim[0] != b->shape.dim[0])
        return gan_node_error(node, GAN_ERROR_SHAPE, "batches of %lld and %lld; expected as many",
                              (long long)a->shape.dim[0], (long long)b->shape.dim[0]);
    node->dtype = a->dtype;
    node->shape = a->shape;
    node->shape.dim[rank - 2] = rows;
    node->shape.dim[rank - 1] = columns;
    return true;
}

/* y = op(a)·op(b): d op(a) = dy·op(b)ᵀ, d op(b) = op(a)ᵀ·dy; a transposed operand gets the
 * transpose of the whole product, whose factors change places. */
void gan_matmul_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_graph *g = node->graph;
    gan_node *a = node->in[0], *b = node->in[1];
    const bool ta = node->attr.transpose.a, tb = node->attr.transpose.b;
    if (need[0]) dx[0] = ta ? gan_matmul(g, b, dy, tb, true) : gan_matmul(g, dy, b, false, !tb);
    if (need[1]) dx[1] = tb ? gan_matmul(g, dy, a, true, ta) : gan_matmul(g, a, dy, !ta, false);
}

gan_node *gan_matmul(gan_graph *g, gan_node *a, gan_node *b, bool transpose_a, bool transpose_b) {
    return gan_node_create(g, GAN_OP_matmul, 2, (gan_node *[]){a, b},
                           &(gan_attr){.transpose = {transpose_a, transpose_b}}, NULL);
}
