/* Two threads, one place, no order. */
#include "fault.h"

namespace {

constexpr int THREADS = 64, BLOCKS = 4;

float mirrored(int i) { return float(THREADS - 1 - i); }
float swapped(int i) { return float(i ^ 1); }
float all_threads(int) { return float(THREADS * BLOCKS); }
float all_twice(int i) { return float(i * 3); }

/* ---- in a block ---- */

template <bool WRONG>
__global__ void mirror(float *y) {
    GPU_SHARED(float, tile, [THREADS]);
    tile[threadIdx.x] = float(threadIdx.x);
    if (!WRONG) __syncthreads();
    y[threadIdx.x] = tile[THREADS - 1 - threadIdx.x];
}
template <bool WRONG>
void missing_barrier(const memory &m) {
    GPU_LAUNCH(mirror<WRONG>, dim3(1), dim3(THREADS), m.stream, m.y);
}

/* The next round writes what the last one may still be read from. */
template <bool WRONG>
__global__ void rounds(float *y) {
    GPU_SHARED(float, value, );
    float sum = 0;
    for (int round = 1; round < 3; round++) {
        if (threadIdx.x == 0) value = float(round);
        __syncthreads();
        sum += value * float(threadIdx.x);
        if (!WRONG) __syncthreads();
    }
    y[threadIdx.x] = sum;
}
template <bool WRONG>
void missing_second_barrier(const memory &m) {
    GPU_LAUNCH(rounds<WRONG>, dim3(1), dim3(THREADS), m.stream, m.y);
}

/* ---- in a warp ---- */

template <bool WRONG>
__global__ void swap(float *y) {
    GPU_SHARED(float, tile, [32]);
    tile[threadIdx.x] = float(threadIdx.x);
    if (!WRONG) __syncwarp();
    y[threadIdx.x] = tile[threadIdx.x ^ 1];
}
template <bool WRONG>
void missing_syncwarp(const memory &m) {
    GPU_LAUNCH(swap<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}

/* A shuffle brings a value over, but orders no memory. */
template <bool WRONG>
__global__ void swap_and_shuffle(float *y) {
    GPU_SHARED(float, tile, [32]);
    tile[threadIdx.x] = float(threadIdx.x);
    const unsigned other = __shfl_xor_sync(0xffffffffu, threadIdx.x, 1);
    if (!WRONG) __syncwarp();
    y[threadIdx.x] = tile[other];
}
template <bool WRONG>
void shuffle_for_barrier(const memory &m) {
    GPU_LAUNCH(swap_and_shuffle<WRONG>, dim3(1), dim3(32), m.stream, m.y);
}

/* ---- between blocks ---- */

template <bool WRONG>
__global__ void count(unsigned *counter) {
    if (WRONG)
        *counter += 1;
    else
        atomicAdd(counter, 1u);
}
__global__ void show(const unsigned *counter, float *y) { *y = float(*counter); }
template <bool WRONG>
void race_between_blocks(const memory &m) {
    GPU_LAUNCH(count<WRONG>, dim3(BLOCKS), dim3(WRONG ? 1 : THREADS), m.stream, m.counter);
    GPU_LAUNCH(show, dim3(1), dim3(1), m.stream, m.counter, m.y);
}

/* The last block to come sums what the others left; only the counter tells it that they did, and
 * only a fence before it and one after it let it see that. */
enum { NOTHING, COUNTER, FENCE_BEFORE, FENCE_AFTER };

template <int MISSING>
__global__ void sum_by_last(float *y, float *part, unsigned *counter) {
    GPU_SHARED(bool, last, );
    if (threadIdx.x == 0) {
        part[blockIdx.x] = float(blockDim.x);
        if (MISSING != FENCE_BEFORE) __threadfence();
        const unsigned before = MISSING == COUNTER ? blockIdx.x : atomicAdd(counter, 1u);
        if (MISSING != FENCE_AFTER) __threadfence();
        last = before == gridDim.x - 1;
    }
    __syncthreads();
    if (!last || threadIdx.x) return;
    float sum = 0;
    for (unsigned i = 0; i < gridDim.x; i++) sum += part[i];
    *y = sum;
}
template <int MISSING>
void sum_up(const memory &m) {
    GPU_LAUNCH(sum_by_last<MISSING>, dim3(BLOCKS), dim3(THREADS), m.stream, m.y, m.x, m.counter);
}
template <bool WRONG>
void last_block_without_counter(const memory &m) {
    sum_up<WRONG ? COUNTER : NOTHING>(m);
}
template <bool WRONG>
void last_block_without_fence(const memory &m) {
    sum_up<WRONG ? FENCE_BEFORE : NOTHING>(m);
}
template <bool WRONG>
void last_block_without_second_fence(const memory &m) {
    sum_up<WRONG ? FENCE_AFTER : NOTHING>(m);
}

} // namespace

#define FAULT(name, expected, n)                                                                   \
    { #name, name < true>, name < false>, expected, n }
const fault faults_race[] = {
    FAULT(missing_barrier, mirrored, THREADS),
    FAULT(missing_second_barrier, all_twice, THREADS),
    FAULT(missing_syncwarp, swapped, 32),
    FAULT(shuffle_for_barrier, swapped, 32),
    FAULT(race_between_blocks, all_threads, 1),
    FAULT(last_block_without_counter, all_threads, 1),
    FAULT(last_block_without_fence, all_threads, 1),
    FAULT(last_block_without_second_fence, all_threads, 1),
    {nullptr, nullptr, nullptr, nullptr, 0},
};
