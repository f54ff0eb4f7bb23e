/* The filter's gradient between few channels and many, in bfloat16 on tensor cores: for each tap
 * and channel of the few a column, for each channel of the many a row, and the depth is all pixels.
 * A column of ones gives the sums of the many, which are the gradient of a bias.
 *
 * A block takes some of the tiles, for up to 64 channels; each of its warps two rows of 16 pixels
 * of a tile, and 32 channels. Pixels lie in shared memory in pairs, as tensor cores take them. The
 * next tile of the many is on its way while one is computed: what takes time is to read it.
 */
#include "kernels/conv_half.cuh"
#include "kernels/conv_parts.cuh"

namespace {

enum {
    BLOCK = 256,
    ROWS = 8, /* of a tile */
    PAIRS = ROWS * CONV_ACROSS / 2,
    LINE = CONV_CHANNELS + 8, /* words of a pair: other banks for neighbours */
    MOST_FEW = 704,           /* pixels of few channels that a tile's taps reach, at most */
    MOST_COLUMNS = 72,
    MOST_SUMS = MOST_COLUMNS * CONV_CHANNELS,
    HIGH = 2, /* tiles of the tensor cores, down, a warp */
    CHUNKS = HIGH * 16 / CONV_CHUNK,
    SLICES = BLOCK / 32 * HIGH * 16 / CONV_CHANNELS, /* of the tile's rows */
    LOADS = PAIRS * CONV_CHANNELS / CONV_CHUNK / BLOCK
};
static_assert(PAIRS * LINE >= MOST_SUMS, "the sums take the tile's place");

struct Args {
    Sides v;
    const Half *few, *many;
    Half *out;
    float *sums;              // or NULL
    int groups, staged;       // of CONV_CHUNK channels, a block; rounded up to what warps take
    int few_rows, few_across; // of what a tile's taps reach
    int columns;              // but that of ones
    int vectors;
    Tiles tiles;
    Parts parts;
};

struct alignas(16) Room {
    unsigned many[PAIRS * LINE];        /* at last the sums */
    Half few[2][MOST_FEW * CONV_PIXEL]; /* by turns */
};

/* Pixels of the few that a tile's taps reach. */
__device__ __forceinline__ void stage_image(Half *image, const Args &a, unsigned tile) {
    const Sides &v = a.v;
    int n, p, q;
    a.tiles.find(tile, n, p, q);
    stage_halves<BLOCK>(image, a.few, v, n, p * ROWS * v.stride - v.top,
                        q * CONV_ACROSS * v.stride - v.left, a.few_rows, a.few_across);
}

/* A tile of the many on its way: pairs of pixels, some channels a thread. */
struct Fetch {
    Vector value[LOADS][2];

    __device__ __forceinline__ void begin(const Args &a, unsigned tile, int first) {
        const Sides &v = a.v;
        int n, p, q;
        a.tiles.find(tile, n, p, q);
        p *= ROWS, q *= CONV_ACROSS;
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            const int at = int(threadIdx.x) + i * BLOCK, pair = at / a.staged;
            const int k = first + at % a.staged * CONV_CHUNK;
            const int y = p + pair / (CONV_ACROSS / 2), x = q + pair % (CONV_ACROSS / 2) * 2;
            const bool inside = pair < PAIRS && y < v.p && k < v.k;
            const Half *from = a.many + int64_t((n * v.p + y) * v.q + x) * v.k + k;
            value[i][0] = inside && x < v.q ? channels_of(v, a.vectors, from, k) : Vector{};
            value[i][1] =
                inside && x + 1 < v.q ? channels_of(v, a.vectors, from + v.k, k) : Vector{};
        }
    }

    __device__ __forceinline__ void keep(const Args &a, unsigned *words) const {
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            const int at = int(threadIdx.x) + i * BLOCK, pair = at / a.staged;
            unsigned *to = words + pair * LINE + at % a.staged * CONV_CHUNK;
            if (pair >= PAIRS) continue;
#pragma unroll
            for (int c = 0; c < CONV_CHUNK; c += 4) {
                Vec<unsigned, 4> r;
#pragma unroll
                for (int e = 0; e < 4; e++)
                    r.v[e] = pair_of(value[i][0].v[c + e], value[i][1].v[c + e]);
                store(to + c, r);
            }
        }
    }
};

/* ---- products ---- */

/* A lane's columns: where the few's value for one is, from a pixel's first on. */
template <int WIDE>
struct Columns {
    int at[WIDE]; // -1: ones; -2: there is no such column

    __device__ __forceinline__ explicit Columns(const Args &a) {
#pragma unroll
        for (int j = 0; j < WIDE; j++) {
            const int column = 8 * j + int(threadIdx.x) % 32 / 4, tap = column / a.v.c;
            const int r = tap / a.v.s, s = tap - r * a.v.s;
            at[j] = column < a.columns ? (r * a.few_across + s) * CONV_PIXEL + column - tap * a.v.c
                    : column > a.columns ? -2
                                         : -1;
        }
    }
    /* Of the pixel that begins at `pixel` and the next one, `apart` elements from it. */
    __device__ __forceinline__ unsigned pair(const Half *pixel, int apart, int j) const {
        const unsigned ones = 0x3f803f80u;
        return at[j] < 0 ? (at[j] == -1 ? ones : 0u) : pair_of(pixel[at[j]], pixel[apart + at[j]]);
    }
};

/* A warp's channels and rows. */
struct Share {
    int channel, row, lane;

    __device__ __forceinline__ Share() {
        const int warp = int(threadIdx.x) / 32;
        lane = int(threadIdx.x) % 32;
        channel = warp / SLICES * 16 * HIGH;
        row = warp % SLICES * (ROWS / SLICES);
    }
};

