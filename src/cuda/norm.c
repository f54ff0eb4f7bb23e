/* moments, and the gradients of batch_norm, which itself is a chain of pointwise functions; and,
 * where the device's blocks can wait for each other, moments with the batch_norm that takes them
 * and batch_norm_sums with their batch_norm_grad, as one launch. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

/* `sums`: the result's shape, or that of an operand like it, (groups, 2, channels). */
static gan_launch_norm_args args_of(const gan_call *call, gan_shape sums) {
    const gan_shape x = call->in[0].shape;
    const int64_t channels = x.dim[x.rank - 1], groups = sums.dim[0];
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
    const gan_launch_norm_args a = args_of(call, call->out.shape);
    call->workspace_bytes = gan_launch_norm_workspace(&a);
    return GAN_OK;
}

static gan_status run_moments(gan_device *device, const gan_call *call) {
    gan_launch_norm_args a = args_of(call, call->out.shape);
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
    gan_launch_norm_args a = args_of(call, call->out.shape);
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
    const gan_launch_norm_args a = args_of(call, call->in[1].shape);
    const gan_launch_norm_back back = back_of(call);
    GAN_CUDA_TRY(call->node, gan_launch_batch_norm_grad(&a, &back, call->in[5].data, call->out.data,
                                                        gan_cuda(device)->stream));
    return GAN_OK;
}

/* ---- two calls as one launch ---- */

static bool is_whole(const gan_node *first) {
    const gan_node *x = first->in[0];
    const gan_call call = {.node = first,
                           .in = &(gan_array){.dtype = x->dtype, .shape = x->shape},
                           .out = {.dtype = first->dtype, .shape = first->shape}};
    const gan_launch_norm_args a = args_of(&call, first->shape);
    return gan_launch_norm_is_whole(&a);
}

static bool same_operands(const gan_node *a, const gan_node *b, int n) {
    for (int i = 0; i < n; i++)
        if (a->in[i] != b->in[i]) return false;
    return true;
}

static bool is_forward(const gan_node *first, const gan_node *second) {
    int fn;
    float k;
    return first->op == GAN_OP_moments && second->op == GAN_OP_batch_norm &&
           second->in[0] == first->in[0] && second->in[1] == first &&
           second->dtype == first->in[0]->dtype && gan_cuda_batch_norm_follower(second, &fn, &k);
}

static bool is_backward(const gan_node *first, const gan_node *second) {
    return first->op == GAN_OP_batch_norm_sums && second->op == GAN_OP_batch_norm_grad &&
           same_operands(first, second, 5) && second->in[5] == first &&
           second->in[2]->dtype == second->in[0]->dtype && second->dtype == second->in[0]->dtype &&
           !second->program && first->attr.norm.eps == second->attr.norm.eps &&
           first->attr.norm.slope == second->attr.norm.slope;
}

bool gan_cuda_pairs(const gan_device *device, const gan_node *first, const gan_node *second) {
    if (!((const gan_cuda_device *)device)->resident) return false;
    return (is_forward(first, second) || is_backward(first, second)) && is_whole(first);
}

bool gan_cuda_is_pair(const gan_call *calls) {
    return calls[0].node->op == GAN_OP_moments || calls[0].node->op == GAN_OP_batch_norm_sums;
}

static bool aligned(const void *p) { return (uintptr_t)p % 16 == 0; }

gan_status gan_cuda_run_pair(gan_device *device, const gan_call *calls) {
    const gan_call *first = &calls[0], *second = &calls[1];
    const bool back = first->node->op == GAN_OP_batch_norm_sums;
    const gan_cuda_device *d = gan_cuda(device);
    unsigned *barrier = d->lane[first->lane].barrier;
    gan_launch_norm_args a = args_of(first, first->out.shape);
    gan_launch_norm_back with;
    a.counters = d->lane[first->lane].counters;
    if (!aligned(a.x) || !aligned(second->out.data) || (back && !aligned(first->in[2].data))) {
        for (int i = 0; i < 2; i++)
            GAN_TRY(gan_cuda_kernels[calls[i].node->op]->run(device, &calls[i]));
        return GAN_OK;
    }
    if (back) {
        with = back_of(first);
        GAN_CUDA_TRY(second->node,
                     gan_launch_batch_norm_back(&a, &with, second->out.data, barrier, d->stream));
        return GAN_OK;
    }
    int fn;
    with = (gan_launch_norm_back){.gamma = second->in[2].data,
                                  .beta = second->in[3].data,
                                  .eps = (float)second->node->attr.norm.eps};
    gan_cuda_batch_norm_follower(second->node, &fn, &with.slope);
    GAN_CUDA_TRY(second->node,
                 gan_launch_batch_norm(&a, &with, fn, second->out.data, barrier, d->stream));
    return GAN_OK;
}

/* What the first of a pair has read, the second one finds on the chip or in the cache. */
void gan_cuda_pair_cost(const gan_device *device, const gan_call *second, gan_cost *cost) {
    const gan_node *node = second->node;
    const bool back = node->op == GAN_OP_batch_norm_grad;
    if (second->joined || (!back && node->op != GAN_OP_batch_norm)) return;
    int64_t bytes = (int64_t)gan_node_bytes(node->in[0]);
    if (back) bytes += (int64_t)gan_node_bytes(node->in[2]);
    if (bytes <= ((const gan_cuda_device *)device)->cache_bytes) cost->read -= bytes;
}

const gan_kernel gan_cuda_moments = {run_moments, prepare, NULL};
const gan_kernel gan_cuda_batch_norm_sums = {run_sums, prepare, NULL};
const gan_kernel gan_cuda_batch_norm_grad = {run_grad, prepare_grad, NULL};
