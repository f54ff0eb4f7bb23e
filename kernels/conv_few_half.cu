/* Many channels to few, in bfloat16 on tensor cores: what the last convolution of a generator
 * makes, the gradient of an image.
 *
 * A block makes a tile of cells (conv_cells.cuh). First each pixel of the many that the tile reads
 * is multiplied by all taps of the filter, a row by columns of it, so that it is loaded once; then
 * each pixel of the few adds up what its taps have made of the pixels around it. Channels pass
 * through shared memory a step at a time, the next step being on its way.
 */
#include "kernels/conv_cells.cuh"
#include "kernels/conv_half.cuh"

namespace {

enum {
    BLOCK = 256,
    STEP = 16,           /* channels at a time */
    LINE = STEP / 2 + 4, /* words of a row or column: whole vectors, other banks for neighbours */
    MOST_TAPS = GAN_LAUNCH_CONV_TAPS,
    MOST_COLUMNS = MOST_TAPS * CONV_PIXEL,
    TAP_LINE = MOST_TAPS + 1 /* products of a pixel with one of the few channels */
};

struct Args {
    Sides v;
    const Half *many, *filter;
    int vectors;
    int columns; // taps times few channels
    Divisor by_channels;
    Cells cells;
    Finish finish;
};

/* Of WIDE tiles of the tensor cores across; down as many as leave room for two blocks. */
template <int WIDE>
struct Shape {
    enum {
        HIGH = WIDE > 4 ? 2 : 3, /* a warp */
        PIXELS = BLOCK / 32 * HIGH * 16,
        PRODUCTS = PIXELS * TAP_LINE,
        LOADS = PIXELS * STEP / CONV_CHUNK / BLOCK
    };
    using Sums = float[HIGH][WIDE][4];

    struct Step {
        unsigned many[PIXELS * LINE], filter[MOST_COLUMNS * LINE];
    };
    /* The steps by turns; in their place at last products of one channel, and sums. */
    struct alignas(16) Room {
        Step step[2];

        __device__ __forceinline__ float *products() { return reinterpret_cast<float *>(this); }
        __device__ __forceinline__ float *sums() { return products() + PRODUCTS; }
    };
    enum { MOST_SUMS = int(sizeof(Room) / sizeof(float)) - PRODUCTS };
};

/* ---- steps on their way ---- */

template <int WIDE>
struct Fetch {
    enum {
        LOADS = Shape<WIDE>::LOADS,
        WORDS = WIDE * 8 * STEP / 2,
        FILTER_LOADS = (WORDS + BLOCK - 1) / BLOCK
    };
    const Half *from[LOADS]; // a pixel's channels; NULL: it is outside
    Vector many[LOADS];
    unsigned filter[FILTER_LOADS];

    __device__ __forceinline__ Fetch(const Args &a, int n, int p, int q) {
        const int across = a.cells.across(), down = a.cells.down();
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            const int at = int(threadIdx.x) + i * BLOCK, pixel = at / (STEP / CONV_CHUNK);
            const int row = pixel / across, y = p + row, x = q + pixel - row * across;
            const bool inside = row < down && y >= 0 && y < a.v.p && x >= 0 && x < a.v.q;
            from[i] = inside ? a.many + int64_t((n * a.v.p + y) * a.v.q + x) * a.v.k : nullptr;
        }
    }

    /* Channels from k on. */
    __device__ __forceinline__ void begin(const Args &a, int k) {
        const int chunk = k + int(threadIdx.x) % (STEP / CONV_CHUNK) * CONV_CHUNK;
#pragma unroll
        for (int i = 0; i < LOADS; i++)
            many[i] = from[i] && chunk < a.v.k ? channels_of(a.v, a.vectors, from[i] + chunk, chunk)
                                               : Vector{};
#pragma unroll
        for (int i = 0; i < FILTER_LOADS; i++) {
            int column, pair;
            place(a, i, column, pair);
            const int tap = int(a.by_channels.divide(unsigned(column))), c = column - tap * a.v.c;
            Half value[2] = {};
#pragma unroll
            for (int e = 0; e < 2; e++)
                if (column < a.columns && k + 2 * pair + e < a.v.k)
                    value[e] = a.filter[filter_at(a.v, k + 2 * pair + e, tap, c)];
            filter[i] = pair_of(value[0], value[1]);
        }
    }

    /* Neighbours in memory are neighbouring threads'. */
    __device__ __forceinline__ static void place(const Args &a, int i, int &column, int &pair) {
        const int at = int(threadIdx.x) + i * BLOCK;
        column = a.v.turned ? at / (STEP / 2) : at % (WIDE * 8);
        pair = a.v.turned ? at % (STEP / 2) : at / (WIDE * 8);
    }

    __device__ __forceinline__ void keep(const Args &a, typename Shape<WIDE>::Step &to) const {
#pragma unroll
        for (int i = 0; i < LOADS; i++) {
            const int at = int(threadIdx.x) + i * BLOCK;
            store(reinterpret_cast<Half *>(to.many + at / (STEP / CONV_CHUNK) * LINE) +
                      at % (STEP / CONV_CHUNK) * CONV_CHUNK,
                  many[i]);
        }
#pragma unroll
        for (int i = 0; i < FILTER_LOADS; i++) {
            int column, pair;
            place(a, i, column, pair);
            if (int(threadIdx.x) + i * BLOCK < WORDS) to.filter[column * LINE + pair] = filter[i];
        }
    }
};

/* ---- products ---- */

