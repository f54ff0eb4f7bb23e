/* Batch normalisation's two sums over rows, a channel at a time, each piece by a block of its own.
 */
#include "kernels/norm_sums.cuh"

namespace {

/* ---- kernels ---- */

template <class OP, class T, int V>
__global__ void __launch_bounds__(NORM_BLOCK, 1) rows_kernel(const SumsArgs a) {
    GPU_WAIT();
    GPU_SHARED(float, room, [norm_room<V>]);
    const Piece<V> p(a, blockIdx.x / unsigned(a.tiles), blockIdx.x % unsigned(a.tiles));
    Part<V> part = sum_rows<OP, T, V>(a, p, Given<OP, T, V>{a, p},
                                      [](int, const Vec<T, V> &, const Vec<T, V> &) {});
    if (leave_part<OP, V>(a, p, part, room)) bring_together<OP, V>(a, p.group, p.at, room);
}

/* Block group · tiles + tile, of the parts of all chunks. */
template <class OP>
__global__ void __launch_bounds__(NORM_BLOCK) chunks_kernel(const SumsArgs a) {
    GPU_WAIT();
    GPU_SHARED(float, room, [norm_room<1>]);
    const int64_t group = blockIdx.x / unsigned(a.tiles);
    const Tile<1> at(a.lanes, int(blockIdx.x % unsigned(a.tiles)));
    Part<1> part = {};
    if (at.channel < a.channels) {
        const float *from = a.partial + group * a.chunks * 2 * a.channels + at.channel;
#pragma unroll 4
        for (int i = at.stripe; i < a.chunks; i += at.stripes) {
            Part<1> b;
            b.count = float(min(a.chunk, a.rows - i * a.chunk));
            b.first[0] = from[int64_t(2 * i) * a.channels];
            b.second[0] = from[int64_t(2 * i + 1) * a.channels];
            OP::add(part, b);
        }
    }
    combine<OP, 1>(part, at, a.lanes, room);
    if (at.stripe == 0 && at.channel < a.channels) write_out<OP, 1>(a, group, at.channel, part);
}

/* ---- launchers ---- */

/* V elements of T, or one where they are not aligned, to a thread. */
template <class OP, class T, int V>
cudaError_t launch_rows(const gan_launch_norm_args *n, SumsArgs a, cudaStream_t stream) {
    const int bytes = int(sizeof(T));
    const bool vectors = vector_width(n->x, n->channels, bytes, V) == V &&
                         vector_width(a.back.dy, n->channels, bytes, V) == V;
    set_tiles(n, &a, vectors ? V : 1);
    const dim3 grid(unsigned(n->groups * a.chunks * a.tiles));
    if (vectors)
        GPU_LAUNCH((rows_kernel<OP, T, V>), grid, dim3(NORM_BLOCK), stream, a);
    else
        GPU_LAUNCH((rows_kernel<OP, T, 1>), grid, dim3(NORM_BLOCK), stream, a);
    return cudaGetLastError();
}

template <class OP>
cudaError_t launch(const gan_launch_norm_args *n, SumsArgs a, cudaStream_t stream) {
    if (n->groups == 0 || n->channels == 0) return cudaSuccess;
    a.x = n->x, a.out = n->out, a.partial = static_cast<float *>(n->workspace);
    a.rows = int(n->rows), a.channels = int(n->channels);
    plan(n, &a);
    /* A tile has at least a channel, and several chunks mean less than 256 tiles, or waves. */
    a.counters = has_counters(n) ? n->counters : NULL;
    const cudaError_t error = n->bf16 ? launch_rows<OP, __nv_bfloat16, OP::BF16>(n, a, stream)
                                      : launch_rows<OP, float, 4>(n, a, stream);
    if (error != cudaSuccess || a.chunks == 1 || a.counters) return error;
    a.lanes = lanes_for(n->channels, 8); /* few channels a block, for many chunks at a time */
    a.tiles = int(ceil_div(n->channels, a.lanes));
    GPU_LAUNCH(chunks_kernel<OP>, dim3(unsigned(n->groups * a.tiles)), dim3(NORM_BLOCK), stream, a);
    return cudaGetLastError();
}

} // namespace

extern "C" int64_t gan_launch_norm_wave(const gan_launch_norm_args *n) { return wave_of(n); }

extern "C" size_t gan_launch_norm_workspace(const gan_launch_norm_args *n) {
    SumsArgs a = {};
    if (n->groups == 0 || n->channels == 0 || n->rows == 0) return 0;
    plan(n, &a);
    return a.chunks == 1 ? 0 : sizeof(float) * 2 * size_t(n->groups * a.chunks * n->channels);
}

extern "C" cudaError_t gan_launch_moments(const gan_launch_norm_args *n, cudaStream_t stream) {
    return launch<Moments>(n, SumsArgs{}, stream);
}

extern "C" cudaError_t gan_launch_batch_norm_sums(const gan_launch_norm_args *n,
                                                  const gan_launch_norm_back *back,
                                                  cudaStream_t stream) {
    SumsArgs a = {};
    a.back = *back;
    return back->slope == 1.0f ? launch<Products<false>>(n, a, stream)
                               : launch<Products<true>>(n, a, stream);
}
