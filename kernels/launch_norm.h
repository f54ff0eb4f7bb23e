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
    int bf16;      /* x, and dy, are bf16, else f32 */
    int operands;  /* how many values like x are moved before it is read again: 1, or 2 with dy, or
                      where x is a sum */
    int64_t cache; /* bytes of the device's */
    float *out;    /* (groups, 2, channels) */
    void *workspace; /* gan_launch_norm_workspace() bytes, a multiple of 16; NULL when that is 0 */
    unsigned *counters; /* GAN_LAUNCH_COUNTERS zeros; NULL: parts are brought together by a second
                           launch */
} gan_launch_norm_args;

/* What the gradients of batch norm read beside x. */
typedef struct gan_launch_norm_back {
    const void *dy;            /* like x */
    const float *moments;      /* (groups, 2, channels) */
    const float *gamma, *beta; /* (channels) */
    float eps;
    float slope; /* dy counts by so much where batch norm's result is not positive; 1: all does */
} gan_launch_norm_back;

/* Channels that are summed, and in one launch normalised, before the next ones are: a power of two
 * of at least 32 where a wave of so many, but not all, can be read again without memory; else all.
 * Looks, as the order of sums does, at the shape, the types, `operands` and `cache` alone. */
int64_t gan_launch_norm_wave(const gan_launch_norm_args *a);

/* Bytes of workspace: what blocks of rows contribute. */
size_t gan_launch_norm_workspace(const gan_launch_norm_args *a);

/* out = the mean and the biased variance; rows >= 1. Means and squared distances of parts are
 * combined (Chan, Golub and LeVeque 1979), so nothing cancels however far the mean is from 0, in an
 * order that no schedule changes. One launch; without counters two where there are many rows. */
cudaError_t gan_launch_moments(const gan_launch_norm_args *a, cudaStream_t stream);

/* out = Σ dy and Σ dy·(x - mean)/sqrt(variance + eps). */
cudaError_t gan_launch_batch_norm_sums(const gan_launch_norm_args *a,
                                       const gan_launch_norm_back *back, cudaStream_t stream);

/* dx (like x) = gamma·s·(dy - sums[0]/rows - (x - mean)·s·sums[1]/rows), s = 1/sqrt(variance +
 * eps): the gradient of x where moments are its own. sums (groups, 2, channels) are those of the
 * function above; of a, neither out, workspace nor counters are used. */
cudaError_t gan_launch_batch_norm_grad(const gan_launch_norm_args *a,
                                       const gan_launch_norm_back *back, const float *sums,
                                       void *dx, cudaStream_t stream);

/* ---- both at once ---- */

/* Whether the shape suits the launches below: whole vectors of channels, counters for all tiles.
 * Addresses of what is like x have to be multiples of 16 then. */
int gan_launch_norm_is_whole(const gan_launch_norm_args *a);

/* What is added to x first: row ((o·down + i)·width + j)·along + k of x, of all groups, gets row
 * o·width + j of `low`, and is rounded as it would be stored. */
typedef struct gan_launch_norm_up {
    const void *low; /* of x's type and channels, the address a multiple of 16 */
    void *sum;       /* like x: also gets what is normalised; NULL: nothing does */
    int64_t down, width, along;
} gan_launch_norm_up;

/* gan_launch_moments() and y (like x) = f((x - mean)·gamma/sqrt(variance + eps) + beta) as one
 * launch, cooperative where there are parts: barrier is grid_barrier()'s state. f is the row `fn`
 * of base/pointwise.def, relu or leaky_relu (with's slope its k), or none for -1; of `with`,
 * neither dy nor moments is used. up: NULL, or x is a sum. Bits are those of separate launches. */
cudaError_t gan_launch_batch_norm(const gan_launch_norm_args *a, const gan_launch_norm_back *with,
                                  const gan_launch_norm_up *up, int fn, void *y, unsigned *barrier,
                                  cudaStream_t stream);

/* gan_launch_batch_norm_sums() and gan_launch_batch_norm_grad() likewise. total (2, channels): also
 * gets the sums over all groups, and the launch is cooperative in any case; or NULL. */
cudaError_t gan_launch_batch_norm_back(const gan_launch_norm_args *a,
                                       const gan_launch_norm_back *back, void *dx, float *total,
                                       unsigned *barrier, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
