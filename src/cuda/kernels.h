/* The CUDA device's kernels, by op; table.c lists them. Ops without one here are expanded. */
#ifndef GANC_CUDA_KERNELS_H
#define GANC_CUDA_KERNELS_H

#include "device/backend.h"

extern const gan_kernel *const gan_cuda_kernels[GAN_OP_COUNT]; /* by op; NULL: none */

#endif
