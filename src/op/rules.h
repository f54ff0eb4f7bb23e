/* The functions of the rows of graph/op.def, declared for the table, and the checks they share. */
#ifndef GANC_OP_RULES_H
#define GANC_OP_RULES_H

#include "graph/op.h"

typedef bool gan_infer_rule(gan_node *node);
typedef void gan_gradient_rule(gan_node *node, gan_node *dy, const bool *need, gan_node **dx);
typedef gan_node *gan_expand_rule(gan_node *node);
typedef void gan_cost_rule(const gan_node *node, gan_cost *cost);

/* leaf.c */
gan_infer_rule gan_same_infer;

/* pointwise.c */
gan_infer_rule gan_pointwise_infer, gan_cast_infer, gan_one_hot_infer;
gan_gradient_rule gan_pointwise_gradient, gan_cast_gradient;

/* reduce.c */
gan_infer_rule gan_reduce_infer, gan_broadcast_infer;
gan_gradient_rule gan_sum_gradient, gan_max_gradient, gan_broadcast_gradient;

/* layout.c */
gan_infer_rule gan_reshape_infer, gan_permute_infer, gan_concat_infer, gan_slice_infer,
    gan_pad_infer, gan_gather_infer, gan_scatter_add_infer;
gan_gradient_rule gan_reshape_gradient, gan_permute_gradient, gan_concat_gradient,
    gan_slice_gradient, gan_pad_gradient, gan_gather_gradient, gan_scatter_add_gradient;

/* matmul.c */
gan_infer_rule gan_matmul_infer;
gan_gradient_rule gan_matmul_gradient;

/* conv.c */
gan_infer_rule gan_conv2d_infer, gan_conv2d_grad_input_infer, gan_conv2d_grad_weight_infer;
gan_gradient_rule gan_conv2d_gradient, gan_conv2d_grad_input_gradient,
    gan_conv2d_grad_weight_gradient;

/* fold.c */
gan_infer_rule gan_fold_infer, gan_fold_adjoint_infer;
gan_gradient_rule gan_fold_gradient, gan_fold_adjoint_gradient;

/* pool.c */
gan_infer_rule gan_average_pool_infer, gan_average_pool_adjoint_infer, gan_max_pool_infer,
    gan_max_pool_adjoint_infer, gan_max_pool_select_infer;
gan_gradient_rule gan_average_pool_gradient, gan_average_pool_adjoint_gradient,
    gan_max_pool_gradient, gan_max_pool_adjoint_gradient, gan_max_pool_select_gradient;

/* norm.c */
gan_infer_rule gan_moments_infer, gan_batch_norm_infer, gan_batch_norm_sums_infer,
    gan_batch_norm_grad_infer;
gan_gradient_rule gan_moments_gradient, gan_batch_norm_gradient;
gan_expand_rule gan_moments_expand, gan_batch_norm_expand, gan_batch_norm_sums_expand,
    gan_batch_norm_grad_expand;

/* loss.c */
gan_infer_rule gan_logits_loss_infer, gan_softmax_loss_infer, gan_softmax_loss_grad_infer;
gan_gradient_rule gan_logits_loss_gradient, gan_softmax_loss_gradient;
gan_expand_rule gan_logits_loss_expand, gan_logits_loss_grad_expand, gan_softmax_loss_expand,
    gan_softmax_loss_grad_expand;

/* random.c */
gan_infer_rule gan_random_infer, gan_shuffled_index_infer, gan_minibatch_infer;

/* update.c */
gan_infer_rule gan_assign_infer, gan_advance_infer, gan_moving_average_infer, gan_record_infer,
    gan_power_iteration_infer, gan_pack_infer, gan_adam_infer, gan_momentum_infer;

/* cost.c */
gan_cost_rule gan_matmul_cost, gan_conv2d_cost, gan_conv2d_grad_input_cost,
    gan_conv2d_grad_weight_cost, gan_gather_cost, gan_slice_cost, gan_minibatch_cost,
    gan_assign_cost, gan_record_cost, gan_power_iteration_cost;

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
