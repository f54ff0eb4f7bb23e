/* Matrix products of bfloat16 with a program applied to the result before it is stored, on tensor
 * cores.
 *
 * A block makes TILE x TILE of y, a warp 16 x 16 of that for one of SLICES shares of every step of
 * k; at the end the shares' sums are added. What two steps need is on its way from memory while the
 * one before them is computed: such products are small, and their time is that of waiting.
 */
#include "kernels/product.cuh"

namespace {

enum {
    BLOCK = PRODUCT_BLOCK,
    TILE = PRODUCT_TILE,
    STEP = 128, /* of k, at a time */
    SLICES = BLOCK / 32 / 4,
    SHARE = STEP / SLICES,
    WIDE = 8, /* elements that a thread reads at once */
    LOADS = TILE * STEP / WIDE / BLOCK,
    LINE = (STEP + 8) / 2, /* words of a row in shared memory: whole vectors, other banks */
    PAIRS = TILE / WIDE    /* vectors of a step's row, where rows go along k */
};

using Half = __nv_bfloat16;
using Vector = Vec<Half, WIDE>;

struct alignas(16) Rows {
    unsigned v[TILE * LINE]; /* (TILE, STEP) elements, two a word */
};

/* `count` elements from p on, at least one, zeros behind them; p and what is left of its row are
 * multiples of `wide`. */
__device__ __forceinline__ Vector load_some(const Half *p, int count, int wide) {
    Vector r = {};
    if (wide == WIDE) return load<WIDE>(p);
#pragma unroll
    for (int i = 0; i < WIDE; i += 4) {
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
    int first, lines, k, wide;

    __device__ __forceinline__ void fetch(Vector (&r)[LOADS], int from) const {
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            int line, step, left;
            if (ALONG_K) {
                const int at = int(threadIdx.x) + i * BLOCK;
                line = first + at / (STEP / WIDE), step = from + at % (STEP / WIDE) * WIDE;
                left = line < lines ? k - step : 0;
            } else {
                line = first + int(threadIdx.x) % PAIRS * WIDE;
                step = from + int(threadIdx.x) / PAIRS * LOADS + i;
                left = step < k ? lines - line : 0;
            }
            const int64_t offset =
                ALONG_K ? int64_t(line) * k + step : int64_t(step) * lines + line;
            r[i] = left > 0 ? load_some(x + offset, left, wide) : Vector{};
        }
    }

    static __device__ __forceinline__ void keep(Rows &rows, const Vector (&r)[LOADS]) {
        if (ALONG_K) {
#pragma unroll
            for (int i = 0; i < LOADS; i++) {
                const int at = int(threadIdx.x) + i * BLOCK;
                store(reinterpret_cast<Half *>(rows.v + at / (STEP / WIDE) * LINE) +
                          at % (STEP / WIDE) * WIDE,
                      r[i]);
            }
        } else {
            const int line = int(threadIdx.x) % PAIRS * WIDE, word = int(threadIdx.x) / PAIRS;
#pragma unroll
            for (int e = 0; e < WIDE; e++)
                rows.v[(line + e) * LINE + word] = pair_of(r[0].v[e], r[1].v[e]);
        }
    }
};
static_assert(LOADS == 2 && PAIRS * STEP / 2 == BLOCK, "two rows of k a thread, and two vectors");

/* The warp's 16 x 16 of y and its share of a step of k. */
struct Share {
    int row, column, word; /* within the tile; where its k begins */

