/* Fusion around maxima over pieces, as maxout and dropout make them: what is cheap to compute again
 * is not stored, a product is followed by what spreads it over the pieces, and what follows a
 * maximum is taken into one of its own. */
#include <stdlib.h>

#include "base/error.h"
#include "graph/plan_fuse.h"

/* ---- computed again ---- */

static bool is_arithmetic(int fn) {
    static const uint8_t list[] = {GAN_FN_value, GAN_FN_greater, GAN_FN_equal,
                                   GAN_FN_scale, GAN_FN_shift,   GAN_FN_neg,
                                   GAN_FN_add,   GAN_FN_sub,     GAN_FN_mul};
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (list[i] == fn) return true;
    return false;
}

static bool compares(const gan_program_step *s) {
    return s->fn == GAN_FN_greater || s->fn == GAN_FN_equal;
}

/* What is rounded to bf16 must be the same for all, which of these only zeros and ones are. */
bool gan_plan_is_mask(const gan_plan_fusion *f, const gan_node *x) {
    enum { STEPS = 3 };
    const gan_pointwise_program *p = x->program;
    if (x->id >= f->n_first || !f->loose[x->id] || p->n_steps > STEPS) return false;
    bool mask = false;
    for (int s = 0; s < p->n_steps; s++) {
        if (!is_arithmetic(p->step[s].fn)) return false;
        mask = mask || compares(&p->step[s]);
    }
    if (!mask || (x->dtype == GAN_BF16 && !compares(&p->step[p->n_steps - 1]))) return false;
    size_t read = 0;
    for (int i = 0; i < x->n_in; i++)
        if (gan_shape_equal(x->in[i]->shape, x->shape)) read += gan_node_bytes(x->in[i]);
    return read <= gan_node_bytes(x);
}

/* ---- products that are spread ---- */

/* A product of two matrices that operand o (m,n,1) shows, itself or as a program's; *raw is the
 * operand that is the product's result. */
static gan_node *product_under(const gan_plan_fusion *f, gan_node *o, gan_node **raw) {
    const gan_node *p = o;
    gan_node *const *list = &o;
    int n = 1;
    if (p->op == GAN_OP_pointwise) {
        list = p->in;
        n = p->n_in;
    }
    for (int i = 0; i < n; i++) {
        gan_node *x = list[i], *m = x->op == GAN_OP_reshape ? x->in[0] : NULL;
        if (!m || m->op != GAN_OP_matmul || m->program || m->shape.rank != 2) continue;
        if (f->uses[m->id] != 1 || f->uses[x->id] != 1) continue;
        if (m->shape.dim[0] != o->shape.dim[0] || m->shape.dim[1] != o->shape.dim[1]) continue;
        *raw = x;
        return m;
    }
    return NULL;
}

static bool takes_spread(const gan_plan_fusion *f, const gan_node *m, const gan_node *c) {
    gan_node joined = *m;
    joined.dtype = c->dtype;
    joined.shape = c->shape;
    return f->options->takes && f->options->takes(f->options->context, &joined);
}

bool gan_plan_spread_product(gan_plan_fusion *f, gan_node *c) {
    enum { STEPS = 10 };
    if (c->op != GAN_OP_pointwise || c->shape.rank != 3 || c->shape.dim[2] < 2) return false;
    for (int i = 0; i < c->n_in; i++) {
        gan_node *o = c->in[i], *raw = NULL;
        if (o->shape.rank != 3 || o->shape.dim[2] != 1 || f->uses[o->id] != 1 ||
            o->shape.dim[0] != c->shape.dim[0] || o->shape.dim[1] != c->shape.dim[1])
            continue;
        gan_node *m = product_under(f, o, &raw);
        if (!m || !gan_plan_can_move(f->g, m, c) || !takes_spread(f, m, c)) continue;
        if (o != raw) {
            if (c->program->n_steps + o->program->n_steps > STEPS ||
                !gan_plan_can_move(f->g, o, c) || !gan_plan_substitute(f, c, o, o->program, o->in))
                continue;
        }
        gan_plan_attach(f, c, raw, m);
        return true;
    }
    return false;
}

/* ---- maxima of what follows a maximum ---- */

typedef enum kind { FREE, POSITIVE, RISING, UNKNOWN } kind; /* of the operand in question */

