#include "cuda/conv_tune.h"

#include <math.h>
#include <string.h>

enum { PLANS = 8, ROUNDS = 3, LAUNCHES = 16, ALIGN = 256 };

static const double noise = 0.02;

typedef struct trial {
    gan_cuda_device *d;
    const gan_cuda_conv_problem *problem;
    char *memory;
    gan_cuda_conv_arrays at;
    void *spare; /* of the result's size */
    size_t result_bytes, operand_bytes;
    cudaEvent_t begin, end;
} trial;

/* ---- arrays ---- */

static size_t bytes_of(cudnnDataType_t type, int64_t n) {
    return (size_t)n * (type == CUDNN_DATA_BFLOAT16 ? 2 : sizeof(float));
}

/* The next `bytes` from *used on; NULL while they are only counted. */
static void *take(const trial *t, size_t *used, size_t bytes) {
    char *at = t->memory ? t->memory + *used : NULL;
    *used += (bytes + ALIGN - 1) / ALIGN * ALIGN;
    return at;
}

/* Returns how many bytes they take. */
static size_t place(trial *t) {
    const gan_cuda_conv_problem *p = t->problem;
    const size_t x = bytes_of(p->type, p->n * p->h * p->w * p->c),
                 y = bytes_of(p->type, p->n * p->p * p->q * p->k),
                 w = bytes_of(p->type, p->k * p->r * p->s * p->c);
    size_t used = 0;
    t->result_bytes = p->kind == GAN_CUDA_CONV_DX ? x : p->kind == GAN_CUDA_CONV_DW ? w : y;
    t->at.first = take(t, &used, p->kind == GAN_CUDA_CONV_DX ? y : x);
    t->at.second = take(t, &used, p->kind == GAN_CUDA_CONV_DW ? y : w);
    t->at.result = take(t, &used, t->result_bytes);
    t->at.kept = t->spare = take(t, &used, t->result_bytes);
    t->operand_bytes = 0;
    for (int i = 0; i < p->epilogue.n_operands; i++) {
        const gan_cuda_conv_operand *o = &p->epilogue.operand[i];
        const size_t bytes = bytes_of(o->type, o->n * o->h * o->w * o->c);
        t->at.operand[i] = take(t, &used, bytes);
        t->operand_bytes += bytes;
    }
    return used;
}

/* Small numbers, in either type: zeros would draw less power than a network's values do. */
static cudaError_t set_up(trial *t) {
    const size_t bytes = place(t);
    cudaError_t error = cudaMalloc((void **)&t->memory, bytes);
    if (error == cudaSuccess) error = cudaMemsetAsync(t->memory, 0x3c, bytes, t->d->stream);
    if (error == cudaSuccess) error = cudaEventCreate(&t->begin);
    if (error == cudaSuccess) error = cudaEventCreate(&t->end);
    if (error == cudaSuccess) place(t);
    return error;
}

static void tear_down(trial *t) {
    if (t->end) cudaEventDestroy(t->end);
    if (t->begin) cudaEventDestroy(t->begin);
    if (t->memory) cudaFree(t->memory);
    (void)cudaGetLastError();
}

/* ---- timing ---- */

/* `plan` of `problem`; NULL: a copy of the result. */
static bool put(const trial *t, const gan_cuda_conv_problem *problem,
                const gan_cuda_conv_plan *plan, const gan_cuda_conv_arrays *at) {
    return plan ? gan_cuda_conv_execute(t->d, problem, plan->plan, at) == CUDNN_STATUS_SUCCESS
                : cudaMemcpyAsync(t->spare, t->at.result, t->result_bytes, cudaMemcpyDeviceToDevice,
                                  t->d->stream) == cudaSuccess;
}

/* Some of them as a graph, as programs have them: what the host takes for each does not count. */
static bool record(const trial *t, const gan_cuda_conv_problem *problem,
                   const gan_cuda_conv_plan *plan, const gan_cuda_conv_arrays *at,
                   cudaGraphExec_t *out) {
    cudaGraph_t graph = NULL;
    if (cudaStreamBeginCapture(t->d->stream, cudaStreamCaptureModeThreadLocal) != cudaSuccess)
        return false;
    bool runs = true;
    for (int i = 0; i < LAUNCHES && runs; i++) runs = put(t, problem, plan, at);
    runs = cudaStreamEndCapture(t->d->stream, &graph) == cudaSuccess && runs;
    runs = runs && cudaGraphInstantiate(out, graph, 0) == cudaSuccess;
    if (graph) cudaGraphDestroy(graph);
    return runs;
}

