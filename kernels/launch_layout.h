/* Moving bytes: layout.cu, permute.cu. */
#ifndef GANC_KERNELS_LAUNCH_LAYOUT_H
#define GANC_KERNELS_LAUNCH_LAYOUT_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rows of bytes: each of the result is `before` zeros, `width` bytes of x, `after` zeros. Rows
 * begin `to_pitch` bytes apart in y (what lies beyond before + width + after is left alone),
 * `from_pitch` apart in x. */
typedef struct gan_launch_rows_args {
    void *to;
    const void *from;
    int64_t rows, before, width, after;
    int64_t to_pitch, from_pitch;
} gan_launch_rows_args;

cudaError_t gan_launch_rows(const gan_launch_rows_args *a, cudaStream_t stream);

/* y (n, to_h, to_w, pixel) from x (n, from_h, from_w, pixel): y[n,i,j] = x[n, i - top, j - left],
 * zeros where x has no such pixel. Pads an image with top, left >= 0, cuts one out with top, left
 * <= 0. pixel: bytes. */
typedef struct gan_launch_frame_args {
    void *to;
    const void *from;
    int64_t n, to_h, to_w, from_h, from_w, pixel;
    int64_t top, left;
} gan_launch_frame_args;

cudaError_t gan_launch_frame(const gan_launch_frame_args *a, cudaStream_t stream);

/* y[i0, i1, …] = x[Σ i·stride], elements of `bytes` (1, 2, 4 or 8). y is dense, axis rank-1 its
 * innermost; exactly one axis of a length above 1 has stride 1 (the innermost one of x). Lengths
 * are at least 1. */
enum { GAN_LAUNCH_PERMUTE_AXES = 6 };
typedef struct gan_launch_permute_args {
    void *to;
    const void *from;
    int rank, bytes;
    int64_t length[GAN_LAUNCH_PERMUTE_AXES], stride[GAN_LAUNCH_PERMUTE_AXES];
} gan_launch_permute_args;

cudaError_t gan_launch_permute(const gan_launch_permute_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
