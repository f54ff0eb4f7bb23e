/* Tiles of products of bfloat16, on tensor cores.
 *
 * PRODUCT_BLOCK threads make PRODUCT_TILE x PRODUCT_TILE of y, a warp 16 x 16 of that for one of
 * HALF_SLICES shares of every step of k; at the end the shares' sums are added. What two steps need
 * is on its way from memory while the one before them is computed: such products are small, and
 * their time is that of waiting.
 */
#pragma once
#include "kernels/product.cuh"

namespace {

enum {
    HALF_STEP = 128, /* of k, at a time */
    HALF_SLICES = PRODUCT_BLOCK / 32 / 4,
    HALF_SHARE = HALF_STEP / HALF_SLICES,
    HALF_WIDE = 8, /* elements that a thread reads at once */
    HALF_LOADS = PRODUCT_TILE * HALF_STEP / HALF_WIDE / PRODUCT_BLOCK,
    HALF_LINE =
        (HALF_STEP + 8) / 2, /* words of a row in shared memory: whole vectors, other banks */
    HALF_PAIRS = PRODUCT_TILE / HALF_WIDE /* vectors of a step's row, where rows go along k */
};

using Half = __nv_bfloat16;
using Vector = Vec<Half, HALF_WIDE>;

struct alignas(16) Rows {
    unsigned v[PRODUCT_TILE * HALF_LINE]; /* (PRODUCT_TILE, HALF_STEP) elements, two a word */
};

/* Shared memory of a tile's threads: the operands' rows, and in their place at last the sums. */
struct HalfRoom {
    Rows a, b;

    __device__ __forceinline__ float *sums() { return reinterpret_cast<float *>(this); }
};
static_assert(sizeof(HalfRoom) >= sizeof(float) * HALF_SLICES * PRODUCT_TILE * PRODUCT_TILE,
              "the sums fit");

/* `count` elements from p on, at least one, zeros behind them; p and what is left of its row are
 * multiples of `wide`. */
__device__ __forceinline__ Vector load_some(const Half *p, int count, int wide) {
    Vector r = {};
    if (wide == HALF_WIDE) return load<HALF_WIDE>(p);
#pragma unroll
    for (int i = 0; i < HALF_WIDE; i += 4) {
        if (i + 4 <= count && wide >= 4) {
            const Vec<Half, 4> part = load<4>(p + i);
#pragma unroll
            for (int k = 0; k < 4; k++) r.v[i + k] = part.v[k];
        } else {
#pragma unroll
            for (int k = i; k < i + 4; k++)
                if (k < count) r.v[k] = p[k];
        }
    }
    return r;
}

__device__ __forceinline__ unsigned pair_of(Half low, Half high) {
    Vec<Half, 2> pair;
    unsigned word;
    pair.v[0] = low, pair.v[1] = high;
    memcpy(&word, &pair, sizeof word);
    return word;
}

/* op(x) as rows of k numbers, the rows being those of a or the columns of b: in memory they go
 * along k, or k goes along them. */
template <bool ALONG_K>
struct Operand {
    const Half *x;
    int first, lines, k, wide, thread;

    __device__ __forceinline__ void fetch(Vector (&r)[HALF_LOADS], int from) const {
#pragma unroll
        for (int i = 0; i < HALF_LOADS; i++) {
            int line, step, left;
            if (ALONG_K) {
                const int at = thread + i * PRODUCT_BLOCK;
                line = first + at / (HALF_STEP / HALF_WIDE),
                step = from + at % (HALF_STEP / HALF_WIDE) * HALF_WIDE;
                left = line < lines ? k - step : 0;
            } else {
                line = first + thread % HALF_PAIRS * HALF_WIDE;
                step = from + thread / HALF_PAIRS * HALF_LOADS + i;
                left = step < k ? lines - line : 0;
            }
            const int64_t offset =
                ALONG_K ? int64_t(line) * k + step : int64_t(step) * lines + line;
            r[i] = left > 0 ? load_some(x + offset, left, wide) : Vector{};
        }
    }

