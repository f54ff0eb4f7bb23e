/* Few channels to many, in f32: y of the first convolution, the gradient of what the last one
 * reads.
 *
 * A block keeps the filter of up to 64 channels in shared memory and goes from tile to tile. Of a
 * tile's pixels, which lie there too, each thread makes four, of eight channels: for every tap it
 * loads a vector of each pixel's channels and eight numbers of the filter a channel.
 */
#include "kernels/conv.cuh"

namespace {

enum {
    BLOCK = 256,
    PIXELS = 4,                   /* of a thread, LANES apart, so that its neighbours' adjoin */
    LANES = CONV_ACROSS / PIXELS, /* threads of a row of a tile */
    MOST_FEW = 1024,              /* pixels of few channels, a tile */
    MOST_TAPS = GAN_LAUNCH_CONV_TAPS
};

struct Args {
    Sides v;
    const float *few, *filter;
    float *out;
    int groups;               // of CONV_CHUNK channels, a block
    int rows;                 // of a tile
    int few_rows, few_across; // of what its taps reach
    int vectors;
    Tiles tiles;
    Follow follow;
};

/* filter (taps, C, CONV_CHANNELS), from channel `first` on; neighbours of memory to neighbours of a
 * warp. */
template <int C>
__device__ __forceinline__ void stage_filter(float *filter, const Args &a, int first) {
    const Sides &v = a.v;
    const int lines = v.r * v.s * C, channels = a.groups * CONV_CHUNK;
    for (int i = int(threadIdx.x); i < lines * channels; i += BLOCK) {
        const int line = v.turned ? i / channels : i % lines;
        const int k = v.turned ? i % channels : i / lines, c = line % C;
        const bool inside = first + k < v.k && c < v.c;
        filter[line * CONV_CHANNELS + k] =
            inside ? a.filter[filter_at(v, first + k, line / C, c)] : 0.0f;
    }
}

template <class FOLLOW>
__device__ __forceinline__ void finish(const Args &a, const float (&sum)[PIXELS][CONV_CHUNK],
                                       int64_t line, int column, int k) {
#pragma unroll 1
    for (int pixel = 0; pixel < PIXELS; pixel++, column += LANES) {
        if (column >= a.v.q) return;
        float y[CONV_CHUNK];
#pragma unroll
        for (int j = 0; j < PIXELS; j++)
#pragma unroll
            for (int i = 0; i < CONV_CHUNK; i++)
                if (j == 0 || j == pixel) y[i] = sum[j][i];
        const int64_t element = (line * a.v.q + column) * a.v.k + k;
        follow_chunk<FOLLOW>(y, a.follow, unsigned(element), a.v.k - k);
        float *const out = a.out + element;
        if (a.vectors) {
            store_floats(out, y);
            continue;
        }
#pragma unroll
        for (int i = 0; i < CONV_CHUNK; i++)
            if (k + i < a.v.k) out[i] = y[i];
    }
}

template <int C, class FOLLOW>
__global__ void __launch_bounds__(BLOCK, 2) many_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    GPU_SHARED(Floats<MOST_FEW * CONV_PIXEL>, tile, );
    GPU_SHARED(Floats<MOST_TAPS * C * CONV_CHANNELS>, filter, );
    const Sides &v = a.v;
    const int group = int(threadIdx.x) % a.groups, lane = int(threadIdx.x) / a.groups;
    const int column = lane % LANES, row = lane / LANES;
    const int first = int(blockIdx.y) * a.groups * CONV_CHUNK, k = first + group * CONV_CHUNK;
    stage_filter<C>(filter.v, a, first);
    for (unsigned t = blockIdx.x; t < a.tiles.all; t += gridDim.x) {
        int n, p, q;
        a.tiles.find(t, n, p, q);
        p *= a.rows, q *= CONV_ACROSS;
        __syncthreads(); /* the tile before has been used */
        stage_few<BLOCK>(tile.v, a.few, v, n, p * v.stride - v.top, q * v.stride - v.left,
                         a.few_rows, a.few_across);
        __syncthreads();
        if (row >= a.rows || p + row >= v.p || q + column >= v.q || k >= v.k) continue;
        float sum[PIXELS][CONV_CHUNK] = {};
        for (int r = 0; r < v.r; r++) {
            const float *x =
                tile.v + ((row * v.stride + r) * a.few_across + column * v.stride) * CONV_PIXEL;
            const float *w = filter.v + r * v.s * C * CONV_CHANNELS + group * CONV_CHUNK;
            for (int s = 0; s < v.s; s++, x += CONV_PIXEL, w += C * CONV_CHANNELS) {
                float pixel[PIXELS][CONV_PIXEL];
#pragma unroll
                for (int j = 0; j < PIXELS; j++)
                    load_floats(pixel[j], x + j * LANES * v.stride * CONV_PIXEL);
#pragma unroll
                for (int c = 0; c < C; c++) {
                    float f[CONV_CHUNK];
                    load_floats(f, w + c * CONV_CHANNELS);
#pragma unroll
                    for (int j = 0; j < PIXELS; j++)
#pragma unroll
                        for (int i = 0; i < CONV_CHUNK; i++)
                            sum[j][i] = fmaf(pixel[j][c], f[i], sum[j][i]);
                }
            }
        }
        finish<FOLLOW>(a, sum, int64_t(n) * v.p + p + row, q + column, k);
    }
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

template <class FOLLOW>
Kernel choose(int c) {
    return c == 1   ? many_kernel<1, FOLLOW>
           : c == 3 ? many_kernel<3, FOLLOW>
                    : many_kernel<4, FOLLOW>;
}

/* Rows of a tile: for all threads, of no taller an image, and no more than fit. */
int rows_of(const Sides &v, int groups) {
    const int columns = (CONV_ACROSS - 1) * v.stride + v.s;
    int rows = BLOCK / groups / LANES;
    if (rows > v.p) rows = v.p;
    while (rows > 1 && ((rows - 1) * v.stride + v.r) * columns > MOST_FEW) rows--;
    return rows;
}

} // namespace

