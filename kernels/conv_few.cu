/* Many channels to few, in f32: what the last convolution of a generator makes, the gradient of an
 * image. A block makes a tile of cells, a few cells a thread; the many's channels and the filter's
 * pass through shared memory some at a time.
 */
#include "kernels/conv_cells.cuh"

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
    const float *many, *filter;
    int vectors;
    Cells cells;
    Finish finish;
};

/* STEP channels from k on of the many, from pixel (p, q) on. */
__device__ __forceinline__ void stage_many(float *tile, const Args &a, int n, int p, int q, int k) {
    constexpr int CHUNKS = STEP / CONV_CHUNK;
    const int columns = a.cells.across(), rows = a.cells.down();
    for (int i = int(threadIdx.x); i < rows * columns * CHUNKS; i += BLOCK) {
        const int pixel = i / CHUNKS, chunk = i % CHUNKS * CONV_CHUNK;
        float value[CONV_CHUNK];
        load_many(value, a.many, a.v, a.vectors, n, p + pixel / columns, q + pixel % columns,
                  k + chunk);
        store_floats(tile + pixel * LINE + chunk, value);
    }
}

/* filter (reach_rows, reach_columns, CELL, CELL, C, LINE): zeros where there is no such tap. */
template <int CELL, int C>
__device__ __forceinline__ void stage_filter(float *filter, const Args &a, int first) {
    const Sides &v = a.v;
    const int across = a.cells.reach_columns, lines = a.cells.reach_rows * across * CELL * CELL * C;
    for (int i = int(threadIdx.x); i < lines * STEP; i += BLOCK) {
        const int line = v.turned ? i / STEP : i % lines, k = v.turned ? i % STEP : i / lines;
        const int c = line % C, x = line / C % CELL, y = line / (C * CELL) % CELL;
        const int at = line / (C * CELL * CELL);
        const int r = at / across * CELL + y, s = at % across * CELL + x;
        const bool inside = r < v.r && s < v.s && c < v.c && first + k < v.k;
        filter[line * LINE + k] = inside ? a.filter[filter_at(v, first + k, r * v.s + s, c)] : 0.0f;
    }
}

template <int CELL, int C>
__global__ void __launch_bounds__(BLOCK, 4) few_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    constexpr int OUT = CELL * CELL * C;
    GPU_SHARED(Floats<MOST_MANY * LINE>, tile, );
    GPU_SHARED(Floats<MOST_LINES * LINE>, filter, );
    static_assert(TILE * OUT <= MOST_MANY * LINE, "the sums take the tile's place");
    const Cells &t = a.cells;
    const int columns = t.across(), cells = t.rows * t.columns;
    int n, i, j, pixel[CELLS];
    t.find(blockIdx.x, n, i, j);
#pragma unroll
    for (int e = 0; e < CELLS; e++) { /* where a cell's window ends; any one for those of no cell */
        const int at = int(threadIdx.x) + e * BLOCK;
        pixel[e] = t.last_pixel(at < cells ? at : 0);
    }
    float sum[CELLS][OUT] = {};
    for (int k = 0; k < a.v.k; k += STEP) {
        __syncthreads(); /* the step before has been used */
        stage_many(tile.v, a, n, i - t.reach_rows + 1, j - t.reach_columns + 1, k);
        stage_filter<CELL, C>(filter.v, a, k);
        __syncthreads();
        const float *w = filter.v;
        for (int m = 0; m < t.reach_rows; m++)
            for (int l = 0; l < t.reach_columns; l++, w += OUT * LINE)
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
    finish_cells<BLOCK, float, CELL>(a.finish, a.v, t, tile.v, C, n, i, j);
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

template <int CELL>
Kernel with_channels(int c) {
    return c == 1 ? few_kernel<CELL, 1> : c == 3 ? few_kernel<CELL, 3> : few_kernel<CELL, 4>;
}

} // namespace

extern "C" cudaError_t gan_launch_conv_few(const gan_launch_conv_args *l, cudaStream_t stream) {
    const Sides &v = l->sides;
    const Args a = {v,
                    static_cast<const float *>(l->many),
                    static_cast<const float *>(l->filter),
                    many_in_vectors(v, l->many, 0),
                    cells_of(v, TILE, MOST_MANY),
                    finish_of(*l)};
    const Kernel kernel = v.stride == 1 ? with_channels<1>(v.c) : with_channels<2>(v.c);
    GPU_LAUNCH(kernel, dim3(a.cells.tiles.all), dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