    __device__ __forceinline__ void keep(Rows &rows, const Vector (&r)[HALF_LOADS]) const {
        if (ALONG_K) {
#pragma unroll
            for (int i = 0; i < HALF_LOADS; i++) {
                const int at = thread + i * PRODUCT_BLOCK;
                store(reinterpret_cast<Half *>(rows.v + at / (HALF_STEP / HALF_WIDE) * HALF_LINE) +
                          at % (HALF_STEP / HALF_WIDE) * HALF_WIDE,
                      r[i]);
            }
        } else {
            const int line = thread % HALF_PAIRS * HALF_WIDE, word = thread / HALF_PAIRS;
#pragma unroll
            for (int e = 0; e < HALF_WIDE; e++)
                rows.v[(line + e) * HALF_LINE + word] = pair_of(r[0].v[e], r[1].v[e]);
        }
    }
};
static_assert(HALF_LOADS == 2 && HALF_PAIRS * HALF_STEP / 2 == PRODUCT_BLOCK,
              "two rows of k a thread, and two vectors");

/* The warp's 16 x 16 of y and its share of a step of k. */
struct HalfShare {
    int thread, row, column, word; /* within the tile; where its k begins */

    __device__ __forceinline__ explicit HalfShare(int thread) : thread(thread) {
        const int warp = thread / 32;
        row = warp % 2 * 16;
        column = warp / 2 % 2 * 16;
        word = warp / 4 * (HALF_SHARE / 2);
    }
    __device__ __forceinline__ void multiply(float (&sum)[2][4], const Rows &a,
                                             const Rows &b) const {
        const int lane = thread % 32, line = lane / 4, at = word + lane % 4;
        const unsigned *x = a.v + (row + line) * HALF_LINE + at,
                       *y = b.v + (column + line) * HALF_LINE + at;
#pragma unroll
        for (int k = 0; k < HALF_SHARE / 2; k += 8) {
            const unsigned left[4] = {x[k], x[8 * HALF_LINE + k], x[k + 4],
                                      x[8 * HALF_LINE + k + 4]};
#pragma unroll
            for (int j = 0; j < 2; j++) {
                const unsigned right[2] = {y[8 * j * HALF_LINE + k], y[8 * j * HALF_LINE + k + 4]};
                GPU_MULTIPLY_ADD(sum[j], left, right);
            }
        }
    }
    /* sums: (PRODUCT_TILE, PRODUCT_TILE) */
    __device__ __forceinline__ void leave(float *sums, const float (&sum)[2][4]) const {
        const int lane = thread % 32;
        float *to = sums + (row + lane / 4) * PRODUCT_TILE + column + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < 2; j++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                store(to + 8 * half * PRODUCT_TILE + 8 * j,
                      Vec<float, 2>{{sum[j][2 * half], sum[j][2 * half + 1]}});
    }
};

/* A tile of y, AHEAD steps on their way. Threads of other tiles take part, with as large a k. */
template <bool A_ALONG_K, bool B_ALONG_K, int AHEAD, class PRODUCT>
__device__ __forceinline__ void half_tile(const PRODUCT &p, const ProductTile &t, HalfRoom &room) {
    const int64_t size_a = int64_t(p.m) * p.k, size_b = int64_t(p.k) * p.n;
    const Operand<A_ALONG_K> a = {
        static_cast<const Half *>(p.a) + t.batch * size_a, t.row, p.m, p.k, p.wide_a, t.thread};
    const Operand<B_ALONG_K> b = {
        static_cast<const Half *>(p.b) + t.batch * size_b, t.column, p.n, p.k, p.wide_b, t.thread};
    const HalfShare share(t.thread);
    float sum[2][4] = {};
    Vector of_a[AHEAD][HALF_LOADS], of_b[AHEAD][HALF_LOADS];
#pragma unroll
    for (int ahead = 0; ahead < AHEAD; ahead++) {
        a.fetch(of_a[ahead], ahead * HALF_STEP);
        b.fetch(of_b[ahead], ahead * HALF_STEP);
    }
    for (int k = 0; k < p.k; k += AHEAD * HALF_STEP) {
#pragma unroll
        for (int i = 0; i < AHEAD; i++) {
            if (i > 0 && k + i * HALF_STEP >= p.k) break;
            __syncthreads(); /* the step before has been used */
            a.keep(room.a, of_a[i]);
            b.keep(room.b, of_b[i]);
            __syncthreads();
            a.fetch(of_a[i], k + (i + AHEAD) * HALF_STEP);
            b.fetch(of_b[i], k + (i + AHEAD) * HALF_STEP);
            share.multiply(sum, room.a, room.b);
        }
    }
    __syncthreads(); /* the last step has been used */
    share.leave(room.sums() + t.thread / 128 * PRODUCT_TILE * PRODUCT_TILE, sum);
    __syncthreads();
    finish_product<HALF_SLICES>(p, room.sums(), t);
}

} // namespace
