#ifndef GANC_KERNELS_LAUNCH_REDUCE_H
#define GANC_KERNELS_LAUNCH_REDUCE_H

#include <cuda_runtime_api.h>
#include <stddef.h>

#include "kernels/launch_program.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gan_launch_reduce_args {
    gan_launch_program program; /* what is reduced; no axis is kept in part */
    uint32_t reduced;           /* bit i: axis i of the program is reduced */
    int max;         /* the maximum (of nothing: -infinity), else the sum (of nothing: 0) */
    void *out;       /* the kept axes, dense */
    int64_t results; /* how many: the product of the kept axes */
    int out_bf16;
    void *workspace;    /* gan_launch_reduce_workspace() bytes, a multiple of 16 */
    unsigned *counters; /* GAN_LAUNCH_COUNTERS zeros; NULL: parts are brought together by a second
                           launch */
} gan_launch_reduce_args;

/* Bytes of workspace: partial results of long reductions. Looks at the program's axes, `reduced`
 * and `results` alone. */
size_t gan_launch_reduce_workspace(const gan_launch_reduce_args *a);

/* Reduces in an order that depends on the axes alone: the same bits every time. */
cudaError_t gan_launch_reduce(const gan_launch_reduce_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
