/* Matrix products with a program applied to the result before it is stored.
 *
 * A block makes TILE x TILE of y. Its threads are SLICES groups of 8x8, each thread with 4x4 of the
 * tile; of every step of k, which lies in shared memory, each group takes its share, and at the end
 * the groups' sums are added. So even a product of a few tiles keeps many warps busy.
 */
#include "kernels/launch_product.h"
#include "kernels/program.cuh"

namespace {

enum {
    BLOCK = 256,
    TILE = 32,
    STEP = 32,       /* of k, at a time */
    SIDE = TILE / 4, /* threads of a group, each way */
    GROUP = SIDE * SIDE,
    SLICES = BLOCK / GROUP,
    SHARE = STEP / SLICES,
    LINE = TILE + 4, /* in shared memory: whole vectors, and other banks */
    LOADS = TILE * STEP / BLOCK,
};

struct Args {
    const void *a, *b;
    void *y;
    int m, n, k, y_bf16, with_program, raw_slot, pieces;
    Bound bound;
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

template <class T, bool ALONG_K>
__device__ __forceinline__ void fetch_tile(float (&r)[LOADS], const T *x, int first_line, int lines,
                                           int first_k, int k) {
#pragma unroll
    for (int i = 0; i < LOADS; i++) {
        const Side<ALONG_K> at(int(threadIdx.x) + i * BLOCK);
        const int line = first_line + at.line, step = first_k + at.step;
        const int64_t offset = ALONG_K ? int64_t(line) * k + step : int64_t(step) * lines + line;
        r[i] = line < lines && step < k ? to_float(x[offset]) : 0.0f;
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

__device__ __forceinline__ float finish(const Args &p, float raw, unsigned element) {
    using Program = Interpreter<1, GAN_LAUNCH_SLOTS, BLOCK>;
    if (!p.with_program) return raw;
    Position at = {};
    place<1>(p.bound, 0xffffffffu, element, at);
    Program::slots()[p.raw_slot * BLOCK].v[0] = raw;
    float y[1];
    Program::evaluate(y, p.bound, at, 1);
    return y[0];
}

template <class T, bool A_ALONG_K, bool B_ALONG_K>
__global__ void __launch_bounds__(BLOCK, 2) product_kernel(const __grid_constant__ Args p) {
    GPU_WAIT();
    struct alignas(16) Floats {
        float v[SLICES * TILE * TILE];
    };
    GPU_SHARED(Floats, shared, );
    float *const tile_a = shared.v, *const tile_b = shared.v + STEP * LINE;
    const int thread = int(threadIdx.x) % GROUP, slice = int(threadIdx.x) / GROUP;
    const int row = thread / SIDE * 4, column = thread % SIDE * 4;
    const int first_row = int(blockIdx.y) * TILE, first_column = int(blockIdx.x) * TILE;
    const T *a = static_cast<const T *>(p.a) + int64_t(blockIdx.z) * p.m * p.k;
    const T *b = static_cast<const T *>(p.b) + int64_t(blockIdx.z) * p.k * p.n;
    float sum[4][4] = {}, next_a[LOADS], next_b[LOADS];
    fetch_tile<T, A_ALONG_K>(next_a, a, first_row, p.m, 0, p.k);
    fetch_tile<T, B_ALONG_K>(next_b, b, first_column, p.n, 0, p.k);
    for (int k = 0; k < p.k; k += STEP) {
        __syncthreads(); /* the step before has been used */
        keep_tile<A_ALONG_K>(tile_a, next_a);
        keep_tile<B_ALONG_K>(tile_b, next_b);
        __syncthreads();
        if (k + STEP < p.k) {
            fetch_tile<T, A_ALONG_K>(next_a, a, first_row, p.m, k + STEP, p.k);
            fetch_tile<T, B_ALONG_K>(next_b, b, first_column, p.n, k + STEP, p.k);
        }
#pragma unroll
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
#pragma unroll 1
    for (int at = int(threadIdx.x); at < TILE * TILE * p.pieces; at += BLOCK) {
        const int i = p.pieces == 1 ? at : at / p.pieces;
        const int y_row = first_row + i / TILE, y_column = first_column + i % TILE;
        if (y_row >= p.m || y_column >= p.n) continue;
        float raw = shared.v[i];
#pragma unroll
        for (int s = 1; s < SLICES; s++) raw += shared.v[s * TILE * TILE + i];
        const int64_t element =
            ((int64_t(blockIdx.z) * p.m + y_row) * p.n + y_column) * p.pieces + (at - i * p.pieces);
        const float y[1] = {finish(p, raw, unsigned(element))};
        write(p.y, p.y_bf16, element, y, 1);
    }
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

template <class T>
Kernel choose(bool transpose_a, bool transpose_b) {
    if (transpose_a)
        return transpose_b ? product_kernel<T, false, true> : product_kernel<T, false, false>;
    return transpose_b ? product_kernel<T, true, true> : product_kernel<T, true, false>;
}

} // namespace

extern "C" cudaError_t gan_launch_product(const gan_launch_product_args *l, cudaStream_t stream) {
    if (l->batch == 0 || l->m == 0 || l->n == 0) return cudaSuccess;
    const Args a = {l->a,
                    l->b,
                    l->y,
                    l->m,
                    l->n,
                    l->k,
                    l->y_bf16,
                    l->with_program,
                    l->raw_slot,
                    l->pieces,
                    Bound(l->program, 1)};
    const Kernel kernel = l->bf16 ? choose<__nv_bfloat16>(l->transpose_a, l->transpose_b)
                                  : choose<float>(l->transpose_a, l->transpose_b);
    const dim3 grid(unsigned(ceil_div(l->n, TILE)), unsigned(ceil_div(l->m, TILE)),
                    unsigned(l->batch));
    GPU_LAUNCH(kernel, grid, dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
