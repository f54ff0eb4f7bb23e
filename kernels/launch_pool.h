#ifndef GANC_KERNELS_LAUNCH_POOL_H
#define GANC_KERNELS_LAUNCH_POOL_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Windows of size (size_h, size_w), stride_h and stride_w apart, over images (n, height, width,
 * channels); the first begins `top` rows above and `left` columns before the image. The pooled map
 * is (n, p, q, channels). Both have fewer than 2^31 elements. */
typedef struct gan_launch_pool_args {
    int64_t n, height, width, channels, p, q;
    int size_h, size_w, stride_h, stride_w, top, left;
    int bf16; /* operands and result are bf16, else f32 */
} gan_launch_pool_args;

/* y (n,p,q,c) = the mean over each window of x (n,h,w,c); padding counts as zeros. */
cudaError_t gan_launch_average_pool(void *y, const void *x, const gan_launch_pool_args *a,
                                    cudaStream_t stream);

/* Its adjoint: dx (n,h,w,c) of dy (n,p,q,c). */
cudaError_t gan_launch_average_pool_adjoint(void *dx, const void *dy, const gan_launch_pool_args *a,
                                            cudaStream_t stream);

/* y (n,p,q,c) = from (n,h,w,c) where x (n,h,w,c) has the first maximum of each window; from = x
 * pools. Padding is never a maximum, a NaN is one; a window of padding alone gives 0. */
cudaError_t gan_launch_max_pool(void *y, const void *x, const void *from,
                                const gan_launch_pool_args *a, cudaStream_t stream);

/* Its adjoint: dx (n,h,w,c), each element of dy (n,p,q,c) added where x has the window's first
 * maximum. */
cudaError_t gan_launch_max_pool_adjoint(void *dx, const void *x, const void *dy,
                                        const gan_launch_pool_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