    __device__ __forceinline__ Share() {
        const int warp = int(threadIdx.x) / 32;
        row = warp % 2 * 16;
        column = warp / 2 % 2 * 16;
        word = warp / 4 * (SHARE / 2);
    }
    __device__ __forceinline__ void multiply(float (&sum)[2][4], const Rows &a,
                                             const Rows &b) const {
        const int lane = int(threadIdx.x) % 32, line = lane / 4, at = word + lane % 4;
        const unsigned *x = a.v + (row + line) * LINE + at, *y = b.v + (column + line) * LINE + at;
#pragma unroll
        for (int k = 0; k < SHARE / 2; k += 8) {
            const unsigned left[4] = {x[k], x[8 * LINE + k], x[k + 4], x[8 * LINE + k + 4]};
#pragma unroll
            for (int j = 0; j < 2; j++) {
                const unsigned right[2] = {y[8 * j * LINE + k], y[8 * j * LINE + k + 4]};
                GPU_MULTIPLY_ADD(sum[j], left, right);
            }
        }
    }
    /* sums: (TILE, TILE) */
    __device__ __forceinline__ void leave(float *sums, const float (&sum)[2][4]) const {
        const int lane = int(threadIdx.x) % 32;
        float *to = sums + (row + lane / 4) * TILE + column + lane % 4 * 2;
#pragma unroll
        for (int j = 0; j < 2; j++)
#pragma unroll
            for (int half = 0; half < 2; half++)
                store(to + 8 * half * TILE + 8 * j,
                      Vec<float, 2>{{sum[j][2 * half], sum[j][2 * half + 1]}});
    }
};

template <bool A_ALONG_K, bool B_ALONG_K>
__global__ void __launch_bounds__(BLOCK, 2) half_kernel(const __grid_constant__ Product p) {
    GPU_WAIT();
    struct alignas(16) Sums {
        float v[SLICES][TILE * TILE];
    };
    GPU_SHARED(Rows, rows_a, );
    GPU_SHARED(Rows, rows_b, );
    GPU_SHARED(Sums, sums, );
    const int first_row = int(blockIdx.y) * TILE, first_column = int(blockIdx.x) * TILE;
    const int64_t size_a = int64_t(p.m) * p.k, size_b = int64_t(p.k) * p.n;
    const Operand<A_ALONG_K> a = {static_cast<const Half *>(p.a) + blockIdx.z * size_a, first_row,
                                  p.m, p.k, p.wide_a};
    const Operand<B_ALONG_K> b = {static_cast<const Half *>(p.b) + blockIdx.z * size_b,
                                  first_column, p.n, p.k, p.wide_b};
    const Share share;
    float sum[2][4] = {};
    Vector of_a[2][LOADS], of_b[2][LOADS];
#pragma unroll
    for (int ahead = 0; ahead < 2; ahead++) {
        a.fetch(of_a[ahead], ahead * STEP);
        b.fetch(of_b[ahead], ahead * STEP);
    }
    for (int k = 0; k < p.k; k += 2 * STEP) {
#pragma unroll
        for (int i = 0; i < 2; i++) {
            __syncthreads(); /* the step before has been used */
            a.keep(rows_a, of_a[i]);
            b.keep(rows_b, of_b[i]);
            __syncthreads();
            a.fetch(of_a[i], k + (i + 2) * STEP);
            b.fetch(of_b[i], k + (i + 2) * STEP);
            share.multiply(sum, rows_a, rows_b);
        }
    }
    share.leave(sums.v[int(threadIdx.x) / 128], sum);
    __syncthreads();
    finish_product<SLICES>(p, sums.v[0], first_row, first_column);
}

/* ---- launchers ---- */

using Kernel = void (*)(const Product);

Kernel choose(bool transpose_a, bool transpose_b) {
    if (transpose_a) return transpose_b ? half_kernel<false, true> : half_kernel<false, false>;
    return transpose_b ? half_kernel<true, true> : half_kernel<true, false>;
}

} // namespace

extern "C" cudaError_t gan_launch_product_half(const gan_launch_product_args *l,
                                               cudaStream_t stream) {
    if (l->batch == 0 || l->m == 0 || l->n == 0) return cudaSuccess;
    GPU_LAUNCH(choose(l->transpose_a, l->transpose_b), product_grid(l), dim3(BLOCK), stream,
               product_of(l));
    return cudaGetLastError();
}
