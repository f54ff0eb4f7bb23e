/* Few channels to many, in bfloat16 on tensor cores: y of the first convolution, the gradient of
 * what the last one reads.
 *
 * A block keeps the filter of up to 64 channels in shared memory, all its taps to a column, and
 * goes from tile to tile. Of a tile, which lies there too, each warp makes a row of 16 pixels,
 * whose taps it gathers. Sums go through shared memory once more, so that eight channels of a pixel
 * are stored at once.
 */
#include "kernels/conv_half.cuh"

namespace {

enum {
    BLOCK = 256,
    ROWS = BLOCK / 32, /* of a tile, one a warp */
    MOST_FEW = 704,    /* pixels of few channels that a tile's taps reach, at most */
    WIDE = CONV_CHANNELS / 8,
    PASS = CONV_CHANNELS / 2, /* channels of a warp's pixels that are stored at a time */
    PASS_LINE = PASS + 4
};

struct Args {
    Sides v;
    const Half *few, *filter;
    Half *out;
    int groups;               // of CONV_CHUNK channels, a block
    int columns;              // taps times few channels
    int few_rows, few_across; // of what a tile's taps reach
    int vectors;
    Divisor by_channels;
    Tiles tiles;
    Follow follow;
};

/* Of a depth of STEPS times 16 taps and channels. */
template <int STEPS>
struct Room {
    static constexpr int LINE = STEPS * 8 + 4; /* words of a column: other banks for neighbours */

    alignas(16) float sums[BLOCK / 32][CONV_ACROSS * PASS_LINE];
    alignas(16) unsigned filter[CONV_CHANNELS * LINE];
    alignas(16) Half few[MOST_FEW * CONV_PIXEL];
};

/* ---- tiles ---- */

template <int STEPS>
__device__ __forceinline__ void stage_filter(unsigned *filter, const Args &a, int first) {
    const Sides &v = a.v;
    constexpr int LINE = Room<STEPS>::LINE, PAIRS = STEPS * 8;
    for (int i = int(threadIdx.x); i < CONV_CHANNELS * PAIRS; i += BLOCK) {
        const int k = v.turned ? i % CONV_CHANNELS : i / PAIRS,
                  pair = v.turned ? i / CONV_CHANNELS : i % PAIRS;
        Half value[2] = {};
#pragma unroll
        for (int e = 0; e < 2; e++) {
            const int column = 2 * pair + e, tap = int(a.by_channels.divide(unsigned(column)));
            if (column < a.columns && k < a.groups * CONV_CHUNK && first + k < v.k)
                value[e] = a.filter[filter_at(v, first + k, tap, column - tap * v.c)];
        }
        filter[k * LINE + pair] = pair_of(value[0], value[1]);
    }
}

/* ---- products ---- */

/* Of a lane's taps and channels, in their order, where one is from a pixel's first on. */
template <int STEPS>
struct Taps {
    int at[STEPS][4]; // -1: there is none

