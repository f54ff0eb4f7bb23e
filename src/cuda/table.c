/* The kernels of the CUDA device, indexed by op. Ops without one run by their expansion. */
#include "cuda/device.h"
#include "cuda/kernels.h"

static const gan_kernel table[GAN_OP_COUNT] = {{0}};

const gan_kernel *gan_cuda_kernels(const gan_device *device) {
    (void)device;
    return table;
}
