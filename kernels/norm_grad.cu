/* The gradient of x through batch norm, the statistics of its batch, and the activation after it.
 *
 * A block takes a tile of channels and a chunk of rows, as for the sums (norm.cu); what a channel's
 * elements have in common stays in registers.
 */
#include "kernels/norm.cuh"

namespace {

enum { BATCH = 4 }; /* rows that a thread reads before it uses them */

struct Args {
    const void *x; // (groups, rows, channels), as are dy and dx
    void *dx;
    const float *sums; // (groups, 2, channels)
    gan_launch_norm_back back;
    int rows, channels, chunk, chunks, tiles, lanes;
};

/* Block (group · chunks + chunk) · tiles + tile. */
template <class T, int V, bool ACTIVE>
__global__ void __launch_bounds__(NORM_BLOCK, 1) grad_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    const unsigned tile = blockIdx.x % unsigned(a.tiles), part = blockIdx.x / unsigned(a.tiles);
    const int64_t group = part / unsigned(a.chunks);
    const int begin = int(part % unsigned(a.chunks)) * a.chunk, rows = min(a.chunk, a.rows - begin);
    const Tile<V> at(a.lanes, int(tile));
    if (at.channel >= a.channels) return;
    GradientOfX<V, ACTIVE> gradient;
    gradient.read(a.sums + 2 * group * a.channels, a.back.moments + 2 * group * a.channels, a.rows,
                  a.channels, at.channel, a.back);
    const int64_t base = (group * a.rows + begin) * a.channels + at.channel;
    const T *x_rows = static_cast<const T *>(a.x) + base,
            *dy_rows = static_cast<const T *>(a.back.dy) + base;
    T *dx_rows = static_cast<T *>(a.dx) + base;
    for (int r = at.stripe; r < rows; r += BATCH * at.stripes) {
        Vec<T, V> x[BATCH], dy[BATCH];
#pragma unroll
        for (int i = 0; i < BATCH; i++) {
            const int row = r + i * at.stripes;
            if (row >= rows) break;
            x[i] = load<V>(x_rows + int64_t(row) * a.channels);
            dy[i] = load<V>(dy_rows + int64_t(row) * a.channels);
        }
#pragma unroll
        for (int i = 0; i < BATCH; i++) {
            const int row = r + i * at.stripes;
            if (row >= rows) break;
            float y[V];
            gradient.apply(y, x[i], dy[i], a.back.slope);
            store_floats(dx_rows + int64_t(row) * a.channels, y);
        }
    }
}

/* About as many blocks as the largest processors hold at once. */
template <class T, int V>
cudaError_t launch_as(const gan_launch_norm_args *n, Args a, cudaStream_t stream) {
    const int64_t blocks = 512;
    a.lanes = lanes_for(n->channels / V, 32);
    a.tiles = int(ceil_div(n->channels, int64_t(a.lanes) * V));
    const int64_t pass = NORM_BLOCK / a.lanes * BATCH, passes = ceil_div(n->rows, pass);
    const int64_t together = ceil_div(passes * a.tiles * n->groups, blocks);
    a.chunk = int(pass * (together < passes ? together : passes));
    a.chunks = int(ceil_div(n->rows, a.chunk));
    const dim3 grid(unsigned(n->groups * a.chunks * a.tiles));
    if (a.back.slope == 1.0f)
        GPU_LAUNCH((grad_kernel<T, V, false>), grid, dim3(NORM_BLOCK), stream, a);
    else
        GPU_LAUNCH((grad_kernel<T, V, true>), grid, dim3(NORM_BLOCK), stream, a);
    return cudaGetLastError();
}

/* V elements of T to a thread, or one where they are not aligned. */
template <class T, int V>
cudaError_t launch(const gan_launch_norm_args *n, const Args &a, cudaStream_t stream) {
    const int bytes = int(sizeof(T));
    const bool vectors = vector_width(n->x, n->channels, bytes, V) == V &&
                         vector_width(a.back.dy, n->channels, bytes, V) == V &&
                         vector_width(a.dx, n->channels, bytes, V) == V;
    return vectors ? launch_as<T, V>(n, a, stream) : launch_as<T, 1>(n, a, stream);
}

} // namespace

extern "C" cudaError_t gan_launch_batch_norm_grad(const gan_launch_norm_args *n,
                                                  const gan_launch_norm_back *back,
                                                  const float *sums, void *dx,
                                                  cudaStream_t stream) {
    if (n->groups == 0 || n->channels == 0 || n->rows == 0) return cudaSuccess;
    Args a = {};
    a.x = n->x, a.dx = dx, a.sums = sums, a.back = *back;
    a.rows = int(n->rows), a.channels = int(n->channels);
    return n->bf16 ? launch<__nv_bfloat16, 8>(n, a, stream) : launch<float, 4>(n, a, stream);
}
