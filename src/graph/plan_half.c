/* Weights in bf16: where an optimiser's update is the last to have written a group's weights, it
 * has written their bf16 copy, too, and that is what stands for the cast of a weight. Elsewhere one
 * cast makes a copy of the whole group. */
#include "base/error.h"
#include "graph/plan_cast.h"

#include <stdlib.h>

/* ---- who keeps the copy ---- */

static gan_variable *weight_of(const gan_node *x) {
    while (x->op == GAN_OP_stop_gradient) x = x->in[0];
    if (x->op != GAN_OP_variable) return NULL;
    gan_variable *v = x->attr.variable.variable;
    return v->dtype == GAN_F32 && !v->is_flat && v->arena->flat ? v : NULL;
}

gan_variable *gan_plan_cast_weight(const gan_node *cast) {
    return cast->op == GAN_OP_cast && cast->dtype == GAN_BF16 ? weight_of(cast->in[0]) : NULL;
}

/* The last to write v before node `id`: of this iteration, or of the one before. */
static const gan_node *last_writer(const gan_graph *g, const gan_variable *v, int id) {
    for (int e = id - 1; e >= 0; e--)
        if (gan_effect_writes(g->node[e], v)) return g->node[e];
    for (int e = g->n_nodes - 1; e > id; e--)
        if (gan_effect_writes(g->node[e], v)) return g->node[e];
    return NULL;
}

/* The update that leaves the copy for `cast`; NULL: none does. */
static const gan_node *keeper(const gan_graph *g, const gan_node *cast) {
    gan_variable *v = gan_plan_cast_weight(cast), *flat = v ? v->arena->flat : NULL;
    const gan_node *writer = flat ? last_writer(g, flat, cast->id) : NULL;
    if (!writer || (writer->op != GAN_OP_adam && writer->op != GAN_OP_momentum)) return NULL;
    return writer->in[0]->attr.variable.variable == flat ? writer : NULL;
}

bool gan_plan_half_open(gan_plan_half *half, const gan_graph *from, const bool *live,
                        const bool *stale) {
    *half = (gan_plan_half){.n = from->n_nodes, .keeps = calloc((size_t)from->n_nodes + 1, 1)};
    for (int id = 0; half->keeps && id < from->n_nodes; id++) {
        if (!live[id] || stale[id]) continue;
        const gan_node *writer = keeper(from, from->node[id]);
        if (writer) half->keeps[id] = half->keeps[writer->id] = true;
    }
    return half->keeps != NULL;
}

void gan_plan_half_close(gan_plan_half *half) {
    free(half->keeps);
    free(half->cast);
    *half = (gan_plan_half){0};
}

/* ---- nodes ---- */

static gan_node *variable_node(gan_graph *to, gan_variable *v) {
    for (int id = 0; id < to->n_nodes; id++)
        if (to->node[id]->op == GAN_OP_variable && to->node[id]->attr.variable.variable == v)
            return to->node[id];
    gan_node model = {.op = GAN_OP_variable, .dtype = v->dtype, .shape = v->shape};
    model.attr.variable.variable = v;
    return gan_node_append(to, &model, NULL);
}

static gan_node *kept_copy(gan_graph *to, const gan_variable *flat) {
    gan_variable *v = gan_store_half(to->store, flat);
    return v ? variable_node(to, v) : gan_graph_error(to, GAN_ERROR_MEMORY, "plan: out of memory");
}

gan_node *gan_plan_keep_half(const gan_plan_half *half, gan_graph *to, const gan_node *update,
                             gan_node *const *in) {
    gan_node *all[8];
    if (update->id >= half->n || !half->keeps[update->id] || gan_op_copy(update)) return NULL;
    for (int i = 0; i < update->n_in; i++) all[i] = in[i];
    gan_node model = *update;
    all[model.n_in++] = kept_copy(to, in[0]->attr.variable.variable);
    return to->status == GAN_OK ? gan_node_append(to, &model, all) : NULL;
}

/* The whole arena in bf16 as it is now: a cast that is there, or a new one. */
static gan_node *cast_copy(gan_plan_half *half, gan_graph *to, gan_variable *flat) {
    for (int i = half->n_casts - 1; i >= 0; i--) {
        if (half->cast[i]->in[0]->attr.variable.variable != flat) continue;
        if (!gan_graph_writes(to, flat, half->cast[i]->id, to->n_nodes)) return half->cast[i];
        break;
    }
    if (half->n_casts == half->capacity) {
        half->capacity = 2 * half->capacity + 16;
        gan_node **more = realloc(half->cast, (size_t)half->capacity * sizeof *more);
        if (!more) return gan_graph_error(to, GAN_ERROR_MEMORY, "plan: out of memory");
        half->cast = more;
    }
    gan_node *all = variable_node(to, flat);
    gan_node *cast = all ? gan_plan_cast_to(to, all, GAN_BF16) : NULL;
    if (cast) half->cast[half->n_casts++] = cast;
    return cast;
}

gan_node *gan_plan_half_weight(gan_plan_half *half, gan_graph *to, const gan_node *cast) {
    const gan_variable *v = gan_plan_cast_weight(cast);
    gan_node *all =
        half->keeps[cast->id] ? kept_copy(to, v->arena->flat) : cast_copy(half, to, v->arena->flat);
    if (!all) return NULL;
    const int64_t size = gan_shape_size(v->shape);
    gan_node model = {.op = GAN_OP_slice, .dtype = GAN_BF16, .shape = gan_shape1(size), .n_in = 1};
    model.attr.slice.start = (int64_t)(v->offset / gan_dtype_size(GAN_F32));
    model.attr.slice.length = size;
    gan_node *part = gan_node_append(to, &model, &all);
    if (!part || gan_shape_equal(part->shape, v->shape)) return part;
    model = (gan_node){.op = GAN_OP_reshape, .dtype = GAN_BF16, .shape = v->shape, .n_in = 1};
    model.attr.target.shape = v->shape;
    return gan_node_append(to, &model, &part);
}

/* ---- what must hold before a run ---- */

gan_status gan_plan_refresh(gan_plan *plan) {
    gan_graph *g = plan->graph;
    const int n = g->n_nodes;
    for (int id = 0; id < n; id++) {
        gan_node *copy = gan_op_copy(g->node[id]);
        gan_node *all = copy ? g->node[id]->in[0] : NULL;
        for (int k = 0; all && k < plan->n_refresh; k++)
            if (plan->refresh[k]->in[0] == all) all = NULL;
        if (!all) continue;
        gan_node **more =
            realloc(plan->refresh, (size_t)(plan->n_refresh + 1) * sizeof *plan->refresh);
        gan_node *cast = more ? gan_plan_cast_to(g, all, GAN_BF16) : NULL;
        if (more) plan->refresh = more;
        if (!cast) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
        plan->refresh[plan->n_refresh++] = cast;
    }
    return GAN_OK;
}
