/* Pointwise functions by name, programs over them, casts and one-hot. */
#include <math.h>
#include <string.h>

#include "reference/family.h"

static double f_value(double a, double b, double k) { return (void)a, (void)b, k; }
static double f_add(double a, double b, double k) { return (void)k, a + b; }
static double f_sub(double a, double b, double k) { return (void)k, a - b; }
static double f_mul(double a, double b, double k) { return (void)k, a * b; }
static double f_div(double a, double b, double k) { return (void)k, a / b; }
static double f_maximum(double a, double b, double k) { return (void)k, a < b ? b : a; }
static double f_minimum(double a, double b, double k) { return (void)k, b < a ? b : a; }
static double f_greater(double a, double b, double k) { return (void)k, (double)(a > b); }
static double f_equal(double a, double b, double k) { return (void)k, (double)(a == b); }
static double f_neg(double a, double b, double k) { return (void)b, (void)k, 0.0 - a; }
static double f_abs(double a, double b, double k) { return (void)b, (void)k, a < 0 ? -a : a; }
static double f_sign(double a, double b, double k) { return (void)b, (void)k, (a > 0) - (a < 0); }
static double f_floor(double a, double b, double k) { return (void)b, (void)k, floor(a); }
static double f_square(double a, double b, double k) { return (void)b, (void)k, pow(a, 2); }
static double f_sqrt(double a, double b, double k) { return (void)b, (void)k, sqrt(a); }
static double f_rsqrt(double a, double b, double k) { return (void)b, (void)k, pow(a, -0.5); }
static double f_reciprocal(double a, double b, double k) { return (void)b, (void)k, pow(a, -1); }
static double f_exp(double a, double b, double k) { return (void)b, (void)k, exp(a); }
static double f_log(double a, double b, double k) { return (void)b, (void)k, log(a); }
static double f_sin(double a, double b, double k) { return (void)b, (void)k, sin(a); }
static double f_cos(double a, double b, double k) { return (void)b, (void)k, cos(a); }
static double f_tanh(double a, double b, double k) { return (void)b, (void)k, tanh(a); }
static double f_sigmoid(double a, double b, double k) {
    return (void)b, (void)k, 0.5 * (1 + tanh(a / 2));
}
static double f_softplus(double a, double b, double k) {
    return (void)b, (void)k, a > 0 ? a + log1p(exp(-a)) : log1p(exp(a));
}
static double f_relu(double a, double b, double k) { return (void)b, (void)k, fmax(a, 0); }
static double f_leaky_relu(double a, double b, double k) {
    return (void)b, fmax(a, 0) + k * fmin(a, 0);
}
static double f_leaky_step(double a, double b, double k) { return (void)b, a > 0 ? 1 : k; }
static double f_scale(double a, double b, double k) { return (void)b, k * a; }
static double f_shift(double a, double b, double k) { return (void)b, k + a; }
static double f_power(double a, double b, double k) { return (void)b, pow(a, k); }

static const struct {
    const char *name;
    double (*f)(double, double, double);
} functions[] = {
    {"value", f_value},
    {"add", f_add},
    {"sub", f_sub},
    {"mul", f_mul},
    {"div", f_div},
    {"maximum", f_maximum},
    {"minimum", f_minimum},
    {"greater", f_greater},
    {"equal", f_equal},
    {"neg", f_neg},
    {"abs", f_abs},
    {"sign", f_sign},
    {"floor", f_floor},
    {"square", f_square},
    {"sqrt", f_sqrt},
    {"rsqrt", f_rsqrt},
    {"exp", f_exp},
    {"log", f_log},
    {"sin", f_sin},
    {"cos", f_cos},
    {"tanh", f_tanh},
    {"sigmoid", f_sigmoid},
    {"relu", f_relu},
    {"softplus", f_softplus},
    {"scale", f_scale},
    {"shift", f_shift},
    {"power", f_power},
    {"leaky_relu", f_leaky_relu},
    {"reciprocal", f_reciprocal},
    {"leaky_step", f_leaky_step},
};

