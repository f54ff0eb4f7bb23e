#ifndef GANC_KERNELS_LAUNCH_POWER_H
#define GANC_KERNELS_LAUNCH_POWER_H

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One power iteration (Miyato et al. 2018, algorithm 1): v = wᵀu/‖wᵀu‖, then u = wv/‖wv‖; a norm
 * below eps divides as eps. Four launches. */
typedef struct gan_launch_power_args {
    float *u, *v;   /* (rows), (columns) */
    const float *w; /* (rows, columns) */
    int64_t rows, columns;
    double eps;
    void *workspace; /* gan_launch_power_workspace() bytes, a multiple of 16 */
} gan_launch_power_args;

/* Bytes of workspace; looks at rows and columns alone. */
size_t gan_launch_power_workspace(const gan_launch_power_args *a);

cudaError_t gan_launch_power_iteration(const gan_launch_power_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
