/* What several passes over a network compute alike: sums, folded filters, copies. */
#include "graph/plan_share.h"

static const gan_variable *variable_of(const gan_node *x) {
    return x->op == GAN_OP_variable ? x->attr.variable.variable : NULL;
}

/* Whether x, read by node `before`, and y, read by node `after`, are the same values: one node or
 * variable, or the same shape and type of one. A variable may be updated in between. */
static bool is_same(const gan_graph *to, gan_node *x, gan_node *y, int before, int after) {
    while (x != y && (!variable_of(x) || variable_of(x) != variable_of(y))) {
        const bool changed = x->op == GAN_OP_cast || x->op == GAN_OP_reshape;
        if (!changed || x->op != y->op || x->dtype != y->dtype ||
            !gan_shape_equal(x->shape, y->shape))
            return false;
        x = x->in[0];
        y = y->in[0];
    }
    const gan_variable *v = variable_of(gan_node_base(x));
    return !v || !gan_graph_writes(to, v, before, after);
}

static bool is_equal(const gan_graph *to, const gan_node *a, const gan_node *b) {
    if (a->op != b->op || a->n_in != b->n_in || a->program || a->dtype != b->dtype ||
        !gan_shape_equal(a->shape, b->shape))
        return false;
    const bool alike = a->op == GAN_OP_concat ||
                       (a->op == GAN_OP_fold ? a->attr.fold.up == b->attr.fold.up
                                             : a->attr.reduce.axes == b->attr.reduce.axes);
    return alike && is_same(to, a->in[0], b->in[0], a->id, b->id);
}

gan_node *gan_plan_share(const gan_graph *to, gan_node *node) {
    const bool shared =
        node && (node->op == GAN_OP_fold || (node->op == GAN_OP_concat && node->n_in == 1) ||
                 gan_op_of(node)->flags & GAN_OP_PROLOGUE);
    if (!shared || node->program) return node;
    /* The first: whatever equals it was put aside for it. */
    for (int id = 0; id < node->id; id++)
        if (is_equal(to, to->node[id], node)) return to->node[id];
    return node;
}
