/* Walks a graph in the order of creation and evaluates node by node. */
#include <string.h>

#include "graph/graph.h"
#include "graph/store.h"
#include "reference/family.h"

/* A variable's value, or that of a whole arena of f32 variables, which a flat node sees as one
 * vector. */
typedef struct slot {
    const void *key; /* gan_variable_arena for f32, else gan_variable */
    double *value;
} slot;

struct reference {
    const gan_graph *graph;
    double **value; /* by node id; NULL for variables and effects */
    bool *wanted;
    slot *slot;
    int n_slots;
};

static void (*const op_table[GAN_OP_COUNT])(const ref_call *) = {
#define GAN_OP(name, arity, flags, infer, gradient, expand, cost) [GAN_OP_##name] = ref_op_##name,
#include "graph/op.def"
#undef GAN_OP
};

/* These two have their values already. */
void ref_op_input(const ref_call *c) { (void)c; }
void ref_op_variable(const ref_call *c) { (void)c; }

void ref_op_constant(const ref_call *c) {
    for (int64_t i = 0; i < gan_shape_size(c->node->shape); i++)
        c->out[i] = c->node->attr.constant.value;
}

static double *doubles(int64_t n) {
    double *p = calloc((size_t)(n > 0 ? n : 1), sizeof(double));
    REF_REQUIRE(p);
    return p;
}

static int64_t bytes_of(gan_dtype dtype) {
    switch (dtype) {
    case GAN_I64:
        return 8;
    case GAN_F32:
    case GAN_I32:
        return 4;
    case GAN_BF16:
        return 2;
    default:
        return 1;
    }
}

double *ref_variable_values(reference *r, const gan_variable *v) {
    const bool f32 = v->dtype == GAN_F32;
    const void *key = f32 ? (const void *)v->arena : (const void *)v;
    const size_t first = f32 && !v->is_flat ? v->offset / (size_t)bytes_of(GAN_F32) : 0;
    for (int i = 0; i < r->n_slots; i++)
        if (r->slot[i].key == key) return r->slot[i].value + first;
    r->slot = realloc(r->slot, (size_t)(r->n_slots + 1) * sizeof *r->slot);
    REF_REQUIRE(r->slot);
    int64_t n = f32 ? (int64_t)v->arena->bytes / bytes_of(GAN_F32) : gan_shape_size(v->shape);
    r->slot[r->n_slots] = (slot){key, doubles(n)};
    return r->slot[r->n_slots++].value + first;
}

reference *ref_create(const gan_graph *graph) {
    reference *r = calloc(1, sizeof *r);
    REF_REQUIRE(r);
    r->graph = graph;
    r->value = calloc((size_t)graph->n_nodes + 1, sizeof *r->value);
    r->wanted = calloc((size_t)graph->n_nodes + 1, sizeof *r->wanted);
    REF_REQUIRE(r->value && r->wanted);
    for (int i = 0; i < graph->n_nodes; i++) {
        const gan_node *node = graph->node[i];
        REF_REQUIRE(node->id == i);
        if (node->op == GAN_OP_variable)
            ref_variable_values(r, node->attr.variable.variable);
        else if (!(gan_op_of(node)->flags & GAN_OP_EFFECT))
            r->value[i] = doubles(gan_shape_size(node->shape));
    }
    return r;
}

void ref_destroy(reference *r) {
    if (!r) return;
    for (int i = 0; i < r->graph->n_nodes; i++) free(r->value[i]);
    for (int i = 0; i < r->n_slots; i++) free(r->slot[i].value);
    free(r->value);
    free(r->wanted);
    free(r->slot);
    free(r);
}

static double *value_of(reference *r, const gan_node *node) {
    if (node->op == GAN_OP_variable) return ref_variable_values(r, node->attr.variable.variable);
    return r->value[node->id];
}

double *ref_input_values(reference *r, const gan_node *input) {
    REF_REQUIRE(input->op == GAN_OP_input);
    return r->value[input->id];
}

const double *ref_value(const reference *r, const gan_node *node) {
    return value_of((reference *)r, node);
}

/* A prologue gives a reduction its operand; the op itself then sees one plain array. */
static void apply_prologue(const gan_node *node, double **in, const gan_shape *shapes,
                           double **made) {
    *made = doubles(gan_shape_size(node->attr.reduce.in_shape));
    ref_program(node->program, node->attr.reduce.in_shape, in, shapes, *made);
    in[0] = *made;
}

