/* Capture and replay. */
#include "runtime.h"

struct CUgraphExec_st {
    std::shared_ptr<const CUgraph_st> graph; /* launches in the queue keep it */
};

using namespace simt;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
    SIMT_ENTRY;
    if (!stream)
        return refuse(cudaErrorStreamCaptureUnsupported, "the default stream cannot be captured");
    if (stream->capture) return refuse(cudaErrorIllegalState, "the stream captures already");
    stream->capture = std::make_unique<CUgraph_st>();
    stream->spoilt = false;
    stream->mode = mode;
    stream->captured_by = this_thread();
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t *out) {
    SIMT_ENTRY;
    *out = nullptr;
    if (!stream || !stream->capture)
        return refuse(cudaErrorIllegalState, "the stream does not capture");
    if (stream->mode != cudaStreamCaptureModeRelaxed && stream->captured_by != this_thread())
        return refuse(cudaErrorStreamCaptureWrongThread);
    std::unique_ptr<CUgraph_st> graph = std::move(stream->capture);
    if (stream->spoilt) return refuse(cudaErrorStreamCaptureInvalidated);
    *out = graph.release();
    counts.graphs++;
    return cudaSuccess;
}

cudaError_t cudaStreamIsCapturing(cudaStream_t stream, cudaStreamCaptureStatus *status) {
    SIMT_ENTRY;
    *status = !stream || !stream->capture ? cudaStreamCaptureStatusNone
              : stream->spoilt            ? cudaStreamCaptureStatusInvalidated
                                          : cudaStreamCaptureStatusActive;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long) {
    SIMT_ENTRY;
    if (!graph) return refuse(cudaErrorInvalidValue, "cudaGraphInstantiate of no graph");
    *out = new CUgraphExec_st{std::make_shared<CUgraph_st>(*graph)};
    counts.graphs++;
    return cudaSuccess;
}

cudaError_t cudaGraphUpload(cudaGraphExec_t, cudaStream_t) {
    SIMT_ENTRY;
    return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *count) {
    SIMT_ENTRY;
    if (nodes) return refuse(cudaErrorNotSupported, "the harness counts nodes only");
    *count = graph->operations.size();
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    SIMT_ENTRY;
    if (!exec) return refuse(cudaErrorInvalidValue, "cudaGraphLaunch of no graph");
    if (const cudaError_t error = forbidden_in_capture("cudaGraphLaunch")) return error;
    std::shared_ptr<const CUgraph_st> graph = exec->graph;
    return submit(stream, {"graph", [graph] {
                               counts.graph_launches++;
                               for (const operation &o : graph->operations) perform(o);
                           }});
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    runtime_lock lock;
    delete exec;
    counts.graphs--;
    return usable();
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    runtime_lock lock;
    delete graph;
    counts.graphs--;
    return usable();
}
