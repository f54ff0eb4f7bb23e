/* Whether kernels of this build can run at all. */
#ifndef GANC_KERNELS_LAUNCH_CHECK_H
#define GANC_KERNELS_LAUNCH_CHECK_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cudaErrorNoKernelImageForDevice where the build has no code for the current device's architecture. Launches
 * nothing. */
cudaError_t gan_launch_check(void);

#ifdef __cplusplus
}
#endif
#endif
