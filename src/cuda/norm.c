/* moments, and the gradients of batch_norm, which itself is a chain of pointwise functions. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

static int64_t groups_of(const gan_call *call) {
    return call->node->op == GAN_OP_batch_norm_grad ? call->in[1].shape.dim[0]
                                                    : call->out.shape.dim[0];
}

static gan_launch_norm_args args_of(const gan_call *call) {
    const gan_shape x = call->in[0].shape;
    const int64_t channels = x.dim[x.rank - 1], groups = groups_of(call);
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
    a.counters = gan_cuda(device)->lane[call->lane].counters;
    GAN_CUDA_TRY(call->node, gan_launch_moments(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

/* Operands: x, moments, dy, gamma, beta. */
static gan_launch_norm_back back_of(const gan_call *call) {
    const gan_attr *attr = &call->node->attr;
    return (gan_launch_norm_back){
        .dy = call->in[2].data,
        .moments = call->in[1].data,
        .gamma = call->in[3].data,
        .beta = call->in[4].data,
        .eps = (float)attr->norm.eps,
        .slope = (float)attr->norm.slope,
    };
}

static gan_status run_sums(gan_device *device, const gan_call *call) {
    gan_launch_norm_args a = args_of(call);
    const gan_launch_norm_back back = back_of(call);
    a.counters = gan_cuda(device)->lane[call->lane].counters;
    GAN_CUDA_TRY(call->node, gan_launch_batch_norm_sums(&a, &back, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status prepare_grad(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cuda_require_31_bits(call);
}

static gan_status run_grad(gan_device *device, const gan_call *call) {
    const gan_launch_norm_args a = args_of(call);
    const gan_launch_norm_back back = back_of(call);
    GAN_CUDA_TRY(call->node, gan_launch_batch_norm_grad(&a, &back, call->in[5].data, call->out.data,
                                                        gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_moments = {run_moments, prepare, NULL};
const gan_kernel gan_cuda_batch_norm_sums = {run_sums, prepare, NULL};
const gan_kernel gan_cuda_batch_norm_grad = {run_grad, prepare_grad, NULL};