    __device__ __forceinline__ explicit Taps(const Args &a) {
#pragma unroll
        for (int step = 0; step < STEPS; step++)
#pragma unroll
            for (int e = 0; e < 4; e++) {
                const int column = 16 * step + e / 2 * 8 + int(threadIdx.x) % 4 * 2 + e % 2;
                const int tap = int(a.by_channels.divide(unsigned(column))), r = tap / a.v.s;
                at[step][e] =
                    column < a.columns
                        ? (r * a.few_across + tap - r * a.v.s) * CONV_PIXEL + column - tap * a.v.c
                        : -1;
            }
    }
    /* The pair of words of a step: e is 0 or 2. */
    __device__ __forceinline__ unsigned pair(const Half *pixel, int step, int e) const {
        const int low = at[step][e], high = at[step][e + 1];
        return pair_of(low < 0 ? Half{} : pixel[low], high < 0 ? Half{} : pixel[high]);
    }
};

template <int STEPS>
__device__ __forceinline__ void multiply(float (&sum)[WIDE][4], const Args &a,
                                         const Taps<STEPS> &taps, const Half *few,
                                         const unsigned *filter) {
    constexpr int LINE = Room<STEPS>::LINE;
    const int row = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
    const int apart = a.v.stride * CONV_PIXEL;
    const Half *pixel = few + row * a.v.stride * a.few_across * CONV_PIXEL + lane / 4 * apart;
    const unsigned *y = filter + lane / 4 * LINE + lane % 4;
#pragma unroll
    for (int step = 0; step < STEPS; step++) {
        const unsigned left[4] = {taps.pair(pixel, step, 0), taps.pair(pixel + 8 * apart, step, 0),
                                  taps.pair(pixel, step, 2), taps.pair(pixel + 8 * apart, step, 2)};
#pragma unroll
        for (int j = 0; j < WIDE; j++) {
            const unsigned right[2] = {y[8 * j * LINE + 8 * step], y[8 * j * LINE + 8 * step + 4]};
            GPU_MULTIPLY_ADD(sum[j], left, right);
        }
    }
}

/* ---- results ---- */

/* PASS channels of a warp's pixels, from column q on of line `line` of all images. */
template <class FOLLOW>
__device__ __forceinline__ void finish(const Args &a, const float *sums, int64_t line, int q,
                                       int first, int group) {
    constexpr int CHUNKS = PASS / CONV_CHUNK;
    for (int i = int(threadIdx.x) % 32; i < CONV_ACROSS * CHUNKS; i += 32) {
        const int pixel = i / CHUNKS, chunk = i % CHUNKS, k = first + (group + chunk) * CONV_CHUNK;
        if (q + pixel >= a.v.q || group + chunk >= a.groups || k >= a.v.k) continue;
        float y[CONV_CHUNK];
        load_floats(y, sums + pixel * PASS_LINE + chunk * CONV_CHUNK);
        const int64_t element = (line * a.v.q + q + pixel) * a.v.k + k;
        follow_chunk<FOLLOW>(y, a.follow, unsigned(element), a.v.k - k);
        if (a.vectors) {
            store_floats(a.out + element, y);
            continue;
        }
#pragma unroll
        for (int c = 0; c < CONV_CHUNK; c++)
            if (k + c < a.v.k) a.out[element + c] = from_float<Half>(y[c]);
    }
}

template <int STEPS, class FOLLOW>
__global__ void __launch_bounds__(BLOCK, 2) many_half_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    GPU_SHARED(Room<STEPS>, room, );
    const Sides &v = a.v;
    const int row = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
    const int first = int(blockIdx.y) * a.groups * CONV_CHUNK;
    float *const sums = room.sums[row];
    const Taps<STEPS> taps(a);
    stage_filter<STEPS>(room.filter, a, first);
    for (unsigned t = blockIdx.x; t < a.tiles.all; t += gridDim.x) {
        int n, p, q;
        a.tiles.find(t, n, p, q);
        p *= ROWS, q *= CONV_ACROSS;
        __syncthreads(); /* the tile before has been used */
        stage_halves<BLOCK>(room.few, a.few, v, n, p * v.stride - v.top, q * v.stride - v.left,
                            a.few_rows, a.few_across);
        __syncthreads();
        if (p + row >= v.p) continue;
        float sum[WIDE][4] = {};
        multiply(sum, a, taps, room.few, room.filter);
#pragma unroll
        for (int pass = 0; pass < CONV_CHANNELS / PASS; pass++) {
            __syncwarp(); /* the pass before has been used */
#pragma unroll
            for (int j = 0; j < PASS / 8; j++)
#pragma unroll
                for (int half = 0; half < 2; half++)
                    store(sums + (lane / 4 + 8 * half) * PASS_LINE + 8 * j + lane % 4 * 2,
                          Vec<float, 2>{{sum[pass * PASS / 8 + j][2 * half],
                                         sum[pass * PASS / 8 + j][2 * half + 1]}});
            __syncwarp();
            finish<FOLLOW>(a, sums, int64_t(n) * v.p + p + row, q, first, pass * PASS / CONV_CHUNK);
        }
    }
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

template <class FOLLOW>
Kernel choose(int columns) {
    return columns <= 16   ? many_half_kernel<1, FOLLOW>
           : columns <= 32 ? many_half_kernel<2, FOLLOW>
           : columns <= 48 ? many_half_kernel<3, FOLLOW>
                           : many_half_kernel<4, FOLLOW>;
}

} // namespace

extern "C" cudaError_t gan_launch_conv_many_half(const gan_launch_conv_args *l,
                                                 cudaStream_t stream) {
    enum { BLOCKS = 264 }; /* what the largest processors hold at once */
    const Sides &v = l->sides;
    const int chunks = int(ceil_div(v.k, CONV_CHUNK)), most = CONV_CHANNELS / CONV_CHUNK;
    const int shares = int(ceil_div(chunks, most)), columns = v.r * v.s * v.c;
    const int chain = many_chain(*l);
    const Args a = {v,
                    static_cast<const Half *>(l->few),
                    static_cast<const Half *>(l->filter),
                    static_cast<Half *>(l->out),
                    int(ceil_div(chunks, shares)),
                    columns,
                    (ROWS - 1) * v.stride + v.r,
                    (CONV_ACROSS - 1) * v.stride + v.s,
                    many_in_vectors(v, l->out, 1),
                    Divisor(v.c),
                    Tiles(v.n, v.p, v.q, ROWS, CONV_ACROSS),
                    follow_of(following(*l), chain, chain == FOLLOW_ANY ? 1 : 4)};
    const Kernel kernel =
        chain == FOLLOW_ANY ? choose<Any<BLOCK>>(columns) : choose<ManyFollows>(columns);
    const unsigned most_blocks = unsigned(ceil_div(BLOCKS, shares));
    const dim3 grid(a.tiles.all < most_blocks ? a.tiles.all : most_blocks, unsigned(shares));
    GPU_LAUNCH(kernel, grid, dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
