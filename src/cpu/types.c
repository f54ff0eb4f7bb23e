/* Which kernels take bfloat16; the plan gives the others f32 copies of such operands. */
#include "cpu/kernels.h"

typedef bool takes(const gan_node *node);

/* They move bytes, or convert. */
static bool any(const gan_node *node) {
    (void)node;
    return true;
}

/* Programs widen what they read; the result is f32. */
static bool f32_result(const gan_node *node) { return node->dtype == GAN_F32; }

/* What follows a product is a program over operands of either type. */
static bool f32_product(const gan_node *node) {
    const int arity = gan_op_of(node)->arity;
    bool all = node->dtype == GAN_F32 && !gan_matmul_is_spread(node) && !gan_conv_is_double(node);
    for (int i = 0; i < arity; i++) all = all && node->in[i]->dtype == GAN_F32;
    return all;
}

/* Of a gradient in one vector. The copy of the weights that it keeps is bf16. */
static bool update(const gan_node *node) {
    if (gan_op_pieces(node)) return false;
    for (int i = 0; i < gan_op_of(node)->arity; i++)
        if (node->in[i]->dtype == GAN_BF16) return false;
    return true;
}

#define ROW(op, rule) [GAN_OP_##op] = rule

static takes *const rule[GAN_OP_COUNT] = {
    ROW(constant, any),
    ROW(stop_gradient, any),
    ROW(pointwise, any),
    ROW(cast, any),
    ROW(sum, f32_result),
    ROW(max, f32_result),
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
    ROW(adam, update),
    ROW(momentum, update),
};

bool gan_cpu_takes(const gan_node *node) {
    if (rule[node->op]) return rule[node->op](node);
    bool half = node->dtype == GAN_BF16;
    for (int i = 0; i < node->n_in; i++) half = half || node->in[i]->dtype == GAN_BF16;
    return !half;
}
