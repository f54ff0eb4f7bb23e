/* Sums down the columns of matrices, for joined.cu. Of one long matrix blocks take a part of the
 * rows each, and the last one of a tile of columns brings the parts together. */
#pragma once
#include "kernels/common.cuh"
#include "kernels/last.cuh"
#include "kernels/launch_joined.h"

namespace {

enum { COLUMNS_LANES = 32, COLUMNS_PART = 4 };

/* How blocks share matrices: block = (matrix·chunks + chunk)·tiles + tile; `lanes` vectors side by
 * side. */
template <int V>
struct ColumnTiles {
    int vectors, lanes, tiles;

    __host__ __device__ __forceinline__ explicit ColumnTiles(const gan_launch_columns_args &a)
        : vectors(a.columns / V), lanes(1) {
        while (lanes < COLUMNS_LANES && lanes < vectors) lanes *= 2;
        tiles = (vectors + lanes - 1) / lanes;
    }
};

/* 128 bits to a thread. */
template <class T>
constexpr int column_vector = 16 / int(sizeof(T));

__host__ __device__ __forceinline__ int column_tiles(const gan_launch_columns_args &a) {
    return a.bf16 ? ColumnTiles<column_vector<__nv_bfloat16>>(a).tiles
                  : ColumnTiles<column_vector<float>>(a).tiles;
}

/* The first row of threads gets what all rows have; four of a vector at a time. */
template <int BLOCK, int V>
__device__ __forceinline__ void down_columns(float *part, float (&sum)[V], int lanes) {
    const int thread = int(threadIdx.x), row = thread / lanes;
#pragma unroll
    for (int first = 0; first < V; first += COLUMNS_PART) {
        __syncthreads(); // part is still read
#pragma unroll
        for (int k = 0; k < COLUMNS_PART; k++) part[k * BLOCK + thread] = sum[first + k];
        for (int half = BLOCK / lanes / 2; half > 0; half /= 2) {
            __syncthreads();
            if (row < half) {
#pragma unroll
                for (int k = 0; k < COLUMNS_PART; k++) {
                    sum[first + k] += part[k * BLOCK + thread + half * lanes];
                    part[k * BLOCK + thread] = sum[first + k];
                }
            }
        }
    }
}

template <int V>
__device__ __forceinline__ void put_sums(const gan_launch_columns_args &a, int64_t at,
                                         const float (&sum)[V]) {
    if (a.out_bf16)
        store_floats(static_cast<__nv_bfloat16 *>(a.out) + at, sum);
    else
        store_floats(static_cast<float *>(a.out) + at, sum);
}

__device__ __forceinline__ float column_weight(const gan_launch_columns_args &a, int64_t row) {
    if (!a.weights) return 1.0f;
    return a.weights_bf16 ? to_float(static_cast<const __nv_bfloat16 *>(a.weights)[row])
                          : static_cast<const float *>(a.weights)[row];
}

template <int BLOCK, class T>
__device__ void sum_columns(const gan_launch_columns_args &a, int block) {
    constexpr int V = column_vector<T>;
    GPU_SHARED(float, part, [COLUMNS_PART * BLOCK]);
    const ColumnTiles<V> by(a);
    const int part_of = block / by.tiles, tile = block - part_of * by.tiles,
              matrix = part_of / a.chunks, chunk = part_of - matrix * a.chunks;
    const int lane = int(threadIdx.x) & (by.lanes - 1), row = int(threadIdx.x) / by.lanes,
              rows = BLOCK / by.lanes, vector = tile * by.lanes + lane;
    const bool active = vector < by.vectors;
    const int64_t length = (a.rows + a.chunks - 1) / a.chunks, begin = chunk * length,
                  end = a.rows < begin + length ? a.rows : begin + length;
    float sum[V] = {};
    if (active) {
        const T *x = static_cast<const T *>(a.x) + matrix * a.rows * a.columns + vector * V;
#pragma unroll 4
        for (int64_t i = begin + row; i < end; i += rows) {
            float y[V];
            load_floats(y, x + i * a.columns);
            const float weight = column_weight(a, i);
#pragma unroll
            for (int k = 0; k < V; k++) sum[k] += y[k] * weight;
        }
    }
    down_columns<BLOCK>(part, sum, by.lanes);
    const bool writes = active && row == 0;
    if (a.chunks == 1) {
        if (writes) put_sums(a, int64_t(matrix) * a.columns + vector * V, sum);
        return;
    }
    if (writes) store_floats(a.parts + int64_t(chunk) * a.columns + vector * V, sum);
    if (!is_last(a.counters + tile, unsigned(a.chunks))) return;
#pragma unroll
    for (int k = 0; k < V; k++) sum[k] = 0.0f;
    for (int i = row; active && i < a.chunks; i += rows) {
        float y[V];
        load_floats(y, a.parts + int64_t(i) * a.columns + vector * V);
#pragma unroll
        for (int k = 0; k < V; k++) sum[k] += y[k];
    }
    down_columns<BLOCK>(part, sum, by.lanes);
    if (writes) put_sums(a, vector * V, sum);
}

template <int BLOCK>
__device__ __forceinline__ void columns_task(const gan_launch_columns_args &a, int block) {
    if (a.bf16)
        sum_columns<BLOCK, __nv_bfloat16>(a, block);
    else
        sum_columns<BLOCK, float>(a, block);
}

} // namespace
