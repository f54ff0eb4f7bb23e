/* A convolution, alone or with what follows it, as one execution plan of cuDNN's graph API. */
#ifndef GANC_CUDA_CONV_GRAPH_H
#define GANC_CUDA_CONV_GRAPH_H

#include "cuda/conv_epilogue.h"
#include "cuda/conv_plan.h"

/* y (n,p,q,k) = x (n,h,w,c) * w (k,r,s,c), or an adjoint of it: x from y and w, w from x and y. */
typedef enum gan_cuda_conv_kind {
    GAN_CUDA_CONV_Y,
    GAN_CUDA_CONV_DX,
    GAN_CUDA_CONV_DW
} gan_cuda_conv_kind;

/* Such a convolution and the epilogue on its result, which has no steps where there is none and on
 * w. Compared byte by byte: filled from zeroed memory. */
typedef struct gan_cuda_conv_problem {
    int64_t n, h, w, c, p, q, k, r, s;
    int64_t pad_h, pad_w, stride_h, stride_w; /* padding alike on both sides */
    cudnnDataType_t type;                     /* of x, w and y */
    int kind;                                 /* gan_cuda_conv_kind */
    int exact;                                /* f32 that tensor cores must not round */
    gan_cuda_conv_epilogue epilogue;
} gan_cuda_conv_problem;

/* What came of it: d->conv_graphs is a list of these. */
typedef struct gan_cuda_conv_graph {
    struct gan_cuda_conv_graph *next;
    gan_cuda_conv_problem problem;
    gan_cuda_bag bag;
    gan_cuda_conv_plan plan; /* none: no engine takes the problem, or it is faster apart */
} gan_cuda_conv_graph;

/* Whether the library's fusion engines are documented to take its epilogue: what a plan counts on
 * where there is no device to ask. */
bool gan_cuda_conv_graph_documented(const gan_cuda_conv_problem *problem);

/* The plan for a problem: built when the device is first asked for it (which may compile a kernel),
 * kept by it until it closes. NULL when none of the library's engines takes the problem and gives
 * the same bits every time, in at most `most_workspace` bytes. */
const gan_cuda_conv_graph *gan_cuda_conv_graph_find(gan_cuda_device *d,
                                                    const gan_cuda_conv_problem *problem,
                                                    size_t most_workspace);

/* Where the arrays of a problem are; `kept` and operands, where it has them. */
typedef struct gan_cuda_conv_arrays {
    const void *first, *second, *operand[GAN_MAX_PROGRAM_INPUTS];
    void *result, *kept, *workspace;
} gan_cuda_conv_arrays;

/* Puts a plan for `problem` on the stream. */
cudnnStatus_t gan_cuda_conv_execute(gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                                    cudnnBackendDescriptor_t plan, const gan_cuda_conv_arrays *at);

/* Puts it on the stream. `first`: the address of the first operand; `result`: of the result, where
 * there is one; of the second operand, two results and what the epilogue reads `call` has the
 * addresses; its `out` is of one result. */
gan_status gan_cuda_conv_graph_run(gan_cuda_device *d, const gan_cuda_conv_graph *graph,
                                   const gan_call *call, const void *first, void *result);

/* Forgets all of a device's plans. */
void gan_cuda_conv_graphs_free(gan_cuda_device *d);

#endif
