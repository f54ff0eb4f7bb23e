/* Rows by index, and the adjoint. */
#include "kernels/common.cuh"
#include "kernels/launch_gather.h"

namespace {

enum { GATHER_BLOCK = 256, SCATTER_BLOCK = 128 };

// y is (m, row) units of W, table (rows, row)
template <class W>
__global__ void __launch_bounds__(GATHER_BLOCK)
    gather_kernel(W *y, const W *table, const int32_t *index, unsigned n, int64_t rows,
                  Divisor by_row) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * GATHER_BLOCK + threadIdx.x;
    if (i >= n) return;
    const unsigned line = by_row.divide(i), at = i - line * by_row.by;
    const int64_t row = index[line];
    W value = {};
    if (row >= 0 && row < rows) value = table[row * by_row.by + at];
    y[i] = value;
}

// y is (rows, n), x (m, n): a block a row of y and a piece of its columns
template <class T, int V>
__global__ void __launch_bounds__(SCATTER_BLOCK)
    scatter_add_kernel(T *y, const T *x, const int32_t *index, int64_t m, int64_t n,
                       Divisor by_pieces) {
    GPU_WAIT();
    GPU_SHARED(int64_t,
               found, [SCATTER_BLOCK]); // which of the indices looked at are this row's, in order
    GPU_SHARED(unsigned, in_warp, [SCATTER_BLOCK / 32]);
    const unsigned row = by_pieces.divide(blockIdx.x), piece = blockIdx.x - row * by_pieces.by;
    const int64_t column = (int64_t(piece) * SCATTER_BLOCK + threadIdx.x) * V;
    const unsigned lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    float sum[V] = {};
    for (int64_t first = 0; first < m; first += SCATTER_BLOCK) {
        const int64_t i = first + threadIdx.x;
        const bool hit = i < m && index[i] == int32_t(row);
        const unsigned hits = __ballot_sync(0xffffffffu, hit);
        __syncthreads(); // found is still read
        if (lane == 0) in_warp[warp] = unsigned(__popc(hits));
        __syncthreads();
        unsigned before = unsigned(__popc(hits & ((1u << lane) - 1u))), total = 0;
        for (unsigned w = 0; w < SCATTER_BLOCK / 32; w++) {
            if (w < warp) before += in_warp[w];
            total += in_warp[w];
        }
        if (hit) found[before] = i;
        __syncthreads();
        if (column >= n) continue;
        for (unsigned k = 0; k < total; k++) {
            float value[V];
            load_floats(value, x + found[k] * n + column);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += value[j];
        }
    }
    if (column < n) store_floats(y + int64_t(row) * n + column, sum);
}

/* ---- launchers ---- */

template <class W>
cudaError_t gather(void *y, const void *table, const int32_t *index, int64_t m, int64_t rows,
                   int64_t bytes, cudaStream_t stream) {
    const int64_t row = bytes / int64_t(sizeof(W)), n = m * row;
    if (n > INT32_MAX) return cudaErrorInvalidValue;
    GPU_LAUNCH((gather_kernel<W>), grid_for(n, GATHER_BLOCK), dim3(GATHER_BLOCK), stream,
               static_cast<W *>(y), static_cast<const W *>(table), index, unsigned(n), rows,
               Divisor(row));
    return cudaGetLastError();
}

template <int V, class T>
cudaError_t scatter_add(T *y, const T *x, const int32_t *index, int64_t m, int64_t rows, int64_t n,
                        cudaStream_t stream) {
    const int64_t pieces = ceil_div(n, int64_t(SCATTER_BLOCK) * V);
    if (rows > INT32_MAX / pieces) return cudaErrorInvalidValue;
    GPU_LAUNCH((scatter_add_kernel<T, V>), grid_for(rows * pieces, 1), dim3(SCATTER_BLOCK), stream,
               y, x, index, m, n, Divisor(pieces));
    return cudaGetLastError();
}

/* 128 bits to a thread where operands are aligned. */
template <class T>
cudaError_t scatter_add_of(T *y, const T *x, const int32_t *index, int64_t m, int64_t rows,
                           int64_t n, cudaStream_t stream) {
    constexpr int bytes = int(sizeof(T)), v = 16 / bytes;
    if (vector_width(y, n, bytes, v) == v && vector_width(x, n, bytes, v) == v)
        return scatter_add<v>(y, x, index, m, rows, n, stream);
    return scatter_add<1>(y, x, index, m, rows, n, stream);
}

} // namespace

extern "C" cudaError_t gan_launch_gather(void *y, const void *table, const int32_t *index,
                                         int64_t m, int64_t rows, int64_t bytes,
                                         cudaStream_t stream) {
    if (m == 0 || bytes == 0) return cudaSuccess;
    const int a = vector_width(y, bytes, 1, 16), b = vector_width(table, bytes, 1, 16);
    switch (a < b ? a : b) {
    case 16:
        return gather<uint4>(y, table, index, m, rows, bytes, stream);
    case 8:
        return gather<uint2>(y, table, index, m, rows, bytes, stream);
    case 4:
        return gather<unsigned>(y, table, index, m, rows, bytes, stream);
    case 2:
        return gather<unsigned short>(y, table, index, m, rows, bytes, stream);
    default:
        return gather<unsigned char>(y, table, index, m, rows, bytes, stream);
    }
}

extern "C" cudaError_t gan_launch_scatter_add(void *y, const void *x, int bf16,
                                              const int32_t *index, int64_t m, int64_t rows,
                                              int64_t n, cudaStream_t stream) {
    if (rows == 0 || n == 0) return cudaSuccess;
    if (bf16)
        return scatter_add_of(static_cast<__nv_bfloat16 *>(y),
                              static_cast<const __nv_bfloat16 *>(x), index, m, rows, n, stream);
    return scatter_add_of(static_cast<float *>(y), static_cast<const float *>(x), index, m, rows, n,
                          stream);
}
