/* constant; stop_gradient and reshape where the plan could not give the operand's place. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

static gan_status run_constant(gan_device *device, const gan_call *call) {
    GAN_CUDA_TRY(call->node,
                 gan_launch_fill(call->out.data, (gan_launch_type)call->out.dtype,
                                 (float)call->node->attr.constant.value,
                                 gan_shape_size(call->out.shape), gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_copy(gan_device *device, const gan_call *call) {
    const int64_t bytes =
        (int64_t)gan_dtype_size(call->out.dtype) * gan_shape_size(call->out.shape);
    const gan_launch_rows_args args = {
        .to = call->out.data, .from = call->in[0].data, .rows = 1, .width = bytes};
    GAN_CUDA_TRY(call->node, gan_launch_rows(&args, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_constant = {run_constant, NULL, NULL};
const gan_kernel gan_cuda_stop_gradient = {run_copy, NULL, NULL};
const gan_kernel gan_cuda_reshape = {run_copy, NULL, NULL};
