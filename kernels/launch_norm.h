#ifndef GANC_KERNELS_LAUNCH_NORM_H
#define GANC_KERNELS_LAUNCH_NORM_H

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/launch_program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Two numbers a channel of x (groups, rows, channels), the rows of each group by themselves. */
typedef struct gan_launch_norm_args {
    int64_t groups, rows, channels;
    const void *x;
    int bf16;        /* x, and dy, are bf16, else f32 */
    float *out;      /* (groups, 2, channels) */
    void *workspace; /* gan_launch_norm_workspace() bytes, a multiple of 16; NULL when that is 0 */
    unsigned *counters; /* GAN_LAUNCH_COUNTERS zeros; NULL: parts are brought together by a second
                           launch */
} gan_launch_norm_args;

/* Bytes of workspace: what blocks of rows contribute. Looks at the shape alone. */
size_t gan_launch_norm_workspace(const gan_launch_norm_args *a);

/* out = the mean and the biased variance; rows >= 1. Means and squared distances of parts are
 * combined (Chan, Golub and LeVeque 1979), so nothing cancels however far the mean is from 0, in an
 * order that depends on the shape alone. One launch; without counters two where there are many
 * rows. */
cudaError_t gan_launch_moments(const gan_launch_norm_args *a, cudaStream_t stream);

/* out = Σ dy and Σ dy·(x - mean)/sqrt(variance + eps); dy is like x, moments (groups, 2, channels).
 */
cudaError_t gan_launch_batch_norm_sums(const gan_launch_norm_args *a, const void *dy,
                                       const float *moments, float eps, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
