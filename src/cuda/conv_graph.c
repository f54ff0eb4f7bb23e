/* cuDNN's graph API: an operation graph of a convolution and pointwise operations whose results in
 * between are virtual, the engines that the library's heuristics offer for it, and an execution
 * plan of the first that fits. All of it before capture; a run only fills in addresses. */
#include "cuda/conv_graph.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16, CONFIGS = 64 };

/* Unique ids of tensors. */
enum { UID_FIRST = 1, UID_FILTER, UID_RESULT, UID_OPERAND = 16, UID_NUMBER = 48, UID_VIRTUAL = 96 };
enum { BOUND = 3 + GAN_MAX_PROGRAM_INPUTS + GAN_MAX_PROGRAM_STEPS };

/* Descriptors that refer to each other live and die together. */
typedef struct bag {
    cudnnBackendDescriptor_t *d;
    int n, capacity;
} bag;

struct gan_cuda_conv_graph {
    gan_cuda_conv_graph *next;
    gan_cuda_conv_problem problem;
    bag bag;
    cudnnBackendDescriptor_t plan; /* NULL: no engine takes the problem */
    size_t workspace;
};

#define TRY(expression)                                                                            \
    do {                                                                                           \
        const cudnnStatus_t status_ = (expression);                                                \
        if (status_ != CUDNN_STATUS_SUCCESS) return status_;                                       \
    } while (0)

/* ---- descriptors ---- */

static cudnnStatus_t create(bag *b, cudnnBackendDescriptorType_t type,
                            cudnnBackendDescriptor_t *out) {
    if (b->n == b->capacity) {
        const int capacity = b->capacity ? 2 * b->capacity : 32;
        cudnnBackendDescriptor_t *d = realloc(b->d, (size_t)capacity * sizeof *d);
        if (!d) return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
        b->d = d;
        b->capacity = capacity;
    }
    TRY(cudnnBackendCreateDescriptor(type, out));
    b->d[b->n++] = *out;
    return CUDNN_STATUS_SUCCESS;
}

static void empty(bag *b) {
    while (b->n > 0) cudnnBackendDestroyDescriptor(b->d[--b->n]);
    free(b->d);
    *b = (bag){0};
}

static cudnnStatus_t set(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                         cudnnBackendAttributeType_t type, int64_t n, const void *values) {
    return cudnnBackendSetAttribute(d, name, type, n, values);
}

static cudnnStatus_t set_descriptor(cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                                    cudnnBackendDescriptor_t value) {
    return set(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}

/* In the library's order of axes; the bytes are NHWC, of filters KRSC. */
typedef struct tensor {
    int64_t uid, n, c, h, w;
    cudnnDataType_t type;
    enum { IN_MEMORY, VIRTUAL, BY_VALUE } is;
} tensor;

static cudnnStatus_t add_tensor(bag *b, const tensor *t, cudnnBackendDescriptor_t *out) {
    const int64_t dim[] = {t->n, t->c, t->h, t->w};
    const int64_t stride[] = {t->h * t->w * t->c, 1, t->w * t->c, t->c};
    const int64_t align = t->is == BY_VALUE ? (int64_t)sizeof(float) : ALIGN;
    const bool yes = true;
    TRY(create(b, CUDNN_BACKEND_TENSOR_DESCRIPTOR, out));
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

/* The result after `step` operations; only the last one's is in memory. */
static cudnnStatus_t add_result(bag *b, const gan_cuda_conv_problem *p, int step,
                                cudnnBackendDescriptor_t *out) {
    const bool last = step == p->epilogue.n_steps;
    const tensor y = {.uid = last ? UID_RESULT : UID_VIRTUAL + step,
                      .n = p->n,
                      .c = p->grad_input ? p->c : p->k,
                      .h = p->grad_input ? p->h : p->p,
                      .w = p->grad_input ? p->w : p->q,
                      .type = last ? p->type : CUDNN_DATA_FLOAT,
                      .is = last ? IN_MEMORY : VIRTUAL};
    return add_tensor(b, &y, out);
}

static cudnnStatus_t describe_windows(bag *b, const gan_cuda_conv_problem *p,
                                      cudnnBackendDescriptor_t *out) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t axes = 2, dilation[] = {1, 1}, stride[] = {p->stride_h, p->stride_w},
                  padding[] = {p->pad_h, p->pad_w};
    TRY(create(b, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilation));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, padding));
    TRY(set(*out, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, padding));
    return cudnnBackendFinalize(*out);
}