extern "C" int gan_launch_conv_takes(const gan_launch_conv_sides *v) {
    const int64_t most = INT32_MAX, taps = int64_t(v->r) * v->s;
    if (v->n < 1 || v->h < 1 || v->w < 1 || v->c < 1 || v->p < 1 || v->q < 1 || v->k < 1 ||
        v->r < 1 || v->s < 1 || v->c > GAN_LAUNCH_CONV_CHANNELS || v->k > 2048)
        return 0;
    if (v->stride != 1 && v->stride != 2) return 0;
    if (v->r > GAN_LAUNCH_CONV_TAPS || v->s > GAN_LAUNCH_CONV_TAPS) return 0;
    const int64_t whole =
        ceil_div(v->r, v->stride) * ceil_div(v->s, v->stride) * v->stride * v->stride;
    if (taps > GAN_LAUNCH_CONV_TAPS || whole > GAN_LAUNCH_CONV_TAPS) return 0;
    return int64_t(v->h) <= most / v->n / v->w / v->c && int64_t(v->p) <= most / v->n / v->q / v->k;
}

extern "C" cudaError_t gan_launch_conv_many(const gan_launch_conv_args *l, cudaStream_t stream) {
    enum { BLOCKS = 528 }; /* what the largest processors hold at once */
    const Sides &v = l->sides;
    const int chunks = int(ceil_div(v.k, CONV_CHUNK)), most = CONV_CHANNELS / CONV_CHUNK;
    const int shares = int(ceil_div(chunks, most)), groups = int(ceil_div(chunks, shares));
    const int rows = rows_of(v, groups);
    const int chain = many_chain(*l);
    const Args a = {v,
                    static_cast<const float *>(l->few),
                    static_cast<const float *>(l->filter),
                    static_cast<float *>(l->out),
                    groups,
                    rows,
                    (rows - 1) * v.stride + v.r,
                    (CONV_ACROSS - 1) * v.stride + v.s,
                    many_in_vectors(v, l->out, 0),
                    Tiles(v.n, v.p, v.q, rows, CONV_ACROSS),
                    follow_of(following(*l), chain, chain == FOLLOW_ANY ? 1 : 4)};
    const Kernel kernel = chain == FOLLOW_ANY ? choose<Any<BLOCK>>(v.c) : choose<ManyFollows>(v.c);
    const unsigned most_blocks = unsigned(ceil_div(BLOCKS, shares));
    const dim3 grid(a.tiles.all < most_blocks ? a.tiles.all : most_blocks, unsigned(shares));
    GPU_LAUNCH(kernel, grid, dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
