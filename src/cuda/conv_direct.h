/* Convolutions with few channels on one side by kernels of our own, beside cuDNN's. */
#ifndef GANC_CUDA_CONV_DIRECT_H
#define GANC_CUDA_CONV_DIRECT_H

#include "cuda/program.h"

typedef struct gan_cuda_conv_direct {
    bool active;  /* the kernels make the call's result … */
    bool program; /* … with the call's program applied */
    gan_launch_conv_args args;
} gan_cuda_conv_direct;

/* Decides it for a call of conv2d, conv2d_grad_input or conv2d_grad_weight, from its shapes, types
 * and the device's option alone; sets call->workspace_bytes where the kernels do it. `epilogue`:
 * the call's, prepared. */
void gan_cuda_conv_direct_choose(gan_cuda_conv_direct *to, const gan_device *device, gan_call *call,
                                 const gan_cuda_epilogue *epilogue);

/* Whether they make two results in one launch: that of a convolution without a program and what
 * `second`, a pointwise function of it, makes of that; or the gradients of a filter and of the bias
 * beside it. */
bool gan_cuda_conv_direct_pairs(const gan_device *device, const gan_node *first,
                                const gan_node *second);

/* Puts both calls on the stream. */
gan_status gan_cuda_conv_direct_run_both(const gan_cuda_conv_direct *v, gan_device *device,
                                         const gan_call *first, const gan_call *second);

/* Puts it on the stream. */
gan_status gan_cuda_conv_direct_run(const gan_cuda_conv_direct *v, gan_device *device,
                                    const gan_call *call, const gan_cuda_epilogue *epilogue);

#endif
