/* Spectral normalisation's power iteration: two products with a matrix, each followed by a division
 * by the norm of what came out. The norm needs all of a product, hence a launch of one block after
 * each. */
#include "kernels/common.cuh"
#include "kernels/launch_power.h"

namespace {

enum { BLOCK = 256, LANES = 32, STRIPES = BLOCK / LANES, ROW_BLOCK = 128, NORM_BLOCK = 1024 };

/* ---- kernels ---- */

/* partial (chunks, columns) = the sums of u[r]·w[r] over the rows of each chunk. Blocks x: tiles of
 * columns, blocks y: chunks. */
template <int V>
__global__ void __launch_bounds__(BLOCK)
    columns_kernel(float *partial, const float *u, const float *w, int64_t rows, int64_t columns,
                   int64_t chunk) {
    GPU_WAIT();
    GPU_SHARED(float, sums, [V][STRIPES][LANES]);
    const int lane = int(threadIdx.x) % LANES, stripe = int(threadIdx.x) / LANES;
    const int64_t c = (int64_t(blockIdx.x) * LANES + lane) * V, begin = blockIdx.y * chunk;
    const int64_t end = begin + chunk < rows ? begin + chunk : rows;
    float sum[V] = {};
    if (c < columns) {
#pragma unroll 4
        for (int64_t r = begin + stripe; r < end; r += STRIPES) {
            float x[V];
            load_floats(x, w + r * columns + c);
#pragma unroll
            for (int k = 0; k < V; k++) sum[k] += u[r] * x[k];
        }
    }
#pragma unroll
    for (int k = 0; k < V; k++) sums[k][stripe][lane] = sum[k];
    __syncthreads();
    if (stripe != 0 || c >= columns) return;
#pragma unroll
    for (int k = 0; k < V; k++)
#pragma unroll
        for (int s = 1; s < STRIPES; s++) sum[k] += sums[k][s][lane];
    store_floats(partial + int64_t(blockIdx.y) * columns + c, sum);
}

/* One block: x (n) = s / max(‖s‖, eps), where s is the sum of partial (chunks, n) over the chunks;
 * partial may be x. */
__global__ void __launch_bounds__(NORM_BLOCK)
    normalise_kernel(float *x, const float *partial, int chunks, int64_t n, float eps) {
    GPU_WAIT();
    float squares = 0.0f;
    for (int64_t i = threadIdx.x; i < n; i += NORM_BLOCK) {
        float s = partial[i];
        for (int k = 1; k < chunks; k++) s += partial[k * n + i];
        x[i] = s;
        squares += s * s;
    }
    const float norm = sqrtf(block_reduce<NORM_BLOCK>(squares, Sum()));
    const float factor = 1.0f / (norm > eps ? norm : eps);
    for (int64_t i = threadIdx.x; i < n; i += NORM_BLOCK) x[i] *= factor; // each thread its own
}

/* u[block] = w[block] · v; w is (rows, columns) */
template <int V>
__global__ void __launch_bounds__(ROW_BLOCK)
    rows_kernel(float *u, const float *w, const float *v, int64_t columns) {
    GPU_WAIT();
    const float *row = w + blockIdx.x * columns;
    float sum = 0.0f;
    for (int64_t c = int64_t(threadIdx.x) * V; c < columns; c += ROW_BLOCK * V) {
        float x[V], y[V];
        load_floats(x, row + c);
        load_floats(y, v + c);
#pragma unroll
        for (int k = 0; k < V; k++) sum += x[k] * y[k];
    }
    sum = block_reduce<ROW_BLOCK>(sum, Sum());
    if (threadIdx.x == 0) u[blockIdx.x] = sum;
}

/* ---- launchers ---- */

/* Rows to a chunk, so that there are blocks enough, but not too many parts for one block to add up.
 */
int64_t chunk_of(const gan_launch_power_args *a) {
    enum { BLOCKS = 256, MOST = 32, LEAST = 4 * STRIPES };
    const int64_t tiles = ceil_div(a->columns, LANES * (a->columns % 4 == 0 ? 4 : 1));
    int64_t chunks = ceil_div(BLOCKS, tiles);
    if (chunks > MOST) chunks = MOST;
    if (chunks > ceil_div(a->rows, LEAST)) chunks = ceil_div(a->rows, LEAST);
    return ceil_div(a->rows, chunks);
}

} // namespace

extern "C" size_t gan_launch_power_workspace(const gan_launch_power_args *a) {
    if (a->rows == 0 || a->columns == 0) return 0;
    return sizeof(float) * size_t(ceil_div(a->rows, chunk_of(a)) * a->columns);
}

#define LAUNCH_TRY(...)                                                                            \
    do {                                                                                           \
        __VA_ARGS__;                                                                               \
        const cudaError_t error_ = cudaGetLastError();                                             \
        if (error_ != cudaSuccess) return error_;                                                  \
    } while (0)

extern "C" cudaError_t gan_launch_power_iteration(const gan_launch_power_args *a,
                                                  cudaStream_t stream) {
    if (a->rows == 0 || a->columns == 0) return cudaSuccess;
    float *partial = static_cast<float *>(a->workspace);
    const float eps = float(a->eps);
    const int64_t chunk = chunk_of(a), chunks = ceil_div(a->rows, chunk);
    const bool fours =
        vector_width(a->w, a->columns, 4, 4) == 4 && vector_width(a->v, a->columns, 4, 4) == 4;
    const dim3 grid(unsigned(ceil_div(a->columns, LANES * (fours ? 4 : 1))), unsigned(chunks));
    if (fours)
        LAUNCH_TRY(GPU_LAUNCH(columns_kernel<4>, grid, dim3(BLOCK), stream, partial, a->u, a->w,
                              a->rows, a->columns, chunk));
    else
        LAUNCH_TRY(GPU_LAUNCH(columns_kernel<1>, grid, dim3(BLOCK), stream, partial, a->u, a->w,
                              a->rows, a->columns, chunk));
    LAUNCH_TRY(GPU_LAUNCH(normalise_kernel, dim3(1), dim3(NORM_BLOCK), stream, a->v, partial,
                          int(chunks), a->columns, eps));
    const dim3 rows(unsigned(a->rows));
    if (fours)
        LAUNCH_TRY(GPU_LAUNCH(rows_kernel<4>, rows, dim3(ROW_BLOCK), stream, a->u, a->w, a->v,
                              a->columns));
    else
        LAUNCH_TRY(GPU_LAUNCH(rows_kernel<1>, rows, dim3(ROW_BLOCK), stream, a->u, a->w, a->v,
                              a->columns));
    LAUNCH_TRY(GPU_LAUNCH(normalise_kernel, dim3(1), dim3(NORM_BLOCK), stream, a->u, a->u, 1,
                          a->rows, eps));
    return cudaSuccess;
}
