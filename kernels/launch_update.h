#ifndef GANC_KERNELS_LAUNCH_UPDATE_H
#define GANC_KERNELS_LAUNCH_UPDATE_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* *counter += by */
cudaError_t gan_launch_advance(int64_t *counter, int64_t by, cudaStream_t stream);

/* y = decay·y + (1 - decay)·x, of n elements; decay is one number on the device. */
cudaError_t gan_launch_moving_average(float *y, const float *x, const float *decay, int64_t n,
                                      cudaStream_t stream);

enum { GAN_LAUNCH_RECORD_VALUES = 32, GAN_LAUNCH_PACK_PIECES = 32 };

/* Up to 32 columns of a row of `ring` (rows, width), from column `first` on: value[i] is one
 * number. Nothing happens unless *counter is a multiple of `every`; then the row is *counter /
 * every modulo rows. */
typedef struct gan_launch_record_args {
    float *ring;
    const int64_t *counter;
    int64_t every, rows, width, first;
    int n;
    const float *value[GAN_LAUNCH_RECORD_VALUES];
} gan_launch_record_args;

cudaError_t gan_launch_record(const gan_launch_record_args *a, cudaStream_t stream);

/* Up to 32 pieces of a flat vector: n elements from `from` (NULL: they are there already), then
 * zeros up to `padded` elements. */
typedef struct gan_launch_pack_args {
    int n_pieces;
    struct {
        float *to;
        const void *from;
        int64_t n, padded;
        int bf16; /* from is bf16, else f32 */
    } piece[GAN_LAUNCH_PACK_PIECES];
} gan_launch_pack_args;

cudaError_t gan_launch_pack(const gan_launch_pack_args *a, cudaStream_t stream);

/* A flat vector in up to 128 pieces, each where it is: element 16·line on, n of them, then zeros up
 * to the next piece. Lines do not fall from one piece to the next, and the first is 0. */
enum { GAN_LAUNCH_PIECES = 128 };
typedef struct gan_launch_pieces {
    int n;
    struct {
        const void *data;
        int64_t n;
        uint32_t line;
        int32_t bf16; /* data are bf16, else f32 */
    } piece[GAN_LAUNCH_PIECES];
} gan_launch_pieces;

/* Adam (Kingma and Ba 2015, algorithm 1) over n elements. This is update *counter·per_iteration +
 * offset + 1. */
typedef struct gan_launch_adam_args {
    float *weight, *first, *second;
    const gan_launch_pieces *gradient; /* on the host */
    int64_t n;
    const float *rate; /* one number */
    const int64_t *counter;
    int64_t per_iteration, offset;
    double beta1, beta2, eps;
    void *copy; /* of n bf16, the new weights rounded; or NULL */
} gan_launch_adam_args;

cudaError_t gan_launch_adam(const gan_launch_adam_args *a, cudaStream_t stream);

/* velocity = momentum·velocity - rate·gradient, weight += velocity, of n elements; rate and
 * momentum are one number each, on the device. `gradient`, `copy`: as Adam's. */
cudaError_t gan_launch_momentum(float *weight, float *velocity, const gan_launch_pieces *gradient,
                                int64_t n, const float *rate, const float *momentum, void *copy,
                                cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
