/* Pooling: the shapes of the windows, for the launchers. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cuda_require_31_bits(call);
}

static gan_launch_pool_args args_of(const gan_call *call, const gan_array *wide,
                                    const gan_array *pooled) {
    const gan_attr *attr = &call->node->attr;
    const int64_t *x = wide->shape.dim;
    return (gan_launch_pool_args){
        .n = x[0],
        .height = x[1],
        .width = x[2],
        .channels = x[3],
        .p = pooled->shape.dim[1],
        .q = pooled->shape.dim[2],
        .size_h = attr->pool.size_h,
        .size_w = attr->pool.size_w,
        .stride_h = attr->pool.window.stride_h,
        .stride_w = attr->pool.window.stride_w,
        .top = attr->pool.window.top,
        .left = attr->pool.window.left,
        .bf16 = call->out.dtype == GAN_BF16,
    };
}

static gan_status run_average(gan_device *device, const gan_call *call) {
    const gan_launch_pool_args a = args_of(call, &call->in[0], &call->out);
    GAN_CUDA_TRY(call->node, gan_launch_average_pool(call->out.data, call->in[0].data, &a,
                                                     gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_average_adjoint(gan_device *device, const gan_call *call) {
    const gan_launch_pool_args a = args_of(call, &call->out, &call->in[0]);
    GAN_CUDA_TRY(call->node, gan_launch_average_pool_adjoint(call->out.data, call->in[0].data, &a,
                                                             gan_cuda(device)->stream));
    return GAN_OK;
}

/* max_pool takes its values where they are chosen; max_pool_select from its second operand. */
static gan_status run_max(gan_device *device, const gan_call *call) {
    const gan_launch_pool_args a = args_of(call, &call->in[0], &call->out);
    const void *from = call->in[call->n_in - 1].data;
    GAN_CUDA_TRY(call->node, gan_launch_max_pool(call->out.data, call->in[0].data, from, &a,
                                                 gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_max_adjoint(gan_device *device, const gan_call *call) {
    const gan_launch_pool_args a = args_of(call, &call->in[0], &call->in[1]);
    GAN_CUDA_TRY(call->node,
                 gan_launch_max_pool_adjoint(call->out.data, call->in[0].data, call->in[1].data, &a,
                                             gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_average_pool = {run_average, prepare, NULL};
const gan_kernel gan_cuda_average_pool_adjoint = {run_average_adjoint, prepare, NULL};
const gan_kernel gan_cuda_max_pool = {run_max, prepare, NULL};
const gan_kernel gan_cuda_max_pool_adjoint = {run_max_adjoint, prepare, NULL};
const gan_kernel gan_cuda_max_pool_select = {run_max, prepare, NULL};
