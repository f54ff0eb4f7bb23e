/* Sums that are normalised, of a value and one that is repeated (the short cut of a residual block
 * that doubles the map): left to the launch that takes their moments where the device has one that
 * forms them. Elsewhere a product would add what another launch has repeated. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/plan_fuse.h"

/* What x shows, whole. */
static gan_node *shown(gan_node *x) {
    while (x->op == GAN_OP_reshape) x = x->in[0];
    return x;
}

bool gan_plan_is_formed(const gan_plan_options *options, const gan_node *sum,
                        const gan_node *moments) {
    return options->forms && sum->op == GAN_OP_pointwise && moments->op == GAN_OP_moments &&
           shown(moments->in[0]) == sum && options->forms(options->context, sum, moments);
}

/* x, and what it shows; not what is formed already. */
static bool is_read_once(const gan_plan_fusion *f, const gan_node *x) {
    for (;; x = x->in[0]) {
        if (x->id >= f->n_first || f->uses[x->id] != 1) return false;
        if (x->op != GAN_OP_reshape) return true;
    }
}

/* The broadcast that operand i of s shows, in a shape that is not that of s, to nobody else. */
static gan_node *repeated(const gan_plan_fusion *f, const gan_node *s, int i) {
    gan_node *x = s->in[i];
    if (x->op != GAN_OP_reshape || !is_read_once(f, x)) return NULL;
    return shown(x)->op == GAN_OP_broadcast ? shown(x) : NULL;
}

static bool is_normalised(const gan_plan_fusion *f, const gan_node *moments) {
    for (int id = 0; id < f->n_first; id++) {
        const gan_node *y = f->g->node[id];
        if (f->uses[id] > 0 && y->op == GAN_OP_batch_norm && y->in[1] == moments &&
            y->in[0] == moments->in[0])
            return true;
    }
    return false;
}

static gan_node *reshaped(gan_graph *g, gan_node *x, gan_shape shape) {
    gan_node model = {.op = GAN_OP_reshape, .dtype = x->dtype, .shape = shape, .n_in = 1};
    model.attr.target.shape = shape;
    return gan_node_append(g, &model, &x);
}

/* A product, or what belongs to one. */
static bool is_made(const gan_node *x) {
    while (x->op == GAN_OP_cast) x = x->in[0];
    return x->op == GAN_OP_pointwise || gan_op_of(x)->flags & GAN_OP_EPILOGUE;
}

/* What x shows. A product takes the place of `late`, which is not needed any more: so it follows
 * what is repeated, as it would with the sum. */
static gan_node *moved(const gan_plan_fusion *f, gan_node *x, gan_node *late) {
    gan_node *from = shown(x);
    if (!is_made(from) || from->id > late->id || !is_read_once(f, x) ||
        !gan_plan_can_move(f->g, from, late))
        return from;
    const int id = late->id;
    *late = *from;
    late->id = id;
    f->loose[id] = f->loose[from->id];
    return late;
}

/* s gets the shape in which one of its operands is repeated; who reads it, a view of the old one.
 */
static bool form(gan_plan_fusion *f, gan_node *s, int i, const gan_node *moments) {
    gan_node *up = repeated(f, s, i), *other = s->in[1 - i], *whole = NULL;
    const gan_shape shape = s->shape;
    gan_node *view = up ? reshaped(f->g, shown(other), up->shape) : NULL;
    if (!view) return false;
    gan_node *in[2] = {view, up->in[0]}, model = *s;
    model.shape = up->shape;
    model.in = in;
    if (f->options->forms(f->options->context, &model, moments)) whole = reshaped(f->g, s, shape);
    if (!whole) return false;
    gan_plan_redirect(f->g, s, whole);
    s->shape = up->shape;
    memcpy(s->in, in, sizeof in);
    view->in[0] = moved(f, other, up);
    return true;
}

gan_status gan_plan_leave_sums(gan_plan_fusion *f) {
    if (!f->options->forms) return GAN_OK;
    f->left = calloc((size_t)f->n_first + 1, sizeof *f->left);
    if (!f->left) return gan_fail(GAN_ERROR_MEMORY, "plan: out of memory");
    for (int id = 0; id < f->n_first; id++) {
        const gan_node *moments = f->g->node[id];
        if (f->uses[id] == 0 || moments->op != GAN_OP_moments || !is_normalised(f, moments))
            continue;
        gan_node *s = shown(moments->in[0]);
        if (s->op != GAN_OP_pointwise || s->program->n_steps != 1 ||
            s->program->step[0].fn != GAN_FN_add)
            continue;
        for (int i = 0; i < 2 && !f->left[s->id]; i++) f->left[s->id] = form(f, s, i, moments);
    }
    return gan_graph_status(f->g);
}

bool gan_plan_is_left(const gan_plan_fusion *f, const gan_node *x) {
    return f->left && x->id < f->n_first && f->left[x->id];
}
