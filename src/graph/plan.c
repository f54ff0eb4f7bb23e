#include "graph/plan.h"

#include <stdlib.h>

#include "base/error.h"
#include "graph/plan_cast.h"

/* Fusion appends views behind the nodes that read them, so ids alone give no order to go by. */
bool *gan_plan_live(const gan_graph *g) {
    bool *live = calloc((size_t)g->n_nodes + 1, sizeof *live);
    int *stack = malloc(((size_t)g->n_nodes + 1) * sizeof *stack), top = 0;
    for (int id = 0; live && stack && id < g->n_nodes; id++)
        if (gan_op_of(g->node[id])->flags & GAN_OP_EFFECT) live[stack[top++] = id] = true;
    for (int i = 0; live && stack && i < g->n_outputs; i++) {
        const int id = g->output[i]->id;
        if (!live[id]) live[stack[top++] = id] = true;
    }
    while (top > 0) {
        const gan_node *node = g->node[stack[--top]];
        for (int i = 0; i < node->n_in; i++) {
            const int id = node->in[i]->id;
            if (!live[id]) live[stack[top++] = id] = true;
        }
    }
    const bool complete = stack != NULL;
    free(stack);
    if (complete) return live;
    free(live);
    return NULL;
}

gan_status gan_plan_create(gan_plan **out, const gan_graph *source,
                           const gan_plan_options *options) {
    *out = NULL;
    GAN_TRY(gan_graph_status(source));
    gan_plan *plan = calloc(1, sizeof *plan);
    if (!plan) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    gan_status status = gan_plan_lower(plan, source, options);
    if (status == GAN_OK) status = gan_plan_refresh(plan);
    if (status == GAN_OK) status = gan_plan_fuse(plan, options);
    if (status == GAN_OK) status = gan_plan_order(plan);
    if (status == GAN_OK) status = gan_plan_join(plan, options);
    if (status == GAN_OK) status = gan_plan_phase(plan, options);
    if (status == GAN_OK) status = gan_plan_place(plan, options);
    if (status != GAN_OK) {
        gan_plan_destroy(plan);
        return status;
    }
    *out = plan;
    return GAN_OK;
}

void gan_plan_destroy(gan_plan *plan) {
    if (!plan) return;
    gan_graph_destroy(plan->graph);
    free(plan->order);
    free(plan->stage);
    free(plan->phase);
    free(plan->chain);
    free(plan->place);
    free(plan->copy_of);
    free(plan->refresh);
    free(plan);
}
