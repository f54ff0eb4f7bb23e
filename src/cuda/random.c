/* Noise, shuffles and mini-batches: their seed is the store's, their counters stay on the device.
 */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"
#include "kernels/launch.h"

static gan_launch_source source_of(const gan_call *call, uint32_t stream, int counter) {
    return (gan_launch_source){call->seed, stream, call->in[counter].data};
}

static gan_status run_random(gan_device *device, const gan_call *call) {
    const gan_attr *attr = &call->node->attr;
    const float a = (float)attr->random.a, b = (float)attr->random.b;
    const gan_launch_source from = source_of(call, attr->random.stream, 0);
    const int64_t n = gan_shape_size(call->out.shape);
    const bool half = call->out.dtype == GAN_BF16;
    cudaStream_t stream = gan_cuda(device)->stream;
    switch (attr->random.kind) {
    case GAN_RANDOM_UNIFORM:
        GAN_CUDA_TRY(call->node,
                     gan_launch_random_uniform(call->out.data, half, n, a, b, from, stream));
        break;
    case GAN_RANDOM_NORMAL:
        GAN_CUDA_TRY(call->node,
                     gan_launch_random_normal(call->out.data, half, n, a, b, from, stream));
        break;
    case GAN_RANDOM_INDEX:
        GAN_CUDA_TRY(call->node, gan_launch_random_index(call->out.data, n, (int64_t)attr->random.a,
                                                         from, stream));
        break;
    }
    return GAN_OK;
}

static gan_status run_shuffled_index(gan_device *device, const gan_call *call) {
    const gan_attr *attr = &call->node->attr;
    GAN_CUDA_TRY(call->node,
                 gan_launch_shuffled_index(call->out.data, call->out.shape.dim[0], attr->shuffle.n,
                                           attr->shuffle.per_iteration, attr->shuffle.offset,
                                           source_of(call, attr->shuffle.stream, 0),
                                           gan_cuda(device)->stream));
    return GAN_OK;
}

/* The data set may be larger than that: its examples are found with 64 bits. */
static gan_status prepare_minibatch(gan_device *device, gan_call *call) {
    (void)device;
    const gan_call batch = {.node = call->node, .out = call->out};
    return gan_cuda_require_31_bits(&batch);
}

gan_launch_minibatch_args gan_cuda_minibatch_args(const gan_call *call) {
    const gan_attr *attr = &call->node->attr;
    const int64_t *data = call->in[0].shape.dim;
    const bool shuffled = attr->minibatch.shuffled;
    return (gan_launch_minibatch_args){
        .data = call->in[0].data,
        .index = shuffled ? NULL : call->in[1].data,
        .shuffle = {.from = source_of(call, attr->minibatch.shuffle, 1),
                    .n = attr->minibatch.n,
                    .per_iteration = attr->minibatch.per_iteration,
                    .offset = attr->minibatch.offset},
        .out = call->out.data,
        .bf16 = call->out.dtype == GAN_BF16,
        .examples = data[0],
        .batch = call->out.shape.dim[0],
        .height = data[1],
        .width = data[2],
        .channels = data[3],
        .scale = (float)attr->minibatch.scale,
        .shift = (float)attr->minibatch.shift,
        .flip = attr->minibatch.flip,
        .from = source_of(call, attr->minibatch.stream, 2),
    };
}

static gan_status run_minibatch(gan_device *device, const gan_call *call) {
    const gan_launch_minibatch_args a = gan_cuda_minibatch_args(call);
    GAN_CUDA_TRY(call->node, gan_launch_minibatch(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_random = {run_random, NULL, NULL};
const gan_kernel gan_cuda_shuffled_index = {run_shuffled_index, NULL, NULL};
const gan_kernel gan_cuda_minibatch = {run_minibatch, prepare_minibatch, NULL};
