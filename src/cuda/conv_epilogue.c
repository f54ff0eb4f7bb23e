/* Programs after convolutions in the words of cuDNN. Its engines want a chain: what comes from the
 * convolution is the first operand of every operation, an array from elsewhere only the second. So
 * dy·leaky_step(y) is one operation, the gradient of ReLU, and no product of two. */
#include "cuda/conv_epilogue.h"

#include <string.h>

/* What a value of the program is. */
typedef struct value {
    enum { RESULT, OPERAND, NUMBER, STEP_OF, SUM } is; /* STEP_OF: leaky_step of an operand */
    int at, other; /* which result or operand; SUM: of which two operands */
    float k;       /* NUMBER, STEP_OF */
} value;

/* ---- operands ---- */

static bool describe(gan_cuda_conv_operand *o, const gan_call *call, int i) {
    const gan_array *a = &call->in[i];
    const gan_shape whole = call->out.shape;
    int64_t dim[4];
    const int lead = whole.rank - a->shape.rank;
    if (whole.rank != 4 || lead < 0 || (a->dtype != GAN_F32 && a->dtype != GAN_BF16)) return false;
    bool image = true, pixel = true, channel = true;
    for (int axis = 0; axis < 4; axis++) {
        dim[axis] = axis < lead ? 1 : a->shape.dim[axis - lead];
        const bool same = dim[axis] == whole.dim[axis];
        if (!same && dim[axis] != 1) return false;
        if (axis == 3) channel = same;
        if (axis < 3) pixel = pixel && same;
        if (axis < 3) image = image && dim[axis] == 1;
    }
    o->n = dim[0], o->h = dim[1], o->w = dim[2], o->c = dim[3];
    o->type = a->dtype == GAN_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    return image ? channel || dim[3] == 1 : pixel;
}

static bool is_whole(const gan_cuda_conv_operand *o, const gan_call *call) {
    const int64_t *dim = call->out.shape.dim;
    return o->n == dim[0] && o->h == dim[1] && o->w == dim[2] && o->c == dim[3];
}

/* ---- functions ---- */

static value emit(gan_cuda_conv_epilogue *e, cudnnPointwiseMode_t mode, value x,
                  gan_cuda_conv_side side, value b) {
    gan_cuda_conv_step *s = &e->step[e->n_steps++];
    s->mode = mode;
    s->x = x.at;
    s->side = side;
    s->b = b.at;
    s->k = b.k;
    return (value){.is = RESULT, .at = e->n_steps};
}

/* A sum or product. */
static bool combine(gan_cuda_conv_epilogue *e, gan_fn fn, value a, value b, value *y) {
    static const gan_cuda_conv_side sides[] = {
        [RESULT] = GAN_CUDA_CONV_RESULT,
        [OPERAND] = GAN_CUDA_CONV_OPERAND,
        [NUMBER] = GAN_CUDA_CONV_NUMBER,
    };
    if (a.is == OPERAND && b.is == OPERAND && fn == GAN_FN_add) {
        *y = (value){.is = SUM, .at = a.at, .other = b.at};
        return true;
    }
    if (a.is != RESULT && fn != GAN_FN_sub) {
        const value first = a;
        a = b;
        b = first;
    }
    if (a.is != RESULT) return false;
    if (b.is == SUM) { /* one after the other */
        const value one = {.is = OPERAND, .at = b.at}, two = {.is = OPERAND, .at = b.other};
        return fn == GAN_FN_add && combine(e, fn, a, one, &a) && combine(e, fn, a, two, y);
    }
    if (b.is == STEP_OF) {
        if (fn != GAN_FN_mul) return false;
        *y = emit(e, CUDNN_POINTWISE_RELU_BWD, a, GAN_CUDA_CONV_OPERAND, b);
        return true;
    }
    *y = emit(e,
              fn == GAN_FN_add   ? CUDNN_POINTWISE_ADD
              : fn == GAN_FN_sub ? CUDNN_POINTWISE_SUB
                                 : CUDNN_POINTWISE_MUL,
              a, sides[b.is], b);
    return true;
}

static bool translate(gan_cuda_conv_epilogue *e, const gan_call *call, const gan_program_step *s,
                      value a, value b, value *y) {
    const value number = {.is = NUMBER, .k = s->k};
    switch ((gan_fn)s->fn) {
    case GAN_FN_value:
        *y = number;
        return true;
    case GAN_FN_leaky_step:
        *y = (value){.is = STEP_OF, .at = a.at, .k = s->k};
        return a.is == OPERAND && is_whole(&e->operand[a.at], call);
    case GAN_FN_add:
    case GAN_FN_sub:
    case GAN_FN_mul:
        return combine(e, (gan_fn)s->fn, a, b, y);
    case GAN_FN_scale:
        return combine(e, GAN_FN_mul, a, number, y);
    case GAN_FN_shift:
        return combine(e, GAN_FN_add, a, number, y);
    default:
        break;
    }
    if (a.is != RESULT) return false;
    switch ((gan_fn)s->fn) {
    case GAN_FN_relu:
        *y = emit(e, CUDNN_POINTWISE_RELU_FWD, a, GAN_CUDA_CONV_ALONE, (value){.is = NUMBER});
        return true;
    case GAN_FN_leaky_relu:
        *y = emit(e, CUDNN_POINTWISE_RELU_FWD, a, GAN_CUDA_CONV_ALONE, number);
        return true;
    case GAN_FN_tanh:
        *y = emit(e, CUDNN_POINTWISE_TANH_FWD, a, GAN_CUDA_CONV_ALONE, (value){.is = NUMBER});
        return true;
    case GAN_FN_sigmoid:
        *y = emit(e, CUDNN_POINTWISE_SIGMOID_FWD, a, GAN_CUDA_CONV_ALONE, (value){.is = NUMBER});
        return true;
    default:
        return false;
    }
}

bool gan_cuda_conv_epilogue_of(gan_cuda_conv_epilogue *e, const gan_call *call) {
    const gan_pointwise_program *p = call->node->program;
    const int arity = gan_op_of(call->node)->arity;
    value v[GAN_MAX_PROGRAM_INPUTS + GAN_MAX_PROGRAM_STEPS];
    memset(e, 0, sizeof *e);
    if (!p || p->n_steps == 0 || p->n_inputs != 1 + call->n_in - arity) return false;
    v[0] = (value){.is = RESULT};
    for (int i = 1; i < p->n_inputs; i++) {
        v[i] = (value){.is = OPERAND, .at = i - 1};
        if (!describe(&e->operand[i - 1], call, arity + i - 1)) return false;
    }
    e->n_operands = p->n_inputs - 1;
    for (int s = 0; s < p->n_steps; s++) {
        const gan_program_step *step = &p->step[s];
        const int n = gan_fn_table[step->fn].arity;
        const value none = {.is = NUMBER};
        if (e->n_steps + 2 > GAN_MAX_PROGRAM_STEPS) return false; /* a sum takes two, each time */
        if (!translate(e, call, step, n > 0 ? v[step->arg[0]] : none,
                       n > 1 ? v[step->arg[1]] : none, &v[p->n_inputs + s]))
            return false;
    }
    const value last = v[p->n_inputs + p->n_steps - 1];
    if (last.is != RESULT || last.at != e->n_steps || e->n_steps == 0) return false;
    if (gan_conv_is_double(call->node)) e->kept = e->step[e->n_steps - 1].x + 1;
    return true;
}
