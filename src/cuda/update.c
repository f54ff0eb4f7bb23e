/* Effects on variables. */
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

static gan_status run_assign(gan_device *device, const gan_call *call) {
    const gan_array *to = &call->in[0], *from = &call->in[1];
    const size_t bytes = gan_dtype_size(to->dtype) * (size_t)gan_shape_size(to->shape);
    if (bytes == 0 || to->data == from->data) return GAN_OK;
    GAN_CUDA_TRY(call->node, cudaMemcpyAsync(to->data, from->data, bytes, cudaMemcpyDeviceToDevice,
                                             gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_advance(gan_device *device, const gan_call *call) {
    GAN_CUDA_TRY(call->node, gan_launch_advance(call->in[0].data, call->node->attr.advance.by,
                                                gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_record(gan_device *device, const gan_call *call) {
    gan_launch_record_args a = {
        .ring = call->in[0].data,
        .counter = call->in[1].data,
        .every = call->node->attr.record.every,
        .rows = call->in[0].shape.dim[0],
        .width = call->in[0].shape.dim[1],
    };
    for (int i = 2; i < call->n_in; i++) {
        a.value[a.n++] = call->in[i].data;
        if (a.n < GAN_LAUNCH_RECORD_VALUES && i + 1 < call->n_in) continue;
        GAN_CUDA_TRY(call->node, gan_launch_record(&a, gan_cuda(device)->stream));
        a.first += a.n;
        a.n = 0;
    }
    return GAN_OK;
}

enum { LINE = 16 }; /* floats in 64 bytes */

/* Each operand begins on a line of 64 bytes. Producers may have written in place already. */
static gan_status run_pack(gan_device *device, const gan_call *call) {
    gan_launch_pack_args a = {.n_pieces = 0};
    float *y = call->out.data;
    for (int i = 0; i < call->n_in; i++) {
        const int64_t n = gan_shape_size(call->in[i].shape), padded = (n + LINE - 1) / LINE * LINE;
        const void *from = call->in[i].data == (void *)y ? NULL : call->in[i].data;
        if (from ? n > 0 : n < padded) {
            a.piece[a.n_pieces].to = y;
            a.piece[a.n_pieces].from = from;
            a.piece[a.n_pieces].bf16 = call->in[i].dtype == GAN_BF16;
            a.piece[a.n_pieces].n = n;
            a.piece[a.n_pieces++].padded = padded;
        }
        y += padded;
        if (a.n_pieces == 0 || (a.n_pieces < GAN_LAUNCH_PACK_PIECES && i + 1 < call->n_in))
            continue;
        GAN_CUDA_TRY(call->node, gan_launch_pack(&a, gan_cuda(device)->stream));
        a.n_pieces = 0;
    }
    return GAN_OK;
}

static gan_status run_moving_average(gan_device *device, const gan_call *call) {
    GAN_CUDA_TRY(call->node, gan_launch_moving_average(
                                 call->in[0].data, call->in[1].data, call->in[2].data,
                                 gan_shape_size(call->in[0].shape), gan_cuda(device)->stream));
    return GAN_OK;
}

/* Where the update keeps the weights in bf16, too, or NULL. */
static void *copy_of(const gan_call *call) {
    return gan_op_copy(call->node) ? call->in[gan_op_of(call->node)->arity].data : NULL;
}

/* A gradient that is one vector is one piece. */
static gan_launch_pieces gradient_of(const gan_call *call) {
    const int given = gan_op_pieces(call->node);
    gan_launch_pieces g = {.n = given ? given : 1};
    int64_t line = 0;
    for (int k = 0; k < g.n; k++) {
        const gan_array *from = &call->in[gan_op_piece(call->node, k)];
        const int64_t n = gan_shape_size(from->shape);
        g.piece[k].data = from->data;
        g.piece[k].line = (uint32_t)line;
        g.piece[k].n = n;
        g.piece[k].bf16 = from->dtype == GAN_BF16;
        line += (n + LINE - 1) / LINE;
    }
    return g;
}

static gan_status run_adam(gan_device *device, const gan_call *call) {
    const gan_attr *attr = &call->node->attr;
    const gan_launch_pieces gradient = gradient_of(call);
    const gan_launch_adam_args a = {
        .weight = call->in[0].data,
        .first = call->in[1].data,
        .second = call->in[2].data,
        .gradient = &gradient,
        .n = gan_shape_size(call->in[0].shape),
        .rate = call->in[4].data,
        .counter = call->in[5].data,
        .per_iteration = attr->adam.per_iteration,
        .offset = attr->adam.offset,
        .beta1 = attr->adam.beta1,
        .beta2 = attr->adam.beta2,
        .eps = attr->adam.eps,
        .copy = copy_of(call),
    };
    GAN_CUDA_TRY(call->node, gan_launch_adam(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_momentum(gan_device *device, const gan_call *call) {
    const gan_launch_pieces gradient = gradient_of(call);
    GAN_CUDA_TRY(call->node,
                 gan_launch_momentum(call->in[0].data, call->in[1].data, &gradient,
                                     gan_shape_size(call->in[0].shape), call->in[3].data,
                                     call->in[4].data, copy_of(call), gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_assign = {run_assign, NULL, NULL};
const gan_kernel gan_cuda_advance = {run_advance, NULL, NULL};
const gan_kernel gan_cuda_moving_average = {run_moving_average, NULL, NULL};
const gan_kernel gan_cuda_record = {run_record, NULL, NULL};
const gan_kernel gan_cuda_pack = {run_pack, NULL, NULL};
const gan_kernel gan_cuda_adam = {run_adam, NULL, NULL};
const gan_kernel gan_cuda_momentum = {run_momentum, NULL, NULL};
