#include "cuda/conv_pair.h"

#include "cuda/device.h"

static const gan_pointwise_program relu = {
    .n_inputs = 1, .n_steps = 1, .step = {{.fn = GAN_FN_relu}}};

gan_status gan_cuda_conv_pair_prepare(gan_cuda_conv_pair *v, gan_cuda_conv_first *first,
                                      gan_call *call, const gan_call **one) {
    *one = call;
    if (!gan_conv_is_double(call->node)) return GAN_OK;
    v->active = true;
    call->out.shape = gan_conv_shape(call->node);
    first->call = *call;
    first->node = *call->node;
    first->program = *call->node->program;
    first->call.node = &first->node;
    first->node.shape = call->out.shape;
    first->node.program = --first->program.n_steps > 0 ? &first->program : NULL;
    *one = &first->call;
    return gan_cuda_program_bind(&v->relu, call->node, &relu, call->out.shape, 1, &call->out, 0,
                                 NULL);
}

void *gan_cuda_conv_second(const gan_call *call) {
    const size_t size = (size_t)gan_shape_size(call->out.shape);
    return (char *)call->out.data + size * gan_dtype_size(call->out.dtype);
}

gan_status gan_cuda_conv_pair_run(const gan_cuda_conv_pair *v, gan_device *device,
                                  const gan_call *call) {
    if (!v->active || v->both) return GAN_OK;
    const gan_launch_pointwise_args args = {gan_cuda_program_at(&v->relu, &call->out),
                                            gan_cuda_conv_second(call),
                                            call->out.dtype == GAN_BF16};
    GAN_CUDA_TRY(call->node, gan_launch_pointwise(&args, gan_cuda(device)->stream));
    return GAN_OK;
}
