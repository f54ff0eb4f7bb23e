/* What products share: tiles of y, whose sums several groups of threads have a share of, and the
 * program on them. */
#pragma once
#include "kernels/follow.cuh"
#include "kernels/launch_product.h"

namespace {

enum { PRODUCT_BLOCK = 256, PRODUCT_TILE = 32 };

/* A product as it is. */
struct PlainProduct {
    const void *a, *b;
    void *y;
    int m, n, k, y_bf16, pieces;
    int way;            // product_way
    int wide_a, wide_b; // how many elements of an operand are read at once
    static constexpr bool FOLLOWED = false;
};

struct Product : PlainProduct {
    Follow follow;
    static constexpr bool FOLLOWED = true;
};

/* How a program is computed: known ahead, for vectors of y or for the pieces of its elements, or as
 * it comes. */
enum product_way { VECTORS, PIECES, ONE_BY_ONE };

/* What networks write behind products. */
using ProductFollows = Known<4, Bias, BiasRelu, BiasLeakyRelu, BiasTanh, BiasSigmoid, LeakyGradient,
                             TanhGradient, DroppedSigmoidGradient, DroppedShare>;
using PiecesFollow = DroppedMaxGradient;

/* Where a tile of y is, and which of its PRODUCT_BLOCK threads this is. */
struct ProductTile {
    int thread, batch, row, column;
};

/* Where the tile's elements are, one of its pieces after the other. */
struct Elements {
    int sum;         // their product's, of the tile's
    bool there;      // it is an element of y
    int64_t element; // or one that is

    __device__ __forceinline__ Elements(const PlainProduct &p, const ProductTile &t, int at) {
        sum = p.pieces == 1 ? at : at / p.pieces;
        const int row = t.row + sum / PRODUCT_TILE, column = t.column + sum % PRODUCT_TILE;
        there = row < p.m && column < p.n;
        const int64_t line = int64_t(t.batch) * p.m + min(row, p.m - 1);
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

/* A tile of y, from sums (SLICES, TILE, TILE). Of a Product its program is applied, if there is
 * one. */
template <int SLICES, class PRODUCT>
__device__ __forceinline__ void finish_product(const PRODUCT &p, const float *sums,
                                               const ProductTile &t) {
    constexpr int TILE = PRODUCT_TILE, BLOCK = PRODUCT_BLOCK, V = ProductFollows::V;
    static_assert(TILE * TILE == BLOCK * V, "a vector a thread");
    const int all = TILE * TILE * p.pieces;
    if (p.way == VECTORS) {
        const int i = t.thread * V;
        const Elements at(p, t, i);
        if (!at.there) return;
        float y[V];
        add_slices<SLICES>(y, sums, i);
        if constexpr (PRODUCT::FOLLOWED)
            ProductFollows::apply(y, p.follow, unsigned(at.element), V);
        write(p.y, p.y_bf16, at.element, y, V);
    } else if (PRODUCT::FOLLOWED && p.way == PIECES) {
        constexpr int AT_ONCE = 4; /* whose operands are on their way together */
#pragma unroll 1
        for (int first = t.thread; first < all; first += AT_ONCE * BLOCK) {
            float y[AT_ONCE][1];
#pragma unroll
            for (int e = 0; e < AT_ONCE; e++) {
                const Elements at(p, t, min(first + e * BLOCK, all - 1));
                add_slices<SLICES>(y[e], sums, at.sum);
                if constexpr (PRODUCT::FOLLOWED)
                    follow_chain<PiecesFollow>(y[e], p.follow, unsigned(at.element));
            }
#pragma unroll
            for (int e = 0; e < AT_ONCE; e++) {
                const Elements at(p, t, min(first + e * BLOCK, all - 1));
                if (at.there && first + e * BLOCK < all) write(p.y, p.y_bf16, at.element, y[e], 1);
            }
        }
    } else {
#pragma unroll 1
        for (int i = t.thread; i < all; i += BLOCK) {
            const Elements at(p, t, i);
            if (!at.there) continue;
            float y[1];
            add_slices<SLICES>(y, sums, at.sum);
            if constexpr (PRODUCT::FOLLOWED)
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

/* The tile of a block of such a grid. */
__device__ __forceinline__ ProductTile product_tile() {
    return {int(threadIdx.x), int(blockIdx.z), int(blockIdx.y) * PRODUCT_TILE,
            int(blockIdx.x) * PRODUCT_TILE};
}

inline Following following(const gan_launch_product_args *l) {
    return {l->program, l->with_program != 0, l->raw_input};
}

inline Product product_of(const gan_launch_product_args *l) {
    const Following f = following(l);
    const product_way way = way_of(l, f);
    const int along_a = l->transpose_a ? l->m : l->k, along_b = l->transpose_b ? l->k : l->n,
              half = 2, any = f.active ? int(FOLLOW_ANY) : int(FOLLOW_NOTHING);
    return {{l->a, l->b, l->y, l->m, l->n, l->k, l->y_bf16, l->pieces, way,
             vector_width(l->a, along_a, half, 8), vector_width(l->b, along_b, half, 8)},
            follow_of(f,
                      way == VECTORS  ? ProductFollows::find(f)
                      : way == PIECES ? 0
                                      : any,
                      way == VECTORS ? 4 : 1)};
}

__host__ __device__ __forceinline__ int product_tiles(int n) {
    return (n + PRODUCT_TILE - 1) / PRODUCT_TILE;
}

inline dim3 product_grid(const gan_launch_product_args *l) {
    return dim3(unsigned(product_tiles(l->n)), unsigned(product_tiles(l->m)), unsigned(l->batch));
}

} // namespace
