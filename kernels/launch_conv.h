/* Convolutions with at most four channels on one side, without a library: conv_many.cu,
 * conv_few.cu, conv_weight.cu, and the last two in bfloat16, conv_few_half.cu and
 * conv_weight_half.cu. */
#ifndef GANC_KERNELS_LAUNCH_CONV_H
#define GANC_KERNELS_LAUNCH_CONV_H

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#include "kernels/launch_program.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GAN_LAUNCH_CONV_CHANNELS = 4, /* of the side of few */
    GAN_LAUNCH_CONV_TAPS = 16
};

/* An image of few channels (n, h, w, c) and one of many (n, p, q, k), which a filter of r·s taps
 * connects: tap (i, j) of pixel (y, x) of the many is pixel (y·stride - top + i, x·stride - left +
 * j) of the few, where there is one. top and left may be negative. */
typedef struct gan_launch_conv_sides {
    int32_t n, h, w, c, p, q, k, r, s;
    int32_t stride, top, left;
    int turned; /* the filter is (c, r, s, k), its taps from the last to the first; else
                   (k, r, s, c) */
} gan_launch_conv_sides;

typedef struct gan_launch_conv_args {
    gan_launch_conv_sides sides;
    const void *few, *many, *filter; /* all float, or all bfloat16, the result alike; the result's
                                        own is not looked at */
    void *out;
    void *raw; /* like out: also gets the convolution's result, of which, as it is stored, `out`
                  gets the program; not where it has many channels; NULL: nothing does */
    int bf16;
    int with_program;           /* not of the filter's gradient */
    int raw_input;              /* the program's operand that is the convolution's result, or -1 */
    gan_launch_program program; /* over the result's elements; at most GAN_LAUNCH_SLOTS - 1 slots */
    void *workspace;    /* of the filter's gradient: as many bytes as the functions below say */
    unsigned *counters; /* GAN_LAUNCH_COUNTERS zeros: likewise */
    float *sums;        /* (k): also gets the sums of the many over all pixels, of
                           gan_launch_conv_weight_half() alone; NULL: nothing does */
} gan_launch_conv_args;

/* Whether the kernels take these sides: lengths of at least 1, arrays of less than 2^31 elements,
 * a stride of 1 or 2, and of the taps, in units of the stride, at most GAN_LAUNCH_CONV_TAPS. */
int gan_launch_conv_takes(const gan_launch_conv_sides *v);

/* Each one launch. Sums are float, in an order that depends on the sides alone. */
cudaError_t gan_launch_conv_many(const gan_launch_conv_args *a, cudaStream_t stream);
cudaError_t gan_launch_conv_many_half(const gan_launch_conv_args *a, cudaStream_t stream);

/* Of float, and of bfloat16. */
cudaError_t gan_launch_conv_few(const gan_launch_conv_args *a, cudaStream_t stream);
cudaError_t gan_launch_conv_few_half(const gan_launch_conv_args *a, cudaStream_t stream);

/* The filter's gradient, likewise. */
cudaError_t gan_launch_conv_weight(const gan_launch_conv_args *a, cudaStream_t stream);
cudaError_t gan_launch_conv_weight_half(const gan_launch_conv_args *a, cudaStream_t stream);
size_t gan_launch_conv_weight_workspace(const gan_launch_conv_sides *v);
size_t gan_launch_conv_half_workspace(const gan_launch_conv_sides *v);

#ifdef __cplusplus
}
#endif
#endif
