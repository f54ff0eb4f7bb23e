/* Capture and replay. Nodes of a graph come in any order that its edges permit: SIMT_ORDER says
 * which, as it does for threads. */
#include <algorithm>

#include "block.h"
#include "runtime.h"

struct CUgraphExec_st {
    std::shared_ptr<const CUgraph_st> graph; /* launches in the queue keep it */
};

namespace simt {

/* Kernels of ours wait for what they come after; of others nobody knows, nor what becomes of blocks
 * that wait for each other. */
void capture(CUstream_st *s, operation what) {
    if (s->early && (!what.kernel || what.cooperative)) {
        s->spoilt = true;
        refuse(cudaErrorInvalidValue, "\"%s\" would begin early", what.name.c_str());
    }
    auto node = std::make_shared<CUgraphNode_st>();
    node->what = std::move(what);
    node->number = s->capture->nodes.size();
    for (cudaGraphNode_t before : s->tail) node->after.push_back(before->number);
    node->early = s->early;
    s->early = false;
    s->tail = {node.get()};
    s->capture->nodes.push_back(std::move(node));
}

namespace {

/* Of what can come next, the first captured, the last, or any. */
std::vector<size_t> order_of(const CUgraph_st &graph) {
    const size_t n = graph.nodes.size();
    std::vector<std::vector<size_t>> followers(n);
    std::vector<size_t> waits(n), ready, order;
    for (size_t i = 0; i < n; i++) {
        waits[i] = graph.nodes[i]->after.size();
        for (size_t before : graph.nodes[i]->after) followers[before].push_back(i);
        if (waits[i] == 0) ready.push_back(i);
    }
    order_reset();
    while (!ready.empty()) {
        std::sort(ready.begin(), ready.end());
        auto next = ready.begin() + order_one_of(unsigned(ready.size()));
        if (*next == graph.late && ready.size() > 1)
            next = next == ready.begin() ? next + 1 : next - 1;
        const size_t node = *next;
        ready.erase(next);
        order.push_back(node);
        for (size_t i : followers[node])
            if (--waits[i] == 0) ready.push_back(i);
    }
    return order;
}

/* A copy for execution, less the edge that is to be forgotten; counted. */
std::shared_ptr<const CUgraph_st> executable(const CUgraph_st &graph) {
    auto copy = std::make_shared<CUgraph_st>();
    std::vector<long> depth;
    counts.edges = counts.depth = 0;
    for (const auto &node : graph.nodes) {
        auto own = std::make_shared<CUgraphNode_st>(*node);
        own->after.clear();
        depth.push_back(1);
        for (size_t before : node->after) {
            if (counts.edges++ == machine.forget_edge) {
                copy->late = before;
                continue;
            }
            own->after.push_back(before);
            depth.back() = std::max(depth.back(), depth[before] + 1);
        }
        counts.depth = std::max(counts.depth, depth.back());
        copy->nodes.push_back(std::move(own));
    }
    note_copied();
    return copy;
}

/* Libraries' operations are kernels, too. */
bool is_kernel(const CUgraphNode_st &node) {
    return node.what.kernel || node.what.name.compare(0, 2, "cu") == 0;
}

bool captured_in(const CUgraph_st &graph, cudaGraphNode_t node) {
    for (const auto &other : graph.nodes)
        if (other.get() == node) return true;
    return false;
}

} // namespace
} // namespace simt

using namespace simt;

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
    SIMT_ENTRY;
    if (!stream)
        return refuse(cudaErrorStreamCaptureUnsupported, "the default stream cannot be captured");
    if (stream->capture) return refuse(cudaErrorIllegalState, "the stream captures already");
    stream->capture = std::make_unique<CUgraph_st>();
    stream->tail.clear();
    stream->early = stream->spoilt = false;
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
    if (stream->early) return refuse(cudaErrorInvalidValue, "a programmatic edge leads nowhere");
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

