/* Rows and frames of bytes, moved in the largest units that all lengths and addresses allow. */
#include "kernels/common.cuh"
#include "kernels/launch_layout.h"

namespace {

enum { BLOCK = 256 };

// to is (rows, before + width + after) units of W, from (rows, width)
template <class W>
struct Rows {
    W *to;
    const W *from;
    unsigned n, before, width;
    int64_t to_pitch, from_pitch;
    Divisor by_row;
};

template <class W>
__global__ void __launch_bounds__(BLOCK) rows_kernel(const __grid_constant__ Rows<W> a) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= a.n) return;
    const unsigned row = a.by_row.divide(i), at = i - row * a.by_row.by, column = at - a.before;
    W value = {};
    if (at >= a.before && column < a.width) value = a.from[row * a.from_pitch + column];
    a.to[row * a.to_pitch + at] = value;
}

// to is (images, to_h, to_w, pixel), from (images, from_h, from_w, pixel), units of W
template <class W>
struct Frame {
    W *to;
    const W *from;
    unsigned n;
    int from_h, from_w, top, left;
    Divisor by_pixel, by_w, by_h;
};

template <class W>
__global__ void __launch_bounds__(BLOCK) frame_kernel(const __grid_constant__ Frame<W> a) {
    GPU_WAIT();
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= a.n) return;
    const unsigned pixel = a.by_pixel.divide(i), unit = i - pixel * a.by_pixel.by;
    const unsigned line = a.by_w.divide(pixel), image = a.by_h.divide(line);
    const int x = int(pixel - line * a.by_w.by) - a.left, y = int(line - image * a.by_h.by) - a.top;
    W value = {};
    if (x >= 0 && x < a.from_w && y >= 0 && y < a.from_h)
        value = a.from[((int64_t(image) * a.from_h + y) * a.from_w + x) * a.by_pixel.by + unit];
    a.to[i] = value;
}

/* ---- launchers ---- */

/* The largest power of two up to 16 that divides what all these numbers have in common. */
int unit_of(const void *to, const void *from, int64_t lengths) {
    const uint64_t bits = reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from) |
                          uint64_t(lengths) | 16;
    return int(bits & (~bits + 1));
}

template <class W>
cudaError_t rows(const gan_launch_rows_args &a, cudaStream_t stream) {
    const int64_t size = sizeof(W), row = (a.before + a.width + a.after) / size, n = a.rows * row;
    if (n > INT32_MAX) return cudaErrorInvalidValue;
    const Rows<W> k = {static_cast<W *>(a.to),
                       static_cast<const W *>(a.from),
                       unsigned(n),
                       unsigned(a.before / size),
                       unsigned(a.width / size),
                       a.to_pitch / size,
                       a.from_pitch / size,
                       Divisor(row)};
    GPU_LAUNCH((rows_kernel<W>), grid_for(n, BLOCK), dim3(BLOCK), stream, k);
    return cudaGetLastError();
}

template <class W>
cudaError_t frame(const gan_launch_frame_args &a, cudaStream_t stream) {
    const int64_t pixel = a.pixel / int64_t(sizeof(W)), n = a.n * a.to_h * a.to_w * pixel;
    if (n > INT32_MAX || a.from_h > INT32_MAX || a.from_w > INT32_MAX) return cudaErrorInvalidValue;
    const Frame<W> k = {static_cast<W *>(a.to),
                        static_cast<const W *>(a.from),
                        unsigned(n),
                        int(a.from_h),
                        int(a.from_w),
                        int(a.top),
                        int(a.left),
                        Divisor(pixel),
                        Divisor(a.to_w),
                        Divisor(a.to_h)};
    GPU_LAUNCH((frame_kernel<W>), grid_for(n, BLOCK), dim3(BLOCK), stream, k);
    return cudaGetLastError();
}

} // namespace

extern "C" cudaError_t gan_launch_rows(const gan_launch_rows_args *a, cudaStream_t stream) {
    gan_launch_rows_args b = *a;
    const int64_t row = b.before + b.width + b.after;
    const bool there = b.to == b.from && b.before == 0 && b.after == 0 &&
                       (b.rows == 1 || b.to_pitch == b.from_pitch);
    if (b.rows == 0 || row == 0 || there) return cudaSuccess;
    if (b.rows == 1 ||
        (b.width == row && b.to_pitch == row && b.from_pitch == row)) { // one long row
        b.before *= b.rows, b.width *= b.rows, b.after *= b.rows;
        b.rows = 1;
        b.to_pitch = b.from_pitch = 0;
    }
    switch (unit_of(b.to, b.from, b.before | b.width | b.after | b.to_pitch | b.from_pitch)) {
    case 16:
        return rows<uint4>(b, stream);
    case 8:
        return rows<uint2>(b, stream);
    case 4:
        return rows<unsigned>(b, stream);
    case 2:
        return rows<unsigned short>(b, stream);
    default:
        return rows<unsigned char>(b, stream);
    }
}

extern "C" cudaError_t gan_launch_frame(const gan_launch_frame_args *a, cudaStream_t stream) {
    if (a->n * a->to_h * a->to_w * a->pixel == 0) return cudaSuccess;
    switch (unit_of(a->to, a->from, a->pixel)) {
    case 16:
        return frame<uint4>(*a, stream);
    case 8:
        return frame<uint2>(*a, stream);
    case 4:
        return frame<unsigned>(*a, stream);
    case 2:
        return frame<unsigned short>(*a, stream);
    default:
        return frame<unsigned char>(*a, stream);
    }
}
