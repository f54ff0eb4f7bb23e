/* Axes in another order: tiles through shared memory where both innermost axes are long, else
 * element by element. */
#include "kernels/common.cuh"
#include "kernels/launch_layout.h"

namespace {

enum { AXES = GAN_LAUNCH_PERMUTE_AXES, BLOCK = 256, TILE = 32, TILE_ROWS = 8 };

/* Axes from the innermost of y on: their lengths, and what a step along them is in x and y. */
struct Axes {
    int n;
    Divisor by[AXES];
    int64_t from[AXES], to[AXES];
};

__device__ __forceinline__ void offsets(const Axes &a, unsigned i, int64_t &from, int64_t &to) {
    from = to = 0;
#pragma unroll
    for (int axis = 0; axis < AXES; axis++) {
        if (axis >= a.n) break;
        const unsigned rest = a.by[axis].divide(i), index = i - rest * a.by[axis].by;
        from += index * a.from[axis];
        to += index * a.to[axis];
        i = rest;
    }
}

template <class W>
__global__ void __launch_bounds__(BLOCK)
    elements_kernel(W *y, const W *x, unsigned n, const __grid_constant__ Axes all) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= n) return;
    int64_t from, to;
    offsets(all, i, from, to);
    y[to] = x[from];
}

/* x (…, columns, rows) with rows innermost -> y (…, rows, columns): a block a tile, tiles of
 * columns fastest. */
struct Tiles {
    Axes outer;
    unsigned rows, columns;
    int64_t from_pitch, to_pitch; // of a column in x, of a row in y
    Divisor by_columns, by_rows;  // tiles
};

template <class W>
__global__ void __launch_bounds__(TILE *TILE_ROWS)
    tiles_kernel(W *y, const W *x, const __grid_constant__ Tiles a) {
    GPU_WAIT();
    GPU_SHARED(W, tile, [TILE][TILE + 1]);
    const unsigned above = a.by_columns.divide(blockIdx.x), outer = a.by_rows.divide(above);
    const unsigned column0 = (blockIdx.x - above * a.by_columns.by) * TILE;
    const unsigned row0 = (above - outer * a.by_rows.by) * TILE;
    const unsigned lane = threadIdx.x % TILE, line = threadIdx.x / TILE;
    int64_t from, to;
    offsets(a.outer, outer, from, to);
    for (unsigned c = line; c < TILE; c += TILE_ROWS)
        if (column0 + c < a.columns && row0 + lane < a.rows)
            tile[c][lane] = x[from + (column0 + c) * a.from_pitch + row0 + lane];
    __syncthreads();
    for (unsigned r = line; r < TILE; r += TILE_ROWS)
        if (row0 + r < a.rows && column0 + lane < a.columns)
            y[to + (row0 + r) * a.to_pitch + column0 + lane] = tile[lane][r];
}

/* ---- launchers ---- */

void add_axis(Axes &a, int64_t length, int64_t from, int64_t to) {
    a.by[a.n] = Divisor(length);
    a.from[a.n] = from;
    a.to[a.n++] = to;
}

int64_t size_of(const gan_launch_permute_args &a) {
    int64_t n = 1;
    for (int axis = 0; axis < a.rank; axis++) n *= a.length[axis];
    return n;
}

template <class W>
cudaError_t elements(const gan_launch_permute_args &a, cudaStream_t stream) {
    Axes all = {};
    int64_t n = 1;
    for (int axis = a.rank - 1; axis >= 0; axis--) {
        add_axis(all, a.length[axis], a.stride[axis], n);
        n *= a.length[axis];
    }
    GPU_LAUNCH((elements_kernel<W>), grid_for(n, BLOCK), dim3(BLOCK), stream,
               static_cast<W *>(a.to), static_cast<const W *>(a.from), unsigned(n), all);
    return cudaGetLastError();
}

template <class W>
cudaError_t tiles(const gan_launch_permute_args &a, int inner, cudaStream_t stream) {
    const int last = a.rank - 1;
    Tiles k = {};
    int64_t step = 1, outer = 1;
    for (int axis = last; axis >= 0; axis--) {
        if (axis == inner) k.to_pitch = step;
        if (axis != inner && axis != last) {
            add_axis(k.outer, a.length[axis], a.stride[axis], step);
            outer *= a.length[axis];
        }
        step *= a.length[axis];
    }
    k.rows = unsigned(a.length[inner]);
    k.columns = unsigned(a.length[last]);
    k.from_pitch = a.stride[last];
    k.by_columns = Divisor(ceil_div(k.columns, TILE));
    k.by_rows = Divisor(ceil_div(k.rows, TILE));
    GPU_LAUNCH((tiles_kernel<W>), grid_for(outer * k.by_columns.by * k.by_rows.by, 1),
               dim3(TILE * TILE_ROWS), stream, static_cast<W *>(a.to),
               static_cast<const W *>(a.from), k);
    return cudaGetLastError();
}

template <class W>
cudaError_t permute(const gan_launch_permute_args &a, int inner, cudaStream_t stream) {
    const int64_t few = 8;
    const int last = a.rank - 1;
    if (inner == last || a.length[inner] < few || a.length[last] < few)
        return elements<W>(a, stream);
    return tiles<W>(a, inner, stream);
}

/* Where rows stay rows, they move in units of up to 16 bytes. */
void widen(gan_launch_permute_args &a) {
    const int last = a.rank - 1;
    bool fits = true;
    while (fits && a.bytes < 16) {
        const uintptr_t unit = 2 * uintptr_t(a.bytes);
        fits = reinterpret_cast<uintptr_t>(a.to) % unit == 0 &&
               reinterpret_cast<uintptr_t>(a.from) % unit == 0 && a.length[last] % 2 == 0;
        for (int axis = 0; axis < last; axis++) fits = fits && a.stride[axis] % 2 == 0;
        if (!fits) return;
        a.bytes *= 2;
        a.length[last] /= 2;
        for (int axis = 0; axis < last; axis++) a.stride[axis] /= 2;
    }
}

} // namespace

extern "C" cudaError_t gan_launch_permute(const gan_launch_permute_args *a, cudaStream_t stream) {
    gan_launch_permute_args b = *a;
    const int64_t n = size_of(b);
    if (n == 0) return cudaSuccess;
    if (b.rank < 1 || b.rank > AXES || n > INT32_MAX) return cudaErrorInvalidValue;
    int inner = b.rank - 1;
    while (inner > 0 && b.stride[inner] != 1) inner--;
    if (inner == b.rank - 1) widen(b);
    switch (b.bytes) {
    case 16:
        return permute<uint4>(b, inner, stream);
    case 8:
        return permute<uint2>(b, inner, stream);
    case 4:
        return permute<unsigned>(b, inner, stream);
    case 2:
        return permute<unsigned short>(b, inner, stream);
    case 1:
        return permute<unsigned char>(b, inner, stream);
    default:
        return cudaErrorInvalidValue;
    }
}