cudaError_t cudaStreamGetCaptureInfo(cudaStream_t stream, cudaStreamCaptureStatus *status,
                                     unsigned long long *id, cudaGraph_t *graph,
                                     const cudaGraphNode_t **nodes, const cudaGraphEdgeData **data,
                                     size_t *count) {
    SIMT_ENTRY;
    if (id || graph)
        return refuse(cudaErrorNotSupported, "the harness tells a capture's dependences only");
    const cudaError_t error = cudaStreamIsCapturing(stream, status);
    if (error != cudaSuccess || *status != cudaStreamCaptureStatusActive) return error;
    if (nodes && !data) /* libraries' launches may have some */
        for (cudaGraphNode_t node : stream->tail)
            if (node->what.name.compare(0, 3, "cuB") == 0)
                return refuse(cudaErrorLossyQuery, "edges behind \"%s\" have data, not asked for",
                              node->what.name.c_str());
    static const cudaGraphEdgeData none[64] = {};
    static const cudaGraphEdgeData early = {cudaGraphKernelNodePortProgrammatic,
                                            cudaGraphKernelNodePortDefault,
                                            cudaGraphDependencyTypeProgrammatic,
                                            {}};
    if (data && stream->tail.size() > sizeof none / sizeof *none)
        return refuse(cudaErrorNotSupported, "the harness has no data for %zu edges",
                      stream->tail.size());
    if (data) *data = stream->early ? &early : none;
    if (nodes) *nodes = stream->tail.data();
    if (count) *count = stream->tail.size();
    return cudaSuccess;
}

cudaError_t cudaStreamUpdateCaptureDependencies(cudaStream_t stream, cudaGraphNode_t *nodes,
                                                const cudaGraphEdgeData *data, size_t count,
                                                unsigned flags) {
    SIMT_ENTRY;
    if (!stream || !stream->capture || stream->spoilt)
        return refuse(cudaErrorIllegalState, "the stream does not capture");
    if (flags != cudaStreamSetCaptureDependencies || (data && count != 1))
        return refuse(cudaErrorNotSupported,
                      "the harness replaces a capture's dependences only, with data of one");
    std::vector<cudaGraphNode_t> tail;
    for (size_t i = 0; i < count; i++) {
        if (!captured_in(*stream->capture, nodes[i]))
            return refuse(cudaErrorInvalidValue, "dependence %zu is no node of the graph", i);
        if (std::find(tail.begin(), tail.end(), nodes[i]) != tail.end())
            return refuse(cudaErrorInvalidValue, "dependence %zu is given twice", i);
        tail.push_back(nodes[i]);
    }
    const bool early = data && data->type == cudaGraphDependencyTypeProgrammatic;
    if (early && (data->from_port != cudaGraphKernelNodePortProgrammatic ||
                  data->to_port != cudaGraphKernelNodePortDefault || !is_kernel(*nodes[0])))
        return refuse(cudaErrorInvalidValue, "the edge behind \"%s\" cannot be programmatic",
                      nodes[0]->what.name.c_str());
    stream->tail = std::move(tail);
    stream->early = early;
    return cudaSuccess;
}

cudaError_t cudaGraphNodeGetType(cudaGraphNode_t node, enum cudaGraphNodeType *type) {
    SIMT_ENTRY;
    *type = is_kernel(*node)            ? cudaGraphNodeTypeKernel
            : node->what.name == "fill" ? cudaGraphNodeTypeMemset
                                        : cudaGraphNodeTypeMemcpy;
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *out, cudaGraph_t graph, unsigned long long) {
    SIMT_ENTRY;
    if (!graph) return refuse(cudaErrorInvalidValue, "cudaGraphInstantiate of no graph");
    *out = new CUgraphExec_st{executable(*graph)};
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
    *count = graph->nodes.size();
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t stream) {
    SIMT_ENTRY;
    if (!exec) return refuse(cudaErrorInvalidValue, "cudaGraphLaunch of no graph");
    if (const cudaError_t error = forbidden_in_capture("cudaGraphLaunch")) return error;
    std::shared_ptr<const CUgraph_st> graph = exec->graph;
    return submit(stream, {"graph", [graph] {
                               counts.graph_launches++;
                               for (size_t i : order_of(*graph)) {
                                   begins_early = graph->nodes[i]->early;
                                   counts.early += begins_early;
                                   perform(graph->nodes[i]->what);
                               }
                               begins_early = false;
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
