/* moments, and the gradients of batch_norm, which itself is a chain of pointwise functions; and,
 * where the device's blocks can wait for each other, moments with the batch_norm that takes them,
 * and a sum that both are of, and batch_norm_sums with their batch_norm_grad, and what they are
 * over two groups, as one launch. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

/* How many values like x such a call moves before it reads x again: where it forms x itself (see
 * below), two, x and what it is formed of. */
static int operands_of(const gan_node *node) {
    const bool back = node->op == GAN_OP_batch_norm_sums || node->op == GAN_OP_batch_norm_grad;
    const gan_node *x = gan_node_base(node->in[0]);
    const bool formed = node->op == GAN_OP_moments && x->op == GAN_OP_pointwise && x->n_in == 2 &&
                        gan_cuda_forms(x, node);
    return back || formed ? 2 : 1;
}

/* `sums`: the result's shape, or that of an operand like it, (groups, 2, channels). */
static gan_launch_norm_args args_of(const gan_device *device, const gan_call *call,
                                    gan_shape sums) {
    const gan_shape x = call->in[0].shape;
    const int64_t channels = x.dim[x.rank - 1], groups = sums.dim[0];
    return (gan_launch_norm_args){
        .groups = groups,
        .rows = channels && groups ? gan_shape_size(x) / channels / groups : 0,
        .channels = channels,
        .x = call->in[0].data,
        .bf16 = call->in[0].dtype == GAN_BF16,
        .operands = device ? operands_of(call->node) : 1, /* of interest with its cache alone */
        .cache = device ? ((const gan_cuda_device *)device)->cache_bytes : 0,
        .out = call->out.data,
        .workspace = call->workspace,
    };
}

static gan_status prepare(gan_device *device, gan_call *call) {
    GAN_TRY(gan_cuda_require_31_bits(call));
    const gan_launch_norm_args a = args_of(device, call, call->out.shape);
    call->workspace_bytes = gan_launch_norm_workspace(&a);
    return GAN_OK;
}

