/* Programmatic dependent launch: in a captured graph, a kernel of ours may be set up while the
 * launch ahead of it, whoever's that is, ends. It waits itself before it touches memory (GPU_WAIT()
 * in kernels/gpu.h), so that nothing is different but the time. That is said of an edge of the
 * graph, the one to the first launch of a call. Edges to what libraries launch, to copies, and to
 * launches whose blocks wait for each other stay plain. */
#include "base/error.h"
#include "cuda/device.h"
#include "kernels/launch.h"

enum { LEAST_VERSION = 90 }; /* of the code that runs: older code has no GPU_WAIT() */

#if CUDART_VERSION >= 13000

gan_status gan_cuda_find_early(gan_cuda_device *d, const gan_device_options *options) {
    int version = 0;
    if (!options->pdl) return GAN_OK;
    GAN_CUDA_TRY(NULL, gan_launch_code(&version));
    if (version < LEAST_VERSION)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "pdl is given, which needs compute capability 9.0 or newer, of the device "
                        "and of the code built for it; here that is of %d.%d",
                        version / 10, version % 10);
    d->early = true;
    return GAN_OK;
}

/* Whether the first thing that a launch of calls does is a kernel of ours. */
static bool begins_with_ours(const gan_cuda_device *d, const gan_call *calls) {
    const gan_call *last = &calls[calls->joined - 1];
    if (calls->joined > 1)
        return gan_cuda_conv_is_both(calls) ||
               (!gan_cuda_is_pair(calls) && (last->phase == calls->phase || !d->resident));
    switch (calls->node->op) {
    case GAN_OP_assign:
        return false;
    case GAN_OP_matmul:
        return gan_cuda_matmul_is_own(calls);
    case GAN_OP_conv2d:
    case GAN_OP_conv2d_grad_input:
    case GAN_OP_conv2d_grad_weight:
        return gan_cuda_conv_is_direct(calls);
    default:
        return true;
    }
}

/* The only node that the next one comes after; NULL: there are none or several. */
static gan_status find_ahead(cudaStream_t stream, cudaGraphNode_t *ahead) {
    enum cudaStreamCaptureStatus status;
    const cudaGraphNode_t *node = NULL;
    const cudaGraphEdgeData *data = NULL;
    size_t n = 0;
    GAN_CUDA_TRY(NULL, cudaStreamGetCaptureInfo(stream, &status, NULL, NULL, &node, &data, &n));
    *ahead = n == 1 ? node[0] : NULL;
    return GAN_OK;
}

static gan_status set_edge(cudaStream_t stream, cudaGraphNode_t ahead, bool early) {
    const cudaGraphEdgeData data = {.from_port = cudaGraphKernelNodePortProgrammatic,
                                    .type = cudaGraphDependencyTypeProgrammatic};
    GAN_CUDA_TRY(NULL, cudaStreamUpdateCaptureDependencies(stream, &ahead, early ? &data : NULL, 1,
                                                           cudaStreamSetCaptureDependencies));
    return GAN_OK;
}

static gan_status capture(gan_cuda_device *d, const gan_call *calls) {
    enum cudaGraphNodeType type;
    cudaGraphNode_t ahead = NULL, end = NULL;
    if (begins_with_ours(d, calls)) GAN_TRY(find_ahead(d->stream, &ahead));
    if (ahead) GAN_CUDA_TRY(NULL, cudaGraphNodeGetType(ahead, &type));
    if (!ahead || type != cudaGraphNodeTypeKernel)
        return gan_calls_run(&d->base, calls->joined, calls);
    GAN_TRY(set_edge(d->stream, ahead, true));
    GAN_TRY(gan_calls_run(&d->base, calls->joined, calls));
    GAN_TRY(find_ahead(d->stream, &end));
    return end == ahead ? set_edge(d->stream, ahead, false) : GAN_OK; /* there was nothing to do */
}

gan_status gan_cuda_capture_early(gan_cuda_device *d, int n_calls, const gan_call *calls) {
    for (int i = 0; i < n_calls; i += calls[i].joined) GAN_TRY(capture(d, &calls[i]));
    return GAN_OK;
}

#else

gan_status gan_cuda_find_early(gan_cuda_device *d, const gan_device_options *options) {
    (void)d;
    if (!options->pdl) return GAN_OK;
    return gan_fail(GAN_ERROR_ARGUMENT, "pdl is given, which needs a build with CUDA 13 or newer");
}

gan_status gan_cuda_capture_early(gan_cuda_device *d, int n_calls, const gan_call *calls) {
    return gan_calls_run(&d->base, n_calls, calls);
}

#endif
