/* Blocks of a cooperative launch that wait for each other. */
#include "fault.h"
#include "kernels/barrier.cuh"

namespace {

enum { THREADS = 16, MOST = 8 /* blocks */, HALF = MOST * THREADS, ROUNDS = 4 };

/* As grid_barrier(), less a fence. */
__device__ void unfenced_barrier(unsigned *state) {
    __syncthreads();
    if (threadIdx.x == 0) {
        const unsigned round = GPU_POLL(&state[1]);
        const unsigned before = atomicInc(&state[0], gridDim.x - 1);
        if (before == gridDim.x - 1)
            atomicAdd(&state[1], 1u);
        else
            while (GPU_POLL(&state[1]) == round) {
            }
    }
    __syncthreads();
}

enum { NOTHING, BARRIER, FENCE };

/* Each round a block takes what the next one has made in the round before, and adds one: from one
 * half of y to the other. */
template <int MISSING>
__global__ void hand_on(const float *x, float *y, unsigned *state) {
    const int n = int(gridDim.x) * THREADS, i = int(blockIdx.x) * THREADS + int(threadIdx.x);
    const float *from = x;
    for (int round = 0; round < ROUNDS; round++) {
        float *to = y + round % 2 * HALF;
        to[i] = from[(i + THREADS) % n] + 1;
        from = to;
        if (MISSING == NOTHING) grid_barrier(state);
        if (MISSING == FENCE) unfenced_barrier(state);
    }
}

/* Of 8 blocks, then of 3, which write the first of each half again. */
float handed_on(int i) {
    const int at = i % HALF, n = at < 3 * THREADS ? 3 * THREADS : HALF;
    const int rounds = i < HALF ? ROUNDS - 1 : ROUNDS;
    return float((at + rounds * THREADS) % n + rounds);
}

template <int MISSING>
void two_grids(const memory &m) {
    for (unsigned blocks : {unsigned(MOST), 3u})
        GPU_LAUNCH_COOPERATIVE(hand_on<MISSING>, dim3(blocks), dim3(THREADS), m.stream, m.x, m.y,
                               m.counter);
}
template <bool WRONG>
void missing_grid_barrier(const memory &m) {
    two_grids<WRONG ? BARRIER : NOTHING>(m);
}
template <bool WRONG>
void grid_barrier_without_fence(const memory &m) {
    two_grids<WRONG ? FENCE : NOTHING>(m);
}

/* ---- blocks that do not come ---- */

float its_index(int i) { return float(i); }

template <bool WRONG>
__global__ void one_returns(float *y, unsigned *state) {
    y[blockIdx.x * THREADS + threadIdx.x] = float(blockIdx.x * THREADS + threadIdx.x);
    if (WRONG && blockIdx.x == 2) return;
    grid_barrier(state);
}
template <bool WRONG>
void block_leaves_early(const memory &m) {
    GPU_LAUNCH_COOPERATIVE(one_returns<WRONG>, dim3(MOST), dim3(THREADS), m.stream, m.y, m.counter);
}

template <bool WRONG>
__global__ void rounds(float *y, unsigned *state) {
    const unsigned n = WRONG ? 1 + blockIdx.x % 2 : 2;
    for (unsigned i = 0; i < n; i++) grid_barrier(state);
    y[blockIdx.x * THREADS + threadIdx.x] = float(blockIdx.x * THREADS + threadIdx.x);
}
template <bool WRONG>
void uneven_grid_barriers(const memory &m) {
    GPU_LAUNCH_COOPERATIVE(rounds<WRONG>, dim3(MOST), dim3(THREADS), m.stream, m.y, m.counter);
}

/* ---- launches ---- */

template <bool WRONG>
void ordinary_launch(const memory &m) {
    if (WRONG)
        GPU_LAUNCH(rounds<false>, dim3(MOST), dim3(THREADS), m.stream, m.y, m.counter);
    else
        GPU_LAUNCH_COOPERATIVE(rounds<false>, dim3(MOST), dim3(THREADS), m.stream, m.y, m.counter);
}

template <bool WRONG>
void too_many_blocks(const memory &m) {
    const int blocks = resident_blocks(rounds<false>, THREADS) + WRONG;
    GPU_LAUNCH_COOPERATIVE(rounds<false>, dim3(unsigned(blocks)), dim3(THREADS), m.stream, m.y,
                           m.counter);
}

} // namespace

#define FAULT(name, expected, n)                                                                   \
    { #name, name < true>, name < false>, expected, n }
const fault faults_grid[] = {
    FAULT(missing_grid_barrier, handed_on, FAULT_FLOATS),
    FAULT(grid_barrier_without_fence, handed_on, FAULT_FLOATS),
    FAULT(block_leaves_early, its_index, HALF),
    FAULT(uneven_grid_barriers, its_index, HALF),
    FAULT(ordinary_launch, its_index, HALF),
    FAULT(too_many_blocks, its_index, HALF),
    {nullptr, nullptr, nullptr, nullptr, 0},
};
