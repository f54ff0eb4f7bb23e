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

} // namespace

#define FAULT(name, n)                                                                             \
    { #name, name < true>, name < false>, its_index, n }
const fault faults_launch[] = {
    FAULT(launch_bounds, FAULT_FLOATS),
    FAULT(too_many_threads, FAULT_FLOATS),
    FAULT(empty_grid, FAULT_FLOATS),
    {nullptr, nullptr, nullptr, nullptr, 0},
};
