/* The filter's gradient between few channels and many, in f32: for each tap the sum over all pixels
 * of the many's channels times the few's.
 *
 * A block takes some of the tiles, for up to 64 channels. Of a tile, which lies in shared memory,
 * each thread takes every so many pixels for one tap and eight channels; at the end the block adds
 * up its threads' sums in their order.
 */
#include "kernels/conv_parts.cuh"

namespace {

enum {
    BLOCK = 256,
    ROWS = 4, /* of a tile */
    PIXELS = ROWS * CONV_ACROSS,
    MOST_FEW = 704, /* pixels of few channels that its taps reach, at most */
    MOST_SUMS = GAN_LAUNCH_CONV_TAPS * CONV_PIXEL * CONV_CHANNELS
};
static_assert(PIXELS * CONV_CHANNELS >= MOST_SUMS, "the sums take the tile's place");

struct Args {
    Sides v;
    const float *few, *many;
    float *out;
    int groups;               // of CONV_CHUNK channels, a block
    int few_rows, few_across; // of what a tile's taps reach
    int slices;               // threads that share the pixels of a tile
    int vectors;
    Tiles tiles;
    Parts parts;
};

__device__ __forceinline__ void stage_many(float *tile, const Args &a, int n, int p, int q, int k) {
    const int channels = a.groups * CONV_CHUNK;
    for (int i = int(threadIdx.x); i < PIXELS * a.groups; i += BLOCK) {
        const int pixel = i / a.groups, chunk = i % a.groups * CONV_CHUNK;
        float value[CONV_CHUNK];
        load_many(value, a.many, a.v, a.vectors, n, p + pixel / CONV_ACROSS,
                  q + pixel % CONV_ACROSS, k + chunk);
        store_floats(tile + pixel * channels + chunk, value);
    }
}

/* What a thread makes: a tap, and two vectors of channels, half of the block's apart, so that
 * neighbours read neighbouring vectors. */
struct Share {
    int group, tap, slice, channels;

    __device__ __forceinline__ explicit Share(const Args &a) : channels(a.groups * CONV_CHUNK) {
        const int taps = a.v.r * a.v.s, t = int(threadIdx.x);
        group = t % a.groups;
        tap = t / a.groups % taps;
        slice = t / (a.groups * taps);
    }
    __device__ __forceinline__ int channel(int i) const {
        return i / 4 * (channels / 2) + group * 4 + i % 4;
    }
};

template <int C>
__device__ __forceinline__ void add_tile(float (&sum)[CONV_CHUNK][C], const Args &a, const Share &s,
                                         const float *few, const float *many) {
    const int r = s.tap / a.v.s, column = s.tap % a.v.s, stride = a.v.stride;
    for (int pixel = s.slice; pixel < PIXELS; pixel += a.slices) {
        const int row = pixel / CONV_ACROSS * stride + r, x = pixel % CONV_ACROSS * stride + column;
        float value[CONV_PIXEL], y[2][4];
        load_floats(value, few + (row * a.few_across + x) * CONV_PIXEL);
        load_floats(y[0], many + pixel * s.channels + s.channel(0));
        load_floats(y[1], many + pixel * s.channels + s.channel(4));
#pragma unroll
        for (int i = 0; i < CONV_CHUNK; i++)
#pragma unroll
            for (int c = 0; c < C; c++) sum[i][c] = fmaf(y[i / 4][i % 4], value[c], sum[i][c]);
    }
}

/* sums (taps, C, channels), one slice after the other. */
template <int C>
__device__ __forceinline__ void add_slices(float *sums, const float (&sum)[CONV_CHUNK][C],
                                           const Args &a, const Share &s) {
    for (int slice = 0; slice < a.slices; slice++) {
        __syncthreads();
        if (slice != s.slice) continue;
#pragma unroll
        for (int i = 0; i < CONV_CHUNK; i++)
#pragma unroll
            for (int c = 0; c < C; c++) {
                float *to = sums + (s.tap * C + c) * s.channels + s.channel(i);
                *to = slice == 0 ? sum[i][c] : *to + sum[i][c];
            }
    }
    __syncthreads();
}

template <int C>
__global__ void __launch_bounds__(BLOCK, 2) weight_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    GPU_SHARED(Floats<MOST_FEW * CONV_PIXEL>, few, );
    GPU_SHARED(Floats<PIXELS * CONV_CHANNELS>, many, );
    const Sides &v = a.v;
    const Share share(a);
    const int first = int(blockIdx.y) * share.channels;
    unsigned begin, end;
    a.parts.find(a.tiles.all, begin, end);
    float sum[CONV_CHUNK][C] = {};
    for (unsigned t = begin; t < end; t++) {
        int n, p, q;
        a.tiles.find(t, n, p, q);
        p *= ROWS, q *= CONV_ACROSS;
        __syncthreads(); /* the tile before has been used */
        stage_few<BLOCK>(few.v, a.few, v, n, p * v.stride - v.top, q * v.stride - v.left,
                         a.few_rows, a.few_across);
        stage_many(many.v, a, n, p, q, first);
        __syncthreads();
        if (share.slice < a.slices) add_tile(sum, a, share, few.v, many.v);
    }
    float *const sums = many.v;
    add_slices(sums, sum, a, share);
    a.parts.bring_together<BLOCK>(sums, [&a, &share, first](int i, float value) {
        const int line = i / share.channels, k = first + i % share.channels, c = line % C;
        if (k < a.v.k && c < a.v.c) a.out[filter_at(a.v, k, line / C, c)] = value;
    });
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

Kernel choose(int c) {
    return c == 1 ? weight_kernel<1> : c == 3 ? weight_kernel<3> : weight_kernel<4>;
}

/* Of a part, with as many channels of the few as a kernel has. */
int numbers(const Sides &v, const Cut &cut) {
    return v.r * v.s * (v.c == 2 ? 4 : v.c) * cut.groups * CONV_CHUNK;
}

} // namespace

extern "C" size_t gan_launch_conv_weight_workspace(const gan_launch_conv_sides *v) {
    const Cut cut(*v, ROWS, PARTS_MOST);
    return cut.workspace(numbers(*v, cut));
}

extern "C" cudaError_t gan_launch_conv_weight(const gan_launch_conv_args *l, cudaStream_t stream) {
    const Sides &v = l->sides;
    const Cut cut(v, ROWS, PARTS_MOST);
    const Args a = {v,
                    static_cast<const float *>(l->few),
                    static_cast<const float *>(l->many),
                    static_cast<float *>(l->out),
                    cut.groups,
                    (ROWS - 1) * v.stride + v.r,
                    (CONV_ACROSS - 1) * v.stride + v.s,
                    BLOCK / (cut.groups * v.r * v.s),
                    many_in_vectors(v, l->many, 0),
                    Tiles(v.n, v.p, v.q, ROWS, CONV_ACROSS),
                    {cut.parts, numbers(v, cut), static_cast<float *>(l->workspace), l->counters}};
    GPU_LAUNCH(choose(v.c), dim3(unsigned(cut.parts), unsigned(cut.shares)), dim3(BLOCK), stream,
               a);
    return cudaGetLastError();
}
