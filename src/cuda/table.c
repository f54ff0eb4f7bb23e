#include "cuda/kernels.h"

/* Ops without a row are taken apart by their expansion, whose chains then fuse. */
const gan_kernel *const gan_cuda_kernels[GAN_OP_COUNT] = {NULL};
