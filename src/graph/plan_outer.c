/* A column times a row, of which every element is one product: the program that repeats it computes
 * it, and else it is a program itself where that can be a task, which costs no launch. */
#include <stdlib.h>

#include "base/error.h"
#include "graph/plan_fuse.h"

const gan_pointwise_program gan_plan_product = {
    .n_inputs = 2, .n_steps = 1, .step = {{.fn = GAN_FN_mul, .arg = {0, 1}}}};

/* x with all of its elements along one axis of `whole`. */
static gan_node *along(gan_plan_fusion *f, gan_node *x, gan_shape whole, int axis) {
    gan_shape shape = whole;
    for (int d = 0; d < whole.rank; d++)
        if (d != axis) shape.dim[d] = 1;
    if (gan_shape_equal(x->shape, shape)) return x;
    gan_node model = {.op = GAN_OP_reshape, .dtype = x->dtype, .shape = shape, .n_in = 1};
    model.attr.target.shape = shape;
    gan_node *view = gan_node_append(f->g, &model, &x);
    int *uses = view ? realloc(f->uses, ((size_t)f->g->n_nodes + 1) * sizeof *uses) : NULL;
    if (!uses) return gan_graph_error(f->g, GAN_ERROR_MEMORY, "plan: out of memory");
    f->uses = uses;
    uses[view->id] = 1;
    return view;
}

/* The product that x shows; what nobody else reads need not be rounded in between. */
static const gan_node *product_of(const gan_plan_fusion *f, const gan_node *x) {
    const gan_node *m = x->in[0];
    while (m->op == GAN_OP_cast && f->uses[m->id] == 1 &&
           (m->dtype == GAN_F32 || m->dtype == GAN_BF16))
        m = m->in[0];
    return m->dtype == GAN_F32 || m->dtype == GAN_BF16 ? m : NULL;
}

bool gan_plan_absorb_outer(gan_plan_fusion *f, gan_node *c, const gan_node *x, gan_shape whole) {
    const gan_node *m = product_of(f, x);
    const int last = whole.rank - 1;
    int slots = 0;
    for (int i = 0; i < c->n_in; i++) slots += c->in[i] == x;
    if (!f->options->joins || !c->program || !m || m->op != GAN_OP_matmul || m->program ||
        m->shape.rank != 2 || f->uses[m->id] != 1 || f->uses[x->id] != slots || last < 2 ||
        x->shape.rank != whole.rank)
        return false;
    for (int d = 0; d <= last; d++) {
        const bool kept = d == 0 || d == last;
        if (x->shape.dim[d] != (kept ? m->shape.dim[d != 0] : 1)) return false;
        if (kept && x->shape.dim[d] != whole.dim[d]) return false;
    }
    if (gan_shape_size(m->in[0]->shape) != m->shape.dim[0] ||
        gan_shape_size(m->in[1]->shape) != m->shape.dim[1] || !gan_plan_can_move(f->g, m, c))
        return false;
    gan_node *factor[2] = {along(f, m->in[0], whole, 0), NULL};
    factor[1] = factor[0] ? along(f, m->in[1], whole, last) : NULL;
    return factor[1] && gan_plan_substitute(f, c, x, &gan_plan_product, factor);
}

void gan_plan_multiply_outer(gan_plan_fusion *f, gan_node *m) {
    enum { OPERANDS = GAN_MAX_PROGRAM_INPUTS + 2 };
    if (!f->options->joins || m->op != GAN_OP_matmul || m->shape.rank < 2 || m->n_in > OPERANDS ||
        gan_shape_size(m->in[0]->shape) != m->shape.dim[0] ||
        gan_shape_size(m->in[1]->shape) != m->shape.dim[1])
        return;
    gan_node made = {.shape = m->shape}, *in[OPERANDS] = {&made}, as = *m;
    for (int i = 2; i < m->n_in; i++) in[i - 1] = m->in[i];
    as.op = GAN_OP_pointwise;
    as.attr = (gan_attr){0};
    as.tf32 = false;
    as.in = in;
    as.n_in = m->n_in - 1;
    gan_node *factor[2] = {along(f, m->in[0], m->shape, 0), NULL};
    factor[1] = factor[0] ? along(f, m->in[1], m->shape, 1) : NULL;
    if (factor[1] && gan_plan_substitute(f, &as, &made, &gan_plan_product, factor) &&
        f->options->joins(f->options->context, &as).room > 0)
        *m = as;
}
