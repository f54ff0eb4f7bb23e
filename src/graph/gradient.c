/* Reverse-mode differentiation: gradients are nodes of the same ops, so they can be differentiated
 * again. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/graph.h"

enum { MAX_OPERANDS = 64 };

/* Per node id: whether it depends on a target, and the gradient gathered so far. */
typedef struct pass {
    int n;
    bool *needed, *target;
    gan_node **grad;
} pass;

static bool pass_open(pass *p, int n) {
    p->n = n;
    p->needed = calloc((size_t)n, sizeof *p->needed);
    p->target = calloc((size_t)n, sizeof *p->target);
    p->grad = calloc((size_t)n, sizeof *p->grad);
    return p->needed && p->target && p->grad;
}

static void pass_close(pass *p) {
    free(p->needed);
    free(p->target);
    free(p->grad);
}

static bool blocks(const gan_node *node) {
    return (gan_op_of(node)->flags & GAN_OP_NO_GRADIENT) != 0;
}

/* A rule uses the operands' values as they are now; an update since would make them other values.
 */
static bool operands_unchanged(gan_graph *g, gan_node *node) {
    for (int i = 0; i < node->n_in; i++) {
        const gan_node *base = gan_node_base(node->in[i]);
        if (base->op != GAN_OP_variable) continue;
        const gan_variable *v = base->attr.variable.variable;
        if (gan_graph_writes(g, v, node->id, g->n_nodes))
            return gan_node_error(node, GAN_ERROR_ARGUMENT,
                                  "gradient asked for after %s was updated: ask before the update",
                                  v->name);
    }
    return true;
}

static gan_node *accumulate(gan_graph *g, gan_node *sum, gan_node *more) {
    return sum ? gan_add(g, sum, more) : more;
}

static void backpropagate(gan_graph *g, gan_node *root, gan_node *seed, int n, gan_node *const *wrt,
                          bool targets_are_leaves, gan_node **grad);

/* The gradients of one node's operands, by its rule or through its expansion. */
static void node_gradient(gan_graph *g, gan_node *node, gan_node *dy, const bool *need,
                          gan_node **dx) {
    const gan_op *op = gan_op_of(node);
    if (op->gradient) {
        op->gradient(node, dy, need, dx);
    } else if (op->expand) {
        gan_node *expanded = op->expand(node);
        gan_node *wrt[MAX_OPERANDS] = {NULL}, *part[MAX_OPERANDS];
        int index[MAX_OPERANDS], n = 0;
        for (int i = 0; i < node->n_in; i++)
            if (need[i]) {
                wrt[n] = node->in[i];
                index[n++] = i;
            }
        if (!expanded) return;
        backpropagate(g, expanded, dy, n, wrt, true, part);
        for (int i = 0; i < n; i++) {
            bool again = false; /* an operand used twice has its whole gradient already */
            for (int j = 0; j < i; j++) again = again || wrt[j] == wrt[i];
            if (!again) dx[index[i]] = part[i];
        }
    }
}

static void step(gan_graph *g, pass *p, gan_node *node) {
    bool stack_need[MAX_OPERANDS] = {false}, any = false;
    gan_node *stack_dx[MAX_OPERANDS] = {NULL};
    bool *need = stack_need;
    gan_node **dx = stack_dx;
    if (node->n_in > MAX_OPERANDS) {
        need = gan_graph_alloc(g, (size_t)node->n_in * sizeof *need);
        dx = gan_graph_alloc(g, (size_t)node->n_in * sizeof *dx);
        if (!need || !dx) return;
    }
    for (int i = 0; i < node->n_in; i++) {
        need[i] = p->needed[node->in[i]->id];
        any = any || need[i];
    }
    if (!any || !operands_unchanged(g, node)) return;
    const int first = g->n_nodes;
    node_gradient(g, node, p->grad[node->id], need, dx);
    for (int id = first; node->tf32 && id < g->n_nodes; id++) g->node[id]->tf32 = true;
    for (int i = 0; i < node->n_in && g->status == GAN_OK; i++) {
        if (!need[i] || !dx[i]) continue;
        gan_node *x = node->in[i];
        if (!gan_shape_equal(dx[i]->shape, x->shape)) {
            char given[GAN_SHAPE_TEXT], wanted[GAN_SHAPE_TEXT];
            gan_node_error(node, GAN_ERROR_SHAPE, "the gradient of operand %d is %s, expected %s",
                           i, gan_shape_text(given, dx[i]->dtype, dx[i]->shape),
                           gan_shape_text(wanted, x->dtype, x->shape));
            return;
        }
        p->grad[x->id] = accumulate(g, p->grad[x->id], dx[i]);
    }
}

/* grad[i] = sum over paths of seed · d(root)/d(wrt[i]); NULL where there is none. With
 * targets_are_leaves paths end at the first target. */
static void backpropagate(gan_graph *g, gan_node *root, gan_node *seed, int n, gan_node *const *wrt,
                          bool targets_are_leaves, gan_node **grad) {
    pass p;
    memset(grad, 0, (size_t)n * sizeof *grad);
    if (!pass_open(&p, g->n_nodes)) {
        pass_close(&p);
        gan_graph_error(g, GAN_ERROR_MEMORY, "gradient: out of memory");
        return;
    }
    for (int i = 0; i < n; i++) p.target[wrt[i]->id] = p.needed[wrt[i]->id] = true;
    for (int id = 0; id <= root->id; id++) {
        const gan_node *node = g->node[id];
        if (p.target[id] || blocks(node)) continue;
        for (int i = 0; i < node->n_in; i++)
            p.needed[id] = p.needed[id] || p.needed[node->in[i]->id];
    }
    if (p.needed[root->id]) p.grad[root->id] = seed;
    for (int id = root->id; id >= 0 && g->status == GAN_OK; id--) {
        gan_node *node = g->node[id];
        if (!p.grad[id] || blocks(node) || (targets_are_leaves && p.target[id])) continue;
        step(g, &p, node);
    }
    for (int i = 0; i < n; i++) grad[i] = p.grad[wrt[i]->id];
    pass_close(&p);
}

gan_status gan_gradient(gan_graph *g, gan_node *loss, int n, gan_node *const *wrt,
                        gan_node **grad) {
    for (int i = 0; i < n; i++) grad[i] = NULL;
    if (!g || g->status != GAN_OK) return g ? gan_graph_status(g) : GAN_ERROR_ARGUMENT;
    if (!loss || loss->shape.rank != 0) {
        gan_graph_error(g, GAN_ERROR_SHAPE,
                        "gradient: the loss must be a scalar node, rank %d given",
                        loss ? loss->shape.rank : -1);
        return gan_graph_status(g);
    }
    for (int i = 0; i < n; i++)
        if (!wrt[i] ||
            wrt[i]->op == GAN_OP_constant) { /* builders fold constants: no path is left */
            gan_graph_error(g, GAN_ERROR_ARGUMENT, "gradient: node %d to differentiate by is %s", i,
                            wrt[i] ? "a constant" : "missing");
            return gan_graph_status(g);
        }
    backpropagate(g, loss, gan_constant(g, 1, loss->shape), n, wrt, false, grad);
    for (int i = 0; i < n && g->status == GAN_OK; i++)
        if (!grad[i]) grad[i] = gan_cast(g, gan_constant(g, 0, wrt[i]->shape), wrt[i]->dtype);
    return gan_graph_status(g);
}
