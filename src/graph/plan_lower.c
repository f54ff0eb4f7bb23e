/* Lowering: the live part of a graph, in ops that the device has kernels for. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/plan.h"
#include "graph/plan_cast.h"
#include "graph/plan_norm.h"
#include "graph/plan_share.h"
#include "graph/plan_task.h"

/* Views cost nothing and leaves are not computed; every device has them. */
static bool is_supported(const gan_node *node, const gan_plan_options *options) {
    if (gan_op_of(node)->flags & (GAN_OP_LEAF | GAN_OP_VIEW)) return true;
    return options->supported(options->context, node->op);
}

/* ---- shapes of pointwise nodes ---- */

/* x as `shape`; a reshape shows what the reshapes under it show. */
static gan_node *reshaped(gan_graph *to, gan_node *x, gan_shape shape) {
    while (x->op == GAN_OP_reshape) x = x->in[0];
    if (gan_shape_equal(x->shape, shape)) return x;
    gan_node model = {.op = GAN_OP_reshape, .dtype = x->dtype, .shape = shape, .n_in = 1};
    model.attr.target.shape = shape;
    return gan_node_append(to, &model, &x);
}

static bool is_repeated(const gan_node *x) {
    return x->op == GAN_OP_broadcast && gan_shape_size(x->in[0]->shape) != 1;
}

/* Whether what is fused with x must have x's shape: products, and functions of vectors repeated. */
static bool is_rigid(const gan_node *x, int depth) {
    if (gan_op_of(x)->flags & GAN_OP_EPILOGUE) return true;
    if (x->op == GAN_OP_cast) return gan_op_of(x->in[0])->flags & GAN_OP_EPILOGUE;
    if (x->op != GAN_OP_pointwise || depth == 0) return false;
    for (int i = 0; i < x->n_in; i++)
        if (is_repeated(x->in[i]) || is_rigid(x->in[i], depth - 1)) return true;
    return false;
}

/* A function of whole operands may have any shape; one that reads a rigid value through a reshape
 * takes that value's shape, so that the two can be fused. NULL when it stays as it is. */
static const gan_node *whose_shape(const gan_node *node, gan_node *const *in) {
    enum { DEPTH = 6 };
    const gan_node *found = NULL;
    if (node->op != GAN_OP_pointwise) return NULL;
    for (int i = 0; i < node->n_in; i++) {
        const gan_node *x = in[i];
        if (is_repeated(x) || is_rigid(x, DEPTH)) return NULL;
        while (x->op == GAN_OP_reshape) x = x->in[0];
        if (x != in[i] && !found && is_rigid(x, DEPTH)) found = x;
    }
    return found;
}

static gan_node *in_shape(gan_graph *to, const gan_node *node, gan_node *const *in,
                          gan_shape shape) {
    gan_node *part[2] = {NULL, NULL};
    if (node->n_in > 2) return gan_node_append(to, node, in);
    for (int i = 0; i < node->n_in; i++) {
        bool scalar = in[i]->op == GAN_OP_broadcast || in[i]->op == GAN_OP_constant;
        gan_node model = *in[i];
        model.shape = model.attr.target.shape = shape;
        if (scalar && in[i]->op == GAN_OP_constant) {
            model = *in[i];
            model.shape = shape;
            part[i] = gan_node_append(to, &model, NULL);
        } else if (scalar) {
            gan_shape one = {.rank = shape.rank, .dim = {1, 1, 1, 1, 1, 1}};
            gan_node *x = reshaped(to, in[i]->in[0], one);
            part[i] = x ? gan_node_append(to, &model, &x) : NULL;
        } else {
            part[i] = reshaped(to, in[i], shape);
        }
        if (!part[i]) return NULL;
    }
    gan_node model = *node;
    model.shape = shape;
    gan_node *copy = gan_node_append(to, &model, part);
    return copy ? reshaped(to, copy, node->shape) : NULL;
}

/* ---- nodes ---- */

