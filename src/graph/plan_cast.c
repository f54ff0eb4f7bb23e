/* Types in lowering: casts that cost nothing, and f32 where a kernel does not take bf16. */
#include "graph/plan_cast.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

void gan_plan_casts_close(gan_plan_casts *casts) {
    free(casts->wide);
    gan_plan_narrow_close(casts);
    gan_plan_half_close(&casts->half);
    *casts = (gan_plan_casts){0};
}

gan_node *gan_plan_cast_to(gan_graph *to, gan_node *x, gan_dtype dtype) {
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

gan_node *gan_plan_cast(gan_plan_casts *casts, gan_graph *to, const gan_node *cast, gan_node *x) {
    if (cast->dtype == x->dtype) return x;
    if (cast->dtype != GAN_BF16 || x->dtype != GAN_F32) return NULL;
    if (x->op == GAN_OP_cast && x->in[0]->dtype == GAN_BF16) return x->in[0];
    if (gan_plan_cast_weight(cast)) return gan_plan_half_weight(&casts->half, to, cast);
    return gan_plan_narrow_part(casts, x);
}

/* ---- kernels that do not take bf16 ---- */

/* A variable may have been updated since `wide`, the last copy of x. */
static bool lasts(const gan_graph *to, gan_node *x, const gan_node *wide) {
    const gan_node *base = gan_node_base(x);
    return base->op != GAN_OP_variable ||
           !gan_graph_writes(to, base->attr.variable.variable, wide->id, to->n_nodes);
}

/* x in f32. */
static gan_node *widened(gan_plan_casts *casts, gan_graph *to, gan_node *x) {
    if (x->dtype != GAN_BF16) return x;
    gan_node *known = x->id < casts->capacity ? casts->wide[x->id] : NULL;
    if (known && lasts(to, x, known)) return known;
    gan_node *wide = gan_plan_cast_to(to, x, GAN_F32);
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
        const bool written = i < gan_op_writes(node) || node->in[i] == gan_op_copy(node);
        in[i] = written ? node->in[i] : widened(casts, to, node->in[i]);
        if (!in[i]) return NULL;
        changed = changed || in[i] != node->in[i];
    }
    gan_node model = *node;
    if (model.dtype == GAN_BF16) model.dtype = GAN_F32;
    gan_node *wide = changed ? gan_node_append(to, &model, in) : NULL;
    if (!wide || !options->takes(options->context, wide))
        return gan_graph_error(to, GAN_ERROR_DEVICE, "%s: the device has no kernel for these types",
                               gan_op_of(node)->name);
    return node->dtype == GAN_BF16 ? gan_plan_cast_to(to, wide, GAN_BF16) : wide;
}
