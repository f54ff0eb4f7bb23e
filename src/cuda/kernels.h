/* The CUDA device's kernels, by op; table.c lists them. Ops without one here are expanded. */
#ifndef GANC_CUDA_KERNELS_H
#define GANC_CUDA_KERNELS_H

#include "device/backend.h"

extern const gan_kernel *const gan_cuda_kernels[GAN_OP_COUNT]; /* by op; NULL: none */

extern const gan_kernel gan_cuda_constant, gan_cuda_stop_gradient;
extern const gan_kernel gan_cuda_pointwise, gan_cuda_cast, gan_cuda_one_hot;
extern const gan_kernel gan_cuda_sum, gan_cuda_max, gan_cuda_broadcast;
extern const gan_kernel gan_cuda_reshape, gan_cuda_permute, gan_cuda_concat, gan_cuda_slice, gan_cuda_pad;
extern const gan_kernel gan_cuda_gather, gan_cuda_scatter_add;
extern const gan_kernel gan_cuda_matmul;
extern const gan_kernel gan_cuda_conv2d, gan_cuda_conv2d_grad_input, gan_cuda_conv2d_grad_weight;

#endif
