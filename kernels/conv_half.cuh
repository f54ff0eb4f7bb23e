/* What convolutions with an image of few channels share that are made on tensor cores: there two
 * bfloat16 numbers are a word. */
#pragma once
#include "kernels/conv.cuh"

namespace {

using Half = __nv_bfloat16;
using Vector = Vec<Half, CONV_CHUNK>;

__device__ __forceinline__ unsigned pair_of(Half low, Half high) {
    Vec<Half, 2> pair;
    unsigned word;
    pair.v[0] = low, pair.v[1] = high;
    memcpy(&word, &pair, sizeof word);
    return word;
}

/* CONV_CHUNK channels of the many from the k-th on, which `from` points to; zeros behind the last.
 */
__device__ __forceinline__ Vector channels_of(const Sides &v, bool vectors, const Half *from,
                                              int k) {
    if (vectors) return load<CONV_CHUNK>(from);
    Vector value = {};
#pragma unroll
    for (int c = 0; c < CONV_CHUNK; c++)
        if (k + c < v.k) value.v[c] = from[c];
    return value;
}

/* stage_few(), as they are stored. */
template <int BLOCK>
__device__ __forceinline__ void stage_halves(Half *tile, const Half *few, const Sides &v, int n,
                                             int y, int x, int rows, int columns) {
    for (int i = int(threadIdx.x); i < rows * columns; i += BLOCK) {
        const int down = i / columns, row = y + down, column = x + i - down * columns;
        const bool inside = row >= 0 && row < v.h && column >= 0 && column < v.w;
        const Half *pixel = few + ((n * v.h + row) * v.w + column) * v.c;
        Vec<Half, CONV_PIXEL> value = {};
#pragma unroll
        for (int c = 0; c < CONV_PIXEL; c++)
            if (inside && c < v.c) value.v[c] = pixel[c];
        store(tile + i * CONV_PIXEL, value);
    }
}

} // namespace
