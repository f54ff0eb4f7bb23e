/* When kernels of our own make a convolution, and their launches.
 *
 * What they can do is gan_launch_conv_takes(): at most four channels on one side, a stride of 1 or
 * 2, sixteen taps. When they do it is a rule of shapes and types alone, not of times: sums in
 * another order are other bits, and the same seed shall give the same bits.
 *
 * In f32 they compute on the ordinary cores, in bf16 on tensor cores, waste little, need no frame,
 * apply any program, and take a bias's gradient with the filter's. So
 *   - in f32, where the library has the same cores, and in bf16, where its tiles are at least eight
 *     wide, of which one to four are used, and a pixel of three channels is no whole number of
 *     words, they make the result of many channels, that of few, and the filter's gradient;
 *   - in f32 that tensor cores may round (tf32) they make only the result of few channels, behind
 *     which the library is not documented to take a program;
 *   - and only where there is work for a device: many channels are at least LEAST_MANY, and their
 *     pixels LEAST_PIXELS, 64 an image. */
#include "cuda/conv_direct.h"

#include "cuda/device.h"

enum { LEAST_MANY = 16, LEAST_PIXELS = 4096, LEAST_OF_IMAGE = 64 };

typedef cudaError_t launcher(const gan_launch_conv_args *a, cudaStream_t stream);

/* ---- sides ---- */

typedef struct shapes {
    const gan_shape *x, *w, *y;
} shapes;

static shapes shapes_of(const gan_call *call) {
    const gan_shape *in = &call->in[0].shape, *second = &call->in[1].shape, *out = &call->out.shape;
    switch (call->node->op) {
    case GAN_OP_conv2d:
        return (shapes){in, second, out};
    case GAN_OP_conv2d_grad_input:
        return (shapes){out, second, in};
    default:
        return (shapes){in, out, second};
    }
}

static bool fits_31_bits(gan_shape s) {
    for (int i = 0; i < s.rank; i++)
        if (s.dim[i] > INT32_MAX) return false;
    return true;
}

/* y's channels are few: with a stride of 1 it is to x as x is to y else, with the filter turned. */
static bool describe(gan_launch_conv_sides *v, const gan_call *call) {
    const shapes of = shapes_of(call);
    const gan_window *z = &call->node->attr.window;
    if (!fits_31_bits(*of.x) || !fits_31_bits(*of.w) || !fits_31_bits(*of.y) ||
        z->stride_h != z->stride_w)
        return false;
    *v = (gan_launch_conv_sides){.n = (int32_t)of.x->dim[0],
                                 .h = (int32_t)of.x->dim[1],
                                 .w = (int32_t)of.x->dim[2],
                                 .c = (int32_t)of.x->dim[3],
                                 .p = (int32_t)of.y->dim[1],
                                 .q = (int32_t)of.y->dim[2],
                                 .k = (int32_t)of.y->dim[3],
                                 .r = (int32_t)of.w->dim[1],
                                 .s = (int32_t)of.w->dim[2],
                                 .stride = z->stride_h,
                                 .top = z->top,
                                 .left = z->left};
    if (v->c <= GAN_LAUNCH_CONV_CHANNELS) return gan_launch_conv_takes(v);
    if (v->stride != 1) return false;
    const gan_launch_conv_sides given = *v;
    v->h = given.p, v->w = given.q, v->c = given.k;
    v->p = given.h, v->q = given.w, v->k = given.c;
    v->top = given.r - 1 - given.top;
    v->left = given.s - 1 - given.left;
    v->turned = 1;
    return gan_launch_conv_takes(v);
}

static bool is_weight(const gan_call *call) { return call->node->op == GAN_OP_conv2d_grad_weight; }

/* Which of the two images, or the filter, is the result, and of what type. */
static launcher *launcher_of(const gan_call *call, const gan_launch_conv_sides *v) {
    const bool half = call->in[0].dtype == GAN_BF16;
    if (is_weight(call)) return half ? gan_launch_conv_weight_half : gan_launch_conv_weight;
    const bool many = (call->node->op == GAN_OP_conv2d) == !v->turned;
    if (many) return half ? gan_launch_conv_many_half : gan_launch_conv_many;
    return half ? gan_launch_conv_few_half : gan_launch_conv_few;
}

/* ---- the rule ---- */

static bool pays(const gan_call *call, const gan_launch_conv_sides *v) {
    const int64_t pixels = (int64_t)v->p * v->q;
    const bool tf32 = call->node->tf32 && call->in[0].dtype == GAN_F32;
    return (!tf32 || launcher_of(call, v) == gan_launch_conv_few) && v->k >= LEAST_MANY &&
           pixels >= LEAST_OF_IMAGE && v->n * pixels >= LEAST_PIXELS;
}

void gan_cuda_conv_direct_choose(gan_cuda_conv_direct *to, const gan_device *device, gan_call *call,
                                 const gan_cuda_epilogue *epilogue) {
    gan_launch_conv_sides sides;
    *to = (gan_cuda_conv_direct){.active = false};
    if (device->direct == GAN_DIRECT_NEVER || !describe(&sides, call)) return;
    if (device->direct != GAN_DIRECT_ALWAYS && !pays(call, &sides)) return;
    const gan_launch_program *program = &epilogue->program.launch;
    to->active = true;
    to->program = epilogue->active && program->n_slots < GAN_LAUNCH_SLOTS;
    to->args.sides = sides;
    to->args.bf16 = call->in[0].dtype == GAN_BF16;
    to->args.with_program = to->program;
    to->args.raw_input = to->program ? gan_cuda_epilogue_raw(epilogue) : -1;
    if (is_weight(call))
        call->workspace_bytes = to->args.bf16 ? gan_launch_conv_half_workspace(&sides)
                                              : gan_launch_conv_weight_workspace(&sides);
}

