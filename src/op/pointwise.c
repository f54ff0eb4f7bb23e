/* Pointwise functions: one table, base/pointwise.def, gives their values, names and gradient rules.
 */
#include <math.h>

#include "op/rules.h"

/* ---- shape rule ---- */

/* Programs of several steps are the plan's; their operands may have axes of length 1. */
static bool join(gan_node *node) {
    const gan_node *first = node->in[0];
    node->shape = first->shape;
    for (int i = 1; i < node->n_in; i++) {
        const gan_shape s = node->in[i]->shape;
        if (s.rank != node->shape.rank) return false;
        for (int d = 0; d < s.rank; d++) {
            if (s.dim[d] == node->shape.dim[d] || s.dim[d] == 1) continue;
            if (node->shape.dim[d] != 1) return false;
            node->shape.dim[d] = s.dim[d];
        }
    }
    return true;
}

bool gan_pointwise_infer(gan_node *node) {
    const gan_pointwise_program *p = node->program;
    if (!p || p->n_steps < 1 || node->n_in < 1 || p->n_inputs != node->n_in)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "expected a program over its operands");
    const char *name = gan_fn_table[p->step[p->n_steps - 1].fn].name;
    for (int i = 0; i < node->n_in; i++) {
        if (!gan_is_float(node->in[i]->dtype) || node->in[i]->dtype != node->in[0]->dtype)
            return gan_node_error(node, GAN_ERROR_SHAPE,
                                  "%s: expected operands all f32 or all bf16", name);
        if (p->n_steps == 1 && !gan_shape_equal(node->in[i]->shape, node->in[0]->shape))
            return gan_node_error(node, GAN_ERROR_SHAPE, "%s: expected operands of equal shape",
                                  name);
    }
    if (!join(node))
        return gan_node_error(node, GAN_ERROR_SHAPE, "%s: operands do not broadcast", name);
    node->dtype = node->in[0]->dtype;
    return true;
}

/* ---- gradient rules, from the table's columns da and db ---- */

#define NONE NULL
#define NEG(x) gan_neg(g, x)
#define MUL(x, y) gan_mul(g, x, y)
#define DIV(x, y) gan_div(g, x, y)
#define SIGN(x) gan_sign(g, x)
#define SQUARE(x) gan_square(g, x)
#define SCALE(x, k) gan_scale(g, x, k)
#define SHIFT(x, k) gan_shift(g, x, k)
#define POWER(x, k) gan_power(g, x, k)
#define SINE(x) gan_sin(g, x)
#define COSINE(x) gan_cos(g, x)
#define SIGMOID(x) gan_sigmoid(g, x)
#define LEAKY_STEP(y, k) gan_pointwise(g, GAN_FN_leaky_step, y, NULL, k)
#define STEP(y) LEAKY_STEP(y, 0.0)
/* The first operand's share where the larger wins: equal operands take half each. */
#define TIE(x, y) gan_add(g, gan_greater(g, x, y), gan_scale(g, gan_equal(g, x, y), 0.5))

void gan_pointwise_gradient(gan_node *node, gan_node *DY, const bool *need, gan_node **dx) {
    gan_graph *g = node->graph;
    gan_node *const A = node->in[0], *const B = node->n_in > 1 ? node->in[1] : NULL,
                    *const Y = node;
    const bool need_a = need[0], need_b = node->n_in > 1 && need[1];
    const double K = (double)node->program->step[0].k;
    switch ((gan_fn)node->program->step[0].fn) {
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    case GAN_FN_##name:                                                                            \
        if (need_a) dx[0] = da;                                                                    \
        if (need_b) dx[1] = db;                                                                    \
        break;
#include "base/pointwise.def"
#undef GAN_POINTWISE
    case GAN_FN_COUNT:
        break;
    }
}

/* ---- values, for folding constants ---- */

#define F(x) x
#define SELECT(condition, yes, no) ((condition) ? (yes) : (no))
#define EXP exp
#define LOG log
#define SQRT sqrt
#define SIN sin
#define COS cos
#define TANH tanh
#define POW pow
#define FABS fabs
#define FLOOR floor
#define FMAX fmax
#define FMIN fmin

static double value_of(gan_fn fn, double a, double b, double k) {
    switch (fn) {
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    case GAN_FN_##name:                                                                            \
        return formula;
#include "base/pointwise.def"
#undef GAN_POINTWISE
    case GAN_FN_COUNT:
        break;
    }
    return 0.0;
}

