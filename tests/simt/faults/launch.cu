/* Launches that the kernel or the device does not allow. */
#include "fault.h"

namespace {

float its_index(int i) { return float(i); }

template <int BOUND>
__global__ void __launch_bounds__(BOUND) fill(float *y) {
    const unsigned i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i < FAULT_FLOATS) y[i] = float(i);
}
template <bool WRONG>
void launch_bounds(const memory &m) {
    GPU_LAUNCH((fill < WRONG ? 96 : 128 >), dim3(2), dim3(128), m.stream, m.y);
}

__global__ void fill_all(float *y) {
    const unsigned i = threadIdx.y * blockDim.x + threadIdx.x;
    if (i < FAULT_FLOATS) y[i] = float(i);
}
template <bool WRONG>
void too_many_threads(const memory &m) {
    GPU_LAUNCH(fill_all, dim3(1), dim3(32, WRONG ? 33 : 32), m.stream, m.y);
}

/* What a grid computed from an empty value comes to. */
template <bool WRONG>
void empty_grid(const memory &m) {
    GPU_LAUNCH(fill_all, dim3(WRONG ? 0 : 1), dim3(256), m.stream, m.y);
}

/* ---- launches that begin early ---- */

__global__ void make(float *y) {
    GPU_WAIT();
    y[threadIdx.x] = 0.5f * float(threadIdx.x);
}

enum class waits { first, late, never, sharing };

template <waits WHEN>
__global__ void twice(float *y) {
    if (WHEN == waits::first) GPU_WAIT();
    if (WHEN == waits::sharing) {
        GPU_SHARED(float, hidden, ); /* which orders memory, to the race detector */
        if (threadIdx.x == 0) hidden = y[0];
        GPU_WAIT();
    }
    const float half = y[threadIdx.x];
    if (WHEN == waits::late) GPU_WAIT();
    y[threadIdx.x] = 2 * half;
}

template <waits WHEN>
void make_twice(const memory &m) {
    enum cudaStreamCaptureStatus status;
    const cudaGraphNode_t *node;
    const cudaGraphEdgeData *none;
    cudaGraphEdgeData early = {};
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    size_t n;
    early.from_port = cudaGraphKernelNodePortProgrammatic;
    early.type = cudaGraphDependencyTypeProgrammatic;
    cudaStreamBeginCapture(m.stream, cudaStreamCaptureModeThreadLocal);
    GPU_LAUNCH(make, dim3(1), dim3(FAULT_FLOATS), m.stream, m.y);
    cudaStreamGetCaptureInfo(m.stream, &status, nullptr, nullptr, &node, &none, &n);
    cudaGraphNode_t ahead = *node;
    cudaStreamUpdateCaptureDependencies(m.stream, &ahead, &early, 1,
                                        cudaStreamSetCaptureDependencies);
    GPU_LAUNCH(twice<WHEN>, dim3(1), dim3(FAULT_FLOATS), m.stream, m.y);
    cudaStreamEndCapture(m.stream, &graph);
    cudaGraphInstantiate(&exec, graph, 0);
    cudaGraphDestroy(graph);
    cudaGraphLaunch(exec, m.stream);
    cudaStreamSynchronize(m.stream);
    cudaGraphExecDestroy(exec);
}
template <bool WRONG>
void waits_late(const memory &m) {
    make_twice<WRONG ? waits::late : waits::first>(m);
}
template <bool WRONG>
void shares_early(const memory &m) {
    make_twice<WRONG ? waits::sharing : waits::first>(m);
}
template <bool WRONG>
void never_waits(const memory &m) {
    make_twice<WRONG ? waits::never : waits::first>(m);
}

} // namespace

#define FAULT(name, n)                                                                             \
    { #name, name < true>, name < false>, its_index, n }
const fault faults_launch[] = {
    FAULT(launch_bounds, FAULT_FLOATS),      FAULT(too_many_threads, FAULT_FLOATS),
    FAULT(empty_grid, FAULT_FLOATS),         FAULT(waits_late, FAULT_FLOATS),
    FAULT(never_waits, FAULT_FLOATS),        FAULT(shares_early, FAULT_FLOATS),
    {nullptr, nullptr, nullptr, nullptr, 0},
};
