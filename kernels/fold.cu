/* Folded filters that are too large to be of one launch with others. */
#include "kernels/fold.cuh"

namespace {

__global__ void __launch_bounds__(FOLD_BLOCK)
    fold_kernel(const __grid_constant__ gan_launch_fold_args a) {
    GPU_WAIT();
    fold_tiles_of(a, int(blockIdx.x), int(gridDim.x));
}

} // namespace

extern "C" cudaError_t gan_launch_fold(const gan_launch_fold_args *a, cudaStream_t stream) {
    const int blocks = fold_blocks(*a);
    if (blocks == 0) return cudaSuccess;
    GPU_LAUNCH(fold_kernel, dim3(unsigned(blocks)), dim3(FOLD_BLOCK), stream, *a);
    return cudaGetLastError();
}