/* An epilogue's value 0 is the raw result; its further values follow the op's own operands. */
static void apply_epilogue(const gan_node *node, double **in, const gan_shape *shapes,
                           double *out) {
    const int arity = gan_op_of(node)->arity;
    const gan_shape whole = gan_conv_shape(node);
    const int64_t size = gan_shape_size(whole);
    double *operand[GAN_MAX_PROGRAM_INPUTS], *raw = doubles(size);
    gan_shape shape[GAN_MAX_PROGRAM_INPUTS];
    memcpy(raw, out, (size_t)size * sizeof *raw);
    operand[0] = raw;
    shape[0] = whole;
    if (gan_matmul_is_spread(node)) shape[0].dim[node->shape.rank - 1] = 1;
    for (int i = 1; i < node->program->n_inputs; i++) {
        operand[i] = in[arity + i - 1];
        shape[i] = shapes[arity + i - 1];
    }
    if (gan_conv_is_double(node)) {
        gan_pointwise_program first = *node->program;
        first.n_steps--;
        if (first.n_steps > 0) ref_program(&first, whole, operand, shape, out);
        out += size;
    }
    ref_program(node->program, whole, operand, shape, out);
    free(raw);
}

static void evaluate(reference *r, const gan_node *node) {
    double **in = calloc((size_t)node->n_in + 1, sizeof *in), *made = NULL,
           *out = r->value[node->id];
    gan_shape *shapes = calloc((size_t)node->n_in + 1, sizeof *shapes);
    REF_REQUIRE(in && shapes);
    for (int i = 0; i < node->n_in; i++) {
        in[i] = value_of(r, node->in[i]);
        shapes[i] = node->in[i]->shape;
    }
    const uint32_t flags = gan_op_of(node)->flags;
    if ((flags & GAN_OP_PROLOGUE) && node->program) apply_prologue(node, in, shapes, &made);
    if (out && !(flags & GAN_OP_LEAF))
        memset(out, 0, (size_t)gan_shape_size(node->shape) * sizeof *out);
    op_table[node->op](&(ref_call){node, in, out, gan_store_seed(gan_graph_store(node->graph))});
    if ((flags & GAN_OP_EPILOGUE) && node->program) apply_epilogue(node, in, shapes, out);
    free(made);
    free(in);
    free(shapes);
}

void ref_run(reference *r) {
    for (int i = 0; i < r->graph->n_nodes; i++) evaluate(r, r->graph->node[i]);
}

/* In a plan a view, or a concatenation whose pieces are computed in place, has no moment of its
 * own: it is what its operands are when it is looked at. `wanted` marks what is launched. */
static void look(reference *r, const gan_node *node) {
    if (r->wanted[node->id] || (gan_op_of(node)->flags & GAN_OP_LEAF)) return;
    for (int i = 0; i < node->n_in; i++) look(r, node->in[i]);
    evaluate(r, node);
}

void ref_run_plan(reference *r, gan_node *const *launches, int n) {
    memset(r->wanted, 0, (size_t)r->graph->n_nodes * sizeof *r->wanted);
    for (int i = 0; i < n; i++) r->wanted[launches[i]->id] = true;
    for (int i = 0; i < n; i++) {
        for (int k = 0; k < launches[i]->n_in; k++) look(r, launches[i]->in[k]);
        evaluate(r, launches[i]);
    }
    for (int i = 0; i < r->graph->n_outputs; i++) look(r, r->graph->output[i]);
}

void ref_run_to(reference *r, const gan_node *node) {
    memset(r->wanted, 0, (size_t)r->graph->n_nodes * sizeof *r->wanted);
    r->wanted[node->id] = true;
    for (int i = node->id; i >= 0; i--)
        if (r->wanted[i])
            for (int j = 0; j < r->graph->node[i]->n_in; j++)
                r->wanted[r->graph->node[i]->in[j]->id] = true;
    for (int i = 0; i <= node->id; i++)
        if (r->wanted[i]) evaluate(r, r->graph->node[i]);
}

/* ---- indices ---- */

int64_t ref_position(gan_shape shape, const int64_t *index) {
    int64_t position = 0;
    for (int i = 0; i < shape.rank; i++) position = position * shape.dim[i] + index[i];
    return position;
}

void ref_index(gan_shape shape, int64_t position, int64_t *index) {
    for (int i = shape.rank - 1; i >= 0; i--) {
        index[i] = position % shape.dim[i];
        position /= shape.dim[i];
    }
}
