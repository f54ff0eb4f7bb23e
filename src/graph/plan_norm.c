#include "graph/plan_norm.h"

#include <string.h>

static bool is(const gan_node *x, gan_fn fn) {
    return x->op == GAN_OP_pointwise && x->program->n_steps == 1 && x->program->step[0].fn == fn;
}

/* Whether y is what batch_norm makes of the node's operands. */
static bool is_result(const gan_node *y, const gan_node *node) {
    return y->op == GAN_OP_batch_norm && y->in[0] == node->in[0] && y->in[1] == node->in[1] &&
           y->in[2] == node->in[3] && y->in[3] == node->in[4] &&
           y->attr.norm.eps == node->attr.norm.eps;
}

bool gan_plan_norm(gan_node *out, gan_node *in[GAN_PLAN_NORM_OPERANDS], const gan_node *node) {
    if (node->op != GAN_OP_batch_norm_sums && node->op != GAN_OP_batch_norm_grad) return false;
    const gan_node *dy = node->in[2];
    if (!node->attr.norm.own || node->attr.norm.slope != 1 || !is(dy, GAN_FN_mul)) return false;
    const gan_node *step = dy->in[1];
    if (!is(step, GAN_FN_leaky_step)) return false;
    const gan_node *y = step->in[0];
    const float slope = step->program->step[0].k;
    const bool follows = (is(y, GAN_FN_relu) && slope == 0) ||
                         (is(y, GAN_FN_leaky_relu) && slope == y->program->step[0].k);
    if (!follows || !is_result(y->in[0], node)) return false;
    *out = *node;
    memcpy(in, node->in, (size_t)node->n_in * sizeof *in);
    in[2] = dy->in[0];
    out->in = in;
    out->attr.norm.slope = (double)slope;
    return true;
}