template <int WIDE>
__device__ __forceinline__ void multiply(typename Shape<WIDE>::Sums &sum,
                                         const typename Shape<WIDE>::Step &step) {
    constexpr int HIGH = Shape<WIDE>::HIGH;
    const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
    const unsigned *x = step.many + (warp * HIGH * 16 + lane / 4) * LINE + lane % 4,
                   *y = step.filter + lane / 4 * LINE + lane % 4;
    unsigned left[HIGH][4];
#pragma unroll
    for (int i = 0; i < HIGH; i++)
#pragma unroll
        for (int e = 0; e < 4; e++) left[i][e] = x[(16 * i + e % 2 * 8) * LINE + e / 2 * 4];
#pragma unroll
    for (int j = 0; j < WIDE; j++) {
        const unsigned right[2] = {y[8 * j * LINE], y[8 * j * LINE + 4]};
#pragma unroll
        for (int i = 0; i < HIGH; i++) GPU_MULTIPLY_ADD(sum[i][j], left[i], right);
    }
}

/* products (pixels, TAP_LINE) of channel c. */
template <int WIDE>
__device__ __forceinline__ void leave(float *products, const typename Shape<WIDE>::Sums &sum,
                                      const Args &a, int c) {
    constexpr int HIGH = Shape<WIDE>::HIGH;
    const int warp = int(threadIdx.x) / 32, lane = int(threadIdx.x) % 32;
    float *const first = products + (warp * HIGH * 16 + lane / 4) * TAP_LINE;
#pragma unroll
    for (int j = 0; j < WIDE; j++)
#pragma unroll
        for (int e = 0; e < 2; e++) {
            const int column = 8 * j + lane % 4 * 2 + e;
            const int tap = int(a.by_channels.divide(unsigned(column)));
            if (column >= a.columns || column - tap * a.v.c != c) continue;
#pragma unroll
            for (int i = 0; i < HIGH; i++) {
                first[16 * i * TAP_LINE + tap] = sum[i][j][e];
                first[(16 * i + 8) * TAP_LINE + tap] = sum[i][j][2 + e];
            }
        }
}

/* sums (cells, CELL, CELL, channels) of channel c. */
template <int CELL>
__device__ __forceinline__ void add_taps(float *sums, const float *products, const Args &a, int c) {
    const Cells &t = a.cells;
    for (int at = int(threadIdx.x); at < t.rows * t.columns * CELL * CELL; at += BLOCK) {
        const int cell = at / (CELL * CELL), y = at / CELL % CELL, x = at % CELL;
        const float *of = products + t.last_pixel(cell) * TAP_LINE;
        float sum = 0.0f;
        for (int r = y; r < a.v.r; r += CELL, of -= t.across() * TAP_LINE)
            for (int s = x, l = 0; s < a.v.s; s += CELL, l++)
                sum += of[r * a.v.s + s - l * TAP_LINE];
        sums[at * a.v.c + c] = sum;
    }
}

template <int WIDE, int CELL>
__global__ void __launch_bounds__(BLOCK, 2) few_half_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    using Room = typename Shape<WIDE>::Room;
    GPU_SHARED(Room, room, );
    const Cells &t = a.cells;
    int n, i, j, turn = 0;
    t.find(blockIdx.x, n, i, j);
    Fetch<WIDE> next(a, n, i - t.reach_rows + 1, j - t.reach_columns + 1);
    next.begin(a, 0);
    typename Shape<WIDE>::Sums sum = {};
    for (int k = 0; k < a.v.k; k += STEP, turn ^= 1) {
        next.keep(a, room.step[turn]);
        __syncthreads(); /* the step before has been used, too: the next one takes its place */
        if (k + STEP < a.v.k) next.begin(a, k + STEP);
        multiply<WIDE>(sum, room.step[turn]);
    }
    for (int c = 0; c < a.v.c; c++) {
        __syncthreads(); /* what was there has been used */
        leave<WIDE>(room.products(), sum, a, c);
        __syncthreads();
        add_taps<CELL>(room.sums(), room.products(), a, c);
    }
    __syncthreads();
    finish_cells<BLOCK, Half, CELL>(a.finish, a.v, t, room.sums(), a.v.c, n, i, j);
}

/* ---- launchers ---- */

template <int WIDE>
cudaError_t launch(const gan_launch_conv_args &l, cudaStream_t stream) {
    using S = Shape<WIDE>;
    const Sides &v = l.sides;
    const Args a = {v,
                    static_cast<const Half *>(l.many),
                    static_cast<const Half *>(l.filter),
                    many_in_vectors(v, l.many, 1),
                    v.r * v.s * v.c,
                    Divisor(v.c),
                    cells_of(v, S::MOST_SUMS / (v.stride * v.stride * v.c), S::PIXELS),
                    finish_of(l)};
    const auto kernel = v.stride == 1 ? few_half_kernel<WIDE, 1> : few_half_kernel<WIDE, 2>;
    GPU_LAUNCH(kernel, dim3(a.cells.tiles.all), dim3(BLOCK), stream, a);
    return cudaGetLastError();
}

} // namespace

extern "C" cudaError_t gan_launch_conv_few_half(const gan_launch_conv_args *l,
                                                cudaStream_t stream) {
    const int columns = l->sides.r * l->sides.s * l->sides.c;
    return columns <= 16   ? launch<2>(*l, stream)
           : columns <= 32 ? launch<4>(*l, stream)
           : columns <= 48 ? launch<6>(*l, stream)
                           : launch<8>(*l, stream);
}
