#include "cuda/kernels.h"

#define ROW(op) [GAN_OP_##op] = &gan_cuda_##op

/* Ops without a row are taken apart by their expansion, whose chains then fuse. */
const gan_kernel *const gan_cuda_kernels[GAN_OP_COUNT] = {
    ROW(average_pool),
    ROW(average_pool_adjoint),
    ROW(max_pool),
    ROW(max_pool_adjoint),
    ROW(max_pool_select),
    ROW(moments),
    ROW(batch_norm_sums),
    ROW(logits_loss),
    ROW(logits_loss_grad),
    ROW(softmax_loss),
    ROW(softmax_loss_grad),
    ROW(random),
    ROW(shuffled_index),
    ROW(minibatch),
    ROW(assign),
    ROW(advance),
    ROW(moving_average),
    ROW(record),
    ROW(power_iteration),
    ROW(pack),
    ROW(adam),
    ROW(momentum),
};
