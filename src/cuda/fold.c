/* Folded filters, for the launchers. */
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"
#include "graph/fold.h"

gan_launch_fold_args gan_cuda_fold_args(const gan_call *call) {
    const gan_fold_sums f = gan_fold_sums_of(call->node);
    return (gan_launch_fold_args){
        .out = call->out.data,
        .in = call->in[0].data,
        .i = (int32_t)f.i,
        .r = (int32_t)f.r,
        .s = (int32_t)f.s,
        .j = (int32_t)f.j,
        .h = (int32_t)f.h,
        .w = (int32_t)f.w,
        .first_h = (int32_t)f.first_h,
        .first_w = (int32_t)f.first_w,
        .step = (int32_t)f.step,
        .turned = f.turned,
        .scale = f.scale,
        .out_bf16 = call->out.dtype == GAN_BF16,
        .in_bf16 = call->in[0].dtype == GAN_BF16,
    };
}

static gan_status run(gan_device *device, const gan_call *call) {
    const gan_launch_fold_args a = gan_cuda_fold_args(call);
    GAN_CUDA_TRY(call->node, gan_launch_fold(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cuda_require_31_bits(call);
}

const gan_kernel gan_cuda_fold = {run, prepare, NULL};
const gan_kernel gan_cuda_fold_adjoint = {run, prepare, NULL};
