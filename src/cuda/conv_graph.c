/* cuDNN's graph API: an operation graph of a convolution and pointwise operations whose results in
 * between are virtual, the engines that the library's heuristics offer for it, and an execution
 * plan of the first that fits. All of it before capture; a run only fills in addresses. */
#include "cuda/conv_graph.h"

#include <stdlib.h>
#include <string.h>

#include "cuda/conv_cache.h"
#include "cuda/conv_pair.h"
#include "cuda/conv_tune.h"

enum { ALIGN = 16 };

/* Unique ids of tensors. Plans that are kept on disk name them (conv_cache.c: FORMAT). */
enum {
    UID_FIRST = 1,
    UID_SECOND,
    UID_RESULT,
    UID_KEPT,
    UID_OPERAND = 16,
    UID_NUMBER = 48,
    UID_VIRTUAL = 96
};
enum { BOUND = 4 + GAN_MAX_PROGRAM_INPUTS + GAN_MAX_PROGRAM_STEPS };

#define TRY GAN_CUDNN_FORWARD

/* ---- descriptors ---- */

static cudnnStatus_t set(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                         cudnnBackendAttributeType_t type, int64_t n, const void *values) {
    return cudnnBackendSetAttribute(d, name, type, n, values);
}

/* In the library's order of axes; the bytes are NHWC, of filters KRSC. */
typedef struct tensor {
    int64_t uid, n, c, h, w;
    cudnnDataType_t type;
    enum { IN_MEMORY, VIRTUAL, BY_VALUE } is;
} tensor;

static cudnnStatus_t add_tensor(gan_cuda_bag *b, const tensor *t, cudnnBackendDescriptor_t *out) {
    const int64_t dim[] = {t->n, t->c, t->h, t->w};
    const int64_t stride[] = {t->h * t->w * t->c, 1, t->w * t->c, t->c};
    const int64_t align = t->is == BY_VALUE ? (int64_t)sizeof(float) : ALIGN;
    const bool yes = true;
    TRY(gan_cuda_bag_create(b, CUDNN_BACKEND_TENSOR_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &t->uid));
    TRY(set(*out, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &t->type));
    TRY(set(*out, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dim));
    TRY(set(*out, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, stride));
    TRY(set(*out, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &align));
    if (t->is == VIRTUAL) TRY(set(*out, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &yes));
    if (t->is == BY_VALUE)
        TRY(set(*out, CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &yes));
    return cudnnBackendFinalize(*out);
}

/* ---- the operation graph ---- */

/* x, w or y: what a convolution of this kind makes. */
static tensor result_of(const gan_cuda_conv_problem *p) {
    switch ((gan_cuda_conv_kind)p->kind) {
    case GAN_CUDA_CONV_DX:
        return (tensor){.n = p->n, .c = p->c, .h = p->h, .w = p->w};
    case GAN_CUDA_CONV_DW:
        return (tensor){.n = p->k, .c = p->c, .h = p->r, .w = p->s};
    default:
        return (tensor){.n = p->n, .c = p->k, .h = p->p, .w = p->q};
    }
}

/* The result after `step` operations; only the last one's is in memory, and that which is kept. */
static cudnnStatus_t add_result(gan_cuda_bag *b, const gan_cuda_conv_problem *p, int step,
                                cudnnBackendDescriptor_t *out) {
    const bool last = step == p->epilogue.n_steps, kept = step + 1 == p->epilogue.kept;
    tensor y = result_of(p);
    y.uid = last ? UID_RESULT : kept ? UID_KEPT : UID_VIRTUAL + step;
    y.type = last || kept ? p->type : CUDNN_DATA_FLOAT;
    y.is = last || kept ? IN_MEMORY : VIRTUAL;
    return add_tensor(b, &y, out);
}

static cudnnStatus_t describe_windows(gan_cuda_bag *b, const gan_cuda_conv_problem *p,
                                      cudnnBackendDescriptor_t *out) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t axes = 2, dilation[] = {1, 1}, stride[] = {p->stride_h, p->stride_w},
                  padding[] = {p->pad_h, p->pad_w};
    TRY(gan_cuda_bag_create(b, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilation));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, padding));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, padding));
    return cudnnBackendFinalize(*out);
}