static kind kind_of(const gan_program_step *s, kind a, kind b) {
    switch (s->fn) {
    case GAN_FN_value:
        return s->k >= 0 ? POSITIVE : FREE;
    case GAN_FN_greater:
    case GAN_FN_equal:
        return a == RISING || b == RISING ? UNKNOWN : POSITIVE;
    case GAN_FN_scale:
        return s->k >= 0 ? a : a == RISING ? UNKNOWN : FREE;
    case GAN_FN_mul:
        if (a == RISING || b == RISING) return a == POSITIVE || b == POSITIVE ? RISING : UNKNOWN;
        return a == POSITIVE && b == POSITIVE ? POSITIVE : FREE;
    case GAN_FN_add:
        if (a == RISING || b == RISING) return RISING;
        return a == POSITIVE && b == POSITIVE ? POSITIVE : FREE;
    default:
        return UNKNOWN;
    }
}

/* Whether p never falls where operand `of` rises. Rounding keeps that. */
static bool is_monotone(const gan_pointwise_program *p, int of) {
    kind value[GAN_MAX_PROGRAM_INPUTS + GAN_MAX_PROGRAM_STEPS];
    for (int i = 0; i < p->n_inputs; i++) value[i] = i == of ? RISING : FREE;
    for (int s = 0; s < p->n_steps; s++) {
        const gan_program_step *step = &p->step[s];
        const int arity = gan_fn_table[step->fn].arity;
        const kind a = arity > 0 ? value[step->arg[0]] : FREE,
                   b = arity > 1 ? value[step->arg[1]] : FREE;
        value[p->n_inputs + s] = a == UNKNOWN || b == UNKNOWN ? UNKNOWN : kind_of(step, a, b);
        if (value[p->n_inputs + s] == UNKNOWN) return false;
    }
    return p->n_steps > 0 && value[p->n_inputs + p->n_steps - 1] == RISING;
}

static gan_node *viewed(gan_plan_fusion *f, gan_node *x, gan_shape shape) {
    gan_node model = {.op = GAN_OP_reshape, .dtype = x->dtype, .shape = shape, .n_in = 1};
    model.attr.target.shape = shape;
    gan_node *view = gan_node_append(f->g, &model, &x);
    int *uses = realloc(f->uses, ((size_t)f->g->n_nodes + 1) * sizeof *uses);
    if (!uses) return gan_graph_error(f->g, GAN_ERROR_MEMORY, "plan: out of memory");
    f->uses = uses;
    if (view) uses[view->id] = 1;
    return view;
}

void gan_plan_redirect(gan_graph *g, const gan_node *c, gan_node *instead) {
    for (int id = 0; id < g->n_nodes; id++)
        for (int i = 0; i < g->node[id]->n_in; i++)
            if (g->node[id]->in[i] == c && g->node[id] != instead) g->node[id]->in[i] = instead;
    for (int i = 0; i < g->n_outputs; i++)
        if (g->output[i] == c) g->output[i] = instead;
}

/* The maximum over the last of three axes that x shows in two, and that others read, too. */
static gan_node *maximum_of(const gan_plan_fusion *f, gan_node *x) {
    gan_node *m = x->op == GAN_OP_reshape ? x->in[0] : NULL;
    if (!m || m->op != GAN_OP_max || m->program || m->shape.rank != 3 ||
        m->attr.reduce.axes != 1u << 2 || f->uses[m->id] < 2 || f->uses[x->id] != 1)
        return NULL;
    return m;
}

bool gan_plan_move_into_max(gan_plan_fusion *f, gan_node *c) {
    if (!f->options->joins || c->op != GAN_OP_pointwise || c->shape.rank != 2) return false;
    int at = -1;
    for (int i = 0; i < c->n_in && at < 0; i++)
        if (maximum_of(f, c->in[i])) at = i;
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i]->shape.rank != 2) return false;
    if (at < 0 || !is_monotone(c->program, at)) return false;
    const gan_node *m = c->in[at]->in[0];
    gan_node joined = *c;
    joined.op = GAN_OP_max;
    joined.attr = m->attr;
    joined.shape = m->shape;
    if (!gan_shape_equal(m->attr.reduce.in_shape, m->in[0]->shape) ||
        !gan_plan_can_move(f->g, m, c) ||
        f->options->joins(f->options->context, &joined).room == 0)
        return false;
    joined.in = gan_graph_alloc(f->g, (size_t)c->n_in * sizeof *joined.in);
    for (int i = 0; joined.in && i < c->n_in; i++) {
        const gan_shape s = c->in[i]->shape;
        joined.in[i] = i == at ? m->in[0] : viewed(f, c->in[i], gan_shape3(s.dim[0], s.dim[1], 1));
        if (!joined.in[i]) return false;
    }
    gan_node *view = joined.in ? viewed(f, c, c->shape) : NULL;
    if (!view) return false;
    *c = joined;
    gan_plan_redirect(f->g, c, view);
    return true;
}