/* The elements of x as bytes of their own: a concatenation of one. */
static gan_node *own_bytes(gan_graph *to, gan_node *x) {
    gan_node *flat = reshaped(to, x, gan_shape1(gan_shape_size(x->shape)));
    if (!flat) return NULL;
    gan_node model = {.op = GAN_OP_concat, .dtype = x->dtype, .shape = flat->shape, .n_in = 1};
    return gan_node_append(to, &model, &flat);
}

/* What a view of x shows, so. */
static gan_node *copied(gan_graph *to, const gan_node *view, gan_node *x) {
    gan_node *copy = own_bytes(to, x);
    if (!copy || view->op != GAN_OP_slice) return copy ? reshaped(to, copy, view->shape) : NULL;
    copy = reshaped(to, copy, x->shape);
    return copy ? gan_node_append(to, view, &copy) : NULL;
}

/* What the counter is before an update: that would keep it, if it read it itself, from moving on
 * beside other small calls. */
static gan_node *counter_before(gan_graph *to, gan_node *counter) {
    gan_node *copy = gan_plan_share(to, own_bytes(to, counter));
    return copy ? reshaped(to, copy, counter->shape) : NULL;
}

/* Whether x may make a result of that type itself: products either, sums a narrower one. */
static bool may_cast(const gan_node *x, gan_dtype dtype) {
    if (x->op == GAN_OP_sum) return dtype == GAN_BF16;
    return gan_op_of(x)->flags & GAN_OP_EPILOGUE;
}

/* What a node becomes in the copy, its operands already being there. */
static gan_node *lower(gan_graph *to, const gan_node *node, gan_node *const *in,
                       const gan_plan_options *options, gan_plan_casts *casts, bool *expanded) {
    if (node->op == GAN_OP_stop_gradient) return in[0];
    if (node->op == GAN_OP_cast) {
        gan_node *same = gan_plan_cast(casts, to, node, in[0]);
        if (same || to->status != GAN_OK) return same;
    }
    if (node->op == GAN_OP_broadcast && gan_shape_equal(node->shape, in[0]->shape)) return in[0];
    if (node->op == GAN_OP_reshape) return reshaped(to, in[0], node->shape);
    if (node->op == GAN_OP_cast && in[0]->op == GAN_OP_reshape &&
        may_cast(in[0]->in[0], node->dtype)) {
        gan_node *cast = gan_plan_cast_to(to, in[0]->in[0], node->dtype);
        return cast ? reshaped(to, cast, node->shape) : NULL;
    }
    enum { COUNTER = 5, OF_ADAM };
    gan_node *of_adam[OF_ADAM];
    /* once lowered it takes no variable, and may have more operands */
    if (node->op == GAN_OP_adam && options->joins && in[COUNTER]->op == GAN_OP_variable) {
        memcpy(of_adam, in, sizeof of_adam);
        of_adam[COUNTER] = counter_before(to, in[COUNTER]);
        if (!of_adam[COUNTER]) return NULL;
        in = of_adam;
    }
    if (gan_op_of(node)->flags & GAN_OP_EFFECT) {
        gan_node *keeping = gan_plan_keep_half(&casts->half, to, node, in);
        if (keeping || to->status != GAN_OK) return keeping;
    }
    gan_node *narrow = gan_plan_narrow(casts, to, node, in);
    if (narrow || to->status != GAN_OK) return narrow;
    gan_node *task = gan_plan_task(to, node, in, options);
    if (task || to->status != GAN_OK) return task;
    const gan_node *model = whose_shape(node, in);
    if (model) return in_shape(to, node, in, model->shape);
    gan_node *copy = gan_node_append(to, node, in);
    if (!copy) return NULL;
    if (gan_op_of(node)->flags & (GAN_OP_LEAF | GAN_OP_VIEW)) return copy;
    gan_plan_narrow_keep(casts, copy);
    if (is_supported(node, options)) return gan_plan_typed(casts, to, copy, options);
    if (!gan_op_of(node)->expand)
        return gan_graph_error(to, GAN_ERROR_DEVICE, "%s: the device has no kernel for this op",
                               gan_op_of(node)->name);
    *expanded = true;
    const int first = to->n_nodes;
    gan_node *expansion = gan_op_of(node)->expand(copy);
    for (int id = first; node->tf32 && id < to->n_nodes; id++) to->node[id]->tf32 = true;
    return expansion;
}