/* Its operands and result under the names of its direction. */
typedef struct direction {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t alpha, beta, how, first, second, result;
} direction;

static const direction directions[] = {
    [GAN_CUDA_CONV_Y] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y},
    [GAN_CUDA_CONV_DX] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX},
    [GAN_CUDA_CONV_DW] = {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                          CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW},
};

static cudnnStatus_t add_convolution(gan_cuda_bag *b, const gan_cuda_conv_problem *p,
                                     cudnnBackendDescriptor_t result,
                                     cudnnBackendDescriptor_t *out) {
    const direction *of = &directions[p->kind];
    const tensor x = {UID_FIRST, p->n, p->c, p->h, p->w, p->type, IN_MEMORY},
                 w = {UID_SECOND, p->k, p->c, p->r, p->s, p->type, IN_MEMORY};
    const bool first_is_y = p->kind == GAN_CUDA_CONV_DX, second_is_y = p->kind == GAN_CUDA_CONV_DW;
    const tensor y = {
        first_is_y ? UID_FIRST : UID_SECOND, p->n, p->k, p->p, p->q, p->type, IN_MEMORY};
    const float one = 1, zero = 0;
    cudnnBackendDescriptor_t first, second, how;
    TRY(add_tensor(b, first_is_y ? &y : &x, &first));
    TRY(add_tensor(b, second_is_y ? &y : &w, &second));
    TRY(describe_windows(b, p, &how));
    TRY(gan_cuda_bag_create(b, of->operation, out));
    TRY(set(*out, of->alpha, CUDNN_TYPE_FLOAT, 1, &one));
    TRY(set(*out, of->beta, CUDNN_TYPE_FLOAT, 1, &zero));
    TRY(gan_cuda_descriptor_refer(*out, of->how, how));
    TRY(gan_cuda_descriptor_refer(*out, of->first, first));
    TRY(gan_cuda_descriptor_refer(*out, of->second, second));
    TRY(gan_cuda_descriptor_refer(*out, of->result, result));
    return cudnnBackendFinalize(*out);
}

