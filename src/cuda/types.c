/* Which kernels take bfloat16; the plan gives the others f32 copies of such operands. */
#include "cuda/kernels.h"

typedef bool takes(const gan_node *node);

/* They move bytes, convert, or run programs over either type. */
static bool any(const gan_node *node) {
    (void)node;
    return true;
}

/* What follows a product is a program over operands of either type. */
static bool f32_product(const gan_node *node) {
    const int arity = gan_op_of(node)->arity;
    bool all = node->dtype == GAN_F32;
    for (int i = 0; i < arity; i++) all = all && node->in[i]->dtype == GAN_F32;
    return all;
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
    ROW(matmul, f32_product),
    ROW(conv2d, f32_product),
    ROW(conv2d_grad_input, f32_product),
};

bool gan_cuda_takes(const gan_node *node) {
    if (rule[node->op]) return rule[node->op](node);
    bool half = node->dtype == GAN_BF16;
    for (int i = 0; i < node->n_in; i++) half = half || node->in[i]->dtype == GAN_BF16;
    return !half;
}
