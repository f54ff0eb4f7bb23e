/* An execution plan for an operation graph: the engines that cuDNN's heuristics offer, best first,
 * and the first of them that fits; and a plan as text, which carries the compiled kernel. */
#ifndef GANC_CUDA_CONV_PLAN_H
#define GANC_CUDA_CONV_PLAN_H

#include "cuda/conv_descriptor.h"

typedef struct gan_cuda_conv_plan {
    cudnnBackendDescriptor_t plan; /* NULL: none */
    size_t workspace;
    int number;   /* among the configurations that were offered, from 0 */
    bool settled; /* what was passed over says so each time: no lack of memory, nothing missing */
} gan_cuda_conv_plan;

/* Takes the first configuration from the `from`-th on whose engine gives the same bits every time
 * (and, if `exact`, rounds no f32), and whose plan can be made and needs at most `most_workspace`
 * bytes. Making one may compile a kernel. */
gan_cuda_conv_plan gan_cuda_conv_plan_search(gan_cuda_bag *b, cudnnHandle_t handle,
                                             cudnnBackendDescriptor_t graph, bool exact,
                                             size_t most_workspace, int from);

/* A plan as text (NVIDIA cuDNN, CUDNN_ATTR_EXECUTION_PLAN_JSON_REPRESENTATION), for
 * gan_cuda_conv_plan_restore() with the same version of cuDNN on the same kind of GPU: no search,
 * no compiler. NULL where the plan's engine has none: cuDNN writes those that it compiles when
 * asked. The text, of *bytes bytes, is the caller's, who frees it. */
char *gan_cuda_conv_plan_text(cudnnBackendDescriptor_t plan, size_t *bytes);

/* plan == NULL where cuDNN does not take the text (any more). */
gan_cuda_conv_plan gan_cuda_conv_plan_restore(gan_cuda_bag *b, cudnnHandle_t handle,
                                              const char *text, size_t bytes);

#endif