static bool is_constant(const gan_node *x) { return x && x->op == GAN_OP_constant; }

/* What constants save: gradients start from the constant 1 and means scale by 1/n, so that without
 * this every loss would begin with launches that multiply by one. NULL where there is nothing to
 * fold. */
static gan_node *fold(gan_graph *g, gan_fn fn, gan_node *a, gan_node *b, double k) {
    const bool ca = is_constant(a), cb = is_constant(b);
    if (ca && (cb || !b)) {
        const double value =
            value_of(fn, a->attr.constant.value, cb ? b->attr.constant.value : 0.0, k);
        return gan_leaf_create(g, GAN_OP_constant, a->dtype, a->shape,
                               &(gan_attr){.constant = {value}});
    }
    const double va = ca ? a->attr.constant.value : 0.0, vb = cb ? b->attr.constant.value : 0.0;
    if (fn == GAN_FN_add && cb) return gan_shift(g, a, vb);
    if (fn == GAN_FN_add && ca) return gan_shift(g, b, va);
    if (fn == GAN_FN_sub && cb) return gan_shift(g, a, -vb);
    if (fn == GAN_FN_sub && ca) return gan_shift(g, gan_neg(g, b), va);
    if (fn == GAN_FN_mul && cb) return gan_scale(g, a, vb);
    if (fn == GAN_FN_mul && ca) return gan_scale(g, b, va);
    if (fn == GAN_FN_scale && k == 1.0) return a;
    if (fn == GAN_FN_scale && k == -1.0) return gan_neg(g, a);
    if (fn == GAN_FN_shift && k == 0.0) return a;
    return NULL;
}

/* ---- builders ---- */

gan_node *gan_pointwise(gan_graph *g, gan_fn fn, gan_node *a, gan_node *b, double k) {
    const int arity = gan_fn_table[fn].arity;
    const char *name = gan_fn_table[fn].name;
    if (!gan_check_given(g, name, a) || (arity == 2 && !gan_check_given(g, name, b))) return NULL;
    if (arity == 0 || (arity == 1 && b))
        return gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s: %d operands given, %d expected", name,
                               b ? 2 : 1, arity);
    if (gan_is_float(a->dtype) &&
        (!b || (b->dtype == a->dtype && gan_shape_equal(a->shape, b->shape)))) {
        gan_node *folded = fold(g, fn, a, b, k);
        if (folded) return folded;
    }
    const gan_pointwise_program program = {
        .n_inputs = arity,
        .n_steps = 1,
        .step = {{.fn = (uint8_t)fn, .arg = {0, 1}, .k = (float)k}},
    };
    return gan_node_create(g, GAN_OP_pointwise, arity, (gan_node *[]){a, b}, NULL, &program);
}

/* The shape two operands broadcast to as NumPy does: aligned at the last axis, each equal or 1. */
static bool meet(gan_shape a, gan_shape b, gan_shape *out) {
    out->rank = a.rank > b.rank ? a.rank : b.rank;
    for (int i = 0; i < out->rank; i++) {
        const int ia = i - (out->rank - a.rank), ib = i - (out->rank - b.rank);
        const int64_t da = ia < 0 ? 1 : a.dim[ia], db = ib < 0 ? 1 : b.dim[ib];
        if (da != db && da != 1 && db != 1) return false;
        out->dim[i] = da == 1 ? db : da;
    }
    return true;
}

static gan_node *binary(gan_graph *g, gan_fn fn, gan_node *a, gan_node *b) {
    const char *name = gan_fn_table[fn].name;
    if (!gan_check_given(g, name, a) || !gan_check_given(g, name, b)) return NULL;
    /* A constant has no storage, hence takes the type of its partner. */
    if (is_constant(a) && gan_is_float(b->dtype)) a = gan_cast(g, a, b->dtype);
    if (is_constant(b) && gan_is_float(a->dtype)) b = gan_cast(g, b, a->dtype);
    if (!gan_is_float(a->dtype) || !gan_is_float(b->dtype))
        return gan_graph_error(g, GAN_ERROR_SHAPE, "%s: of %s and %s; expected f32 or bf16", name,
                               GAN_TEXT(a), GAN_TEXT(b));
    if (a->dtype != b->dtype) { /* one is f32, and so is the result */
        a = gan_cast(g, a, GAN_F32);
        b = gan_cast(g, b, GAN_F32);
    }
    gan_shape shape = {0};
    if (!meet(a->shape, b->shape, &shape))
        return gan_graph_error(g, GAN_ERROR_SHAPE, "%s: %s does not broadcast with %s", name,
                               GAN_TEXT(a), GAN_TEXT(b));
    return gan_pointwise(g, fn, gan_broadcast(g, a, shape), gan_broadcast(g, b, shape), 0.0);
}