/* ---- with a function of the result ---- */

enum { MOST_OPERANDS = GAN_LAUNCH_INPUTS };

/* Which operand of `second` is `first`; -1: none is, or another one shows some of it, which blocks
 * of one launch would read while others write it. */
static int operand_of(const gan_node *second, const gan_node *first) {
    int found = -1;
    for (int i = 0; i < second->n_in; i++) {
        if (gan_node_base(second->in[i]) != first) continue;
        if (found >= 0 || second->in[i] != first) return -1;
        found = i;
    }
    return found;
}

static void describe_operands(const gan_node *node, gan_array *to) {
    for (int i = 0; i < node->n_in; i++)
        to[i] = (gan_array){.dtype = node->in[i]->dtype, .shape = node->in[i]->shape};
}

/* What they would do for a convolution without a program. */
static gan_cuda_conv_direct direct_of(const gan_device *device, const gan_node *node,
                                      launcher **launch) {
    gan_array in[2];
    gan_cuda_conv_direct v;
    describe_operands(node, in);
    gan_call call = {.node = node, .in = in, .out = {.dtype = node->dtype, .shape = node->shape}};
    gan_cuda_conv_direct_choose(&v, device, &call, &(gan_cuda_epilogue){.active = false});
    if (v.active) *launch = launcher_of(&call, &v.args.sides);
    return v;
}

static bool is_followed(const gan_device *device, const gan_node *first, const gan_node *second) {
    gan_array in[MOST_OPERANDS];
    gan_cuda_program program;
    launcher *launch = NULL;
    if ((first->op != GAN_OP_conv2d && first->op != GAN_OP_conv2d_grad_input) || first->program ||
        second->op != GAN_OP_pointwise || second->dtype != first->dtype ||
        !gan_shape_equal(second->shape, first->shape) || second->n_in > MOST_OPERANDS ||
        operand_of(second, first) < 0)
        return false;
    direct_of(device, first, &launch);
    if (launch != gan_launch_conv_few && launch != gan_launch_conv_few_half) return false;
    describe_operands(second, in);
    return gan_cuda_program_bind(&program, second, second->program, second->shape, second->n_in, in,
                                 0, NULL) == GAN_OK &&
           program.launch.n_slots < GAN_LAUNCH_SLOTS;
}

/* ---- with the sums of the many ---- */

/* Whether `second` is the gradient of a bias beside that of the filter. */
static bool is_summed(const gan_device *device, const gan_node *first, const gan_node *second) {
    enum { PIXELS = 1u << 0 | 1u << 1 | 1u << 2 };
    launcher *launch = NULL;
    if (first->op != GAN_OP_conv2d_grad_weight || second->op != GAN_OP_sum || second->program ||
        second->dtype != GAN_F32 || second->in[0] != first->in[1] ||
        second->attr.reduce.axes != PIXELS)
        return false;
    const gan_cuda_conv_direct v = direct_of(device, first, &launch);
    return launch == gan_launch_conv_weight_half && !v.args.sides.turned;
}

bool gan_cuda_conv_direct_pairs(const gan_device *device, const gan_node *first,
                                const gan_node *second) {
    return is_followed(device, first, second) || is_summed(device, first, second);
}

/* ---- running ---- */

static gan_status run_weight(gan_launch_conv_args a, gan_device *device, const gan_call *call,
                             float *sums) {
    launcher *launch = launcher_of(call, &a.sides);
    a.few = call->in[a.sides.turned ? 1 : 0].data;
    a.many = call->in[a.sides.turned ? 0 : 1].data;
    a.out = call->out.data;
    a.sums = sums;
    a.workspace = call->workspace;
    a.counters = gan_cuda(device)->lane[call->lane].counters;
    GAN_CUDA_TRY(call->node, launch(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

gan_status gan_cuda_conv_direct_run_both(const gan_cuda_conv_direct *v, gan_device *device,
                                         const gan_call *first, const gan_call *second) {
    if (is_weight(first)) return run_weight(v->args, device, first, second->out.data);
    const gan_cuda_program *program = second->state;
    const int operand = operand_of(second->node, first->node);
    gan_launch_conv_args a = v->args;
    a.many = first->in[0].data;
    a.filter = first->in[1].data;
    a.raw = first->out.data;
    a.out = second->out.data;
    a.program = gan_cuda_program_at(program, second->in);
    a.with_program = 1;
    a.raw_input = gan_cuda_program_input(program, operand);
    GAN_CUDA_TRY(second->node, launcher_of(first, &a.sides)(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

gan_status gan_cuda_conv_direct_run(const gan_cuda_conv_direct *v, gan_device *device,
                                    const gan_call *call, const gan_cuda_epilogue *epilogue) {
    if (is_weight(call)) return run_weight(v->args, device, call, NULL);
    gan_launch_conv_args a = v->args;
    a.few = a.many = call->in[0].data;
    a.filter = call->in[1].data;
    a.out = call->out.data;
    if (v->program) a.program = gan_cuda_epilogue_at(epilogue, call);
    GAN_CUDA_TRY(call->node, launcher_of(call, &a.sides)(&a, gan_cuda(device)->stream));
    return v->program || !epilogue->active ? GAN_OK : gan_cuda_epilogue_run(epilogue, device, call);
}
