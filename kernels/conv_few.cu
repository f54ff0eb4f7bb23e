/* Many channels to few: what the last convolution of a generator makes, the gradient of an image.
 *
 * With a stride of t, the t·t pixels of a cell read the same pixels of the many, each with taps of
 * its own: cell (i, j), which begins at pixel (i·t - top, j·t - left), reads pixels i - m, j - l of
 * the many, its pixel (y, x) with tap (m·t + y, l·t + x). A block makes a tile of cells, a few
 * cells a thread; the many's channels and the filter's pass through shared memory some at a time.
 */
#include "kernels/conv.cuh"

namespace {

enum {
    BLOCK = 128,
    CELLS = 2, /* of a thread */
    TILE = BLOCK * CELLS,
    STEP = 16,       /* channels at a time */
    LINE = STEP + 4, /* of a pixel in shared memory: whole vectors, other banks for neighbours */
    MOST_MANY = 340, /* pixels of many channels, a tile */
    MOST_LINES = GAN_LAUNCH_CONV_TAPS * CONV_PIXEL /* of the filter: all taps and few channels */
};

struct Args {
    Sides v;
    const void *many, *filter;
    void *out, *raw;
    int first_row, first_column;   // the first cell
    int rows, columns;             // cells of a tile
    int reach_rows, reach_columns; // pixels of the many that a cell reads, each way
    int vectors;
    Tiles tiles;
    Divisor by_columns, by_line; // of cells; of the elements of a line of the tile's pixels
    Follow follow;
};

using Follows = Known<1, Tanh, BiasTanh, TanhGradient>;

/* STEP channels from k on of the many, from pixel (p, q) on. */
template <class T>
__device__ __forceinline__ void stage_many(float *tile, const Args &a, int n, int p, int q, int k) {
    constexpr int CHUNKS = STEP / CONV_CHUNK;
    const int columns = a.columns + a.reach_columns - 1, rows = a.rows + a.reach_rows - 1;
    for (int i = int(threadIdx.x); i < rows * columns * CHUNKS; i += BLOCK) {
        const int pixel = i / CHUNKS, chunk = i % CHUNKS * CONV_CHUNK;
        float value[CONV_CHUNK];
        load_many(value, static_cast<const T *>(a.many), a.v, a.vectors, n, p + pixel / columns,
                  q + pixel % columns, k + chunk);
        store_floats(tile + pixel * LINE + chunk, value);
    }
}

/* filter (reach_rows, reach_columns, CELL, CELL, C, LINE): zeros where there is no such tap. */
template <class T, int CELL, int C>
__device__ __forceinline__ void stage_filter(float *filter, const Args &a, int first) {
    const Sides &v = a.v;
    const int lines = a.reach_rows * a.reach_columns * CELL * CELL * C;
    for (int i = int(threadIdx.x); i < lines * STEP; i += BLOCK) {
        const int line = v.turned ? i / STEP : i % lines, k = v.turned ? i % STEP : i / lines;
        const int c = line % C, x = line / C % CELL, y = line / (C * CELL) % CELL;
        const int at = line / (C * CELL * CELL);
        const int r = at / a.reach_columns * CELL + y, s = at % a.reach_columns * CELL + x;
        const bool inside = r < v.r && s < v.s && c < v.c && first + k < v.k;
        filter[line * LINE + k] = inside ? to_float(static_cast<const T *>(
                                               a.filter)[filter_at(v, first + k, r * v.s + s, c)])
                                         : 0.0f;
    }
}

/* The tile's elements in the order of memory, from sums (TILE, CELL, CELL, C). */
template <class T, int CELL, int C>
__device__ __forceinline__ void finish(const Args &a, const float *sums, int n, int i, int j) {
    const Sides &v = a.v;
    const int line = a.columns * CELL * v.c;
#pragma unroll 1
    for (int at = int(threadIdx.x); at < a.rows * CELL * line; at += BLOCK) {
        const int row = int(a.by_line.divide(unsigned(at))), rest = at - row * line;
        const int column = rest / v.c, c = rest - column * v.c;
        const int y = i * CELL - v.top + row, x = j * CELL - v.left + column;
        if (y < 0 || y >= v.h || x < 0 || x >= v.w) continue;
        const int cell = row / CELL * a.columns + column / CELL;
        float value[1] = {sums[((cell * CELL + row % CELL) * CELL + column % CELL) * C + c]};
        const int64_t element = ((int64_t(n) * v.h + y) * v.w + x) * v.c + c;
        if (a.raw) {
            const T stored = from_float<T>(value[0]);
            static_cast<T *>(a.raw)[element] = stored;
            value[0] = to_float(stored);
        }
        if (a.follow.chain == FOLLOW_ANY)
            Any<BLOCK>::apply(value, a.follow, unsigned(element), 1);
        else
            Follows::apply(value, a.follow, unsigned(element), 1);
        static_cast<T *>(a.out)[element] = from_float<T>(value[0]);
    }
}

template <class T, int CELL, int C>
__global__ void __launch_bounds__(BLOCK, 4) few_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    constexpr int OUT = CELL * CELL * C;
    GPU_SHARED(Floats<MOST_MANY * LINE>, tile, );
    GPU_SHARED(Floats<MOST_LINES * LINE>, filter, );
    static_assert(TILE * OUT <= MOST_MANY * LINE, "the sums take the tile's place");
    const int columns = a.columns + a.reach_columns - 1, cells = a.rows * a.columns;
    int n, i, j, pixel[CELLS];
    a.tiles.find(blockIdx.x, n, i, j);
    i = a.first_row + i * a.rows, j = a.first_column + j * a.columns;
#pragma unroll
    for (int e = 0; e < CELLS; e++) { /* where a cell's window ends; any one for those of no cell */
        const int at = int(threadIdx.x) + e * BLOCK, cell = at < cells ? at : 0;
        const int row = int(a.by_columns.divide(unsigned(cell)));
        pixel[e] =
            (row + a.reach_rows - 1) * columns + cell - row * a.columns + a.reach_columns - 1;
    }
    float sum[CELLS][OUT] = {};
    for (int k = 0; k < a.v.k; k += STEP) {
        __syncthreads(); /* the step before has been used */
        stage_many<T>(tile.v, a, n, i - a.reach_rows + 1, j - a.reach_columns + 1, k);
        stage_filter<T, CELL, C>(filter.v, a, k);
        __syncthreads();
        const float *w = filter.v;
        for (int m = 0; m < a.reach_rows; m++)
            for (int l = 0; l < a.reach_columns; l++, w += OUT * LINE)
#pragma unroll 1
                for (int step = 0; step < STEP; step += 4) {
                    float x[CELLS][4];
#pragma unroll
                    for (int e = 0; e < CELLS; e++)
                        load_floats(x[e], tile.v + (pixel[e] - m * columns - l) * LINE + step);
#pragma unroll
                    for (int o = 0; o < OUT; o++) {
                        float f[4];
                        load_floats(f, w + o * LINE + step);
#pragma unroll
                        for (int e = 0; e < CELLS; e++)
#pragma unroll
                            for (int c = 0; c < 4; c++) sum[e][o] = fmaf(x[e][c], f[c], sum[e][o]);
                    }
                }
    }
    __syncthreads();
#pragma unroll
    for (int e = 0; e < CELLS; e++)
#pragma unroll
        for (int o = 0; o < OUT; o++) tile.v[(int(threadIdx.x) + e * BLOCK) * OUT + o] = sum[e][o];
    __syncthreads();
    finish<T, CELL, C>(a, tile.v, n, i, j);
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

template <class T, int CELL>
Kernel with_channels(int c) {
    return c == 1   ? few_kernel<T, CELL, 1>
           : c == 3 ? few_kernel<T, CELL, 3>
                    : few_kernel<T, CELL, 4>;
}

template <class T>
Kernel choose(const Sides &v) {
    return v.stride == 1 ? with_channels<T, 1>(v.c) : with_channels<T, 2>(v.c);
}

int floor_div(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

/* The tile with which a number of cells needs the fewest, of several the widest. */
void choose_tile(Args &a, int rows, int columns) {
    int64_t least = INT64_MAX;
    for (int width = 1; width <= columns && width <= TILE; width++) {
        int height = TILE / width;
        if (height > rows) height = rows;
        while (height > 0 &&
               (height + a.reach_rows - 1) * (width + a.reach_columns - 1) > MOST_MANY)
            height--;
        if (height == 0) continue;
        const int64_t down = ceil_div(rows, height), tiles = down * ceil_div(columns, width);
        if (tiles > least) continue;
        least = tiles;
        a.rows = int(ceil_div(rows, down));
        a.columns = width;
    }
}

} // namespace

extern "C" cudaError_t gan_launch_conv_few(const gan_launch_conv_args *l, cudaStream_t stream) {
    const Sides &v = l->sides;
    Args a = {v,
              l->many,
              l->filter,
              l->out,
              l->raw,
              floor_div(v.top, v.stride),
              floor_div(v.left, v.stride),
              0,
              0,
              int(ceil_div(v.r, v.stride)),
              int(ceil_div(v.s, v.stride)),
              many_in_vectors(v, l->many, l->bf16),
              Tiles(1, 1, 1, 1, 1),
              Divisor(1),
              Divisor(1),
              follow_of(following(*l), Follows::find(following(*l)), 1)};
    const int rows = floor_div(v.h - 1 + v.top, v.stride) - a.first_row + 1,
              columns = floor_div(v.w - 1 + v.left, v.stride) - a.first_column + 1;
    choose_tile(a, rows, columns);
    a.tiles = Tiles(v.n, rows, columns, a.rows, a.columns);
    a.by_columns = Divisor(a.columns);
    a.by_line = Divisor(a.columns * v.stride * v.c);
    const Kernel kernel = l->bf16 ? choose<__nv_bfloat16>(v) : choose<float>(v);
    GPU_LAUNCH(kernel, dim3(a.tiles.all), dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
