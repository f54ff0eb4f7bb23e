/* moments and batch_norm_sums; batch_norm itself is a chain of pointwise functions. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

static gan_launch_norm_args args_of(const gan_call *call) {
    const gan_shape x = call->in[0].shape;
    const int64_t channels = x.dim[x.rank - 1], groups = call->out.shape.dim[0];
    return (gan_launch_norm_args){
        .groups = groups,
        .rows = channels && groups ? gan_shape_size(x) / channels / groups : 0,
        .channels = channels,
        .x = call->in[0].data,
        .bf16 = call->in[0].dtype == GAN_BF16,
        .out = call->out.data,
        .workspace = call->workspace,
    };
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    GAN_TRY(gan_cuda_require_31_bits(call));
    const gan_launch_norm_args a = args_of(call);
    call->workspace_bytes = gan_launch_norm_workspace(&a);
    return GAN_OK;
}

static gan_status run_moments(gan_device *device, const gan_call *call) {
    gan_launch_norm_args a = args_of(call);
    a.counters = gan_cuda(device)->counters;
    GAN_CUDA_TRY(call->node, gan_launch_moments(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_sums(gan_device *device, const gan_call *call) {
    gan_launch_norm_args a = args_of(call);
    a.counters = gan_cuda(device)->counters;
    const float eps = (float)call->node->attr.eps.eps;
    GAN_CUDA_TRY(call->node, gan_launch_batch_norm_sums(&a, call->in[2].data, call->in[1].data, eps,
                                                        gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_moments = {run_moments, prepare, NULL};
const gan_kernel gan_cuda_batch_norm_sums = {run_sums, prepare, NULL};