template <int WIDE>
__device__ __forceinline__ void multiply(float (&sum)[HIGH][WIDE][4], const Args &a,
                                         const Share &share, const Columns<WIDE> &columns,
                                         const Half *few, const unsigned *many) {
    const int apart = a.v.stride * CONV_PIXEL, lane = share.lane;
    if (share.channel >= a.staged * CONV_CHUNK) return;
#pragma unroll 1
    for (int row = share.row; row < share.row + ROWS / SLICES; row++) {
        const unsigned *x =
            many + (row * (CONV_ACROSS / 2) + lane % 4) * LINE + share.channel + lane / 4;
        const Half *pixel =
            few + row * a.v.stride * a.few_across * CONV_PIXEL + lane % 4 * 2 * apart;
        unsigned left[HIGH][4];
#pragma unroll
        for (int i = 0; i < HIGH; i++)
#pragma unroll
            for (int e = 0; e < 4; e++) left[i][e] = x[e / 2 * 4 * LINE + 16 * i + e % 2 * 8];
#pragma unroll
        for (int j = 0; j < WIDE; j++) {
            const unsigned right[2] = {columns.pair(pixel, apart, j),
                                       columns.pair(pixel + 8 * apart, apart, j)};
#pragma unroll
            for (int i = 0; i < HIGH; i++) GPU_MULTIPLY_ADD(sum[i][j], left[i], right);
        }
    }
}

/* sums (columns, channels): one slice after the other. */
template <int WIDE>
__device__ __forceinline__ void add_slices(float *sums, const float (&sum)[HIGH][WIDE][4],
                                           const Share &share) {
    for (int row = 0; row < ROWS; row += ROWS / SLICES) {
        __syncthreads();
        if (row != share.row) continue;
#pragma unroll
        for (int i = 0; i < HIGH; i++)
#pragma unroll
            for (int j = 0; j < WIDE; j++)
#pragma unroll
                for (int e = 0; e < 4; e++) {
                    float *to = sums + (8 * j + share.lane % 4 * 2 + e % 2) * CONV_CHANNELS +
                                share.channel + 16 * i + share.lane / 4 + e / 2 * 8;
                    *to = row == 0 ? sum[i][j][e] : *to + sum[i][j][e];
                }
    }
    __syncthreads();
}

template <int WIDE>
__global__ void __launch_bounds__(BLOCK, WIDE > 4 ? 1 : 2)
    half_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    GPU_SHARED(Room, room, );
    static_assert(WIDE * 8 <= MOST_COLUMNS, "the sums of a part");
    const int first = int(blockIdx.y) * a.groups * CONV_CHUNK;
    const Columns<WIDE> columns(a);
    const Share share;
    unsigned begin, end;
    a.parts.find(a.tiles.all, begin, end);
    float sum[HIGH][WIDE][4] = {};
    Fetch next;
    next.begin(a, begin, first);
    stage_image(room.few[begin % 2], a, begin);
    for (unsigned t = begin; t < end; t++) {
        __syncthreads(); /* the tile before has been used */
        next.keep(a, room.many);
        __syncthreads();
        if (t + 1 < end) next.begin(a, t + 1, first);
        multiply(sum, a, share, columns, room.few[t % 2], room.many);
        if (t + 1 < end) stage_image(room.few[(t + 1) % 2], a, t + 1);
    }
    float *const sums = reinterpret_cast<float *>(room.many);
    add_slices(sums, sum, share);
    a.parts.bring_together<BLOCK>(sums, [&a, first](int i, float value) {
        const int column = i / CONV_CHANNELS, k = first + i % CONV_CHANNELS;
        const int tap = column / a.v.c;
        if (k >= a.v.k || i % CONV_CHANNELS >= a.groups * CONV_CHUNK) return;
        if (column == a.columns)
            a.sums[k] = value;
        else
            a.out[filter_at(a.v, k, tap, column - tap * a.v.c)] = from_float<Half>(value);
    });
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

Kernel choose(int columns) {
    return columns <= 16   ? half_kernel<2>
           : columns <= 32 ? half_kernel<4>
           : columns <= 56 ? half_kernel<7>
                           : half_kernel<9>;
}

/* Of a part, with a column of ones or without. */
int numbers(const Sides &v, bool ones) { return (v.r * v.s * v.c + ones) * CONV_CHANNELS; }

/* What the largest processors hold at once. */
Cut cut_of(const Sides &v) {
    return Cut(v, ROWS, v.r * v.s * v.c < 32 ? PARTS_MOST : PARTS_MOST / 2);
}

} // namespace

extern "C" size_t gan_launch_conv_half_workspace(const gan_launch_conv_sides *v) {
    return cut_of(*v).workspace(numbers(*v, true));
}

extern "C" cudaError_t gan_launch_conv_weight_half(const gan_launch_conv_args *l,
                                                   cudaStream_t stream) {
    const Sides &v = l->sides;
    const Cut cut = cut_of(v);
    const Args a = {
        v,
        static_cast<const Half *>(l->few),
        static_cast<const Half *>(l->many),
        static_cast<Half *>(l->out),
        l->sums,
        cut.groups,
        int(ceil_div(cut.groups, CHUNKS)) * CHUNKS,
        (ROWS - 1) * v.stride + v.r,
        (CONV_ACROSS - 1) * v.stride + v.s,
        v.r * v.s * v.c,
        many_in_vectors(v, l->many, 1),
        Tiles(v.n, v.p, v.q, ROWS, CONV_ACROSS),
        {cut.parts, numbers(v, l->sums), static_cast<float *>(l->workspace), l->counters}};
    GPU_LAUNCH(choose(a.parts.numbers / CONV_CHANNELS),
               dim3(unsigned(cut.parts), unsigned(cut.shares)), dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
