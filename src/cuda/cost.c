/* What calls cost on this device beside the operands and results of their ops. */
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

static int64_t bytes_of(const gan_array *a) {
    return gan_shape_size(a->shape) * (int64_t)gan_dtype_size(a->dtype);
}

static int ceil_div(int a, int b) { return (a + b - 1) / b; }

/* An epilogue is a launch of its own on what the library has written. */
static void epilogue(const gan_call *call, gan_cost *cost) {
    if (!call->node->program) return;
    cost->launches++;
    cost->read += bytes_of(&call->out);
    cost->written += bytes_of(&call->out);
}

/* Results in parts go through the workspace. */
static void in_parts(const gan_call *call, gan_cost *cost) {
    cost->read += (int64_t)call->workspace_bytes;
    cost->written += (int64_t)call->workspace_bytes;
}

/* The same, with a second launch that brings them together. */
static void in_two(const gan_call *call, gan_cost *cost) {
    in_parts(call, cost);
    if (call->workspace_bytes) cost->launches++;
}

/* Pieces that were computed in place cost nothing; without addresses, none is known to be. */
static void pieces(const gan_call *call, gan_cost *cost) {
    cost->launches = ceil_div(call->n_in, GAN_LAUNCH_PACK_PIECES);
}

static void concat(const gan_call *call, gan_cost *cost) { cost->launches = call->n_in; }

static void record(const gan_call *call, gan_cost *cost) {
    cost->launches = ceil_div(call->n_in - 2, GAN_LAUNCH_RECORD_VALUES);
}

static void power(const gan_call *call, gan_cost *cost) {
    (void)call;
    cost->launches = 4;
}

static void product(const gan_call *call, gan_cost *cost) {
    if (!gan_cuda_matmul_is_own(call)) epilogue(call, cost);
}

static void batch_norm(const gan_call *call, gan_cost *cost) {
    if (!gan_cuda_batch_norm_is_joined(call)) epilogue(call, cost);
}

static void convolution(const gan_call *call, gan_cost *cost) {
    if (!gan_cuda_conv_is_fused(call)) epilogue(call, cost);
    if (gan_cuda_conv_is_framed(call)) cost->launches++;
    if (gan_cuda_conv_is_apart(call)) {
        cost->launches++;
        cost->read += bytes_of(&call->out);
    }
    if (gan_cuda_conv_is_direct(call)) in_parts(call, cost);
}

/* A function of a convolution that is still at hand. */
static void followed(const gan_call *call, gan_cost *cost) {
    if (!call->joined && gan_cuda_conv_is_both(call - 1)) cost->read -= bytes_of(&call[-1].out);
}

/* The sums of what a filter's gradient reads. */
static void sum(const gan_call *call, gan_cost *cost) {
    if (gan_cuda_conv_is_both(call->joined ? call : call - 1))
        cost->read -= bytes_of(&call->in[0]);
    else
        in_parts(call, cost);
}

#define ROW(op, function) [GAN_OP_##op] = function

/* Ops without a row: one launch. */
static void (*const rule[GAN_OP_COUNT])(const gan_call *call, gan_cost *cost) = {
    ROW(pointwise, followed),
    ROW(sum, sum),
    ROW(max, in_parts),
    ROW(moments, in_parts),
    ROW(batch_norm_sums, in_parts),
    ROW(logits_loss, in_two),
    ROW(softmax_loss, in_two),
    ROW(batch_norm, batch_norm),
    ROW(matmul, product),
    ROW(conv2d, convolution),
    ROW(conv2d_grad_input, convolution),
    ROW(conv2d_grad_weight, convolution),
    ROW(concat, concat),
    ROW(record, record),
    ROW(pack, pieces),
    ROW(power_iteration, power),
};

void gan_cuda_cost(const gan_device *device, const gan_call *call, gan_cost *cost) {
    if (rule[call->node->op]) rule[call->node->op](call, cost);
    gan_cuda_pair_cost(device, call, cost);
}
