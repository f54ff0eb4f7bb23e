#ifndef GANC_KERNELS_LAUNCH_POINTWISE_H
#define GANC_KERNELS_LAUNCH_POINTWISE_H

#include <cuda_runtime_api.h>

#include "kernels/launch_program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gan_launch_pointwise_args {
    gan_launch_program program;
    void *out; /* dense; may be the place of an operand that is dense too (an epilogue's raw result)
                */
    int out_bf16;
} gan_launch_pointwise_args;

/* out[i] = program(operands at i) for all `program.size` elements; nothing for none. */
cudaError_t gan_launch_pointwise(const gan_launch_pointwise_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
