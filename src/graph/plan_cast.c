/* Types in lowering: casts that cost nothing, one bf16 copy of a group's weights, and f32 where a
 * kernel does not take bf16. */
#include "graph/plan_cast.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void gan_plan_casts_close(gan_plan_casts *casts) {
    free(casts->wide);
    free(casts->half);
    *casts = (gan_plan_casts){0};
}

static gan_node *cast_to(gan_graph *to, gan_node *x, gan_dtype dtype) {
    gan_node model = {.op = GAN_OP_cast, .dtype = dtype, .shape = x->shape, .n_in = 1};
    model.attr.cast.dtype = dtype;
    return gan_node_append(to, &model, &x);
}

/* A list with room for element `index`; new ones are NULL. */
static bool reserve(gan_graph *to, gan_node ***list, int *capacity, int index) {
    if (index < *capacity) return true;
    const int wanted = 2 * index + 64;
    gan_node **more = realloc(*list, (size_t)wanted * sizeof *more);
    if (!more) {
        gan_graph_error(to, GAN_ERROR_MEMORY, "plan: out of memory");
        return false;
    }
    memset(more + *capacity, 0, (size_t)(wanted - *capacity) * sizeof *more);
    *list = more;
    *capacity = wanted;
    return true;
}

/* ---- weights in bf16 ---- */

static bool written_since(const gan_graph *g, const gan_variable *v, const gan_node *since) {
    for (int e = since->id + 1; e < g->n_nodes; e++)
        if (gan_effect_writes(g->node[e], v)) return true;
    return false;
}

/* The whole arena in bf16 as it is now: a copy that is there, or a new one. */
static gan_node *half_arena(gan_plan_casts *casts, gan_graph *to, const gan_variable *v) {
    gan_variable *flat = v->arena->flat;
    for (int i = casts->n_half - 1; i >= 0; i--) {
        const gan_node *source = casts->half[i]->in[0];
        if (source->attr.variable.variable != flat) continue;
        if (!written_since(to, flat, casts->half[i])) return casts->half[i];
        break;
    }
    if (!reserve(to, &casts->half, &casts->half_capacity, casts->n_half)) return NULL;
    gan_node model = {.op = GAN_OP_variable, .dtype = GAN_F32, .shape = flat->shape};
    model.attr.variable.variable = flat;
    gan_node *all = gan_node_append(to, &model, NULL), *half = NULL;
    if (all) half = cast_to(to, all, GAN_BF16);
    if (half) casts->half[casts->n_half++] = half;
    return half;
}

/* The part of a group's copy that is variable v. */
static gan_node *half_weight(gan_plan_casts *casts, gan_graph *to, const gan_variable *v) {
    gan_node *all = half_arena(casts, to, v);
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

gan_node *gan_plan_cast(gan_plan_casts *casts, gan_graph *to, const gan_node *cast, gan_node *x) {
    if (cast->dtype == x->dtype) return x;
    if (cast->dtype != GAN_BF16 || x->dtype != GAN_F32) return NULL;
    if (x->op == GAN_OP_cast && x->in[0]->dtype == GAN_BF16) return x->in[0];
    if (x->op != GAN_OP_variable) return NULL;
    const gan_variable *v = x->attr.variable.variable;
    if (v->is_flat || !v->arena->flat) return NULL;
    return half_weight(casts, to, v);
}

/* ---- kernels that do not take bf16 ---- */

/* x in f32. A variable may have been updated since the last copy of it. */
static gan_node *widened(gan_plan_casts *casts, gan_graph *to, gan_node *x) {
    const bool lasts = gan_node_base(x)->op != GAN_OP_variable;
    if (x->dtype != GAN_BF16) return x;
    if (lasts && x->id < casts->capacity && casts->wide[x->id]) return casts->wide[x->id];
    gan_node *wide = cast_to(to, x, GAN_F32);
    if (!wide || !reserve(to, &casts->wide, &casts->capacity, x->id)) return NULL;
    casts->wide[x->id] = wide;
    return wide;
}

gan_node *gan_plan_typed(gan_plan_casts *casts, gan_graph *to, gan_node *node,
                         const gan_plan_options *options) {
    if (!options->takes || options->takes(options->context, node)) return node;
    gan_node **in = gan_graph_alloc(to, (size_t)node->n_in * sizeof *in + 1);
    if (!in) return NULL;
    bool changed = node->dtype == GAN_BF16;
    for (int i = 0; i < node->n_in; i++) {
        in[i] = i < gan_op_writes(node) ? node->in[i] : widened(casts, to, node->in[i]);
        if (!in[i]) return NULL;
        changed = changed || in[i] != node->in[i];
    }
    gan_node model = *node;
    if (model.dtype == GAN_BF16) model.dtype = GAN_F32;
    gan_node *wide = changed ? gan_node_append(to, &model, in) : NULL;
    if (!wide || !options->takes(options->context, wide))
        return gan_graph_error(to, GAN_ERROR_DEVICE, "%s: the device has no kernel for these types",
                               gan_op_of(node)->name);
    return node->dtype == GAN_BF16 ? cast_to(to, wide, GAN_BF16) : wide;
}
