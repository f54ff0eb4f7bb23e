/* Ordering: effects stay in their order; a value is computed for the first effect that needs it,
 * except that whoever reads a variable does so before the next update of it. */
#include <stdlib.h>

#include "base/error.h"
#include "graph/plan.h"

typedef struct ordering {
    gan_plan *plan;
    bool *live, *done, *wanted;
    int *stack;
} ordering;

static void want(ordering *o, int id) {
    int top = 0;
    if (!o->done[id] && !o->wanted[id]) {
        o->wanted[id] = true;
        o->stack[top++] = id;
    }
    while (top > 0) {
        const gan_node *node = o->plan->graph->node[o->stack[--top]];
        for (int i = 0; i < node->n_in; i++) {
            int x = node->in[i]->id;
            if (o->done[x] || o->wanted[x]) continue;
            o->wanted[x] = true;
            o->stack[top++] = x;
        }
    }
}

/* Ids are topological: operands come first. */
static void emit_wanted(ordering *o) {
    const gan_graph *g = o->plan->graph;
    for (int id = 0; id < g->n_nodes; id++) {
        if (!o->wanted[id]) continue;
        gan_node *node = g->node[id];
        o->wanted[id] = false;
        o->done[id] = true;
        if ((gan_op_of(node)->flags & GAN_OP_LEAF) || gan_node_is_view(node, NULL)) continue;
        o->plan->order[o->plan->n_launches++] = node;
    }
}

gan_status gan_plan_order(gan_plan *plan) {
    const gan_graph *g = plan->graph;
    const size_t n = (size_t)g->n_nodes + 1;
    ordering o = {plan, gan_plan_live(g), calloc(n, 1), calloc(n, 1), calloc(n, sizeof(int))};
    plan->order = calloc(n, sizeof(gan_node *));
    gan_status status = GAN_OK;
    if (!o.live || !o.done || !o.wanted || !o.stack || !plan->order)
        status = gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    for (int e = 0; status == GAN_OK && e < g->n_nodes; e++) {
        const gan_node *effect = g->node[e];
        if (!(gan_op_of(effect)->flags & GAN_OP_EFFECT)) continue;
        for (int id = 0; id < e; id++)
            if (o.live[id] && !o.done[id] && gan_effect_touches(effect, g->node[id])) want(&o, id);
        emit_wanted(&o);
        want(&o, e);
        emit_wanted(&o);
    }
    for (int i = 0; status == GAN_OK && i < g->n_outputs; i++) want(&o, g->output[i]->id);
    if (status == GAN_OK) emit_wanted(&o);
    free(o.live);
    free(o.done);
    free(o.wanted);
    free(o.stack);
    return status;
}