#define BINARY(name)                                                                               \
    gan_node *gan_##name(gan_graph *g, gan_node *a, gan_node *b) {                                 \
        return binary(g, GAN_FN_##name, a, b);                                                     \
    }
BINARY(add)
BINARY(sub)
BINARY(mul)
BINARY(div)
BINARY(maximum)
BINARY(minimum)
BINARY(greater)
BINARY(equal)

#define UNARY(name)                                                                                \
    gan_node *gan_##name(gan_graph *g, gan_node *x) {                                              \
        return gan_pointwise(g, GAN_FN_##name, x, NULL, 0.0);                                      \
    }
UNARY(neg)
UNARY(abs)
UNARY(sign)
UNARY(floor)
UNARY(square)
UNARY(sqrt)
UNARY(rsqrt)
UNARY(reciprocal)
UNARY(exp)
UNARY(log)
UNARY(sin)
UNARY(cos)
UNARY(tanh)
UNARY(sigmoid)
UNARY(softplus)
UNARY(relu)

gan_node *gan_leaky_relu(gan_graph *g, gan_node *x, double slope) {
    /* The gradient tells the side by the result's sign, which a negative slope would turn over. */
    if (!(slope > 0.0 && slope < 1.0))
        return gan_graph_error(g, GAN_ERROR_ARGUMENT, "leaky_relu: slope %g; expected in (0, 1)",
                               slope);
    return gan_pointwise(g, GAN_FN_leaky_relu, x, NULL, slope);
}

gan_node *gan_scale(gan_graph *g, gan_node *x, double factor) {
    return gan_pointwise(g, GAN_FN_scale, x, NULL, factor);
}

gan_node *gan_shift(gan_graph *g, gan_node *x, double addend) {
    return gan_pointwise(g, GAN_FN_shift, x, NULL, addend);
}

gan_node *gan_power(gan_graph *g, gan_node *x, double exponent) {
    return gan_pointwise(g, GAN_FN_power, x, NULL, exponent);
}

/* ---- cast, one_hot ---- */

bool gan_cast_infer(gan_node *node) {
    node->shape = node->in[0]->shape;
    node->dtype = node->attr.cast.dtype;
    if (gan_is_float(node->dtype)) return true;
    return gan_node_error(node, GAN_ERROR_ARGUMENT, "to %s; expected f32 or bf16",
                          gan_dtype_name(node->dtype));
}

void gan_cast_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    const gan_dtype dtype = node->in[0]->dtype;
    if (need[0] && gan_is_float(dtype)) dx[0] = gan_cast(node->graph, dy, dtype);
}

gan_node *gan_cast(gan_graph *g, gan_node *x, gan_dtype dtype) {
    if (!gan_check_given(g, "cast", x) || x->dtype == dtype) return x;
    if (is_constant(x) && gan_is_float(dtype))
        return gan_leaf_create(g, GAN_OP_constant, dtype, x->shape, &x->attr);
    return gan_node_create(g, GAN_OP_cast, 1, &x, &(gan_attr){.cast = {dtype}}, NULL);
}

bool gan_one_hot_infer(gan_node *node) {
    const int rank = node->in[0]->shape.rank;
    const int64_t classes = node->attr.one_hot.classes;
    if (!gan_check_dtype(node, 0, "index", GAN_I32)) return false;
    if (classes < 1 || rank == GAN_MAX_RANK)
        return gan_node_error(node, GAN_ERROR_ARGUMENT,
                              "%lld classes; expected >= 1, and fewer than %d axes",
                              (long long)classes, GAN_MAX_RANK);
    node->dtype = GAN_F32;
    node->shape = node->in[0]->shape;
    node->shape.rank = rank + 1;
    node->shape.dim[rank] = classes;
    return true;
}

gan_node *gan_one_hot(gan_graph *g, gan_node *index, int64_t classes) {
    return gan_node_create(g, GAN_OP_one_hot, 1, &index, &(gan_attr){.one_hot = {classes}}, NULL);
}
