/* __syncthreads() that not all threads reach. */
#include "fault.h"

namespace {

float its_index(int i) { return float(i); }

template <bool WRONG>
__global__ void two_places(float *y) {
    if (!WRONG || threadIdx.x % 2) {
        __syncthreads();
    } else {
        y[threadIdx.x] = -1;
        __syncthreads();
    }
    y[threadIdx.x] = float(threadIdx.x);
}
template <bool WRONG>
void divergent_barrier(const memory &m) {
    GPU_LAUNCH(two_places<WRONG>, dim3(1), dim3(64), m.stream, m.y);
}

template <bool WRONG>
__global__ void some_return(float *y, int n) {
    const int i = int(threadIdx.x);
    if (WRONG && i >= n) return;
    __syncthreads();
    if (i < n) y[i] = float(i);
}
template <bool WRONG>
void early_exit(const memory &m) {
    GPU_LAUNCH(some_return<WRONG>, dim3(1), dim3(64), m.stream, m.y, 50);
}

/* As many rounds for every thread, or not. */
template <bool WRONG>
__global__ void rounds(float *y) {
    const unsigned n = WRONG ? 1 + threadIdx.x / 32 : 2;
    for (unsigned i = 0; i < n; i++) __syncthreads();
    y[threadIdx.x] = float(threadIdx.x);
}
template <bool WRONG>
void uneven_barriers(const memory &m) {
    GPU_LAUNCH(rounds<WRONG>, dim3(1), dim3(64), m.stream, m.y);
}

} // namespace

#define FAULT(name, n)                                                                             \
    { #name, name < true>, name < false>, its_index, n }
const fault faults_barrier[] = {
    FAULT(divergent_barrier, 64),
    FAULT(early_exit, 50),
    FAULT(uneven_barriers, 64),
    {nullptr, nullptr, nullptr, nullptr, 0},
};
