/* The CUDA device's kernels: one gan_kernel an op, defined in the file of its family. */
#ifndef GANC_CUDA_KERNELS_H
#define GANC_CUDA_KERNELS_H

#include "device/backend.h"

#endif