static cudnnStatus_t describe_function(gan_cuda_bag *b, const gan_cuda_conv_step *s,
                                       cudnnBackendDescriptor_t *out) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const double slope = (double)s->k;
    TRY(gan_cuda_bag_create(b, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &s->mode));
    TRY(set(*out, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    if (s->mode == CUDNN_POINTWISE_RELU_FWD || s->mode == CUDNN_POINTWISE_RELU_BWD)
        TRY(set(*out, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, 1, &slope));
    return cudnnBackendFinalize(*out);
}

static cudnnStatus_t add_pointwise(gan_cuda_bag *b, const gan_cuda_conv_step *s,
                                   cudnnBackendDescriptor_t x, cudnnBackendDescriptor_t second,
                                   cudnnBackendDescriptor_t result, cudnnBackendDescriptor_t *out) {
    const bool backward = s->mode == CUDNN_POINTWISE_RELU_BWD;
    cudnnBackendDescriptor_t function;
    TRY(describe_function(b, s, &function));
    TRY(gan_cuda_bag_create(b, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, out));
    TRY(gan_cuda_descriptor_refer(*out, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function));
    TRY(gan_cuda_descriptor_refer(*out,
                                  backward ? CUDNN_ATTR_OPERATION_POINTWISE_DYDESC
                                           : CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                                  x));
    if (second)
        TRY(gan_cuda_descriptor_refer(*out,
                                      backward ? CUDNN_ATTR_OPERATION_POINTWISE_XDESC
                                               : CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
                                      second));
    TRY(gan_cuda_descriptor_refer(*out,
                                  backward ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC
                                           : CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
                                  result));
    return cudnnBackendFinalize(*out);
}

static cudnnStatus_t add_operations(gan_cuda_bag *b, const gan_cuda_conv_problem *p,
                                    cudnnBackendDescriptor_t *operation) {
    const gan_cuda_conv_epilogue *e = &p->epilogue;
    cudnnBackendDescriptor_t result[1 + GAN_MAX_PROGRAM_STEPS],
        operand[GAN_MAX_PROGRAM_INPUTS] = {NULL};
    TRY(add_result(b, p, 0, &result[0]));
    TRY(add_convolution(b, p, result[0], &operation[0]));
    for (int i = 0; i < e->n_steps; i++) {
        const gan_cuda_conv_step *s = &e->step[i];
        cudnnBackendDescriptor_t second = NULL;
        if (s->side == GAN_CUDA_CONV_RESULT) {
            second = result[s->b];
        } else if (s->side == GAN_CUDA_CONV_NUMBER) {
            const tensor t = {UID_NUMBER + i, 1, 1, 1, 1, CUDNN_DATA_FLOAT, BY_VALUE};
            TRY(add_tensor(b, &t, &second));
        } else if (s->side == GAN_CUDA_CONV_OPERAND) {
            const gan_cuda_conv_operand *o = &e->operand[s->b];
            const tensor t = {UID_OPERAND + s->b, o->n, o->c, o->h, o->w, o->type, IN_MEMORY};
            if (!operand[s->b]) TRY(add_tensor(b, &t, &operand[s->b]));
            second = operand[s->b];
        }
        TRY(add_result(b, p, 1 + i, &result[1 + i]));
        TRY(add_pointwise(b, s, result[s->x], second, result[1 + i], &operation[1 + i]));
    }
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t add_graph(gan_cuda_bag *b, cudnnHandle_t handle,
                               const gan_cuda_conv_problem *p, cudnnBackendDescriptor_t *out) {
    cudnnBackendDescriptor_t operation[1 + GAN_MAX_PROGRAM_STEPS];
    TRY(add_operations(b, p, operation));
    TRY(gan_cuda_bag_create(b, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle));
    TRY(set(*out, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
            1 + p->epilogue.n_steps, operation));
    return cudnnBackendFinalize(*out);
}

/* The generic runtime fusion engines: f32 on tensor cores alone; of the adjoint, channels in units
 * of 32 bits. */
bool gan_cuda_conv_graph_documented(const gan_cuda_conv_problem *p) {
    const int64_t unit = p->type == CUDNN_DATA_BFLOAT16 ? 2 : 1;
    const bool adjoint = p->kind == GAN_CUDA_CONV_DX;
    return !p->exact && (!adjoint || (p->c % unit == 0 && p->k % unit == 0));
}

/* ---- the device's plans ---- */

/* The first that fits, or, of a device that tunes, the fastest: none, where the convolution had
 * better be a launch of its own. */
static void choose(gan_cuda_conv_graph *g, gan_cuda_device *d, cudnnBackendDescriptor_t graph,
                   size_t most_workspace) {
    const gan_cuda_conv_problem *p = &g->problem;
    gan_cuda_conv_tuned tuned = {.number = 0};
    if (d->tunes) tuned = gan_cuda_conv_tune(d, p, graph, most_workspace);
    g->plan = (gan_cuda_conv_plan){.settled = true};
    if (!tuned.apart)
        g->plan = gan_cuda_conv_plan_search(&g->bag, d->dnn, graph, p->exact, most_workspace,
                                            tuned.number);
}

/* Whatever fails here says that the library does not do it. */
static void build(gan_cuda_conv_graph *g, gan_cuda_device *d, size_t most_workspace) {
    const gan_cuda_conv_problem *p = &g->problem;
    cudnnBackendDescriptor_t graph;
    const gan_cuda_conv_known known =
        gan_cuda_conv_cache_restore(d, &g->bag, p, most_workspace, &g->plan);
    const gan_cuda_conv_plan kept = g->plan;
    if (known == GAN_CUDA_CONV_RESTORED || known == GAN_CUDA_CONV_REFUSED) return;
    g->plan = (gan_cuda_conv_plan){0};
    if (add_graph(&g->bag, d->dnn, p, &graph) != CUDNN_STATUS_SUCCESS) return;
    bool found = false;
    if (known == GAN_CUDA_CONV_CHOSEN || known == GAN_CUDA_CONV_STALE) {
        g->plan = gan_cuda_conv_plan_search(&g->bag, d->dnn, graph, p->exact, most_workspace,
                                            kept.number);
        found =
            g->plan.plan && g->plan.number == kept.number && g->plan.workspace == kept.workspace;
    }
    if (!found) choose(g, d, graph, most_workspace);
    if (!found || known == GAN_CUDA_CONV_STALE)
        gan_cuda_conv_cache_keep(d, p, most_workspace, &g->plan);
}

const gan_cuda_conv_graph *gan_cuda_conv_graph_find(gan_cuda_device *d,
                                                    const gan_cuda_conv_problem *problem,
                                                    size_t most_workspace) {
    gan_cuda_conv_graph *g = d->conv_graphs;
    while (g && memcmp(&g->problem, problem, sizeof *problem) != 0) g = g->next;
    if (!g) {
        g = calloc(1, sizeof *g);
        if (!g) return NULL;
        memcpy(&g->problem, problem, sizeof *problem);
        build(g, d, most_workspace);
        if (!g->plan.plan) gan_cuda_bag_empty(&g->bag);
        g->next = d->conv_graphs;
        d->conv_graphs = g;
    }
    return g->plan.plan ? g : NULL;
}

void gan_cuda_conv_graphs_free(gan_cuda_device *d) {
    while (d->conv_graphs) {
        gan_cuda_conv_graph *g = d->conv_graphs;
        d->conv_graphs = g->next;
        gan_cuda_bag_empty(&g->bag);
        free(g);
    }
}

/* ---- running ---- */

typedef struct binding {
    int64_t uid[BOUND];
    void *data[BOUND];
    int n;
} binding;

/* The library wants all addresses writable, numbers' among them; it writes the result's alone. */
static void bind(binding *to, int64_t uid, const void *data) {
    to->uid[to->n] = uid;
    to->data[to->n++] = (void *)(uintptr_t)data;
}

static cudnnStatus_t fill(cudnnBackendDescriptor_t pack, const binding *b, void *workspace) {
    TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, b->n, b->uid));
    TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, b->n, b->data));
    TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace));
    return cudnnBackendFinalize(pack);
}

