/* Lowering: the live part of a graph, in ops that the device has kernels for. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/plan.h"

/* Views cost nothing and leaves are not computed; every device has them. */
static bool is_supported(const gan_node *node, const gan_plan_options *options) {
    if (gan_op_of(node)->flags & (GAN_OP_LEAF | GAN_OP_VIEW)) return true;
    return options->supported(options->context, node->op);
}

/* What a node becomes in the copy, its operands already being there. */
static gan_node *lower(gan_graph *to, const gan_node *node, gan_node *const *in, const gan_plan_options *options,
                       bool *expanded) {
    if (node->op == GAN_OP_stop_gradient) return in[0];
    if (node->op == GAN_OP_cast && node->dtype == in[0]->dtype) return in[0];
    if (node->op == GAN_OP_broadcast && gan_shape_equal(node->shape, in[0]->shape)) return in[0];
    if (node->op == GAN_OP_reshape) { /* of a reshape: of what that one shows */
        gan_node *x = in[0];
        while (x->op == GAN_OP_reshape) x = x->in[0];
        return gan_shape_equal(x->shape, node->shape) ? x : gan_node_append(to, node, &x);
    }
    gan_node *copy = gan_node_append(to, node, in);
    if (!copy || is_supported(node, options)) return copy;
    if (!gan_op_of(node)->expand)
        return gan_graph_error(to, GAN_ERROR_DEVICE, "%s: the device has no kernel for this op",
                               gan_op_of(node)->name);
    *expanded = true;
    return gan_op_of(node)->expand(copy);
}

/* One copying pass; map[id of `from`] = node of `to`. */
static gan_status copy_live(gan_graph *to, const gan_graph *from, const gan_plan_options *options, gan_node **map,
                            bool *expanded) {
    bool *live = gan_plan_live(from);
    if (!live) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    gan_node **in = NULL;
    int capacity = 0;
    gan_status status = GAN_OK;
    for (int id = 0; id < from->n_nodes && status == GAN_OK; id++) {
        const gan_node *node = from->node[id];
        if (!live[id]) continue;
        if (node->n_in > capacity) {
            capacity = 2 * node->n_in;
            gan_node **more = realloc(in, (size_t)capacity * sizeof(gan_node *));
            if (!more) {
                status = gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
                break;
            }
            in = more;
        }
        for (int i = 0; i < node->n_in; i++) in[i] = map[node->in[i]->id];
        map[id] = lower(to, node, in, options, expanded);
        status = gan_graph_status(to);
    }
    for (int i = 0; i < from->n_outputs && status == GAN_OK; i++) {
        gan_output(to, map[from->output[i]->id]);
        status = gan_graph_status(to);
    }
    free(in);
    free(live);
    return status;
}

gan_status gan_plan_lower(gan_plan *plan, const gan_graph *source, const gan_plan_options *options) {
    plan->n_source = source->n_nodes;
    plan->copy_of = calloc((size_t)source->n_nodes + 1, sizeof *plan->copy_of);
    if (!plan->copy_of) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    const gan_graph *from = source;
    for (bool expanded = true; expanded;) {
        expanded = false;
        gan_graph *to;
        GAN_TRY(gan_graph_create(&to, source->store));
        gan_node **map = calloc((size_t)from->n_nodes + 1, sizeof(gan_node *));
        gan_status status = map ? copy_live(to, from, options, map, &expanded)
                                : gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
        if (status == GAN_OK) {
            for (int id = 0; id < source->n_nodes; id++)
                plan->copy_of[id] = from == source ? map[id] : plan->copy_of[id] ? map[plan->copy_of[id]->id] : NULL;
        }
        free(map);
        gan_graph_destroy(plan->graph);
        plan->graph = to;
        from = to;
        GAN_TRY(status);
    }
    return GAN_OK;
}