/* Milliseconds of a graph, the best of some rounds; infinity when it does not run. */
static double replay(const trial *t, cudaGraphExec_t graph) {
    double best = INFINITY;
    bool runs = cudaGraphLaunch(graph, t->d->stream) == cudaSuccess;
    for (int round = 0; round < ROUNDS && runs; round++) {
        float ms = 0;
        runs = cudaEventRecord(t->begin, t->d->stream) == cudaSuccess &&
               cudaGraphLaunch(graph, t->d->stream) == cudaSuccess &&
               cudaEventRecord(t->end, t->d->stream) == cudaSuccess &&
               cudaEventSynchronize(t->end) == cudaSuccess &&
               cudaEventElapsedTime(&ms, t->begin, t->end) == cudaSuccess;
        if (runs && ms < best) best = ms;
    }
    return runs ? best : INFINITY;
}

/* Of one launch. The first is no part of the graph: it may load its kernel. */
static double milliseconds(const trial *t, const gan_cuda_conv_problem *problem,
                           const gan_cuda_conv_plan *plan) {
    gan_cuda_conv_arrays at = t->at;
    cudaGraphExec_t graph = NULL;
    double ms = INFINITY;
    if (plan && plan->workspace && cudaMalloc(&at.workspace, plan->workspace) != cudaSuccess)
        at.workspace = NULL;
    else if (put(t, problem, plan, &at) && record(t, problem, plan, &at, &graph))
        ms = replay(t, graph) / LAUNCHES;
    cudaStreamSynchronize(t->d->stream);
    if (graph) cudaGraphExecDestroy(graph);
    if (at.workspace) cudaFree(at.workspace);
    (void)cudaGetLastError(); /* it cost no more than a measurement */
    return ms;
}

/* Of the first plans that fit. */
static double fastest(const trial *t, cudnnBackendDescriptor_t graph, size_t most_workspace,
                      int *number) {
    double best = INFINITY;
    int from = 0;
    for (int i = 0; i < PLANS; i++) {
        gan_cuda_bag bag = {0};
        const gan_cuda_conv_plan plan = gan_cuda_conv_plan_search(
            &bag, t->d->dnn, graph, t->problem->exact, most_workspace, from);
        const double ms = plan.plan ? milliseconds(t, t->problem, &plan) : INFINITY;
        gan_cuda_bag_empty(&bag);
        if (!plan.plan) break;
        if (ms < best * (1 - noise)) {
            best = ms;
            *number = plan.number;
        }
        from = plan.number + 1;
    }
    return best;
}

/* The convolution by itself, as tuned, and a pass, which reads the result and the operands and
 * writes the result: counted by a copy, which does the one and the last. */
static double apart(const trial *t, size_t most_workspace) {
    gan_cuda_conv_problem alone = *t->problem;
    memset(&alone.epilogue, 0, sizeof alone.epilogue);
    const gan_cuda_conv_graph *g = gan_cuda_conv_graph_find(t->d, &alone, most_workspace);
    if (!g) return INFINITY;
    const double copied = 2 * (double)t->result_bytes, more = (double)t->operand_bytes;
    return milliseconds(t, &alone, &g->plan) +
           milliseconds(t, NULL, NULL) * (copied + more) / copied;
}

gan_cuda_conv_tuned gan_cuda_conv_tune(gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                                       cudnnBackendDescriptor_t graph, size_t most_workspace) {
    gan_cuda_conv_tuned tuned = {.number = 0};
    trial t = {.d = d, .problem = problem};
    if (set_up(&t) == cudaSuccess) {
        const double best = fastest(&t, graph, most_workspace, &tuned.number);
        /* Of two results the first alone may be the library's: not tried. */
        const bool splits = problem->epilogue.n_steps > 0 && !problem->epilogue.kept;
        tuned.apart = splits && apart(&t, most_workspace) < best * (1 - noise);
    }
    tear_down(&t);
    return tuned;
}
