/* Products of a matrix's rows with a vector, for joined.cu: what turns features into a logit. A
 * warp's threads, or a block's, share a row. */
#pragma once
#include "kernels/common.cuh"
#include "kernels/launch_joined.h"

namespace {

enum { DOTS_VECTOR = 8, DOTS_EACH = 4 /* vectors a thread, as far as there are threads */ };

/* Threads to a row. */
template <int BLOCK>
__host__ __device__ __forceinline__ int dots_lanes(const gan_launch_dots_args &a) {
    const int vectors = a.columns / DOTS_VECTOR;
    int lanes = 1;
    while (lanes < BLOCK && DOTS_EACH * lanes < vectors) lanes *= 2;
    return lanes;
}

/* One thread of a row's share. */
template <class X, class W>
__device__ __forceinline__ float dots_share(const X *x, const W *w, int lane, int lanes,
                                            int vectors) {
    float sum[DOTS_VECTOR] = {};
#pragma unroll DOTS_EACH
    for (int i = lane; i < vectors; i += lanes) {
        float a[DOTS_VECTOR], b[DOTS_VECTOR];
        load_floats(a, x + i * DOTS_VECTOR);
        load_floats(b, w + i * DOTS_VECTOR);
#pragma unroll
        for (int k = 0; k < DOTS_VECTOR; k++) sum[k] += a[k] * b[k];
    }
#pragma unroll
    for (int k = 1; k < DOTS_VECTOR; k++) sum[0] += sum[k];
    return sum[0];
}

__device__ __forceinline__ float dots_share(const gan_launch_dots_args &a, int row, int lane,
                                            int lanes) {
    const int64_t at = int64_t(row) * a.columns;
    const int vectors = a.columns / DOTS_VECTOR;
    const __nv_bfloat16 *x = static_cast<const __nv_bfloat16 *>(a.x) + at,
                        *w = static_cast<const __nv_bfloat16 *>(a.w);
    const float *wide_x = static_cast<const float *>(a.x) + at,
                *wide_w = static_cast<const float *>(a.w);
    if (a.x_bf16)
        return a.w_bf16 ? dots_share(x, w, lane, lanes, vectors)
                        : dots_share(x, wide_w, lane, lanes, vectors);
    return a.w_bf16 ? dots_share(wide_x, w, lane, lanes, vectors)
                    : dots_share(wide_x, wide_w, lane, lanes, vectors);
}

/* `block` of `blocks` that share the rows. */
template <int BLOCK>
__device__ void dots_task(const gan_launch_dots_args &a, int block, int blocks) {
    GPU_SHARED(float, part, [BLOCK / 32]);
    const int lanes = dots_lanes<BLOCK>(a), rows = BLOCK / lanes;
    const int thread = int(threadIdx.x), lane = thread & (lanes - 1);
    for (int first = block * rows; first < a.rows; first += blocks * rows) {
        const int row = first + thread / lanes;
        float sum = row < a.rows ? dots_share(a, row, lane, lanes) : 0.0f;
        sum = warp_reduce(sum, Sum{}, lanes);
        if (lanes > 32) {
            if (thread % 32 == 0) part[thread / 32] = sum;
            __syncthreads();
            for (int k = 1; lane == 0 && k < lanes / 32; k++) sum += part[thread / 32 + k];
            __syncthreads(); /* part is used again */
        }
        if (lane == 0 && row < a.rows) a.out[row] = sum;
    }
}

} // namespace
