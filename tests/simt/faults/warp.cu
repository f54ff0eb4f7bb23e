/* Lanes that do not meet as their masks say. */
#include "fault.h"

namespace {

constexpr unsigned FULL = 0xffffffffu;

float its_index(int i) { return float(i); }

template <bool WRONG>
__global__ void not_in_mask(float *y) {
    y[threadIdx.x] = __shfl_sync(WRONG ? 0x0000ffffu : FULL, float(threadIdx.x), int(threadIdx.x));
}
template <bool WRONG>
void lane_not_in_mask(const memory &m) {
    GPU_LAUNCH(not_in_mask<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}

template <bool WRONG>
__global__ void half_of_them(float *y) {
    const bool low = threadIdx.x < 16;
    const unsigned mask = WRONG ? FULL : low ? 0x0000ffffu : 0xffff0000u;
    float value = float(threadIdx.x);
    if (low)
        value = __shfl_sync(mask, value, int(threadIdx.x));
    else if (WRONG)
        __syncwarp();
    y[threadIdx.x] = value;
}
template <bool WRONG>
void shuffle_in_a_branch(const memory &m) {
    GPU_LAUNCH(half_of_them<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}

/* Half a warp waits for the other, which waits at a barrier. */
template <bool WRONG>
__global__ void wait_for_each_other(float *y) {
    float value = float(threadIdx.x);
    if (WRONG && threadIdx.x < 16) value = __shfl_sync(FULL, value, int(threadIdx.x));
    __syncthreads();
    y[threadIdx.x] = value;
}
template <bool WRONG>
void shuffle_against_barrier(const memory &m) {
    GPU_LAUNCH(wait_for_each_other<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}

/* The value of a lane that does not take part is not defined. */
template <bool WRONG>
__global__ void from_outside(float *y) {
    if (threadIdx.x < 16) {
        const int from = int(threadIdx.x) + (WRONG && threadIdx.x == 3 ? 16 : 0);
        y[threadIdx.x] = __shfl_sync(0x0000ffffu, float(threadIdx.x), from);
    }
}
template <bool WRONG>
void shuffle_from_outside(const memory &m) {
    GPU_LAUNCH(from_outside<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}

} // namespace

#define FAULT(name, n)                                                                             \
    { #name, name < true>, name < false>, its_index, n }
const fault faults_warp[] = {
    FAULT(lane_not_in_mask, 32),
    FAULT(shuffle_in_a_branch, 32),
    FAULT(shuffle_against_barrier, 32),
    FAULT(shuffle_from_outside, 16),
    {nullptr, nullptr, nullptr, nullptr, 0},
};