/* Its operand, filter and result under the names of its direction. */
typedef struct direction {
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t alpha, beta, how, first, filter, result;
} direction;

static const direction directions[] = {
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
     CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y},
    {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY, CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX},
};

static cudnnStatus_t add_convolution(bag *b, const gan_cuda_conv_problem *p,
                                     cudnnBackendDescriptor_t result,
                                     cudnnBackendDescriptor_t *out) {
    const direction *of = &directions[p->grad_input != 0];
    const tensor x = {UID_FIRST, p->n, p->c, p->h, p->w, p->type, IN_MEMORY},
                 y = {UID_FIRST, p->n, p->k, p->p, p->q, p->type, IN_MEMORY},
                 w = {UID_FILTER, p->k, p->c, p->r, p->s, p->type, IN_MEMORY};
    const float one = 1, zero = 0;
    cudnnBackendDescriptor_t first, filter, how;
    TRY(add_tensor(b, p->grad_input ? &y : &x, &first));
    TRY(add_tensor(b, &w, &filter));
    TRY(describe_windows(b, p, &how));
    TRY(create(b, of->operation, out));
    TRY(set(*out, of->alpha, CUDNN_TYPE_FLOAT, 1, &one));
    TRY(set(*out, of->beta, CUDNN_TYPE_FLOAT, 1, &zero));
    TRY(set_descriptor(*out, of->how, how));
    TRY(set_descriptor(*out, of->first, first));
    TRY(set_descriptor(*out, of->filter, filter));
    TRY(set_descriptor(*out, of->result, result));
    return cudnnBackendFinalize(*out);
}

