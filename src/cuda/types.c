/* Which kernels take bfloat16; the plan gives the others f32 copies of such operands. */
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

typedef bool takes(const gan_node *node);

/* They move bytes, convert, or run programs over either type. */
static bool any(const gan_node *node) {
    (void)node;
    return true;
}

/* The first operands and the result are of one type, what follows is a program over either. */
static bool alike(const gan_node *node) {
    bool all = node->dtype == node->in[0]->dtype;
    for (int i = 1; i < gan_op_of(node)->arity; i++) all = all && node->in[i]->dtype == node->dtype;
    return all;
}

/* With two results where the library makes it and may write both: not as f32, and not of few
 * channels. */
static bool convolution(const gan_node *node) {
    const bool cores = node->dtype == GAN_BF16 || node->tf32;
    return alike(node) &&
           (!gan_conv_is_double(node) || (cores && node->shape.dim[3] > GAN_LAUNCH_CONV_CHANNELS));
}

static bool of_index(const gan_node *node) { return node->dtype == node->in[0]->dtype; }

/* cuBLAS stores what it makes of bf16 as f32, too. */
static bool product(const gan_node *node) {
    const gan_dtype from = node->in[0]->dtype;
    if (gan_matmul_is_spread(node) && !gan_cuda_matmul_spreads(node)) return false;
    return from == node->in[1]->dtype && (from == GAN_BF16 || node->dtype == GAN_F32);
}

/* Of x and dy alike; the result is f32. */
static bool sums(const gan_node *node) { return node->in[0]->dtype == node->in[2]->dtype; }

static bool grad(const gan_node *node) { return sums(node) && node->dtype == node->in[0]->dtype; }

/* The copy of the weights that it keeps is bf16, pieces of the gradient may be. */
static bool update(const gan_node *node) {
    const int pieces = gan_op_pieces(node);
    for (int i = 0; i < gan_op_of(node)->arity; i++)
        if (node->in[i]->dtype == GAN_BF16 && !(pieces && i == gan_op_piece(node, 0))) return false;
    return pieces <= GAN_LAUNCH_PIECES;
}

/* Indices are whole numbers. */
static bool noise(const gan_node *node) {
    return node->dtype != GAN_BF16 || node->attr.random.kind != GAN_RANDOM_INDEX;
}

#define ROW(op, rule) [GAN_OP_##op] = rule

static takes *const rule[GAN_OP_COUNT] = {
    ROW(constant, any),
    ROW(stop_gradient, any),
    ROW(pointwise, any),
    ROW(cast, any),
    ROW(sum, any),
    ROW(max, any),
    ROW(broadcast, any),
    ROW(reshape, any),
    ROW(permute, any),
    ROW(concat, any),
    ROW(slice, any),
    ROW(pad, any),
    ROW(gather, any),
    ROW(assign, any),
    ROW(matmul, product),
    ROW(conv2d, convolution),
    ROW(conv2d_grad_input, alike),
    ROW(conv2d_grad_weight, alike),
    ROW(fold, any),
    ROW(fold_adjoint, any),
    ROW(average_pool, alike),
    ROW(average_pool_adjoint, alike),
    ROW(max_pool, alike),
    ROW(max_pool_adjoint, alike),
    ROW(max_pool_select, alike),
    ROW(scatter_add, of_index),
    ROW(moments, any),
    ROW(batch_norm, any),
    ROW(batch_norm_sums, sums),
    ROW(batch_norm_grad, grad),
    ROW(pack, any),
    ROW(random, noise),
    ROW(minibatch, any),
    ROW(adam, update),
    ROW(momentum, update),
};

bool gan_cuda_takes(const gan_node *node) {
    if (rule[node->op]) return rule[node->op](node);
    bool half = node->dtype == GAN_BF16;
    for (int i = 0; i < node->n_in; i++) half = half || node->in[i]->dtype == GAN_BF16;
    return !half;
}
