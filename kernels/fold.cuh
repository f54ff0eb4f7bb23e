/* Folded filters, a tile of inputs and outputs of one tap at a time. */
#pragma once
#include "kernels/common.cuh"
#include "kernels/launch_fold.h"

namespace {

enum { FOLD_BLOCK = 512, FOLD_TILE = 32, FOLD_LINES = FOLD_BLOCK / FOLD_TILE };

__host__ __device__ __forceinline__ int fold_tiles(int n) {
    return (n + FOLD_TILE - 1) / FOLD_TILE;
}

/* All tiles: those of j fastest, then of i, then taps. */
__host__ __device__ __forceinline__ int fold_blocks(const gan_launch_fold_args &a) {
    return a.r * a.s * fold_tiles(a.i) * fold_tiles(a.j);
}

__device__ __forceinline__ float fold_load(const gan_launch_fold_args &a, int at) {
    return a.in_bf16 ? to_float(static_cast<const __nv_bfloat16 *>(a.in)[at])
                     : static_cast<const float *>(a.in)[at];
}

/* The sum for tap (r, s) in row `row` of the operand, channel `channel` of `channels`. */
__device__ __forceinline__ float fold_sum(const gan_launch_fold_args &a, int r, int s, int row,
                                          int channel, int channels) {
    const int h = a.first_h + a.step * r, w = a.first_w + a.step * s;
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < 2; i++)
#pragma unroll
        for (int j = 0; j < 2; j++)
            if (h + i >= 0 && h + i < a.h && w + j >= 0 && w + j < a.w)
                sum += fold_load(a, ((row * a.h + h + i) * a.w + w + j) * channels + channel);
    return a.scale * sum;
}

/* By a block of FOLD_BLOCK threads: tiles `block`, `block` + `blocks`, … */
__device__ __forceinline__ void fold_tiles_of(const gan_launch_fold_args &a, int block,
                                              int blocks) {
    GPU_SHARED(float, fold_tile, [FOLD_TILE][FOLD_TILE + 1]);
    const int lane = int(threadIdx.x) % FOLD_TILE, line = int(threadIdx.x) / FOLD_TILE;
    const int across = fold_tiles(a.j), down = fold_tiles(a.i), all = fold_blocks(a);
    for (int tile = block; tile < all; tile += blocks) {
        const int j0 = tile % across * FOLD_TILE, i0 = tile / across % down * FOLD_TILE;
        const int tap = tile / across / down, r = tap / a.s, s = tap % a.s;
        if (a.turned) { /* lanes along the operand's rows first */
            for (int y = line; y < FOLD_TILE; y += FOLD_LINES)
                if (j0 + y < a.j && i0 + lane < a.i)
                    fold_tile[y][lane] = fold_sum(a, r, s, j0 + y, i0 + lane, a.i);
            __syncthreads();
        }
        for (int y = line; y < FOLD_TILE; y += FOLD_LINES) {
            const int i = i0 + y, j = j0 + lane;
            if (i >= a.i || j >= a.j) continue;
            const float value = a.turned ? fold_tile[lane][y] : fold_sum(a, r, s, i, j, a.j);
            const int at = ((i * a.r + r) * a.s + s) * a.j + j;
            if (a.out_bf16)
                static_cast<__nv_bfloat16 *>(a.out)[at] = from_float<__nv_bfloat16>(value);
            else
                static_cast<float *>(a.out)[at] = value;
        }
        if (a.turned) __syncthreads(); /* the tile is used again */
    }
}

} // namespace
