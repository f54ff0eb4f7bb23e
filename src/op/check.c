/* Checks that the shape rules share. */
#include "op/rules.h"

bool gan_check_given(gan_graph *g, const char *op, const gan_node *x) {
    if (g && !x) gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s: an operand is missing", op);
    return g && x;
}

bool gan_check_float(gan_node *node, int i, const char *name) {
    if (gan_is_float(node->in[i]->dtype)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s is %s; expected f32 or bf16", name,
                          gan_dtype_name(node->in[i]->dtype));
}

bool gan_check_dtype(gan_node *node, int i, const char *name, gan_dtype dtype) {
    if (node->in[i]->dtype == dtype) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s is %s; expected %s", name,
                          gan_dtype_name(node->in[i]->dtype), gan_dtype_name(dtype));
}

bool gan_check_rank(gan_node *node, int i, const char *name, int rank) {
    if (node->in[i]->shape.rank == rank) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s has %d axes; expected %d", name,
                          node->in[i]->shape.rank, rank);
}

bool gan_check_scalar(gan_node *node, int i, const char *name) {
    const gan_node *x = node->in[i];
    if (x->dtype == GAN_F32 && gan_shape_size(x->shape) == 1) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s is %s; expected f32 with one element", name,
                          GAN_TEXT(x));
}

bool gan_check_counter(gan_node *node, int i) {
    const gan_node *x = node->in[i];
    if (x->dtype == GAN_I64 && gan_shape_size(x->shape) == 1) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "the counter is %s; expected i64 with one element",
                          GAN_TEXT(x));
}

bool gan_check_variable(gan_node *node, int i, const char *name) {
    if (node->in[i]->op == GAN_OP_variable) return true;
    return gan_node_error(node, GAN_ERROR_ARGUMENT, "%s is the result of %s; expected a variable",
                          name, gan_op_of(node->in[i])->name);
}

bool gan_check_shape(gan_node *node, gan_shape shape) {
    if (shape.rank < 0 || shape.rank > GAN_MAX_RANK)
        return gan_node_error(node, GAN_ERROR_SHAPE, "a shape of %d axes; expected 0 to %d",
                              shape.rank, GAN_MAX_RANK);
    for (int i = 0; i < shape.rank; i++)
        if (shape.dim[i] < 0)
            return gan_node_error(node, GAN_ERROR_SHAPE,
                                  "axis %d of the new shape is %lld; expected >= 0", i,
                                  (long long)shape.dim[i]);
    return true;
}

bool gan_check_window(gan_node *node, gan_window w) {
    if (w.stride_h < 1 || w.stride_w < 1)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "stride (%d,%d); expected >= 1", w.stride_h,
                              w.stride_w);
    if (w.top < 0 || w.left < 0 || w.bottom < 0 || w.right < 0)
        return gan_node_error(node, GAN_ERROR_ARGUMENT,
                              "padding top %d, left %d, bottom %d, right %d; expected >= 0", w.top,
                              w.left, w.bottom, w.right);
    return true;
}

int64_t gan_check_places(gan_node *node, const char *axis, int64_t length, int before, int after,
                         int64_t size, int stride) {
    const int64_t padded = length + before + after;
    if (size >= 1 && length >= 0 && padded >= size) return (padded - size) / stride + 1;
    gan_node_error(node, GAN_ERROR_SHAPE,
                   "%s: a window of %lld does not fit %lld with padding %d + %d", axis,
                   (long long)size, (long long)length, before, after);
    return -1;
}
