/* The CUDA device's kernels, by op; table.c lists them. Ops without one here are expanded. */
#ifndef GANC_CUDA_KERNELS_H
#define GANC_CUDA_KERNELS_H

#include "device/backend.h"

extern const gan_kernel *const gan_cuda_kernels[GAN_OP_COUNT]; /* by op; NULL: none */
bool gan_cuda_takes(const gan_node *node);                     /* types.c */

extern const gan_kernel gan_cuda_constant, gan_cuda_stop_gradient;
extern const gan_kernel gan_cuda_pointwise, gan_cuda_cast, gan_cuda_one_hot;
extern const gan_kernel gan_cuda_sum, gan_cuda_max, gan_cuda_broadcast;
extern const gan_kernel gan_cuda_reshape, gan_cuda_permute, gan_cuda_concat, gan_cuda_slice,
    gan_cuda_pad;
extern const gan_kernel gan_cuda_gather, gan_cuda_scatter_add;
extern const gan_kernel gan_cuda_matmul;
extern const gan_kernel gan_cuda_conv2d, gan_cuda_conv2d_grad_input, gan_cuda_conv2d_grad_weight;
extern const gan_kernel gan_cuda_fold, gan_cuda_fold_adjoint;
extern const gan_kernel gan_cuda_average_pool, gan_cuda_average_pool_adjoint;
extern const gan_kernel gan_cuda_max_pool, gan_cuda_max_pool_adjoint, gan_cuda_max_pool_select;
extern const gan_kernel gan_cuda_moments, gan_cuda_batch_norm, gan_cuda_batch_norm_sums,
    gan_cuda_batch_norm_grad;
extern const gan_kernel gan_cuda_logits_loss, gan_cuda_logits_loss_grad;
extern const gan_kernel gan_cuda_softmax_loss, gan_cuda_softmax_loss_grad;
extern const gan_kernel gan_cuda_random, gan_cuda_shuffled_index, gan_cuda_minibatch;
extern const gan_kernel gan_cuda_assign, gan_cuda_advance, gan_cuda_moving_average, gan_cuda_record;
extern const gan_kernel gan_cuda_power_iteration, gan_cuda_pack, gan_cuda_adam, gan_cuda_momentum;

#endif