static gan_status run_moments(gan_device *device, const gan_call *call) {
    gan_launch_norm_args a = args_of(device, call, call->out.shape);
    a.counters = gan_cuda(device)->lane[call->lane].counters;
    GAN_CUDA_TRY(call->node, gan_launch_moments(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

/* Operands: x, moments, dy, gamma, beta. */
static gan_launch_norm_back back_of(const gan_call *call) {
    const gan_attr *attr = &call->node->attr;
    return (gan_launch_norm_back){
        .dy = call->in[2].data,
        .moments = call->in[1].data,
        .gamma = call->in[3].data,
        .beta = call->in[4].data,
        .eps = (float)attr->norm.eps,
        .slope = (float)attr->norm.slope,
    };
}

static gan_status run_sums(gan_device *device, const gan_call *call) {
    gan_launch_norm_args a = args_of(device, call, call->out.shape);
    const gan_launch_norm_back back = back_of(call);
    a.counters = gan_cuda(device)->lane[call->lane].counters;
    GAN_CUDA_TRY(call->node, gan_launch_batch_norm_sums(&a, &back, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status prepare_grad(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cuda_require_31_bits(call);
}

static gan_status run_grad(gan_device *device, const gan_call *call) {
    const gan_launch_norm_args a = args_of(device, call, call->in[1].shape);
    const gan_launch_norm_back back = back_of(call);
    GAN_CUDA_TRY(call->node, gan_launch_batch_norm_grad(&a, &back, call->in[5].data, call->out.data,
                                                        gan_cuda(device)->stream));
    return GAN_OK;
}

/* ---- two calls as one launch ---- */

/* Of sums or moments, without addresses. device: NULL where its cache is of no interest. */
static gan_launch_norm_args model_of(const gan_device *device, const gan_node *first) {
    const gan_node *x = first->in[0];
    const gan_call call = {.node = first,
                           .in = &(gan_array){.dtype = x->dtype, .shape = x->shape},
                           .out = {.dtype = first->dtype, .shape = first->shape}};
    return args_of(device, &call, first->shape);
}

static bool is_whole(const gan_node *first) {
    const gan_launch_norm_args a = model_of(NULL, first);
    return gan_launch_norm_is_whole(&a);
}

static bool same_operands(const gan_node *a, const gan_node *b, int n) {
    for (int i = 0; i < n; i++)
        if (a->in[i] != b->in[i]) return false;
    return true;
}

static bool is_forward(const gan_node *first, const gan_node *second) {
    int fn;
    float k;
    return first->op == GAN_OP_moments && second->op == GAN_OP_batch_norm &&
           second->in[0] == first->in[0] && second->in[1] == first &&
           second->dtype == first->in[0]->dtype && gan_cuda_batch_norm_follower(second, &fn, &k);
}

static bool is_backward(const gan_node *first, const gan_node *second) {
    return first->op == GAN_OP_batch_norm_sums && second->op == GAN_OP_batch_norm_grad &&
           same_operands(first, second, 5) && second->in[5] == first &&
           second->in[2]->dtype == second->in[0]->dtype && second->dtype == second->in[0]->dtype &&
           !second->program && first->attr.norm.eps == second->attr.norm.eps &&
           first->attr.norm.slope == second->attr.norm.slope;
}

/* Whether `total` is what the sums that are behind the gradient come to over both groups: of two
 * there is no order. */
static bool is_total(const gan_node *gradient, const gan_node *total) {
    return gradient->op == GAN_OP_batch_norm_grad && total->op == GAN_OP_sum && !total->program &&
           total->in[0] == gradient->in[5] && total->dtype == GAN_F32 &&
           total->attr.reduce.axes == 1u << 0 && total->in[0]->shape.dim[0] == 2 &&
           is_backward(gradient->in[5], gradient) && is_whole(gradient->in[5]);
}

bool gan_cuda_norm_pairs(const gan_device *device, const gan_node *first, const gan_node *second) {
    if (!((const gan_cuda_device *)device)->resident) return false;
    if (is_total(first, second)) return true;
    return (is_forward(first, second) || is_backward(first, second)) && is_whole(first);
}

/* What the first of a pair reads, and the second again. */
enum { MOST_OF_PHASE = 3 << 24 };

/* As a phase of a joined launch nothing stays on the chip in between: only what is in the cache
 * then. */
bool gan_cuda_norm_is_phase(const gan_device *device, int n, gan_node *const *calls) {
    const gan_node *first = calls[0];
    if ((first->op != GAN_OP_moments && first->op != GAN_OP_batch_norm_sums) || n < 2 || n > 3 ||
        !gan_cuda_norm_pairs(device, first, calls[1]) || (n == 3 && !is_total(calls[1], calls[2])))
        return false;
    const gan_launch_norm_args a = model_of(device, first);
    return (int64_t)gan_node_bytes(first->in[0]) * a.operands <= MOST_OF_PHASE &&
           gan_launch_joined_takes_norm(&a);
}

/* ---- with a sum before them ---- */

static bool is_vectors(gan_shape shape, int64_t channels) {
    return shape.rank > 0 && shape.dim[shape.rank - 1] == channels;
}

/* Which row of `low` a row of `whole` gets, axis by axis from the innermost of the rows on: it is
 * repeated, goes along, is repeated, goes along. False where that is not all, or not repeated. */
static bool is_repeated(gan_launch_norm_up *up, gan_shape whole, gan_shape low) {
    int64_t length[4] = {1, 1, 1, 1};
    int part = 0;
    for (int axis = whole.rank - 2; axis >= 0; axis--) {
        if (whole.dim[axis] == 1) continue;
        const bool repeats = low.dim[axis] == 1;
        if (!repeats && low.dim[axis] != whole.dim[axis]) return false;
        while (part < 4 && (part % 2 == 0) != repeats) part++;
        if (part == 4) return false;
        length[part] *= whole.dim[axis];
    }
    up->along = length[0];
    up->width = length[1];
    up->down = length[2];
    return up->along * up->down > 1;
}

/* What is stored is aligned but for a variable, which may be a part of others. */
static bool is_aligned(const gan_node *x) {
    return gan_node_base((gan_node *)(uintptr_t)x)->op != GAN_OP_variable;
}

bool gan_cuda_forms(const gan_node *sum, const gan_node *moments) {
    const gan_node *whole = sum->in[0], *low = sum->in[1], *x = moments->in[0];
    const gan_pointwise_program *p = sum->program;
    const int64_t channels = x->shape.rank > 0 ? x->shape.dim[x->shape.rank - 1] : 0;
    gan_launch_norm_up up;
    if (sum->n_in != 2 || p->n_steps != 1 || p->step[0].fn != GAN_FN_add ||
        sum->dtype != x->dtype || whole->dtype != sum->dtype || low->dtype != sum->dtype)
        return false;
    return gan_shape_equal(whole->shape, sum->shape) && low->shape.rank == sum->shape.rank &&
           is_vectors(sum->shape, channels) && is_vectors(low->shape, channels) &&
           is_repeated(&up, sum->shape, low->shape) && is_aligned(whole) && is_aligned(low) &&
           is_whole(moments);
}

static bool has_sum(const gan_call *calls) { return calls[0].node->op == GAN_OP_pointwise; }

static gan_launch_norm_up up_of(const gan_call *sum) {
    gan_launch_norm_up up = {.low = sum->in[1].data, .sum = sum->out.data};
    is_repeated(&up, sum->out.shape, sum->in[1].shape);
    return up;
}

/* ---- the launch ---- */

bool gan_cuda_is_pair(const gan_call *calls) {
    const gan_op_id first = calls[0].node->op;
    const int n = calls[0].joined;
    if (calls[n - 1].phase > calls[0].phase) return false;
    return first == GAN_OP_moments || first == GAN_OP_batch_norm_sums ||
           first == GAN_OP_batch_norm_grad || (n == 3 && calls[1].node->op == GAN_OP_moments);
}

static bool is_back(const gan_call *calls) { return calls[0].node->op == GAN_OP_batch_norm_sums; }

static bool is_aligned_pair(const gan_call *calls) {
    return calls[0].node->op != GAN_OP_batch_norm_grad && /* from its sums */
           gan_cuda_aligned(&calls[0].in[0]) && gan_cuda_aligned(&calls[1].out) &&
           (!is_back(calls) || gan_cuda_aligned(&calls[0].in[2]));
}

/* fn: what follows batch norm, -1: nothing. */
static gan_launch_norm_back with_of(const gan_call *second, int *fn) {
    gan_launch_norm_back with = {.gamma = second->in[2].data,
                                 .beta = second->in[3].data,
                                 .eps = (float)second->node->attr.norm.eps};
    gan_cuda_batch_norm_follower(second->node, fn, &with.slope);
    return with;
}

static gan_launch_norm_args counted_args_of(const gan_device *device, const gan_call *first) {
    gan_launch_norm_args a = args_of(device, first, first->out.shape);
    a.counters = ((const gan_cuda_device *)device)->lane[first->lane].counters;
    return a;
}

bool gan_cuda_norm_add(const gan_device *device, int n, const gan_call *calls,
                       gan_launch_joined_args *to) {
    int fn;
    if (!is_aligned_pair(calls)) return false;
    const gan_launch_norm_args a = counted_args_of(device, &calls[0]);
    const gan_launch_norm_back with = is_back(calls) ? back_of(&calls[0]) : with_of(&calls[1], &fn);
    if (is_back(calls))
        gan_launch_joined_norm_back(to, &a, &with, calls[1].out.data,
                                    n == 3 ? calls[2].out.data : NULL);
    else
        gan_launch_joined_norm(to, &a, &with, fn, calls[1].out.data);
    return true;
}

static gan_status run_forward(gan_device *device, const gan_call *sum, const gan_call *first) {
    const gan_call *second = first + 1;
    const gan_cuda_device *d = gan_cuda(device);
    gan_launch_norm_args a = counted_args_of(device, first);
    gan_launch_norm_up up;
    int fn;
    const gan_launch_norm_back with = with_of(second, &fn);
    if (sum) {
        up = up_of(sum);
        a.x = sum->in[0].data;
    }
    GAN_CUDA_TRY(second->node,
                 gan_launch_batch_norm(&a, &with, sum ? &up : NULL, fn, second->out.data,
                                       d->lane[first->lane].barrier, d->stream));
    return GAN_OK;
}

gan_status gan_cuda_run_pair(gan_device *device, int n, const gan_call *calls) {
    if (has_sum(calls)) return run_forward(device, &calls[0], &calls[1]);
    const gan_call *first = &calls[0], *second = &calls[1];
    const gan_cuda_device *d = gan_cuda(device);
    if (!is_aligned_pair(calls)) {
        for (int i = 0; i < n; i++)
            GAN_TRY(gan_cuda_kernels[calls[i].node->op]->run(device, &calls[i]));
        return GAN_OK;
    }
    if (!is_back(calls)) return run_forward(device, NULL, first);
    const gan_launch_norm_args a = counted_args_of(device, first);
    const gan_launch_norm_back with = back_of(first);
    float *total = n == 3 ? second[1].out.data : NULL;
    GAN_CUDA_TRY(second->node, gan_launch_batch_norm_back(&a, &with, second->out.data, total,
                                                          d->lane[first->lane].barrier, d->stream));
    return GAN_OK;
}

/* ---- what it costs ---- */

static int64_t bytes_in(const gan_call *call, int i) {
    return (int64_t)gan_node_bytes(call->node->in[i]);
}

/* Whether values of so many bytes are found in the cache by the second of a pair, a wave of their
 * channels at a time. */
static bool is_cached(const gan_device *device, const gan_node *first, int64_t bytes) {
    const gan_launch_norm_args a = model_of(device, first);
    return bytes / a.channels * gan_launch_norm_wave(&a) <= a.cache;
}

/* A sum is not read by its moments. batch_norm finds it where they have left it, in memory or on
 * its way there, or forms it again. */
static void formed_cost(const gan_device *device, const gan_call *call, gan_cost *cost) {
    const gan_op_id op = call->node->op;
    if (op == GAN_OP_pointwise && call->passed) cost->written = 0;
    if (op == GAN_OP_moments) cost->read -= bytes_in(call, 0);
    if (op != GAN_OP_batch_norm) return;
    const gan_call *sum = call - 2, *moments = call - 1;
    const int64_t x = bytes_in(call, 0), low = bytes_in(sum, 1);
    if (is_cached(device, moments->node, x + low + (sum->passed ? 0 : x)))
        cost->read -= x;
    else if (sum->passed)
        cost->read += low;
}

/* Whether moments are of one launch with the sum before them. */
static bool is_formed(const gan_call *moments) {
    return moments->node->op == GAN_OP_moments && !moments->joined &&
           moments[-1].phase == moments->phase;
}

/* What the first of a pair has read, the second one finds on the chip or in the cache. */
void gan_cuda_pair_cost(const gan_device *device, const gan_call *call, gan_cost *cost) {
    const gan_node *node = call->node;
    const bool back = node->op == GAN_OP_batch_norm_grad;
    const bool heads = call->joined == 3 && node->op == GAN_OP_pointwise && gan_cuda_is_pair(call);
    const bool second = !call->joined && (back || node->op == GAN_OP_batch_norm);
    if (heads || is_formed(call) || (second && is_formed(call - 1))) {
        formed_cost(device, call, cost);
    } else if (second) {
        const int64_t bytes = bytes_in(call, 0) + (back ? bytes_in(call, 2) : 0);
        if (is_cached(device, call[-1].node, bytes)) cost->read -= bytes;
    }
}

const gan_kernel gan_cuda_moments = {run_moments, prepare, NULL};
const gan_kernel gan_cuda_batch_norm_sums = {run_sums, prepare, NULL};
const gan_kernel gan_cuda_batch_norm_grad = {run_grad, prepare_grad, NULL};
