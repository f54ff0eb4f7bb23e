/* power_iteration. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

static gan_launch_power_args args_of(const gan_call *call) {
    return (gan_launch_power_args){
        .u = call->in[0].data,
        .v = call->in[1].data,
        .w = call->in[2].data,
        .rows = gan_shape_size(call->in[0].shape),
        .columns = gan_shape_size(call->in[1].shape),
        .eps = call->node->attr.eps.eps,
        .workspace = call->workspace,
    };
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    const gan_launch_power_args a = args_of(call);
    GAN_TRY(gan_cuda_require_31_bits(call));
    call->workspace_bytes = gan_launch_power_workspace(&a);
    return GAN_OK;
}

static gan_status run(gan_device *device, const gan_call *call) {
    const gan_launch_power_args a = args_of(call);
    GAN_CUDA_TRY(call->node, gan_launch_power_iteration(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_power_iteration = {run, prepare, NULL};
