/* Captured graphs with branches. The stream captures in the order of the plan; before each step it
 * is told which nodes the next one comes after, so that the graph is no chain. */
#include <stdlib.h>

#include "base/error.h"
#include "cuda/device.h"
#include "device/branches.h"

/* The nodes that end a step, or that it would have come after, had it captured any. */
typedef struct tail {
    cudaGraphNode_t *node;
    size_t n, capacity;
} tail;

static bool has(const tail *t, cudaGraphNode_t node) {
    for (size_t i = 0; i < t->n; i++)
        if (t->node[i] == node) return true;
    return false;
}

static gan_status add(tail *to, const cudaGraphNode_t *node, size_t n) {
    if (to->n + n > to->capacity) {
        const size_t capacity = 2 * (to->n + n);
        cudaGraphNode_t *more = realloc(to->node, capacity * sizeof *more);
        if (!more) return gan_fail(GAN_ERROR_MEMORY, "record: out of memory");
        to->node = more;
        to->capacity = capacity;
    }
    for (size_t i = 0; i < n; i++)
        if (!has(to, node[i])) to->node[to->n++] = node[i];
    return GAN_OK;
}

/* ---- the runtime's calls, which CUDA 13 gave data of edges ---- */

/* A library's launch may leave data that let the next one begin early; not to ask for them is an
 * error then. Given back without them, the edges are plain ones, which wait for the whole launch.
 */
static cudaError_t get_dependencies(cudaStream_t stream, const cudaGraphNode_t **node, size_t *n) {
    enum cudaStreamCaptureStatus status;
#if CUDART_VERSION >= 13000
    const cudaGraphEdgeData *data = NULL;
    return cudaStreamGetCaptureInfo(stream, &status, NULL, NULL, node, &data, n);
#else
    return cudaStreamGetCaptureInfo_v2(stream, &status, NULL, NULL, node, n);
#endif
}

static cudaError_t set_dependencies(cudaStream_t stream, tail *t) {
#if CUDART_VERSION >= 13000
    return cudaStreamUpdateCaptureDependencies(stream, t->node, NULL, t->n,
                                               cudaStreamSetCaptureDependencies);
#else
    return cudaStreamUpdateCaptureDependencies(stream, t->node, t->n,
                                               cudaStreamSetCaptureDependencies);
#endif
}

/* ---- steps ---- */

/* `ends`: of the steps of the iteration before, then of those of this one. */
static gan_status capture_step(gan_cuda_device *d, const gan_call *calls, const gan_branches *b,
                               int t, tail *ends, tail *wanted) {
    const cudaGraphNode_t *node = NULL;
    tail *end = &ends[b->n + t];
    size_t n = 0;
    wanted->n = 0;
    for (int k = b->first[t]; k < b->first[t + 1]; k++)
        GAN_TRY(add(wanted, ends[b->before[k]].node, ends[b->before[k]].n));
    GAN_CUDA_TRY(NULL, set_dependencies(d->stream, wanted));
    GAN_TRY(gan_calls_run(&d->base, b->call[t + 1] - b->call[t], &calls[b->call[t]]));
    GAN_CUDA_TRY(NULL, get_dependencies(d->stream, &node, &n));
    end->n = 0;
    return add(end, node, n);
}

gan_status gan_cuda_capture_branches(gan_cuda_device *d, const gan_call *calls,
                                     const gan_branches *b, int unroll) {
    tail wanted = {0}, *ends = calloc(2 * (size_t)b->n + 1, sizeof *ends);
    if (!ends) return gan_fail(GAN_ERROR_MEMORY, "record: out of memory");
    gan_status status = add(&wanted, &(cudaGraphNode_t){NULL}, 1); /* an address, even of none */
    for (int u = 0; u < unroll && status == GAN_OK; u++) {
        for (int t = 0; t < b->n; t++) {
            const tail swapped = ends[t];
            ends[t] = ends[b->n + t];
            ends[b->n + t] = swapped;
        }
        for (int t = 0; t < b->n && status == GAN_OK; t++)
            status = capture_step(d, calls, b, t, ends, &wanted);
    }
    for (int t = 0; t < 2 * b->n; t++) free(ends[t].node);
    free(ends);
    free(wanted.node);
    return status;
}
