/* Which plan of a convolution is the fastest on this device, by trying them. */
#ifndef GANC_CUDA_CONV_TUNE_H
#define GANC_CUDA_CONV_TUNE_H

#include "cuda/conv_graph.h"

typedef struct gan_cuda_conv_tuned {
    int number; /* among the configurations that cuDNN offers; 0 where nothing could be timed */
    bool apart; /* without its epilogue, and with a pass over the result behind it, it is faster */
} gan_cuda_conv_tuned;

/* Times the plans for `problem`, whose operation graph is `graph`, on arrays of its own, outside
 * capture. Of those that differ by less than the noise, the first. */
gan_cuda_conv_tuned gan_cuda_conv_tune(gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                                       cudnnBackendDescriptor_t graph, size_t most_workspace);

#endif