static cudnnStatus_t describe_function(bag *b, const gan_cuda_conv_step *s,
                                       cudnnBackendDescriptor_t *out) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const double slope = (double)s->k;
    TRY(create(b, CUDNN_BACKEND_POINTWISE_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &s->mode));
    TRY(set(*out, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    if (s->mode == CUDNN_POINTWISE_RELU_FWD || s->mode == CUDNN_POINTWISE_RELU_BWD)
        TRY(set(*out, CUDNN_ATTR_POINTWISE_RELU_LOWER_CLIP_SLOPE, CUDNN_TYPE_DOUBLE, 1, &slope));
    return cudnnBackendFinalize(*out);
}

static cudnnStatus_t add_pointwise(bag *b, const gan_cuda_conv_step *s, cudnnBackendDescriptor_t x,
                                   cudnnBackendDescriptor_t second, cudnnBackendDescriptor_t result,
                                   cudnnBackendDescriptor_t *out) {
    const bool backward = s->mode == CUDNN_POINTWISE_RELU_BWD;
    cudnnBackendDescriptor_t function;
    TRY(describe_function(b, s, &function));
    TRY(create(b, CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR, out));
    TRY(set_descriptor(*out, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function));
    TRY(set_descriptor(*out,
                       backward ? CUDNN_ATTR_OPERATION_POINTWISE_DYDESC
                                : CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                       x));
    if (second)
        TRY(set_descriptor(*out,
                           backward ? CUDNN_ATTR_OPERATION_POINTWISE_XDESC
                                    : CUDNN_ATTR_OPERATION_POINTWISE_BDESC,
                           second));
    TRY(set_descriptor(*out,
                       backward ? CUDNN_ATTR_OPERATION_POINTWISE_DXDESC
                                : CUDNN_ATTR_OPERATION_POINTWISE_YDESC,
                       result));
    return cudnnBackendFinalize(*out);
}

static cudnnStatus_t add_operations(bag *b, const gan_cuda_conv_problem *p,
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

static cudnnStatus_t add_graph(bag *b, cudnnHandle_t handle, const gan_cuda_conv_problem *p,
                               cudnnBackendDescriptor_t *out) {
    cudnnBackendDescriptor_t operation[1 + GAN_MAX_PROGRAM_STEPS];
    TRY(add_operations(b, p, operation));
    TRY(create(b, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle));
    TRY(set(*out, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR,
            1 + p->epilogue.n_steps, operation));
    return cudnnBackendFinalize(*out);
}

/* ---- engines ---- */

/* The generic runtime fusion engines: f32 on tensor cores alone; of the adjoint, channels in units
 * of 32 bits. */
bool gan_cuda_conv_graph_documented(const gan_cuda_conv_problem *p) {
    const int64_t unit = p->type == CUDNN_DATA_BFLOAT16 ? 2 : 1;
    return !p->exact && (!p->grad_input || (p->c % unit == 0 && p->k % unit == 0));
}

/* Whether a configuration's engine gives the same bits each time, and those that are asked for. */
static cudnnStatus_t engine_fits(bag *b, cudnnBackendDescriptor_t config, bool exact, bool *fits) {
    cudnnBackendNumericalNote_t note[CUDNN_NUMERICAL_NOTE_TYPE_COUNT];
    cudnnBackendDescriptor_t engine;
    int64_t n = 0;
    TRY(create(b, CUDNN_BACKEND_ENGINE_DESCRIPTOR, &engine));
    TRY(cudnnBackendGetAttribute(config, CUDNN_ATTR_ENGINECFG_ENGINE, CUDNN_TYPE_BACKEND_DESCRIPTOR,
                                 1, &n, &engine));
    TRY(cudnnBackendGetAttribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                                 CUDNN_TYPE_NUMERICAL_NOTE, CUDNN_NUMERICAL_NOTE_TYPE_COUNT, &n,
                                 note));
    *fits = true;
    for (int64_t i = 0; i < n; i++)
        if (note[i] == CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC ||
            note[i] == CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION ||
            (exact && (note[i] == CUDNN_NUMERICAL_NOTE_TENSOR_CORE ||
                       note[i] == CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS)))
            *fits = false;
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t add_plan(bag *b, cudnnHandle_t handle, cudnnBackendDescriptor_t config,
                              cudnnBackendDescriptor_t *out, size_t *workspace) {
    int64_t n = 0, bytes = 0;
    TRY(create(b, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, out));
    TRY(set(*out, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &handle));
    TRY(set_descriptor(*out, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config));
    TRY(cudnnBackendFinalize(*out));
    TRY(cudnnBackendGetAttribute(*out, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                 1, &n, &bytes));
    *workspace = (size_t)bytes;
    return CUDNN_STATUS_SUCCESS;
}

/* Best first, by the library's own guess. */
static cudnnStatus_t configurations(bag *b, cudnnBackendDescriptor_t graph,
                                    cudnnBackendHeurMode_t mode, cudnnBackendDescriptor_t *config,
                                    int64_t *n) {
    cudnnBackendDescriptor_t heuristics;
    int64_t found = 0;
    TRY(create(b, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, &heuristics));
    TRY(set_descriptor(heuristics, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph));
    TRY(set(heuristics, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    TRY(cudnnBackendFinalize(heuristics));
    TRY(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                 CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &found, NULL));
    if (found > CONFIGS) found = CONFIGS;
    for (int64_t i = 0; i < found; i++)
        TRY(create(b, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, &config[i]));
    return cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                    CUDNN_TYPE_BACKEND_DESCRIPTOR, found, n, config);
}

/* Whatever fails here says that the library does not do it. */
static void build(gan_cuda_conv_graph *g, cudnnHandle_t handle, size_t most_workspace) {
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A, CUDNN_HEUR_MODE_FALLBACK};
    const gan_cuda_conv_problem *p = &g->problem;
    cudnnBackendDescriptor_t graph, config[CONFIGS], plan;
    if (add_graph(&g->bag, handle, p, &graph) != CUDNN_STATUS_SUCCESS) return;
    for (int m = 0; m < 2; m++) {
        int64_t n = 0;
        if (configurations(&g->bag, graph, modes[m], config, &n) != CUDNN_STATUS_SUCCESS) continue;
        for (int64_t i = 0; i < n; i++) {
            bool fits = false;
            if (engine_fits(&g->bag, config[i], p->exact, &fits) != CUDNN_STATUS_SUCCESS || !fits)
                continue;
            if (add_plan(&g->bag, handle, config[i], &plan, &g->workspace) !=
                    CUDNN_STATUS_SUCCESS ||
                g->workspace > most_workspace)
                continue;
            g->plan = plan;
            return;
        }
    }
}

/* ---- the device's plans ---- */

const gan_cuda_conv_graph *gan_cuda_conv_graph_find(gan_cuda_device *d,
                                                    const gan_cuda_conv_problem *problem,
                                                    size_t most_workspace) {
    gan_cuda_conv_graph *g = d->conv_graphs;
    while (g && memcmp(&g->problem, problem, sizeof *problem) != 0) g = g->next;
    if (!g) {
        g = calloc(1, sizeof *g);
        if (!g) return NULL;
        memcpy(&g->problem, problem, sizeof *problem);
        build(g, d->dnn, most_workspace);
        if (!g->plan) empty(&g->bag);
        g->next = d->conv_graphs;
        d->conv_graphs = g;
    }
    return g->plan ? g : NULL;
}

void gan_cuda_conv_graphs_free(gan_cuda_device *d) {
    while (d->conv_graphs) {
        gan_cuda_conv_graph *g = d->conv_graphs;
        d->conv_graphs = g->next;
        empty(&g->bag);
        free(g);
    }
}

size_t gan_cuda_conv_graph_workspace(const gan_cuda_conv_graph *graph) { return graph->workspace; }

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

static cudnnStatus_t execute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan, const binding *b,
                             void *workspace, cudnnBackendDescriptor_t pack) {
    TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, b->n, b->uid));
    TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, b->n, b->data));
    TRY(set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace));
    TRY(cudnnBackendFinalize(pack));
    return cudnnBackendExecute(handle, plan, pack);
}

