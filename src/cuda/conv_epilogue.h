/* What follows a convolution, as pointwise operations of cuDNN's graph API. */
#ifndef GANC_CUDA_CONV_EPILOGUE_H
#define GANC_CUDA_CONV_EPILOGUE_H

#include "cuda/device.h"

/* The second operand of an operation, beside the result of one before. */
typedef enum gan_cuda_conv_side {
    GAN_CUDA_CONV_ALONE,
    GAN_CUDA_CONV_RESULT,
    GAN_CUDA_CONV_OPERAND,
    GAN_CUDA_CONV_NUMBER
} gan_cuda_conv_side;

/* Results are numbered: 0 is the convolution's, 1 + i that of operation i. */
typedef struct gan_cuda_conv_step {
    cudnnPointwiseMode_t mode;
    int x; /* the result it is applied to; of CUDNN_POINTWISE_RELU_BWD the gradient that comes in */
    gan_cuda_conv_side side;
    int b;   /* RESULT: which; OPERAND: of `operand` */
    float k; /* NUMBER: it; of (leaky) ReLU and its gradient: the slope left of 0 */
} gan_cuda_conv_step;

/* An array that operations read: each axis of the result's length, or 1. */
typedef struct gan_cuda_conv_operand {
    int64_t n, h, w, c;
    cudnnDataType_t type;
} gan_cuda_conv_operand;

/* The last operation's result is the whole's, and with it, where that has two, result kept - 1; 0:
 * none. Operand i is call->in[arity + i]. */
typedef struct gan_cuda_conv_epilogue {
    int n_steps, n_operands, kept;
    gan_cuda_conv_step step[GAN_MAX_PROGRAM_STEPS];
    gan_cuda_conv_operand operand[GAN_MAX_PROGRAM_INPUTS];
} gan_cuda_conv_epilogue;

/* Translates the program of a convolution's call (conv2d, conv2d_grad_input), whose `out` has the
 * shape of one result; bytes that no field takes are 0. False where it says what cuDNN's fusion
 * engines are not documented to do: every function is applied to what comes from the convolution,
 * and to arrays that are whole, one value a channel, one a pixel, or a single one (NVIDIA cuDNN,
 * Graph API, generic runtime fusion engines). */
bool gan_cuda_conv_epilogue_of(gan_cuda_conv_epilogue *e, const gan_call *call);

#endif
