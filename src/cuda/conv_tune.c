#include "cuda/conv_tune.h"

#include <math.h>
#include <string.h>

enum { PLANS = 8, ROUNDS = 3, LAUNCHES = 4, ALIGN = 256 };

static const double noise = 0.02;
static const double another_launch = 0.002; /* ms, of a graph's node */

typedef struct trial {
    gan_cuda_device *d;
    const gan_cuda_conv_problem *problem;
    char *memory;
    gan_cuda_conv_arrays at;
    void *spare; /* of the result's size */
    size_t result_bytes;
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
    for (int i = 0; i < p->epilogue.n_operands; i++) {
        const gan_cuda_conv_operand *o = &p->epilogue.operand[i];
        t->at.operand[i] = take(t, &used, bytes_of(o->type, o->n * o->h * o->w * o->c));
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
    (void)cudaGetLastError(); /* whatever it was, it only cost a measurement */
}

/* ---- timing ---- */

/* `plan` of `problem`; NULL: a copy of the result, which reads and writes what a pass over it
 * would. */
static bool put(const trial *t, const gan_cuda_conv_problem *problem,
                const gan_cuda_conv_plan *plan, const gan_cuda_conv_arrays *at) {
    return plan ? gan_cuda_conv_execute(t->d, problem, plan->plan, at) == CUDNN_STATUS_SUCCESS
                : cudaMemcpyAsync(t->spare, t->at.result, t->result_bytes, cudaMemcpyDeviceToDevice,
                                  t->d->stream) == cudaSuccess;
}

/* Milliseconds of one, the best of some rounds; infinity when it does not run. */
static double milliseconds(const trial *t, const gan_cuda_conv_problem *problem,
                           const gan_cuda_conv_plan *plan) {
    gan_cuda_conv_arrays at = t->at;
    double best = INFINITY;
    if (plan && plan->workspace && cudaMalloc(&at.workspace, plan->workspace) != cudaSuccess)
        return INFINITY;
    bool runs = put(t, problem, plan, &at);
    for (int round = 0; round < ROUNDS && runs; round++) {
        float ms = 0;
        runs = cudaEventRecord(t->begin, t->d->stream) == cudaSuccess;
        for (int i = 0; i < LAUNCHES && runs; i++) runs = put(t, problem, plan, &at);
        runs = runs && cudaEventRecord(t->end, t->d->stream) == cudaSuccess &&
               cudaEventSynchronize(t->end) == cudaSuccess &&
               cudaEventElapsedTime(&ms, t->begin, t->end) == cudaSuccess;
        if (runs && ms / LAUNCHES < best) best = ms / LAUNCHES;
    }
    cudaStreamSynchronize(t->d->stream);
    if (at.workspace) cudaFree(at.workspace);
    return runs ? best : INFINITY;
}

/* Of the first plans that fit; *settled: none failed that might not fail another time. */
static double fastest(const trial *t, cudnnBackendDescriptor_t graph, size_t most_workspace,
                      int *number, bool *settled) {
    double best = INFINITY;
    int from = 0;
    *settled = true;
    for (int i = 0; i < PLANS; i++) {
        gan_cuda_bag bag = {0};
        const gan_cuda_conv_plan plan = gan_cuda_conv_plan_search(
            &bag, t->d->dnn, graph, t->problem->exact, most_workspace, from);
        const double ms = plan.plan ? milliseconds(t, t->problem, &plan) : INFINITY;
        gan_cuda_bag_empty(&bag);
        *settled = *settled && plan.settled && (!plan.plan || isfinite(ms));
        if (!plan.plan) break;
        if (ms < best * (1 - noise)) {
            best = ms;
            *number = plan.number;
        }
        from = plan.number + 1;
    }
    return best;
}

/* The convolution by itself, as tuned, and a pass. */
static double apart(const trial *t, size_t most_workspace) {
    gan_cuda_conv_problem alone = *t->problem;
    memset(&alone.epilogue, 0, sizeof alone.epilogue);
    const gan_cuda_conv_graph *g = gan_cuda_conv_graph_find(t->d, &alone, most_workspace);
    if (!g) return INFINITY;
    return milliseconds(t, &alone, &g->plan) + milliseconds(t, NULL, NULL) + another_launch;
}

gan_cuda_conv_tuned gan_cuda_conv_tune(gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                                       cudnnBackendDescriptor_t graph, size_t most_workspace) {
    gan_cuda_conv_tuned tuned = {.timed = false};
    trial t = {.d = d, .problem = problem};
    if (set_up(&t) == cudaSuccess) {
        bool settled;
        const double best = fastest(&t, graph, most_workspace, &tuned.number, &settled);
        const bool splits = problem->epilogue.n_steps > 0 && !problem->epilogue.kept;
        tuned.timed = settled && isfinite(best);
        tuned.apart = tuned.timed && splits && apart(&t, most_workspace) < best * (1 - noise);
    }
    tear_down(&t);
    return tuned;
}
