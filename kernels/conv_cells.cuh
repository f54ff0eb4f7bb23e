/* Images of few channels in tiles of cells.
 *
 * With a stride of t, the t·t pixels of a cell read the same pixels of the many, each with taps of
 * its own: cell (i, j), which begins at pixel (i·t - top, j·t - left), reads pixels i - m, j - l of
 * the many, its pixel (y, x) with tap (m·t + y, l·t + x).
 */
#pragma once
#include "kernels/conv.cuh"

namespace {

struct Cells {
    int first_row, first_column;   // the first cell
    int rows, columns;             // cells of a tile
    int reach_rows, reach_columns; // pixels of the many that a cell reads, each way
    Tiles tiles;
    Divisor by_columns, by_line; // of cells; of the elements of a line of the tile's pixels

    /* Pixels of the many, to a line, that a tile reads, and how many lines. */
    __host__ __device__ __forceinline__ int across() const { return columns + reach_columns - 1; }
    __host__ __device__ __forceinline__ int down() const { return rows + reach_rows - 1; }

    /* Where a tile is: image n, and its first cell. */
    __device__ __forceinline__ void find(unsigned tile, int &n, int &i, int &j) const {
        tiles.find(tile, n, i, j);
        i = first_row + i * rows, j = first_column + j * columns;
    }
    /* Of a cell of the tile: among the pixels it reads the last one, whose m and l are 0. */
    __device__ __forceinline__ int last_pixel(int cell) const {
        const int row = int(by_columns.divide(unsigned(cell)));
        return (row + reach_rows - 1) * across() + cell - row * columns + reach_columns - 1;
    }
};

/* What becomes of the results. */
struct Finish {
    void *out, *raw;
    Follow follow;
};

using Follows = Known<1, Tanh, BiasTanh, TanhGradient>;

/* The tile's elements in the order of memory, from sums (cells, CELL, CELL, channels). Programs
 * that were not compiled take shared memory: they get fewer threads. */
template <int BLOCK, class T, int CELL>
__device__ __forceinline__ void finish_cells(const Finish &f, const Sides &v, const Cells &t,
                                             const float *sums, int channels, int n, int i, int j) {
    enum { FEW = 128 };
    const int line = t.columns * CELL * v.c, threads = f.follow.chain == FOLLOW_ANY ? FEW : BLOCK;
    if (int(threadIdx.x) >= threads) return;
#pragma unroll 1
    for (int at = int(threadIdx.x); at < t.rows * CELL * line; at += threads) {
        const int row = int(t.by_line.divide(unsigned(at))), rest = at - row * line;
        const int column = rest / v.c, c = rest - column * v.c;
        const int y = i * CELL - v.top + row, x = j * CELL - v.left + column;
        if (y < 0 || y >= v.h || x < 0 || x >= v.w) continue;
        const int cell = row / CELL * t.columns + column / CELL;
        float value[1] = {sums[((cell * CELL + row % CELL) * CELL + column % CELL) * channels + c]};
        const int64_t element = ((int64_t(n) * v.h + y) * v.w + x) * v.c + c;
        if (f.raw) {
            const T stored = from_float<T>(value[0]);
            static_cast<T *>(f.raw)[element] = stored;
            value[0] = to_float(stored);
        }
        if (f.follow.chain == FOLLOW_ANY)
            Any<FEW>::apply(value, f.follow, unsigned(element), 1);
        else
            Follows::apply(value, f.follow, unsigned(element), 1);
        static_cast<T *>(f.out)[element] = from_float<T>(value[0]);
    }
}

/* ---- for launchers ---- */

inline int floor_div(int a, int b) { return a >= 0 ? a / b : -((b - 1 - a) / b); }

/* The tile of at most so many cells, which read at most so many pixels, with which an image needs
 * the fewest; of several the widest. */
inline Cells cells_of(const Sides &v, int most_cells, int most_pixels) {
    Cells a = {floor_div(v.top, v.stride),
               floor_div(v.left, v.stride),
               0,
               0,
               int(ceil_div(v.r, v.stride)),
               int(ceil_div(v.s, v.stride)),
               Tiles(1, 1, 1, 1, 1),
               Divisor(1),
               Divisor(1)};
    const int rows = floor_div(v.h - 1 + v.top, v.stride) - a.first_row + 1,
              columns = floor_div(v.w - 1 + v.left, v.stride) - a.first_column + 1;
    int64_t least = INT64_MAX;
    for (int width = 1; width <= columns && width <= most_cells; width++) {
        int height = most_cells / width;
        if (height > rows) height = rows;
        while (height > 0 &&
               (height + a.reach_rows - 1) * (width + a.reach_columns - 1) > most_pixels)
            height--;
        if (height == 0) continue;
        const int64_t down = ceil_div(rows, height), tiles = down * ceil_div(columns, width);
        if (tiles > least) continue;
        least = tiles;
        a.rows = int(ceil_div(rows, down));
        a.columns = width;
    }
    a.tiles = Tiles(v.n, rows, columns, a.rows, a.columns);
    a.by_columns = Divisor(a.columns);
    a.by_line = Divisor(a.columns * v.stride * v.c);
    return a;
}

inline Finish finish_of(const gan_launch_conv_args &a) {
    return {a.out, a.raw, follow_of(following(a), Follows::find(following(a)), 1)};
}

} // namespace
