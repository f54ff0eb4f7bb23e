/* Memory that is not there, not aligned, or not written. */
#include "fault.h"

namespace {

float its_index(int i) { return float(i); }

/* ---- beyond the end ---- */

template <bool WRONG>
__global__ void copy(const float *x, float *y, int n) {
    const int i = int(blockIdx.x * blockDim.x + threadIdx.x);
    if (WRONG ? i <= n : i < n) y[i] = x[i < n ? i : 0];
}
template <bool WRONG>
void global_out_of_bounds(const memory &m) {
    GPU_LAUNCH(copy<WRONG>, dim3(3), dim3(96), m.stream, m.x, m.y, m.n);
}

template <bool WRONG>
__global__ void shift(float *y) {
    GPU_SHARED(float, tile, [32]);
    tile[threadIdx.x + (WRONG ? 1 : 0)] = float(threadIdx.x);
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x];
}
template <bool WRONG>
void shared_out_of_bounds(const memory &m) {
    GPU_LAUNCH(shift<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}

template <bool WRONG>
__global__ void turn(float *y) {
    GPU_SHARED_MORE(float, tile);
    tile[31 - threadIdx.x + (WRONG ? 1 : 0)] = float(31 - threadIdx.x);
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x];
}
template <bool WRONG>
void shared_more_out_of_bounds(const memory &m) {
    GPU_LAUNCH_WITH(32 * sizeof(float), turn<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}
template <bool WRONG>
void too_much_shared(const memory &m) {
    GPU_LAUNCH_WITH(WRONG ? 49153 : 49152, turn<false>, dim3(1), dim3(32), m.stream, m.y);
}

template <bool WRONG>
__global__ void pick(float *y, int first) {
    float values[4] = {0, 1, 2, 3};
    y[threadIdx.x] = values[first + int(threadIdx.x) % 4 - (WRONG ? 0 : first)];
}
template <bool WRONG>
void local_out_of_bounds(const memory &m) {
    GPU_LAUNCH(pick<WRONG>, dim3(1), dim3(4), m.stream, m.y, 1);
}

/* ---- freed ---- */

__global__ void fill(float *y) { y[threadIdx.x] = float(threadIdx.x); }
template <bool WRONG>
void freed_memory(const memory &m) {
    void *other;
    cudaMalloc(&other, 32 * sizeof(float));
    if (WRONG) cudaFree(other);
    GPU_LAUNCH(fill, dim3(1), dim3(32), m.stream, static_cast<float *>(other));
    GPU_LAUNCH(fill, dim3(1), dim3(32), m.stream, m.y);
    if (!WRONG) cudaFree(other);
}

/* ---- alignment ---- */

__global__ void fill_by_four(float *y) {
    const float first = float(4 * threadIdx.x);
    reinterpret_cast<float4 *>(y)[threadIdx.x] =
        make_float4(first, first + 1, first + 2, first + 3);
}
template <bool WRONG>
void misaligned(const memory &m) {
    GPU_LAUNCH(fill_by_four, dim3(1), dim3(8), m.stream, m.y + (WRONG ? 1 : 0));
}

/* ---- arithmetic on indices ---- */

__global__ void far(float *y, int rows, int columns) {
    const int last = rows * columns - 1;
    y[threadIdx.x] = float(last < 0 ? 0 : int(threadIdx.x));
}
template <bool WRONG>
void index_overflow(const memory &m) {
    GPU_LAUNCH(far, dim3(1), dim3(32), m.stream, m.y, 65536, WRONG ? 32768 : 32767);
}

/* ---- not written ---- */

template <bool WRONG>
__global__ void through_shared(float *y) {
    GPU_SHARED(float, tile, [64]);
    if (!WRONG || threadIdx.x != 5) tile[threadIdx.x] = float(threadIdx.x);
    __syncthreads();
    y[threadIdx.x] = tile[threadIdx.x];
}
template <bool WRONG>
void uninitialised_shared(const memory &m) {
    GPU_LAUNCH(through_shared<WRONG>, dim3(1), dim3(64), m.stream, m.y);
}

__global__ void add_to(float *y) { y[threadIdx.x] += float(threadIdx.x); }
template <bool WRONG>
void uninitialised_global(const memory &m) {
    if (!WRONG) cudaMemsetAsync(m.y, 0, size_t(m.n) * sizeof(float), m.stream);
    GPU_LAUNCH(add_to, dim3(1), dim3(64), m.stream, m.y);
}

/* ---- the host's ---- */

template <bool WRONG>
void host_access(const memory &m) {
    GPU_LAUNCH(fill, dim3(1), dim3(32), m.stream, m.y);
    cudaStreamSynchronize(m.stream);
    if (WRONG) m.y[31] = 31;
}

} // namespace

#define FAULT(name, n)                                                                             \
    { #name, name < true>, name < false>, its_index, n }
const fault faults_memory[] = {
    FAULT(global_out_of_bounds, FAULT_FLOATS),
    FAULT(shared_out_of_bounds, 32),
    FAULT(shared_more_out_of_bounds, 32),
    FAULT(too_much_shared, 32),
    FAULT(local_out_of_bounds, 4),
    FAULT(freed_memory, 32),
    FAULT(misaligned, 32),
    FAULT(index_overflow, 32),
    FAULT(uninitialised_shared, 64),
    FAULT(uninitialised_global, 64),
    FAULT(host_access, 32),
    {nullptr, nullptr, nullptr, nullptr, 0},
};