typedef double (*function)(double, double, double);

static function find(const char *name) {
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (strcmp(functions[i].name, name) == 0) return functions[i].f;
    fprintf(stderr, "the reference does not define the pointwise function %s\n", name);
    abort();
}

/* Where operand `shape` is read for an index of the whole: axes of length 1 stay at 0. */
static int64_t broadcast_position(gan_shape shape, const int64_t *index) {
    int64_t at[GAN_MAX_RANK];
    for (int i = 0; i < shape.rank; i++) at[i] = shape.dim[i] == 1 ? 0 : index[i];
    return ref_position(shape, at);
}

void ref_program(const gan_pointwise_program *p, gan_shape shape, double *const *operands,
                 const gan_shape *shapes, double *out) {
    function f[GAN_MAX_PROGRAM_STEPS];
    for (int s = 0; s < p->n_steps; s++) f[s] = find(gan_fn_table[p->step[s].fn].name);
    bool whole[GAN_MAX_PROGRAM_INPUTS], any_broadcast = false;
    for (int i = 0; i < p->n_inputs; i++) {
        REF_REQUIRE(shapes[i].rank == shape.rank);
        whole[i] = gan_shape_equal(shapes[i], shape);
        any_broadcast = any_broadcast || !whole[i];
    }
    const int64_t size = gan_shape_size(shape);
    for (int64_t e = 0; e < size; e++) {
        double value[GAN_MAX_PROGRAM_INPUTS + GAN_MAX_PROGRAM_STEPS];
        int64_t index[GAN_MAX_RANK];
        if (any_broadcast) ref_index(shape, e, index);
        for (int i = 0; i < p->n_inputs; i++)
            value[i] = operands[i][whole[i] ? e : broadcast_position(shapes[i], index)];
        for (int s = 0; s < p->n_steps; s++) {
            const gan_program_step *step = &p->step[s];
            const int arity = gan_fn_table[step->fn].arity;
            REF_REQUIRE(arity < 1 || step->arg[0] < p->n_inputs + s);
            REF_REQUIRE(arity < 2 || step->arg[1] < p->n_inputs + s);
            value[p->n_inputs + s] = f[s](arity > 0 ? value[step->arg[0]] : 0,
                                          arity > 1 ? value[step->arg[1]] : 0, (double)step->k);
        }
        out[e] = value[p->n_inputs + p->n_steps - 1];
    }
}

void ref_op_pointwise(const ref_call *c) {
    gan_shape shapes[GAN_MAX_PROGRAM_INPUTS];
    for (int i = 0; i < c->node->n_in; i++) shapes[i] = ref_shape(c, i);
    ref_program(c->node->program, c->node->shape, c->in, shapes, c->out);
}

void ref_op_stop_gradient(const ref_call *c) {
    for (int64_t i = 0; i < gan_shape_size(c->node->shape); i++) c->out[i] = c->in[0][i];
}

double ref_round_bf16(double x) {
    if (x == 0 || !isfinite(x)) return x;
    int exponent;
    frexp(x, &exponent); /* x = m·2^exponent, 1/2 <= m < 1: eight bits of m are kept */
    double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 8);
    return nearbyint(x / unit) * unit;
}

void ref_op_cast(const ref_call *c) {
    const gan_dtype to = c->node->dtype;
    const bool whole = to == GAN_I32 || to == GAN_I64 || to == GAN_U8;
    for (int64_t i = 0; i < gan_shape_size(c->node->shape); i++) {
        double x = c->in[0][i];
        c->out[i] = whole ? trunc(x) : to == GAN_BF16 ? ref_round_bf16(x) : x;
    }
}

void ref_op_one_hot(const ref_call *c) {
    const gan_shape s = c->node->shape;
    const int64_t classes = s.dim[s.rank - 1];
    for (int64_t i = 0; i < gan_shape_size(s); i++)
        c->out[i] = c->in[0][i / classes] == (double)(i % classes);
}
