/* Joined launches with phases that all blocks are of: batch normalisation, its gradient, small
 * products. What D's head consists of lies between two batch norms, and before G's first one are
 * noise and a product: each of them would be a launch that waits for the one before, and a barrier
 * costs less. A kernel of its own, so that launches without such phases have no use for its shared
 * memory. */
#include <cstddef>

#include "kernels/joined.cuh"
#include "kernels/norm_whole.cuh"
#include "kernels/product_half.cuh"

namespace {

enum { BLOCK = JOINED_BLOCK, TILES = BLOCK / PRODUCT_BLOCK /* of a product, a block */ };
static_assert(int(BLOCK) == int(NORM_BLOCK), "a block takes a piece of batch norm");

/* Channels that a thread has of batch norm, of bfloat16, too: with more of them the compiler would
 * spill registers. */
enum { V = 4 };

/* ---- tasks ---- */

struct NormTask {
    NormArgs args;
    int bf16, fn; // fn: of the result, as in gan_launch_batch_norm(); of a gradient: -1: none
};

struct ProductTask {
    PlainProduct product;
    int a_along_k, b_along_k; // as Operand has them
};

/* Shared memory for one of them at a time. */
union More {
    float parts[norm_room<V>];
    HalfRoom tiles[TILES];
};

template <class OP, class APPLY, class T>
__device__ void run_norm(const NormArgs &a, More &more) {
    Whole<OP, AsGiven<OP, T, V>, APPLY, T, V>{a, nullptr, more.parts}.run();
}

template <class T>
__device__ void run_forward(const NormTask &t, More &more) {
    if (t.fn == FN_relu)
        run_norm<Moments, Normalised<V, FN_relu>, T>(t.args, more);
    else if (t.fn == FN_leaky_relu)
        run_norm<Moments, Normalised<V, FN_leaky_relu>, T>(t.args, more);
    else
        run_norm<Moments, Normalised<V, -1>, T>(t.args, more);
}

template <class T>
__device__ void run_backward(const NormTask &t, More &more) {
    if (t.fn < 0)
        run_norm<Products<false>, Gradient<V, false>, T>(t.args, more);
    else
        run_norm<Products<true>, Gradient<V, true>, T>(t.args, more);
}

/* Each group of PRODUCT_BLOCK threads takes a tile; all take as many. */
template <bool A_ALONG_K, bool B_ALONG_K>
__device__ void run_product(const PlainProduct &p, More &more) {
    const int group = int(threadIdx.x) / PRODUCT_BLOCK, across = product_tiles(p.n),
              all = across * product_tiles(p.m);
    for (int first = int(blockIdx.x) * TILES; first < all; first += int(gridDim.x) * TILES) {
        const int tile = first + group;
        const ProductTile at = {int(threadIdx.x) % PRODUCT_BLOCK, 0, tile / across * PRODUCT_TILE,
                                tile % across * PRODUCT_TILE};
        half_tile<A_ALONG_K, B_ALONG_K, 1>(p, at, more.tiles[group]);
    }
}

struct Wholes {
    More &more;

