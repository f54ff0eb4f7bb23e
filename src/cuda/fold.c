/* Folded filters: what taps a tap of the result sums, for the launchers. */
#include "cuda/kernels.h"
#include "cuda/program.h"

gan_launch_fold_args gan_cuda_fold_args(const gan_call *call) {
    const int64_t *in = call->in[0].shape.dim, *out = call->out.shape.dim;
    const bool up = call->node->attr.fold.up, adjoint = call->node->op == GAN_OP_fold_adjoint;
    gan_launch_fold_args a = {.out = call->out.data, .in = call->in[0].data};
    a.i = (int32_t)out[0], a.r = (int32_t)out[1], a.s = (int32_t)out[2], a.j = (int32_t)out[3];
    a.h = (int32_t)in[1], a.w = (int32_t)in[2];
    /* Up turns filters about: taps from the last one of w on, backwards. */
    a.first_h = up ? (adjoint ? a.r : a.h) - 1 : adjoint ? 0 : -1;
    a.first_w = up ? (adjoint ? a.s : a.w) - 1 : adjoint ? 0 : -1;
    a.step = up ? -1 : 1;
    a.turned = up;
    a.scale = up ? 1.0f : 0.25f;
    a.out_bf16 = call->out.dtype == GAN_BF16;
    a.in_bf16 = call->in[0].dtype == GAN_BF16;
    return a;
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