/* ---- views of variables ---- */

/* What of a variable a node shows, or may show: views, and casts of weights. */
static const gan_variable *shown(gan_node *node) {
    gan_node *base = gan_node_base(node);
    if (base->op == GAN_OP_variable) return base->attr.variable.variable;
    return gan_plan_cast_weight(node);
}

/* stale[id]: the node shows a variable and is read after a later update of it. It has the value of
 * the moment it was added, so it has to be a copy. */
static bool *find_stale_views(const gan_graph *g, const bool *live) {
    bool *stale = calloc((size_t)g->n_nodes + 1, sizeof *stale);
    int *last = calloc((size_t)g->n_nodes + 1, sizeof *last); /* the last reader */
    for (int i = 0; stale && last && i < g->n_outputs; i++) last[g->output[i]->id] = g->n_nodes;
    for (int id = g->n_nodes - 1; stale && last && id >= 0; id--) {
        gan_node *node = g->node[id];
        if (!live[id]) continue;
        const bool view = gan_node_is_view(node, NULL) || gan_plan_cast_weight(node);
        const int reader = view ? last[id] : id;
        for (int i = 0; i < node->n_in; i++)
            if (last[node->in[i]->id] < reader) last[node->in[i]->id] = reader;
        const gan_variable *v = view ? shown(node) : NULL;
        stale[id] = v && gan_graph_writes(g, v, id, last[id]);
    }
    if (!last) {
        free(stale);
        stale = NULL;
    }
    free(last);
    return stale;
}

/* One copying pass; map[id of `from`] = node of `to`. */
static gan_status copy_live(gan_graph *to, const gan_graph *from, const gan_plan_options *options,
                            gan_node **map, bool *expanded) {
    bool *live = gan_plan_live(from), *stale = live ? find_stale_views(from, live) : NULL;
    gan_plan_casts casts = {0};
    if (!live || !stale || !gan_plan_half_open(&casts.half, from, live, stale) ||
        !gan_plan_narrow_open(&casts, from, live)) {
        gan_plan_casts_close(&casts);
        free(live);
        free(stale);
        return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    }
    gan_node **in = NULL;
    int capacity = 0;
    gan_status status = GAN_OK;
    for (int id = 0; id < from->n_nodes && status == GAN_OK; id++) {
        const gan_node *node = from->node[id];
        gan_node norm, *operands[GAN_PLAN_NORM_OPERANDS];
        if (!live[id]) continue;
        if (gan_plan_norm(&norm, operands, node)) node = &norm;
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
        map[id] = stale[id] && node->op != GAN_OP_cast
                      ? copied(to, node, in[0])
                      : gan_plan_share(to, lower(to, node, in, options, &casts, expanded));
        status = gan_graph_status(to);
    }
    for (int i = 0; i < from->n_outputs && status == GAN_OK; i++) {
        gan_output(to, map[from->output[i]->id]);
        status = gan_graph_status(to);
    }
    gan_plan_casts_close(&casts);
    free(in);
    free(live);
    free(stale);
    return status;
}

gan_status gan_plan_lower(gan_plan *plan, const gan_graph *source,
                          const gan_plan_options *options) {
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
                plan->copy_of[id] = from == source      ? map[id]
                                    : plan->copy_of[id] ? map[plan->copy_of[id]->id]
                                                        : NULL;
        }
        free(map);
        gan_graph_destroy(plan->graph);
        plan->graph = to;
        from = to;
        GAN_TRY(status);
    }
    return GAN_OK;
}
