/* Filters of a convolution together with a mean or with upsampling: fold.cu. */
#ifndef GANC_KERNELS_LAUNCH_FOLD_H
#define GANC_KERNELS_LAUNCH_FOLD_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* out (i,r,s,j) = scale · Σ over a, b in {0,1} of in (i,h,w,j), with `turned` in (j,h,w,i), at
 * h = first_h + step·r + a, w = first_w + step·s + b, where there is such a tap; summed in that
 * order. Both have fewer than 2^31 elements. */
typedef struct gan_launch_fold_args {
    void *out;
    const void *in;
    int32_t i, r, s, j, h, w; /* lengths */
    int32_t first_h, first_w, step, turned;
    float scale;
    int32_t out_bf16, in_bf16; /* else f32 */
} gan_launch_fold_args;

cudaError_t gan_launch_fold(const gan_launch_fold_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