cudnnStatus_t gan_cuda_conv_execute(gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                                    cudnnBackendDescriptor_t plan, const gan_cuda_conv_arrays *at) {
    const gan_cuda_conv_epilogue *e = &problem->epilogue;
    bool bound[GAN_MAX_PROGRAM_INPUTS] = {false};
    cudnnBackendDescriptor_t pack;
    binding b = {.n = 0};
    bind(&b, UID_FIRST, at->first);
    bind(&b, UID_SECOND, at->second);
    if (e->kept) bind(&b, UID_KEPT, at->kept);
    bind(&b, UID_RESULT, at->result);
    for (int i = 0; i < e->n_steps; i++) {
        const gan_cuda_conv_step *s = &e->step[i];
        if (s->side == GAN_CUDA_CONV_NUMBER) bind(&b, UID_NUMBER + i, &s->k);
        if (s->side != GAN_CUDA_CONV_OPERAND || bound[s->b]) continue;
        bind(&b, UID_OPERAND + s->b, at->operand[s->b]);
        bound[s->b] = true;
    }
    TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack));
    cudnnStatus_t status = fill(pack, &b, at->workspace);
    if (status == CUDNN_STATUS_SUCCESS) status = cudnnBackendExecute(d->dnn, plan, pack);
    cudnnBackendDestroyDescriptor(pack);
    return status;
}

gan_status gan_cuda_conv_graph_run(gan_cuda_device *d, const gan_cuda_conv_graph *graph,
                                   const gan_call *call, const void *first, void *result) {
    const gan_cuda_conv_epilogue *e = &graph->problem.epilogue;
    const int arity = gan_op_of(call->node)->arity;
    gan_cuda_conv_arrays at = {.first = first,
                               .second = call->in[1].data,
                               .result = e->kept ? gan_cuda_conv_second(call) : result,
                               .kept = call->out.data,
                               .workspace = call->workspace};
    for (int i = 0; i < e->n_operands; i++) at.operand[i] = call->in[arity + i].data;
    GAN_CUDNN_TRY(call->node, gan_cuda_conv_execute(d, &graph->problem, graph->plan.plan, &at));
    return GAN_OK;
}
