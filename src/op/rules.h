/* The functions of the rows of graph/op.def, declared for the table, and the checks they share. */
#ifndef GANC_OP_RULES_H
#define GANC_OP_RULES_H

#include "graph/op.h"

typedef bool gan_infer_rule(gan_node *node);
typedef void gan_gradient_rule(gan_node *node, gan_node *dy, const bool *need, gan_node **dx);
typedef gan_node *gan_expand_rule(gan_node *node);

/* leaf.c */
gan_infer_rule same_infer;

/* pointwise.c */
gan_infer_rule pointwise_infer, cast_infer, one_hot_infer;
gan_gradient_rule pointwise_gradient, cast_gradient;

/* reduce.c */
gan_infer_rule reduce_infer, broadcast_infer;
gan_gradient_rule sum_gradient, max_gradient, broadcast_gradient;

/* layout.c */
gan_infer_rule reshape_infer, permute_infer, concat_infer, slice_infer, pad_infer, gather_infer,
    scatter_add_infer;
gan_gradient_rule reshape_gradient, permute_gradient, concat_gradient, slice_gradient, pad_gradient,
    gather_gradient, scatter_add_gradient;

/* matmul.c */
gan_infer_rule matmul_infer;
gan_gradient_rule matmul_gradient;

/* conv.c */
gan_infer_rule conv2d_infer, conv2d_grad_input_infer, conv2d_grad_weight_infer;
gan_gradient_rule conv2d_gradient, conv2d_grad_input_gradient, conv2d_grad_weight_gradient;

/* pool.c */
gan_infer_rule average_pool_infer, average_pool_adjoint_infer, max_pool_infer,
    max_pool_adjoint_infer, max_pool_select_infer;
gan_gradient_rule average_pool_gradient, average_pool_adjoint_gradient, max_pool_gradient,
    max_pool_adjoint_gradient, max_pool_select_gradient;

/* norm.c */
gan_infer_rule moments_infer, batch_norm_infer, batch_norm_sums_infer;
gan_gradient_rule moments_gradient, batch_norm_gradient;
gan_expand_rule moments_expand, batch_norm_expand, batch_norm_sums_expand;

/* loss.c */
gan_infer_rule logits_loss_infer, softmax_loss_infer, softmax_loss_grad_infer;
gan_gradient_rule logits_loss_gradient, softmax_loss_gradient;
gan_expand_rule logits_loss_expand, logits_loss_grad_expand, softmax_loss_expand,
    softmax_loss_grad_expand;

/* random.c */
gan_infer_rule random_infer, shuffled_index_infer, minibatch_infer;

/* update.c */
gan_infer_rule assign_infer, advance_infer, moving_average_infer, record_infer,
    power_iteration_infer, pack_infer, adam_infer, momentum_infer;

/* Whether operand x of a builder is there; an absent one is the graph's error unless it has one. */
bool gan_check_given(gan_graph *g, const char *op, const gan_node *x);

/* ---- checks of operand i, called `name` in the message; false after gan_node_error() ---- */

static inline bool gan_is_float(gan_dtype dtype) { return dtype == GAN_F32 || dtype == GAN_BF16; }

bool gan_check_float(gan_node *node, int i, const char *name);
bool gan_check_dtype(gan_node *node, int i, const char *name, gan_dtype dtype);
bool gan_check_rank(gan_node *node, int i, const char *name, int rank);
bool gan_check_scalar(gan_node *node, int i, const char *name);   /* f32, one element */
bool gan_check_counter(gan_node *node, int i);                    /* i64, one element */
bool gan_check_variable(gan_node *node, int i, const char *name); /* a variable node */
bool gan_check_shape(gan_node *node, gan_shape shape);            /* a shape given to a builder */
bool gan_check_window(gan_node *node, gan_window window);

/* Number of places of a window of `size` along an axis: (length + before + after - size) / stride +
 * 1; -1 after an error when it does not fit. */
int64_t gan_check_places(gan_node *node, const char *axis, int64_t length, int before, int after,
                         int64_t size, int stride);

/* A tensor's dtype and shape as text, for messages; the buffer lives until the end of the full
 * expression's block. */
#define GAN_TEXT(node) gan_shape_text((char[GAN_SHAPE_TEXT]){0}, (node)->dtype, (node)->shape)

#endif
