/* batch_norm: (x, moments, gamma, beta), with what follows it, as one program over x:
 * (x - mean)·(gamma/sqrt(variance + eps)) + beta. */
#include <stdlib.h>

#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

enum { X, MEAN, VARIANCE, GAMMA, BETA, OWN, OWN_STEPS = 6 };

typedef struct norm {
    int64_t groups, channels;
    gan_shape view; /* of x, with the groups as its first axis */
    bool joined;    /* the program is more than batch norm: what follows, too */
    gan_cuda_program program;
    gan_cuda_epilogue epilogue; /* where it is not */
} norm;

/* ---- shapes, with the groups as an axis of their own ---- */

/* An operand of x's rank; false when groups do not fall on its first axis. */
static bool in_groups(gan_shape *to, gan_shape from, int64_t groups) {
    if (from.rank + 1 > GAN_MAX_RANK || from.rank < 1) return false;
    const bool repeated = from.dim[0] == 1;
    if (!repeated && from.dim[0] % groups != 0) return false;
    *to = (gan_shape){.rank = from.rank + 1};
    to->dim[0] = repeated ? 1 : groups;
    to->dim[1] = repeated ? 1 : from.dim[0] / groups;
    for (int i = 1; i < from.rank; i++) to->dim[i + 1] = from.dim[i];
    return true;
}

/* A vector of each group's channels. */
static gan_shape vectors(const norm *n) {
    gan_shape shape = {.rank = n->view.rank};
    for (int i = 0; i < shape.rank; i++) shape.dim[i] = 1;
    shape.dim[0] = n->groups;
    shape.dim[shape.rank - 1] = n->channels;
    return shape;
}

/* The operands of the program: batch norm's, then those of what follows. Returns how many. */
static int operands_of(const norm *n, const gan_call *call, gan_array *operand) {
    const gan_array *moments = &call->in[1];
    operand[X] = call->in[0];
    operand[X].shape = n->view;
    operand[MEAN] = operand[VARIANCE] = *moments;
    operand[MEAN].shape = operand[VARIANCE].shape = vectors(n);
    if (moments->data) operand[VARIANCE].data = (float *)moments->data + n->channels;
    operand[GAMMA] = call->in[2];
    operand[BETA] = call->in[3];
    for (int i = 4; n->joined && i < call->n_in; i++) {
        operand[OWN + i - 4] = call->in[i];
        if (!in_groups(&operand[OWN + i - 4].shape, call->in[i].shape, n->groups)) return 0;
    }
    return OWN + (n->joined ? call->n_in - 4 : 0);
}

/* ---- the program ---- */

static gan_program_step step(gan_fn fn, int a, int b, float k) {
    return (gan_program_step){(uint8_t)fn, {(uint8_t)a, (uint8_t)b}, k};
}

static gan_pointwise_program program_of(const norm *n, const gan_call *call, int n_inputs) {
    const gan_pointwise_program *then = n->joined ? call->node->program : NULL;
    const int s = n_inputs, last = s + OWN_STEPS - 1;
    gan_pointwise_program p = {.n_inputs = n_inputs, .n_steps = OWN_STEPS};
    p.step[0] = step(GAN_FN_shift, VARIANCE, 0, (float)call->node->attr.norm.eps);
    p.step[1] = step(GAN_FN_rsqrt, s, 0, 0);
    p.step[2] = step(GAN_FN_mul, s + 1, GAMMA, 0);
    p.step[3] = step(GAN_FN_sub, X, MEAN, 0);
    p.step[4] = step(GAN_FN_mul, s + 3, s + 2, 0);
    p.step[5] = step(GAN_FN_add, s + 4, BETA, 0);
    for (int i = 0; then && i < then->n_steps; i++) {
        gan_program_step *to = &p.step[p.n_steps++];
        *to = then->step[i];
        for (int side = 0; side < gan_fn_table[to->fn].arity; side++) {
            const int v = to->arg[side];
            to->arg[side] = (uint8_t)(v == 0               ? last
                                      : v < then->n_inputs ? OWN + v - 1
                                                           : last + 1 + v - then->n_inputs);
        }
    }
    return p;
}

/* Groups of moments lie two vectors apart. */
static void space_groups(norm *n) {
    gan_launch_program *p = &n->program.launch;
    for (int i = 0; n->groups > 1 && i < p->n_inputs; i++)
        if (n->program.source[i] == MEAN || n->program.source[i] == VARIANCE)
            p->operand[i].stride[p->n_axes - 1] = 2 * n->channels;
}

/* ---- the kernel ---- */

static bool fits(const norm *n, const gan_call *call) {
    gan_shape shape;
    const gan_pointwise_program *then = call->node->program;
    bool fits = in_groups(&shape, call->in[0].shape, n->groups) &&
                OWN_STEPS + then->n_steps <= GAN_MAX_PROGRAM_STEPS &&
                OWN + call->n_in - 4 <= GAN_MAX_PROGRAM_INPUTS;
    for (int i = 4; i < call->n_in; i++)
        fits = fits && call->in[i].shape.rank == call->in[0].shape.rank &&
               in_groups(&shape, call->in[i].shape, n->groups);
    return fits;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    gan_array operand[GAN_MAX_PROGRAM_INPUTS];
    norm *n = calloc(1, sizeof *n);
    if (!n) return gan_fail(GAN_ERROR_MEMORY, "batch_norm: out of memory");
    call->state = n;
    const gan_shape x = call->in[0].shape;
    n->groups = call->in[1].shape.dim[0];
    n->channels = x.dim[x.rank - 1];
    n->joined = call->node->program && fits(n, call);
    const int64_t size = gan_shape_size(x);
    if (!n->joined || !in_groups(&n->view, x, n->groups))
        n->view = gan_shape3(n->groups, size ? size / n->channels / n->groups : 0, n->channels);
    const int n_operands = operands_of(n, call, operand);
    const gan_pointwise_program p = program_of(n, call, n_operands);
    GAN_TRY(
        gan_cuda_program_bind(&n->program, call->node, &p, n->view, n_operands, operand, 0, NULL));
    space_groups(n);
    return n->joined ? GAN_OK : gan_cuda_epilogue_prepare(&n->epilogue, call);
}

static gan_status run(gan_device *device, const gan_call *call) {
    const norm *n = call->state;
    gan_array operand[GAN_MAX_PROGRAM_INPUTS];
    operands_of(n, call, operand);
    const gan_launch_pointwise_args args = {gan_cuda_program_at(&n->program, operand),
                                            call->out.data, call->out.dtype == GAN_BF16};
    GAN_CUDA_TRY(call->node, gan_launch_pointwise(&args, gan_cuda(device)->stream));
    return gan_cuda_epilogue_run(&n->epilogue, device, call);
}

static void release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

bool gan_cuda_batch_norm_is_joined(const gan_call *call) {
    const norm *n = call->state;
    return n->joined;
}

bool gan_cuda_batch_norm_follower(const gan_node *node, int *fn, float *k) {
    const gan_pointwise_program *p = node->program;
    gan_shape shape;
    *fn = -1;
    *k = 0;
    if (!p) return true;
    const gan_program_step *step = &p->step[0];
    *fn = step->fn;
    *k = step->k;
    return node->n_in == 4 && p->n_steps == 1 &&
           (step->fn == GAN_FN_relu || step->fn == GAN_FN_leaky_relu) &&
           in_groups(&shape, node->in[0]->shape, node->in[1]->shape.dim[0]);
}

const gan_kernel gan_cuda_batch_norm = {run, prepare, release};
