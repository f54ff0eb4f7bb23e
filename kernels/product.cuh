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
    int way;            // product_way
    int wide_a, wide_b; // how many elements of an operand are read at once
    Follow follow;
};

/* How a program is computed: known ahead, for vectors of y or for the pieces of its elements, or as
 * it comes. */
enum product_way { VECTORS, PIECES, ONE_BY_ONE };

/* What networks write behind products. */
using ProductFollows = Known<4, Bias, BiasRelu, BiasLeakyRelu, BiasTanh, BiasSigmoid, LeakyGradient,
                             TanhGradient, DroppedSigmoidGradient, DroppedShare>;
using PiecesFollow = DroppedMaxGradient;

/* Where the tile's elements are, one of its pieces after the other. */
struct Elements {
    int sum;         // their product's, of the tile's
    bool there;      // it is an element of y
    int64_t element; // or one that is

    __device__ __forceinline__ Elements(const Product &p, int first_row, int first_column, int at) {
        sum = p.pieces == 1 ? at : at / p.pieces;
        const int row = first_row + sum / PRODUCT_TILE, column = first_column + sum % PRODUCT_TILE;
        there = row < p.m && column < p.n;
        const int64_t line = int64_t(blockIdx.z) * p.m + min(row, p.m - 1);
        element = (line * p.n + min(column, p.n - 1)) * p.pieces + (at - sum * p.pieces);
    }
};

/* Sums i to i + V - 1 of a tile. */
template <int SLICES, int V>
__device__ __forceinline__ void add_slices(float (&y)[V], const float *sums, int i) {
    load_floats(y, sums + i);
#pragma unroll
    for (int s = 1; s < SLICES; s++) {
        float more[V];
        load_floats(more, sums + s * PRODUCT_TILE * PRODUCT_TILE + i);
#pragma unroll
        for (int k = 0; k < V; k++) y[k] += more[k];
    }
}

/* The tile from (row, column) on of y, from sums (SLICES, TILE, TILE). */
template <int SLICES>
__device__ __forceinline__ void finish_product(const Product &p, const float *sums, int first_row,
                                               int first_column) {
    constexpr int TILE = PRODUCT_TILE, BLOCK = PRODUCT_BLOCK, V = ProductFollows::V;
    static_assert(TILE * TILE == BLOCK * V, "a vector a thread");
    const int all = TILE * TILE * p.pieces;
    if (p.way == VECTORS) {
        const int i = int(threadIdx.x) * V;
        const Elements at(p, first_row, first_column, i);
        if (!at.there) return;
        float y[V];
        add_slices<SLICES>(y, sums, i);
        ProductFollows::apply(y, p.follow, unsigned(at.element), V);
        write(p.y, p.y_bf16, at.element, y, V);
    } else if (p.way == PIECES) {
        constexpr int AT_ONCE = 4; /* whose operands are on their way together */
#pragma unroll 1
        for (int first = int(threadIdx.x); first < all; first += AT_ONCE * BLOCK) {
            float y[AT_ONCE][1];
#pragma unroll
            for (int e = 0; e < AT_ONCE; e++) {
                const Elements at(p, first_row, first_column, min(first + e * BLOCK, all - 1));
                add_slices<SLICES>(y[e], sums, at.sum);
                follow_chain<PiecesFollow>(y[e], p.follow, unsigned(at.element));
            }
#pragma unroll
            for (int e = 0; e < AT_ONCE; e++) {
                const Elements at(p, first_row, first_column, min(first + e * BLOCK, all - 1));
                if (at.there && first + e * BLOCK < all) write(p.y, p.y_bf16, at.element, y[e], 1);
            }
        }
    } else {
#pragma unroll 1
        for (int i = int(threadIdx.x); i < all; i += BLOCK) {
            const Elements at(p, first_row, first_column, i);
            if (!at.there) continue;
            float y[1];
            add_slices<SLICES>(y, sums, at.sum);
            if (p.follow.chain != FOLLOW_NOTHING)
                Any<BLOCK>::apply(y, p.follow, unsigned(at.element), 1);
            write(p.y, p.y_bf16, at.element, y, 1);
        }
    }
}

/* ---- for launchers ---- */

inline product_way way_of(const gan_launch_product_args *l, const Following &f) {
    const int bytes = l->y_bf16 ? 2 : 4;
    if (l->pieces > 1) return is_chain<PiecesFollow>(f) ? PIECES : ONE_BY_ONE;
    return ProductFollows::find(f) != FOLLOW_ANY && vector_width(l->y, l->n, bytes, 4) == 4 &&
                   (!f.active || vectors_fit(f.program, l->y, l->y_bf16))
               ? VECTORS
               : ONE_BY_ONE;
}

inline Following following(const gan_launch_product_args *l) {
    return {l->program, l->with_program != 0, l->raw_input};
}

inline Product product_of(const gan_launch_product_args *l) {
    const Following f = following(l);
    const product_way way = way_of(l, f);
    const int along_a = l->transpose_a ? l->m : l->k, along_b = l->transpose_b ? l->k : l->n,
              half = 2, any = f.active ? int(FOLLOW_ANY) : int(FOLLOW_NOTHING);
    return {l->a,
            l->b,
            l->y,
            l->m,
            l->n,
            l->k,
            l->y_bf16,
            l->pieces,
            way,
            vector_width(l->a, along_a, half, 8),
            vector_width(l->b, along_b, half, 8),
            follow_of(f,
                      way == VECTORS  ? ProductFollows::find(f)
                      : way == PIECES ? 0
                                      : any,
                      way == VECTORS ? 4 : 1)};
}

inline dim3 product_grid(const gan_launch_product_args *l) {
    return dim3(unsigned(ceil_div(l->n, PRODUCT_TILE)), unsigned(ceil_div(l->m, PRODUCT_TILE)),
                unsigned(l->batch));
}

} // namespace
