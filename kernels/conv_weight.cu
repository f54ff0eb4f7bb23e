/* The filter's gradient between few channels and many: for each tap the sum over all pixels of the
 * many's channels times the few's.
 *
 * A block takes some of the tiles, for up to 64 channels. Of a tile, which lies in shared memory,
 * each thread takes every so many pixels for one tap and eight channels; at the end the block adds
 * up its threads' sums in their order. Blocks' sums are brought together in groups, by the last of
 * a group, and groups' by the last of all.
 */
#include "kernels/conv.cuh"
#include "kernels/last.cuh"

namespace {

enum {
    BLOCK = 256,
    ROWS = 4, /* of a tile */
    PIXELS = ROWS * CONV_ACROSS,
    MOST_FEW = 704, /* pixels of few channels that its taps reach, at most */
    MOST_SUMS = GAN_LAUNCH_CONV_TAPS * CONV_PIXEL * CONV_CHANNELS,
    GROUP = 16, /* parts that are brought together at once, and groups */
    MOST_PARTS = GROUP * GROUP
};
static_assert(PIXELS * CONV_CHANNELS >= MOST_SUMS, "the sums take the tile's place");

struct Args {
    Sides v;
    const void *few, *many;
    void *out;
    int groups;               // of CONV_CHUNK channels, a block
    int few_rows, few_across; // of what a tile's taps reach
    int slices;               // threads that share the pixels of a tile
    int parts;                // blocks that share the tiles
    int vectors;
    Tiles tiles;
    float *workspace; // (shares of the channels, parts, MOST_SUMS)
    unsigned *counters;
};

template <class T>
__device__ __forceinline__ void stage_many(float *tile, const Args &a, int n, int p, int q, int k) {
    const int channels = a.groups * CONV_CHUNK;
    for (int i = int(threadIdx.x); i < PIXELS * a.groups; i += BLOCK) {
        const int pixel = i / a.groups, chunk = i % a.groups * CONV_CHUNK;
        float value[CONV_CHUNK];
        load_many(value, static_cast<const T *>(a.many), a.v, a.vectors, n, p + pixel / CONV_ACROSS,
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

template <class T, int C>
__device__ __forceinline__ void write_filter(const Args &a, int i, float value, int first) {
    const int channels = a.groups * CONV_CHUNK;
    const int line = i / channels, k = first + i % channels, c = line % C;
    if (k < a.v.k && c < a.v.c)
        static_cast<T *>(a.out)[filter_at(a.v, k, line / C, c)] = from_float<T>(value);
}

/* Element i of `n` parts, `apart` numbers from each other. */
__device__ __forceinline__ float total(const float *parts, int n, int apart, int i) {
    float sum = parts[i];
#pragma unroll 4
    for (int part = 1; part < n; part++) sum += parts[part * apart + i];
    return sum;
}

template <class T, int C>
__global__ void __launch_bounds__(BLOCK, 2) weight_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    GPU_SHARED(Floats<MOST_FEW * CONV_PIXEL>, few, );
    GPU_SHARED(Floats<PIXELS * CONV_CHANNELS>, many, );
    const Sides &v = a.v;
    const Share share(a);
    const int part = int(blockIdx.x), first = int(blockIdx.y) * share.channels;
    const unsigned begin = unsigned(uint64_t(a.tiles.all) * unsigned(part) / unsigned(a.parts)),
                   end = unsigned(uint64_t(a.tiles.all) * unsigned(part + 1) / unsigned(a.parts));
    float sum[CONV_CHUNK][C] = {};
    for (unsigned t = begin; t < end; t++) {
        int n, p, q;
        a.tiles.find(t, n, p, q);
        p *= ROWS, q *= CONV_ACROSS;
        __syncthreads(); /* the tile before has been used */
        stage_few<BLOCK>(few.v, static_cast<const T *>(a.few), v, n, p * v.stride - v.top,
                         q * v.stride - v.left, a.few_rows, a.few_across);
        stage_many<T>(many.v, a, n, p, q, first);
        __syncthreads();
        if (share.slice < a.slices) add_tile(sum, a, share, few.v, many.v);
    }
    float *const sums = many.v;
    add_slices(sums, sum, a, share);

    const int size = v.r * v.s * C * share.channels;
    if (a.parts == 1) {
        for (int i = int(threadIdx.x); i < size; i += BLOCK)
            write_filter<T, C>(a, i, sums[i], first);
        return;
    }
    const int group = part / GROUP, groups = (a.parts + GROUP - 1) / GROUP;
    const int members = a.parts - group * GROUP < GROUP ? a.parts - group * GROUP : GROUP;
    unsigned *const counters = a.counters + blockIdx.y * (GROUP + 1);
    float *const all = a.workspace + int64_t(blockIdx.y) * a.parts * MOST_SUMS, *const ours =
                                                                                    all +
                                                                                    group * GROUP *
                                                                                        MOST_SUMS;
    for (int i = int(threadIdx.x); i < size; i += BLOCK) all[part * MOST_SUMS + i] = sums[i];
    if (!is_last(counters + group, unsigned(members))) return;
    for (int i = int(threadIdx.x); i < size; i += BLOCK) /* each thread its own */
        ours[i] = total(ours, members, MOST_SUMS, i);
    if (!is_last(counters + GROUP, unsigned(groups))) return;
    for (int i = int(threadIdx.x); i < size; i += BLOCK)
        write_filter<T, C>(a, i, total(all, groups, GROUP * MOST_SUMS, i), first);
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

template <class T>
Kernel choose(int c) {
    return c == 1 ? weight_kernel<T, 1> : c == 3 ? weight_kernel<T, 3> : weight_kernel<T, 4>;
}

struct Cut {
    int shares, groups, parts;

    explicit Cut(const Sides &v) {
        enum { LEAST = 4 }; /* tiles that are worth a block */
        const int64_t chunks = ceil_div(v.k, CONV_CHUNK), most = CONV_CHANNELS / CONV_CHUNK;
        shares = int(ceil_div(chunks, most));
        groups = int(ceil_div(chunks, shares));
        const int64_t tiles = v.n * ceil_div(v.p, ROWS) * ceil_div(v.q, CONV_ACROSS);
        int64_t blocks = ceil_div(tiles, LEAST);
        if (blocks > MOST_PARTS / shares) blocks = MOST_PARTS / shares;
        parts = int(blocks);
    }
};

} // namespace

extern "C" size_t gan_launch_conv_workspace(const gan_launch_conv_sides *v) {
    const Cut cut(*v);
    return cut.parts == 1 ? 0 : sizeof(float) * size_t(cut.shares) * size_t(cut.parts) * MOST_SUMS;
}

extern "C" cudaError_t gan_launch_conv_weight(const gan_launch_conv_args *l, cudaStream_t stream) {
    const Sides &v = l->sides;
    const Cut cut(v);
    static_assert(2048 / CONV_CHANNELS * (GROUP + 1) <= GAN_LAUNCH_COUNTERS, "a share's counters");
    const Args a = {v,
                    l->few,
                    l->many,
                    l->out,
                    cut.groups,
                    (ROWS - 1) * v.stride + v.r,
                    (CONV_ACROSS - 1) * v.stride + v.s,
                    BLOCK / (cut.groups * v.r * v.s),
                    cut.parts,
                    many_in_vectors(v, l->many, l->bf16),
                    Tiles(v.n, v.p, v.q, ROWS, CONV_ACROSS),
                    static_cast<float *>(l->workspace),
                    l->counters};
    const Kernel kernel = l->bf16 ? choose<__nv_bfloat16>(v.c) : choose<float>(v.c);
    GPU_LAUNCH(kernel, dim3(unsigned(cut.parts), unsigned(cut.shares)), dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
