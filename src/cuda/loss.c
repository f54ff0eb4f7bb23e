/* The losses and their first gradients; higher ones go through the expansions. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

/* ---- binary: one target ---- */

static gan_launch_logits_loss_args logits_args(const gan_call *call) {
    return (gan_launch_logits_loss_args){
        .logits = call->in[0].data,
        .n = gan_shape_size(call->in[0].shape),
        .target = (float)call->node->attr.logits_loss.target,
        .workspace = call->workspace,
    };
}

static gan_status prepare_logits(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cuda_require_f32(call, 0, 1);
}

static gan_status prepare_logits_loss(gan_device *device, gan_call *call) {
    GAN_TRY(prepare_logits(device, call));
    call->workspace_bytes = gan_launch_logits_loss_workspace(gan_shape_size(call->in[0].shape));
    return GAN_OK;
}

static gan_status run_logits_loss(gan_device *device, const gan_call *call) {
    gan_launch_logits_loss_args a = logits_args(call);
    a.loss = call->out.data;
    GAN_CUDA_TRY(call->node, gan_launch_logits_loss(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_logits_loss_grad(gan_device *device, const gan_call *call) {
    gan_launch_logits_loss_args a = logits_args(call);
    a.gradient = call->out.data;
    GAN_CUDA_TRY(call->node, gan_launch_logits_loss(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

/* ---- softmax: a label a row ---- */

static gan_launch_softmax_loss_args softmax_args(const gan_call *call) {
    return (gan_launch_softmax_loss_args){
        .logits = call->in[0].data,
        .labels = call->in[1].data,
        .rows = call->in[0].shape.dim[0],
        .classes = call->in[0].shape.dim[1],
        .workspace = call->workspace,
    };
}

static gan_status prepare_softmax(gan_device *device, gan_call *call) {
    (void)device;
    GAN_TRY(gan_cuda_require_f32(call, 0, 1));
    return gan_cuda_require_31_bits(call);
}

static gan_status prepare_softmax_loss(gan_device *device, gan_call *call) {
    GAN_TRY(prepare_softmax(device, call));
    const gan_launch_softmax_loss_args a = softmax_args(call);
    call->workspace_bytes = gan_launch_softmax_loss_workspace(&a);
    return GAN_OK;
}

static gan_status run_softmax_loss(gan_device *device, const gan_call *call) {
    const gan_launch_softmax_loss_args a = softmax_args(call);
    GAN_CUDA_TRY(call->node, gan_launch_softmax_loss(call->out.data, &a, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_softmax_loss_grad(gan_device *device, const gan_call *call) {
    const gan_launch_softmax_loss_args a = softmax_args(call);
    GAN_CUDA_TRY(call->node,
                 gan_launch_softmax_loss_grad(call->out.data, &a, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_logits_loss = {run_logits_loss, prepare_logits_loss, NULL};
const gan_kernel gan_cuda_logits_loss_grad = {run_logits_loss_grad, prepare_logits, NULL};
const gan_kernel gan_cuda_softmax_loss = {run_softmax_loss, prepare_softmax_loss, NULL};
const gan_kernel gan_cuda_softmax_loss_grad = {run_softmax_loss_grad, prepare_softmax, NULL};
