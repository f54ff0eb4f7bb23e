/* What products share: tiles of y, whose sums several groups of threads have a share of, and the
 * program on them. */
#pragma once
#include "kernels/follow.cuh"
#include "kernels/launch_product.h"

namespace {

enum { PRODUCT_BLOCK = 256, PRODUCT_TILE = 32 };

struct Product {
    const void *a, *b;
    void *y;
    int m, n, k, y_bf16, pieces;
    int vectors;        // of 4 elements of y are one thread's
    int wide_a, wide_b; // how many elements of an operand are read at once
    Follow follow;
};

/* What networks write behind products. */
using ProductFollows =
    Known<4, Bias, BiasRelu, BiasLeakyRelu, BiasTanh, BiasSigmoid, LeakyGradient, TanhGradient>;

/* The tile from (row, column) on of y, from sums (SLICES, TILE, TILE). */
template <int SLICES>
__device__ __forceinline__ void finish_product(const Product &p, const float *sums, int first_row,
                                               int first_column) {
    constexpr int TILE = PRODUCT_TILE, BLOCK = PRODUCT_BLOCK, V = ProductFollows::V;
    static_assert(TILE * TILE == BLOCK * V, "a vector a thread");
    const int64_t batch = int64_t(blockIdx.z) * p.m;
    if (p.vectors) {
        const int i = int(threadIdx.x) * V, row = first_row + i / TILE,
                  column = first_column + i % TILE;
        if (row >= p.m || column >= p.n) return;
        float y[V];
        load_floats(y, sums + i);
#pragma unroll
        for (int s = 1; s < SLICES; s++) {
            float more[V];
            load_floats(more, sums + s * TILE * TILE + i);
#pragma unroll
            for (int k = 0; k < V; k++) y[k] += more[k];
        }
        const int64_t element = (batch + row) * p.n + column;
        ProductFollows::apply(y, p.follow, unsigned(element), V);
        write(p.y, p.y_bf16, element, y, V);
        return;
    }
#pragma unroll 1
    for (int at = int(threadIdx.x); at < TILE * TILE * p.pieces; at += BLOCK) {
        const int i = p.pieces == 1 ? at : at / p.pieces;
        const int row = first_row + i / TILE, column = first_column + i % TILE;
        if (row >= p.m || column >= p.n) continue;
        float y[1] = {sums[i]};
#pragma unroll
        for (int s = 1; s < SLICES; s++) y[0] += sums[s * TILE * TILE + i];
        const int64_t element = ((batch + row) * p.n + column) * p.pieces + (at - i * p.pieces);
        if (p.follow.chain != FOLLOW_NOTHING) Any<BLOCK>::apply(y, p.follow, unsigned(element), 1);
        write(p.y, p.y_bf16, element, y, 1);
    }
}

/* ---- for launchers ---- */

inline Product product_of(const gan_launch_product_args *l) {
    const Following f = {l->with_program ? &l->program : NULL, l->raw_input};
    const int chain = ProductFollows::find(f), bytes = l->y_bf16 ? 2 : 4, half = 2;
    const bool vectors = chain != FOLLOW_ANY && l->pieces == 1 && l->n % 4 == 0 &&
                         vector_width(l->y, l->n, bytes, 4) == 4 &&
                         (!l->with_program || vectors_fit(l->program, l->y, l->y_bf16));
    const int along_a = l->transpose_a ? l->m : l->k, along_b = l->transpose_b ? l->k : l->n;
    return {l->a,
            l->b,
            l->y,
            l->m,
            l->n,
            l->k,
            l->y_bf16,
            l->pieces,
            vectors,
            vector_width(l->a, along_a, half, 8),
            vector_width(l->b, along_b, half, 8),
            vectors ? follow_of(f, chain, 4)
                    : follow_of(f, f.program ? int(FOLLOW_ANY) : int(FOLLOW_NOTHING), 1)};
}

inline dim3 product_grid(const gan_launch_product_args *l) {
    return dim3(unsigned(ceil_div(l->n, PRODUCT_TILE)), unsigned(ceil_div(l->m, PRODUCT_TILE)),
                unsigned(l->batch));
}

} // namespace
