#ifndef GANC_KERNELS_LAUNCH_GATHER_H
#define GANC_KERNELS_LAUNCH_GATHER_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* y[i] = table[index[i]], m rows of `bytes` bytes; zeros where the index is not one of the table's
 * `rows`. */
cudaError_t gan_launch_gather(void *y, const void *table, const int32_t *index, int64_t m,
                              int64_t rows, int64_t bytes, cudaStream_t stream);

/* y (rows, n): y[r] = Σ x[i] over the i with index[i] == r, in the order of i; x (m, n). Both are
 * bf16, or f32. */
cudaError_t gan_launch_scatter_add(void *y, const void *x, int bf16, const int32_t *index,
                                   int64_t m, int64_t rows, int64_t n, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
