/* Batch normalisation and its gradient as one launch each: norm_whole.cuh. */
#include "kernels/norm_whole.cuh"

namespace {

template <class OP, class READ, class APPLY, class T, int V>
__global__ void __launch_bounds__(NORM_BLOCK, 1) whole_kernel(const __grid_constant__ NormArgs a) {
    GPU_WAIT();
    using Vector = Vec<T, V>;
    GPU_SHARED(float, room, [norm_room<V>]);
    GPU_SHARED_MORE(Vector, shelf);
    Whole<OP, READ, APPLY, T, V>{a, shelf, room}.run();
}

/* ---- launchers ---- */

template <class T>
constexpr int width = 16 / int(sizeof(T));

/* What the current device has: multiprocessors, and of each how many blocks of a kernel it holds at
 * once and its shared memory in bytes; that of a block, at most. */
struct Device {
    int processors, blocks, shared, shared_of_block;
};

cudaError_t ask(Device *d, const void *kernel, size_t bytes) {
    int device = 0;
    cudaError_t error = cudaGetDevice(&device);
    const auto get = [&](int *value, cudaDeviceAttr attribute) {
        if (error == cudaSuccess) error = cudaDeviceGetAttribute(value, attribute, device);
    };
    get(&d->processors, cudaDevAttrMultiProcessorCount);
    get(&d->shared, cudaDevAttrMaxSharedMemoryPerMultiprocessor);
    get(&d->shared_of_block, cudaDevAttrMaxSharedMemoryPerBlockOptin);
    if (error == cudaSuccess)
        error =
            cudaOccupancyMaxActiveBlocksPerMultiprocessor(&d->blocks, kernel, NORM_BLOCK, bytes);
    return error;
}

/* As many blocks as there are pieces, or as there is room for at once, side by side on all
 * multiprocessors; what is left of their shared memory holds rows. */
template <class OP, class READ, class APPLY, class T, int V>
cudaError_t launch_whole(NormArgs a, cudaStream_t stream) {
    /* the room takes the first; the system a little of each block's */
    constexpr int taken = int(sizeof(float)) * norm_room<V> + 2048,
                  slot = int(sizeof(Vec<T, V>)) * OP::OPERANDS * NORM_BLOCK;
    const auto kernel = whole_kernel<OP, READ, APPLY, T, V>;
    const void *address = reinterpret_cast<const void *>(kernel);
    Device d = {};
    cudaError_t error = ask(&d, address, 0);
    if (error != cudaSuccess) return error;
    if (d.blocks < 1) return cudaErrorInvalidConfiguration;
    const int64_t wanted = ceil_div(a.pieces, d.processors),
                  blocks = wanted < d.blocks ? wanted : d.blocks,
                  pieces = a.barrier ? ceil_div(a.pieces, blocks * d.processors) : 1;
    const int most = d.shared_of_block > taken ? d.shared_of_block - taken : 0,
              share = d.shared / int(blocks) - taken, room = share < most ? share : most;
    a.held = room < slot ? 0 : room / slot;
    if (a.held > pieces * a.slots) a.held = int(pieces * a.slots);
    const size_t bytes = size_t(a.held) * size_t(slot);
    error = cudaFuncSetAttribute(address, cudaFuncAttributeMaxDynamicSharedMemorySize, most);
    if (error == cudaSuccess) error = ask(&d, address, bytes);
    if (error != cudaSuccess) return error;
    const int64_t at_once = int64_t(d.processors) * d.blocks;
    if (!a.barrier)
        GPU_LAUNCH_WITH(bytes, kernel, dim3(unsigned(a.pieces)), dim3(NORM_BLOCK), stream, a);
    else
        GPU_LAUNCH_COOPERATIVE_WITH(bytes, kernel,
                                    dim3(unsigned(a.pieces < at_once ? a.pieces : at_once)),
                                    dim3(NORM_BLOCK), stream, a);
    return cudaGetLastError();
}

/* fn: as in gan_launch_batch_norm() */
template <class READ, class T>
cudaError_t forward(const NormArgs &a, int fn, cudaStream_t stream) {
    constexpr int V = width<T>;
    switch (fn) {
    case FN_relu:
        return launch_whole<Moments, READ, Normalised<V, FN_relu>, T, V>(a, stream);
    case FN_leaky_relu:
        return launch_whole<Moments, READ, Normalised<V, FN_leaky_relu>, T, V>(a, stream);
    default:
        return launch_whole<Moments, READ, Normalised<V, -1>, T, V>(a, stream);
    }
}

template <class T>
cudaError_t forward_of(const gan_launch_norm_args *n, const gan_launch_norm_back *back,
                       const gan_launch_norm_up *up, int fn, void *y, unsigned *barrier,
                       cudaStream_t stream) {
    constexpr int V = width<T>;
    NormArgs a = norm_args_of<width<T>>(n, back, y, NULL, barrier);
    if (!up) return forward<AsGiven<Moments, T, V>, T>(a, fn, stream);
    a.up = {up->low,
            up->sum,
            Divisor(up->width * up->along),
            Divisor(up->down),
            Divisor(up->along),
            int(up->width)};
    return forward<Added<Moments, T, V>, T>(a, fn, stream);
}

template <class T>
cudaError_t backward(const gan_launch_norm_args *n, const gan_launch_norm_back *back, void *dx,
                     float *total, unsigned *barrier, cudaStream_t stream) {
    constexpr int V = width<T>;
    using All = Products<false>;
    using Some = Products<true>;
    const NormArgs a = norm_args_of<width<T>>(n, back, dx, total, barrier);
    return back->slope == 1.0f
               ? launch_whole<All, AsGiven<All, T, V>, Gradient<V, false>, T, V>(a, stream)
               : launch_whole<Some, AsGiven<Some, T, V>, Gradient<V, true>, T, V>(a, stream);
}

} // namespace

extern "C" int gan_launch_norm_is_whole(const gan_launch_norm_args *n) {
    return n->groups > 0 && n->rows > 0 && n->channels > 0 && in_vectors(n) && has_counters(n);
}

extern "C" cudaError_t gan_launch_batch_norm(const gan_launch_norm_args *n,
                                             const gan_launch_norm_back *with,
                                             const gan_launch_norm_up *up, int fn, void *y,
                                             unsigned *barrier, cudaStream_t stream) {
    return n->bf16 ? forward_of<__nv_bfloat16>(n, with, up, fn, y, barrier, stream)
                   : forward_of<float>(n, with, up, fn, y, barrier, stream);
}

extern "C" cudaError_t gan_launch_batch_norm_back(const gan_launch_norm_args *n,
                                                  const gan_launch_norm_back *back, void *dx,
                                                  float *total, unsigned *barrier,
                                                  cudaStream_t stream) {
    return n->bf16 ? backward<__nv_bfloat16>(n, back, dx, total, barrier, stream)
                   : backward<float>(n, back, dx, total, barrier, stream);
}
