/* The CPU's kernels, by op; table.c lists them for the backend. Ops without one here are expanded.
 */
#ifndef GANC_CPU_KERNELS_H
#define GANC_CPU_KERNELS_H

#include "device/backend.h"

extern const gan_backend gan_cpu_backend;
extern const gan_kernel *const gan_cpu_kernels[GAN_OP_COUNT]; /* by op; NULL: none */
bool gan_cpu_takes(const gan_node *node);                     /* types.c */

extern const gan_kernel gan_cpu_constant, gan_cpu_stop_gradient;
extern const gan_kernel gan_cpu_pointwise, gan_cpu_cast, gan_cpu_one_hot;
extern const gan_kernel gan_cpu_sum, gan_cpu_max, gan_cpu_broadcast;
extern const gan_kernel gan_cpu_reshape, gan_cpu_permute, gan_cpu_concat, gan_cpu_slice,
    gan_cpu_pad;
extern const gan_kernel gan_cpu_gather, gan_cpu_scatter_add;
extern const gan_kernel gan_cpu_matmul;
extern const gan_kernel gan_cpu_conv2d, gan_cpu_conv2d_grad_input, gan_cpu_conv2d_grad_weight;
extern const gan_kernel gan_cpu_fold, gan_cpu_fold_adjoint;
extern const gan_kernel gan_cpu_average_pool, gan_cpu_average_pool_adjoint;
extern const gan_kernel gan_cpu_max_pool, gan_cpu_max_pool_adjoint, gan_cpu_max_pool_select;
extern const gan_kernel gan_cpu_moments, gan_cpu_batch_norm_sums, gan_cpu_batch_norm_grad;
extern const gan_kernel gan_cpu_softmax_loss, gan_cpu_softmax_loss_grad;
extern const gan_kernel gan_cpu_random, gan_cpu_shuffled_index, gan_cpu_minibatch;
extern const gan_kernel gan_cpu_assign, gan_cpu_advance, gan_cpu_moving_average, gan_cpu_record;
extern const gan_kernel gan_cpu_power_iteration, gan_cpu_pack, gan_cpu_adam, gan_cpu_momentum;

#endif
