/* Matrix products of bfloat16 with a program applied to the result before it is stored, a tile a
 * block: product_half.cuh. */
#include "kernels/product_half.cuh"

namespace {

template <bool A_ALONG_K, bool B_ALONG_K>
__global__ void __launch_bounds__(PRODUCT_BLOCK, 2) half_kernel(const __grid_constant__ Product p) {
    GPU_WAIT();
    GPU_SHARED(HalfRoom, room, );
    half_tile<A_ALONG_K, B_ALONG_K, 2>(p, product_tile(), room);
}

/* ---- launchers ---- */

using Kernel = void (*)(const Product);

Kernel choose(bool transpose_a, bool transpose_b) {
    if (transpose_a) return transpose_b ? half_kernel<false, true> : half_kernel<false, false>;
    return transpose_b ? half_kernel<true, true> : half_kernel<true, false>;
}

} // namespace

extern "C" cudaError_t gan_launch_product_half(const gan_launch_product_args *l,
                                               cudaStream_t stream) {
    if (l->batch == 0 || l->m == 0 || l->n == 0) return cudaSuccess;
    GPU_LAUNCH(choose(l->transpose_a, l->transpose_b), product_grid(l), dim3(PRODUCT_BLOCK), stream,
               product_of(l));
    return cudaGetLastError();
}
