/* What convolutions with an image of few channels share: where the filter's elements are, tiles in
 * shared memory. */
#pragma once
#include "kernels/launch_conv.h"
#include "kernels/follow.cuh"

namespace {

using Sides = gan_launch_conv_sides;

enum {
    CONV_PIXEL = 4,     /* floats of a pixel of few channels in shared memory, and a vector */
    CONV_CHUNK = 8,     /* channels of the many that a thread loads at once */
    CONV_CHANNELS = 64, /* of the many, a block */
    CONV_ACROSS = 16,   /* pixels of the many in a row of a tile */
};

template <int N>
struct alignas(16) Floats {
    float v[N];
};

__device__ __forceinline__ int filter_at(const Sides &v, int k, int tap, int c) {
    const int taps = v.r * v.s;
    return v.turned ? (c * taps + taps - 1 - tap) * v.k + k : (k * taps + tap) * v.c + c;
}

/* ---- tiles ---- */

/* rows·columns pixels of the few from (y, x) on, zeros where there are none. */
template <int BLOCK, class T>
__device__ __forceinline__ void stage_few(float *tile, const T *few, const Sides &v, int n, int y,
                                          int x, int rows, int columns) {
    for (int i = int(threadIdx.x); i < rows * columns; i += BLOCK) {
        const int row = y + i / columns, column = x + i % columns;
        const bool inside = row >= 0 && row < v.h && column >= 0 && column < v.w;
        const T *pixel = few + ((n * v.h + row) * v.w + column) * v.c;
        float value[CONV_PIXEL];
#pragma unroll
        for (int c = 0; c < CONV_PIXEL; c++)
            value[c] = inside && c < v.c ? to_float(pixel[c]) : 0.0f;
        store_floats(tile + i * CONV_PIXEL, value);
    }
}

/* CONV_CHUNK channels from k on of pixel (y, x) of the many, zeros where there are none. */
template <class T>
__device__ __forceinline__ void load_many(float (&value)[CONV_CHUNK], const T *many, const Sides &v,
                                          bool vectors, int n, int y, int x, int k) {
    const bool inside = y >= 0 && y < v.p && x >= 0 && x < v.q && k < v.k;
    const T *from = many + int64_t((n * v.p + y) * v.q + x) * v.k + k;
    if (inside && vectors) {
        load_floats(value, from);
        return;
    }
#pragma unroll
    for (int i = 0; i < CONV_CHUNK; i++)
        value[i] = inside && k + i < v.k ? to_float(from[i]) : 0.0f;
}

/* Tiles of an image, and images. */
struct Tiles {
    int across, down;
    unsigned all;
    Divisor by_across, by_down;

    Tiles(int64_t n, int64_t rows, int64_t columns, int tile_rows, int tile_columns)
        : across(int(ceil_div(columns, tile_columns))), down(int(ceil_div(rows, tile_rows))),
          all(unsigned(n * across * down)), by_across(across), by_down(down) {}
    __device__ __forceinline__ void find(unsigned tile, int &n, int &row, int &column) const {
        const unsigned line = by_across.divide(tile), image = by_down.divide(line);
        column = int(tile - line * unsigned(across));
        row = int(line - image * unsigned(down));
        n = int(image);
    }
};

/* The program on CONV_CHUNK channels of a pixel, of which `count` are; one copy of its code for all
 * of them. */
template <class FOLLOW>
__device__ __forceinline__ void follow_chunk(float (&y)[CONV_CHUNK], const Follow &f,
                                             unsigned element, int count) {
    constexpr int V = FOLLOW::V;
#pragma unroll 1
    for (int i = 0; i < CONV_CHUNK; i += V) {
        float part[V];
#pragma unroll
        for (int j = 0; j < CONV_CHUNK; j++)
            if (j / V * V == i) part[j % V] = y[j];
        FOLLOW::apply(part, f, element + unsigned(i), count - i);
#pragma unroll
        for (int j = 0; j < CONV_CHUNK; j++)
            if (j / V * V == i) y[j] = part[j % V];
    }
}

/* ---- for launchers ---- */

/* What follows a layer of many channels. */
using ManyFollows = Known<4, LeakyRelu, BiasLeakyRelu, BiasRelu>;

inline Following following(const gan_launch_conv_args &a) {
    return {a.program, a.with_program != 0, a.raw_input};
}

/* Which of these it is; they take vectors. */
inline int many_chain(const gan_launch_conv_args &a) {
    const int chain = ManyFollows::find(following(a));
    const bool vectors = a.sides.k % 4 == 0 && vectors_fit(a.program, a.out, a.bf16);
    return chain >= 0 && !vectors ? int(FOLLOW_ANY) : chain;
}

/* Whether pixels of the many can be read and written eight channels at a time. */
inline bool many_in_vectors(const Sides &v, const void *many, int bf16) {
    const int most = bf16 ? CONV_CHUNK : CONV_CHUNK / 2;
    return v.k % CONV_CHUNK == 0 && vector_width(many, v.k, bf16 ? 2 : 4, most) == most;
}

} // namespace
