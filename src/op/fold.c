/* Folding: the filters of a convolution that follows upsampling, or that a mean over 2x2 follows,
 * as those of one convolution that does both; and the adjoint.
 *
 * Both are sums of four shifts, taken one tap beyond: over i, j in {0, 1},
 *     down: y[k,r,s,c] = Σ w[k, r - 1 + i, s - 1 + j, c] / 4
 *     up:   y[c,r,s,k] = Σ w[k, R - 1 - r + i, S - 1 - s + j, c]
 */
#include "op/rules.h"

static bool check(gan_node *node, const char *name, int64_t least) {
    if (!gan_check_float(node, 0, name) || !gan_check_rank(node, 0, name, 4)) return false;
    const int64_t *x = node->in[0]->shape.dim;
    if (x[1] < least || x[2] < least)
        return gan_node_error(node, GAN_ERROR_SHAPE, "%s has %lld x %lld taps; expected >= %lld",
                              name, (long long)x[1], (long long)x[2], (long long)least);
    const gan_dtype dtype = node->attr.fold.dtype;
    if (gan_is_float(dtype)) return true;
    return gan_node_error(node, GAN_ERROR_ARGUMENT, "to %s; expected f32 or bf16",
                          gan_dtype_name(dtype));
}

/* The filters of the result, `more` taps higher and wider. */
static void set_result(gan_node *node, int64_t more) {
    const int64_t *x = node->in[0]->shape.dim;
    const bool up = node->attr.fold.up;
    node->dtype = node->attr.fold.dtype;
    node->shape = gan_shape4(x[up ? 3 : 0], x[1] + more, x[2] + more, x[up ? 0 : 3]);
}

bool gan_fold_infer(gan_node *node) {
    if (!check(node, "w", 1)) return false;
    set_result(node, 1);
    return true;
}

bool gan_fold_adjoint_infer(gan_node *node) {
    if (!check(node, "dy", 2)) return false;
    set_result(node, -1);
    return true;
}

/* Each is the other's gradient, in the type of what it belongs to. */
static void gradient(gan_node *node, gan_op_id op, gan_node *dy, const bool *need, gan_node **dx) {
    const gan_attr attr = {.fold = {node->attr.fold.up, node->in[0]->dtype}};
    if (need[0]) dx[0] = gan_node_create(node->graph, op, 1, &dy, &attr, NULL);
}

void gan_fold_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gradient(node, GAN_OP_fold_adjoint, dy, need, dx);
}

void gan_fold_adjoint_gradient(gan_node *node, gan_node *dw, const bool *need, gan_node **dx) {
    gradient(node, GAN_OP_fold, dw, need, dx);
}

gan_node *gan_fold_down(gan_graph *g, gan_node *w, gan_dtype dtype) {
    return gan_node_create(g, GAN_OP_fold, 1, &w, &(gan_attr){.fold = {false, dtype}}, NULL);
}

gan_node *gan_fold_up(gan_graph *g, gan_node *w, gan_dtype dtype) {
    return gan_node_create(g, GAN_OP_fold, 1, &w, &(gan_attr){.fold = {true, dtype}}, NULL);
}
