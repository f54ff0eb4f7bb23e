#ifndef GANC_KERNELS_LAUNCH_CODE_H
#define GANC_KERNELS_LAUNCH_CODE_H

#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* cudaErrorNoKernelImageForDevice when the build has no code that the current device can run. */
cudaError_t gan_launch_code(void);

#ifdef __cplusplus
}
#endif
#endif
