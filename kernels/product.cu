/* Matrix products with a program applied to the result before it is stored, in f32.
 *
 * A block makes TILE x TILE of y. Its threads are SLICES groups of 8x8, each thread with 4x4 of the
 * tile; of every step of k, which lies in shared memory, each group takes its share, and at the end
 * the groups' sums are added. So even a product of a few tiles keeps many warps busy.
 */
#include "kernels/product.cuh"

namespace {

enum {
    BLOCK = PRODUCT_BLOCK,
    TILE = PRODUCT_TILE,
    STEP = 64,       /* of k, at a time: as long as memory takes for the next */
    SIDE = TILE / 4, /* threads of a group, each way */
    GROUP = SIDE * SIDE,
    SLICES = BLOCK / GROUP,
    SHARE = STEP / SLICES,
    LINE = TILE + 4, /* in shared memory: whole vectors, and other banks */
    LOADS = TILE * STEP / BLOCK,
    TILES = 2 * STEP * LINE, /* what is in shared memory, one after the other */
    SUMS = SLICES * TILE * TILE
};

/* op(x) as rows of k numbers, the rows being those of a or the columns of b. Element i of the
 * TILE·STEP that a block takes, neighbours of memory to neighbours of a warp. */
template <bool ALONG_K>
struct Side {
    int line, step; // within the tile, within the step of k

    __device__ __forceinline__ explicit Side(int i) {
        line = ALONG_K ? i / STEP : i % TILE;
        step = ALONG_K ? i % STEP : i / TILE;
    }
};

template <bool ALONG_K>
__device__ __forceinline__ void fetch_tile(float (&r)[LOADS], const float *x, int first_line,
                                           int lines, int first_k, int k) {
#pragma unroll
    for (int i = 0; i < LOADS; i++) {
        const Side<ALONG_K> at(int(threadIdx.x) + i * BLOCK);
        const int line = first_line + at.line, step = first_k + at.step;
        const int64_t offset = ALONG_K ? int64_t(line) * k + step : int64_t(step) * lines + line;
        r[i] = line < lines && step < k ? x[offset] : 0.0f;
    }
}

template <bool ALONG_K>
__device__ __forceinline__ void keep_tile(float *shared, const float (&r)[LOADS]) {
#pragma unroll
    for (int i = 0; i < LOADS; i++) {
        const Side<ALONG_K> at(int(threadIdx.x) + i * BLOCK);
        shared[at.step * LINE + at.line] = r[i];
    }
}

__device__ __forceinline__ void multiply(float (&sum)[4][4], const float *a, const float *b) {
    float x[4], y[4];
    load_floats(x, a);
    load_floats(y, b);
#pragma unroll
    for (int i = 0; i < 4; i++)
#pragma unroll
        for (int j = 0; j < 4; j++) sum[i][j] = fmaf(x[i], y[j], sum[i][j]);
}

template <bool A_ALONG_K, bool B_ALONG_K>
__global__ void __launch_bounds__(BLOCK, 2) product_kernel(const __grid_constant__ Product p) {
    GPU_WAIT();
    struct alignas(16) Floats {
        float v[TILES > SUMS ? TILES : SUMS];
    };
    GPU_SHARED(Floats, shared, );
    float *const tile_a = shared.v, *const tile_b = shared.v + STEP * LINE;
    const int thread = int(threadIdx.x) % GROUP, slice = int(threadIdx.x) / GROUP;
    const int row = thread / SIDE * 4, column = thread % SIDE * 4;
    const ProductTile at = product_tile();
    const float *a = static_cast<const float *>(p.a) + int64_t(at.batch) * p.m * p.k;
    const float *b = static_cast<const float *>(p.b) + int64_t(at.batch) * p.k * p.n;
    float sum[4][4] = {}, next_a[LOADS], next_b[LOADS];
    fetch_tile<A_ALONG_K>(next_a, a, at.row, p.m, 0, p.k);
    fetch_tile<B_ALONG_K>(next_b, b, at.column, p.n, 0, p.k);
    for (int k = 0; k < p.k; k += STEP) {
        __syncthreads(); /* the step before has been used */
        keep_tile<A_ALONG_K>(tile_a, next_a);
        keep_tile<B_ALONG_K>(tile_b, next_b);
        __syncthreads();
        if (k + STEP < p.k) {
            fetch_tile<A_ALONG_K>(next_a, a, at.row, p.m, k + STEP, p.k);
            fetch_tile<B_ALONG_K>(next_b, b, at.column, p.n, k + STEP, p.k);
        }
#pragma unroll 8 /* of more of them the compiler would spill registers */
        for (int i = 0; i < SHARE; i++) {
            const int line = (slice * SHARE + i) * LINE;
            multiply(sum, tile_a + line + row, tile_b + line + column);
        }
    }
    __syncthreads();
#pragma unroll
    for (int i = 0; i < 4; i++)
        store_floats(shared.v + (slice * TILE + row + i) * TILE + column, sum[i]);
    __syncthreads();
    finish_product<SLICES>(p, shared.v, at);
}

/* ---- launchers ---- */

using Kernel = void (*)(const Product);

Kernel choose(bool transpose_a, bool transpose_b) {
    if (transpose_a)
        return transpose_b ? product_kernel<false, true> : product_kernel<false, false>;
    return transpose_b ? product_kernel<true, true> : product_kernel<true, false>;
}

} // namespace

extern "C" int gan_launch_product_is_known(const gan_launch_product_args *l) {
    return way_of(l, following(l)) != ONE_BY_ONE;
}

extern "C" cudaError_t gan_launch_product(const gan_launch_product_args *l, cudaStream_t stream) {
    if (l->batch == 0 || l->m == 0 || l->n == 0) return cudaSuccess;
    if (l->bf16) return gan_launch_product_half(l, stream);
    GPU_LAUNCH(choose(l->transpose_a, l->transpose_b), product_grid(l), dim3(BLOCK), stream,
               product_of(l));
    return cudaGetLastError();
}
