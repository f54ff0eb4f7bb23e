/* Values that would be stored in f32 for a gradient, beside bf16 for a network: G's images. */
#include "graph/plan_fuse.h"

static bool narrows(const gan_node *c, const gan_node *x) {
    return c->op == GAN_OP_cast && c->dtype == GAN_BF16 && c->in[0] == x;
}

static bool reads(const gan_node *c, const gan_node *x) {
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] == x) return true;
    return false;
}

/* Whether all who read x are programs over its shape, or casts, of which one is. */
static bool is_read_narrow(const gan_plan_fusion *f, const gan_node *x) {
    bool narrow = false;
    for (int i = 0; i < f->g->n_outputs; i++)
        if (f->g->output[i] == x) return false;
    for (int id = x->id + 1; id < f->n_first; id++) {
        const gan_node *c = f->g->node[id];
        if (f->uses[id] == 0 || !reads(c, x)) continue;
        if (narrows(c, x)) {
            narrow = true;
            continue;
        }
        const bool reduces = gan_op_of(c)->flags & GAN_OP_PROLOGUE;
        const gan_shape whole = reduces ? c->attr.reduce.in_shape : c->shape;
        if ((c->op != GAN_OP_pointwise && !reduces) || !gan_shape_equal(x->shape, whole))
            return false;
    }
    return narrow;
}

bool gan_plan_is_wide(const gan_plan_fusion *f, const gan_node *x) {
    enum { STEPS = 3, SMALL = 16 };
    if (x->id >= f->n_first || x->dtype != GAN_F32 || x->program->n_steps > STEPS) return false;
    bool half = false;
    for (int i = 0; i < x->n_in; i++) {
        const gan_node *in = x->in[i];
        if (gan_plan_takes_epilogue(f, in, x)) return false; /* then x is stored for nothing more */
        const bool whole = in->dtype == GAN_BF16 && gan_shape_equal(in->shape, x->shape);
        if (whole ? half : gan_node_bytes(in) * SMALL > gan_node_bytes(x)) return false;
        half = half || whole;
    }
    return half && is_read_narrow(f, x);
}
