#include "graph/plan.h"

#include <stdlib.h>

#include "base/error.h"

bool *gan_plan_live(const gan_graph *g) {
    bool *live = calloc((size_t)g->n_nodes + 1, sizeof *live);
    if (!live) return NULL;
    for (int i = 0; i < g->n_outputs; i++) live[g->output[i]->id] = true;
    for (int id = g->n_nodes - 1; id >= 0; id--) {
        const gan_node *node = g->node[id];
        if (gan_op_of(node)->flags & GAN_OP_EFFECT) live[id] = true;
        if (!live[id]) continue;
        for (int i = 0; i < node->n_in; i++) live[node->in[i]->id] = true;
    }
    return live;
}

gan_status gan_plan_create(gan_plan **out, const gan_graph *source,
                           const gan_plan_options *options) {
    *out = NULL;
    GAN_TRY(gan_graph_status(source));
    gan_plan *plan = calloc(1, sizeof *plan);
    if (!plan) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    gan_status status = gan_plan_lower(plan, source, options);
    if (status == GAN_OK) status = gan_plan_fuse(plan);
    if (status == GAN_OK) status = gan_plan_order(plan);
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
    free(plan->place);
    free(plan->copy_of);
    free(plan);
}
