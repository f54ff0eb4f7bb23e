/* Concatenations of f32 values that are read as bf16 alone, as a batch of real and made images is:
 * their parts are cast before, so that whoever makes a part writes bf16 at once. */
#include <stdlib.h>

#include "graph/plan_cast.h"

/* From the last node on: whoever reads a node comes behind it. Reshapes are read as they are. */
bool gan_plan_narrow_open(gan_plan_casts *casts, const gan_graph *from, const bool *live) {
    const size_t n = (size_t)from->n_nodes + 1;
    bool *narrow = casts->narrow = calloc(n, sizeof *narrow), *wide = calloc(n, sizeof *wide);
    for (int i = 0; wide && i < from->n_outputs; i++) wide[from->output[i]->id] = true;
    for (int id = from->n_nodes - 1; narrow && wide && id >= 0; id--) {
        const gan_node *reader = from->node[id];
        const bool casts_it = (reader->op == GAN_OP_cast && reader->dtype == GAN_BF16) ||
                              (reader->op == GAN_OP_reshape && narrow[id] && !wide[id]);
        for (int i = 0; live[id] && i < reader->n_in; i++)
            *(casts_it ? &narrow[reader->in[i]->id] : &wide[reader->in[i]->id]) = true;
    }
    for (int id = 0; narrow && wide && id < from->n_nodes; id++) {
        const gan_node *node = from->node[id];
        narrow[id] = narrow[id] && !wide[id] && node->op == GAN_OP_concat &&
                     node->dtype == GAN_F32 && node->n_in > 1;
    }
    const bool complete = narrow && wide;
    free(wide);
    return complete;
}

void gan_plan_narrow_close(gan_plan_casts *casts) {
    free(casts->narrow);
    free(casts->part);
    casts->narrow = NULL;
    casts->part = NULL;
}

/* What shows a variable is what it is when it is read. */
static bool is_computed(gan_node *x) { return !(gan_op_of(gan_node_base(x))->flags & GAN_OP_LEAF); }

gan_node *gan_plan_narrow_part(const gan_plan_casts *casts, const gan_node *x) {
    for (int i = 0; i < casts->n_parts; i++)
        if (casts->part[i]->in[0] == x) return casts->part[i];
    return NULL;
}

void gan_plan_narrow_keep(gan_plan_casts *casts, gan_node *cast) {
    if (!cast || cast->op != GAN_OP_cast || cast->dtype != GAN_BF16 ||
        cast->in[0]->dtype != GAN_F32 || !is_computed(cast->in[0]))
        return;
    if (casts->n_parts == casts->part_capacity) {
        const int wanted = 2 * casts->part_capacity + 64;
        gan_node **more = realloc(casts->part, (size_t)wanted * sizeof *more);
        if (!more) return; /* the next one is made anew */
        casts->part = more;
        casts->part_capacity = wanted;
    }
    casts->part[casts->n_parts++] = cast;
}

/* x in bf16, under the reshapes that show it. */
static gan_node *part_of(gan_plan_casts *casts, gan_graph *to, gan_node *x) {
    gan_node *shown = x;
    if (x->dtype == GAN_BF16) return x;
    while (shown->op == GAN_OP_reshape) shown = shown->in[0];
    gan_node *cast = gan_plan_narrow_part(casts, shown);
    if (!cast) {
        cast = gan_plan_cast_to(to, shown, GAN_BF16);
        gan_plan_narrow_keep(casts, cast);
    }
    if (!cast || gan_shape_equal(cast->shape, x->shape)) return cast;
    gan_node model = {.op = GAN_OP_reshape, .dtype = GAN_BF16, .shape = x->shape, .n_in = 1};
    model.attr.target.shape = x->shape;
    return gan_node_append(to, &model, &cast);
}

gan_node *gan_plan_narrow(gan_plan_casts *casts, gan_graph *to, const gan_node *node,
                          gan_node *const *in) {
    if (!casts->narrow[node->id]) return NULL;
    gan_node **part = gan_graph_alloc(to, (size_t)node->n_in * sizeof *part);
    if (!part) return NULL;
    for (int i = 0; i < node->n_in; i++) {
        part[i] = part_of(casts, to, in[i]);
        if (!part[i]) return NULL;
    }
    gan_node model = *node;
    model.dtype = GAN_BF16;
    return gan_node_append(to, &model, part);
}