    __device__ __forceinline__ static bool takes(const gan_launch_task &t) {
        return t.kind >= GAN_LAUNCH_TASK_NORM;
    }
    __device__ __forceinline__ void run(const gan_launch_task &t) const {
        const NormTask &norm = *reinterpret_cast<const NormTask *>(&t.of);
        const ProductTask &product = *reinterpret_cast<const ProductTask *>(&t.of);
        if (t.kind == GAN_LAUNCH_TASK_PRODUCT) {
            if (product.b_along_k)
                run_product<true, true>(product.product, more);
            else if (product.a_along_k)
                run_product<true, false>(product.product, more);
            else
                run_product<false, false>(product.product, more);
        } else if (t.kind == GAN_LAUNCH_TASK_NORM) {
            if (norm.bf16)
                run_forward<__nv_bfloat16>(norm, more);
            else
                run_forward<float>(norm, more);
        } else {
            if (norm.bf16)
                run_backward<__nv_bfloat16>(norm, more);
            else
                run_backward<float>(norm, more);
        }
    }
};

/* ---- the kernel ---- */

__global__ void __launch_bounds__(BLOCK, 1)
    whole_kernel(const __grid_constant__ gan_launch_joined_args a) {
    GPU_WAIT();
    GPU_SHARED_MORE(More, more);
    run_joined(a, Wholes{*more});
}

template <class TASK>
void add(gan_launch_joined_args *a, int kind, const TASK &task) {
    static_assert(offsetof(gan_launch_task, of) % alignof(TASK) == 0, "tasks lie behind the head");
    constexpr size_t head = offsetof(gan_launch_task, of);
    gan_launch_joined_phase(a, 0);
    gan_launch_task t = {};
    t.kind = int16_t(kind);
    t.begins = int16_t(a->begins);
    t.bytes = int32_t(ceil_div(int64_t(head + sizeof task), 8) * 8);
    a->begins = 0;
    a->whole = 1;
    char *to = reinterpret_cast<char *>(a->room) + a->bytes;
    memcpy(to, &t, head);
    memcpy(to + head, &task, sizeof task);
    a->bytes += t.bytes;
}

NormTask norm_task(const gan_launch_joined_args *a, const gan_launch_norm_args *n,
                   const gan_launch_norm_back *with, int fn, void *y, float *total) {
    return {norm_args_of<V>(n, with, y, total, a->barrier), n->bf16, fn};
}

} // namespace

/* Stripes are those of gan_launch_batch_norm(), so that sums are, too. */
extern "C" int gan_launch_joined_takes_norm(const gan_launch_norm_args *n) {
    const int64_t wave = n->channels > 0 ? wave_of(n) : 0;
    return gan_launch_norm_is_whole(n) && (!n->bf16 || lanes_for(wave / 8, 32) == 32);
}

extern "C" void gan_launch_joined_norm(gan_launch_joined_args *a, const gan_launch_norm_args *n,
                                       const gan_launch_norm_back *with, int fn, void *y) {
    add(a, GAN_LAUNCH_TASK_NORM, norm_task(a, n, with, fn, y, NULL));
}

extern "C" void gan_launch_joined_norm_back(gan_launch_joined_args *a,
                                            const gan_launch_norm_args *n,
                                            const gan_launch_norm_back *back, void *dx,
                                            float *total) {
    const int fn = back->slope == 1.0f ? -1 : int(FN_leaky_relu);
    add(a, GAN_LAUNCH_TASK_NORM_BACK, norm_task(a, n, back, fn, dx, total));
}

extern "C" void gan_launch_joined_product(gan_launch_joined_args *a,
                                          const gan_launch_product_args *p) {
    add(a, GAN_LAUNCH_TASK_PRODUCT, ProductTask{product_of(p), !p->transpose_a, p->transpose_b});
}

extern "C" int gan_launch_joined_whole_bytes(void) {
    constexpr size_t norm = sizeof(NormTask), product = sizeof(ProductTask),
                     head = offsetof(gan_launch_task, of) + 8;
    return int(head + (norm > product ? norm : product));
}

extern "C" int gan_launch_joined_has_whole(void) {
    int device = 0, most = 0;
    cudaFuncAttributes of = {};
    return cudaGetDevice(&device) == cudaSuccess &&
           cudaDeviceGetAttribute(&most, cudaDevAttrMaxSharedMemoryPerBlockOptin, device) ==
               cudaSuccess &&
           cudaFuncGetAttributes(&of, reinterpret_cast<const void *>(whole_kernel)) ==
               cudaSuccess &&
           of.sharedSizeBytes + sizeof(More) <= size_t(most);
}

extern "C" cudaError_t gan_launch_joined_whole(const gan_launch_joined_args *a,
                                               cudaStream_t stream) {
    const cudaError_t error =
        cudaFuncSetAttribute(reinterpret_cast<const void *>(whole_kernel),
                             cudaFuncAttributeMaxDynamicSharedMemorySize, int(sizeof(More)));
    if (error != cudaSuccess) return error;
    const int blocks = resident_blocks(whole_kernel, BLOCK, sizeof(More));
    GPU_LAUNCH_COOPERATIVE_WITH(sizeof(More), whole_kernel, dim3(unsigned(blocks)), dim3(BLOCK),
                                stream, *a);
    return cudaGetLastError();
}
