/* Whether this build has code for the current device. */
#include "kernels/gpu.h"
#include "kernels/launch_code.h"

/* ---- CUDA kernels ---- */

namespace {
__global__ void empty_kernel() {}
} // namespace

/* ---- kernel launchers ---- */

extern "C" cudaError_t gan_launch_code(int *version) {
    cudaFuncAttributes attributes;
    const cudaError_t error = cudaFuncGetAttributes(&attributes, (const void *)empty_kernel);
    if (error == cudaSuccess) *version = attributes.ptxVersion;
    return error;
}