gan_status gan_cuda_conv_graph_run(gan_cuda_device *d, const gan_cuda_conv_graph *graph,
                                   const gan_call *call, const void *first) {
    const gan_cuda_conv_epilogue *e = &graph->problem.epilogue;
    const int arity = gan_op_of(call->node)->arity;
    bool bound[GAN_MAX_PROGRAM_INPUTS] = {false};
    binding b = {.n = 0};
    bind(&b, UID_FIRST, first);
    bind(&b, UID_FILTER, call->in[1].data);
    bind(&b, UID_RESULT, call->out.data);
    for (int i = 0; i < e->n_steps; i++) {
        const gan_cuda_conv_step *s = &e->step[i];
        if (s->side == GAN_CUDA_CONV_NUMBER) bind(&b, UID_NUMBER + i, &s->k);
        if (s->side != GAN_CUDA_CONV_OPERAND || bound[s->b]) continue;
        bind(&b, UID_OPERAND + s->b, call->in[arity + s->b].data);
        bound[s->b] = true;
    }
    cudnnBackendDescriptor_t pack;
    GAN_CUDNN_TRY(call->node,
                  cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack));
    const cudnnStatus_t status = execute(d->dnn, graph->plan, &b, call->workspace, pack);
    cudnnBackendDestroyDescriptor(pack);
    if (status == CUDNN_STATUS_SUCCESS) return GAN_OK;
    return gan_cudnn_failed(status, "cudnnBackendExecute", call->node);
}
