/* A convolution by cuDNN's older functions: for f32 that is not to be rounded, and where its graph
 * API has no plan. */
#ifndef GANC_CUDA_CONV_LEGACY_H
#define GANC_CUDA_CONV_LEGACY_H

#include "cuda/conv_graph.h"

typedef struct gan_cuda_conv_legacy {
    cudnnTensorDescriptor_t x, y;
    cudnnFilterDescriptor_t filter;
    cudnnConvolutionDescriptor_t how;
    int algorithm;    /* of the enumeration of its direction */
    size_t workspace; /* bytes of it */
} gan_cuda_conv_legacy;

/* Describes `problem` without its epilogue, and takes the fastest algorithm, by cuDNN's own guess,
 * that gives the same bits every time and needs at most `most_workspace` bytes; or that of the last
 * time, if it is as it was. *v is zeroed before; free it, also after an error, which names `node`.
 */
gan_status gan_cuda_conv_legacy_choose(gan_cuda_conv_legacy *v, gan_cuda_device *d,
                                       const gan_cuda_conv_problem *problem, size_t most_workspace,
                                       const gan_node *node);

/* Puts it on the stream: `result` of `first` (x, or y for the gradient of x) and call->in[1]. */
gan_status gan_cuda_conv_legacy_run(const gan_cuda_conv_legacy *v, gan_cuda_device *d,
                                    gan_cuda_conv_kind kind, const gan_call *call,
                                    const void *first, void *result);

void gan_cuda_conv_legacy_free(gan_cuda_conv_legacy *v);

#endif
