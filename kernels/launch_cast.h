#ifndef GANC_KERNELS_LAUNCH_CAST_H
#define GANC_KERNELS_LAUNCH_CAST_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Element types, in the order of the library's own. */
typedef enum gan_launch_type {
    GAN_LAUNCH_F32,
    GAN_LAUNCH_BF16,
    GAN_LAUNCH_I32,
    GAN_LAUNCH_I64,
    GAN_LAUNCH_U8,
} gan_launch_type;

/* y[i] = x[i] for n elements; y is F32 or BF16, rounded to nearest even. */
cudaError_t gan_launch_cast(void *y, gan_launch_type y_type, const void *x, gan_launch_type x_type,
                            int64_t n, cudaStream_t stream);

/* y (m, classes) = 1 where the column is index[row], else 0; indices outside 0..classes-1 give
 * zeros. */
cudaError_t gan_launch_one_hot(float *y, const int32_t *index, int64_t m, int64_t classes,
                               cudaStream_t stream);

/* y[i] = value for n elements of F32 or BF16. */
cudaError_t gan_launch_fill(void *y, gan_launch_type type, float value, int64_t n,
                            cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
