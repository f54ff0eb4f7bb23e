/* Convolutions with two results, what they make and its ReLU. */
#ifndef GANC_CUDA_CONV_PAIR_H
#define GANC_CUDA_CONV_PAIR_H

#include "cuda/program.h"

typedef struct gan_cuda_conv_pair {
    bool active;           /* there are two results … */
    bool both;             /* … which the library writes at once; else … */
    gan_cuda_program relu; /* … this makes the second of the first */
} gan_cuda_conv_pair;

/* The call of the first result alone. */
typedef struct gan_cuda_conv_first {
    gan_call call;
    gan_node node;
    gan_pointwise_program program;
} gan_cuda_conv_first;

/* Where a convolution has two results, call->out gets the shape of one, and *one becomes the first
 * one's call, in `first`; else it is `call`. */
gan_status gan_cuda_conv_pair_prepare(gan_cuda_conv_pair *v, gan_cuda_conv_first *first,
                                      gan_call *call, const gan_call **one);

/* Puts the ReLU on the stream where it is a launch of its own. */
gan_status gan_cuda_conv_pair_run(const gan_cuda_conv_pair *v, gan_device *device,
                                  const gan_call *call);

/* Where the second result is. */
void *gan_cuda_conv_second(const gan_call *call);

#endif
