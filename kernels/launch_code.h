#ifndef GANC_KERNELS_LAUNCH_CODE_H
#define GANC_KERNELS_LAUNCH_CODE_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cudaErrorNoKernelImageForDevice when the build has no code that the current device can run.
 * version: what the code that it runs was written for, 90 of compute_90, which may be less than the
 * device can. */
cudaError_t gan_launch_code(int *version);

#ifdef __cplusplus
}
#endif
#endif
