/* Programs as captured graphs: one launch from the host replays whole iterations. */
#include <stdlib.h>

#include "base/error.h"
#include "cuda/conv_cache.h"
#include "cuda/device.h"
#include "cuda/kernels.h"

typedef struct record {
    cudaGraphExec_t exec;
} record;

/* On any failure the stream must leave capture, or it would refuse all that follows. */
static gan_status capture(gan_cuda_device *d, int n_calls, const gan_call *calls,
                          const gan_branches *branches, int unroll, cudaGraph_t *graph) {
    gan_status status = GAN_OK;
    GAN_CUDA_TRY(NULL, cudaStreamBeginCapture(d->stream, cudaStreamCaptureModeThreadLocal));
    if (branches) status = gan_cuda_capture_branches(d, calls, branches, unroll);
    for (int u = 0; u < unroll && !branches && status == GAN_OK; u++)
        status = d->early ? gan_cuda_capture_early(d, n_calls, calls)
                          : gan_calls_run(&d->base, n_calls, calls);
    cudaError_t error = cudaStreamEndCapture(d->stream, graph);
    if (status != GAN_OK) {
        if (error == cudaSuccess && *graph) cudaGraphDestroy(*graph);
        return status;
    }
    GAN_CUDA_TRY(NULL, error);
    return GAN_OK;
}

gan_status gan_cuda_record_calls(gan_device *device, int n_calls, const gan_call *calls,
                                 const gan_branches *branches, int unroll, void **out) {
    gan_cuda_device *d = gan_cuda(device);
    cudaGraph_t graph = NULL;
    *out = NULL;
    GAN_TRY(gan_cuda_enter(device));
    GAN_TRY(
        gan_cuda_conv_cache_keep_all(d)); /* everything is chosen; a killed run shall not lose it */
    GAN_TRY(capture(d, n_calls, calls, branches, unroll, &graph));
    record *r = calloc(1, sizeof *r);
    if (!r) {
        cudaGraphDestroy(graph);
        return gan_fail(GAN_ERROR_MEMORY, "record: out of memory");
    }
    cudaError_t error = cudaGraphInstantiate(&r->exec, graph, 0);
    cudaGraphDestroy(graph);
    if (error != cudaSuccess) {
        free(r);
        return gan_cuda_failed(error, "cudaGraphInstantiate", NULL);
    }
    *out = r;
    return GAN_OK;
}

gan_status gan_cuda_replay(gan_device *device, void *replayed) {
    gan_cuda_device *d = gan_cuda(device);
    record *r = replayed;
    GAN_TRY(gan_cuda_enter(device));
    GAN_CUDA_TRY(NULL, cudaGraphLaunch(r->exec, d->stream));
    return GAN_OK;
}

void gan_cuda_release_record(gan_device *device, void *released) {
    record *r = released;
    (void)device;
    cudaGraphExecDestroy(r->exec);
    free(r);
}
