/* Batch normalisation with its statistics, and its gradient with the sums it needs, as one launch
 * each: every block adds up its pieces (norm_sums.cuh), the last one of a tile brings the parts
 * together, all wait for each other, and each goes over its own pieces again. Of what it has read,
 * as much stays in shared memory as there is room for: the rows that came first, since those that
 * came last, with which it begins, are the likeliest to be in the cache still. What is too large
 * for that goes in waves of some channels, since no sum is of two. Sums are what norm.cu makes of
 * them, to the bit. What is normalised may be a sum, which is formed as it is read.
 */
#include "kernels/barrier.cuh"
#include "kernels/norm_sums.cuh"
#include "kernels/program.cuh"

namespace {

/* ---- what is made of a row ---- */

/* Batch norm, and the function FN of it; FN < 0: none. */
template <int V, int FN>
struct Normalised {
    Channels<V> of;

    __device__ __forceinline__ void read(const SumsArgs &a, int64_t group, int channel) {
        of.read(a.out + 2 * group * a.channels, a.channels, channel, a.back);
    }

    template <class T>
    __device__ __forceinline__ void apply(float (&y)[V], const Vec<T, V> &x, const Vec<T, V> &,
                                          float k) const {
#pragma unroll
        for (int i = 0; i < V; i++) {
            y[i] = (to_float(x.v[i]) - of.mean[i]) * of.scale[i] + of.beta[i];
            if constexpr (FN >= 0) y[i] = call<FN>(y[i], 0.0f, k);
        }
    }
};

template <int V, bool ACTIVE>
struct Gradient : GradientOfX<V, ACTIVE> {
    __device__ __forceinline__ void read(const SumsArgs &a, int64_t group, int channel) {
        GradientOfX<V, ACTIVE>::read(a.out + 2 * group * a.channels,
                                     a.back.moments + 2 * group * a.channels, a.rows, a.channels,
                                     channel, a.back);
    }
};

/* ---- what is normalised ---- */

/* gan_launch_norm_up */
struct Up {
    const void *low;
    void *sum;
    Divisor line, down, along; // line: width · along
    int width;
};

struct Args {
    SumsArgs sums;
    Up up;
    void *y;           // like x
    float *total;      // (2, channels), over all groups; or NULL
    unsigned *barrier; // NULL: each tile is a piece
    int groups;
    int tiles, pieces, slots; // of a wave; slots: rows of a piece that a thread has, at most
    int held;                 // of all rows that a thread has, how many stay in shared memory

    /* Piece i of the wave that begins with tile `first`. */
    template <int V>
    __device__ __forceinline__ Piece<V> piece(int first, int i) const {
        return {sums, unsigned(i) / unsigned(tiles),
                unsigned(first) + unsigned(i) % unsigned(tiles)};
    }
};

/* x, or the gradient's operands. */
template <class OP, class T, int V>
struct AsGiven : Given<OP, T, V> {
    __device__ __forceinline__ AsGiven(const Args &a, const Piece<V> &p)
        : Given<OP, T, V>{a.sums, p} {}
};

/* x + low, as it would be stored. Where it is, it is read again from there. */
template <class OP, class T, int V>
struct Added {
    enum { AHEAD = OP::BATCH / 4, AGAIN = 2 };
    using Vector = Vec<T, V>;
    const Args &a;
    const Piece<V> &p;

    __device__ __forceinline__ int low_row(int row) const {
        const unsigned r = unsigned(p.row_of(a.sums, row)), line = a.up.line.divide(r);
        return int(a.up.down.divide(line)) * a.up.width +
               int(a.up.along.divide(r - line * a.up.line.by));
    }
    __device__ __forceinline__ static void add(Vector &x, const Vector &low) {
#pragma unroll
        for (int k = 0; k < V; k++) x.v[k] = from_float<T>(to_float(x.v[k]) + to_float(low.v[k]));
    }

    __device__ __forceinline__ void load(int row, Vector &x, Vector &low) const {
        x = ::load<V>(static_cast<const T *>(a.sums.x) + p.offset(a.sums, row));
        low = ::load<V>(static_cast<const T *>(a.up.low) + low_row(row) * a.sums.channels +
                        p.at.channel);
    }
    __device__ __forceinline__ void settle(int row, Vector &x, const Vector &low) const {
        add(x, low);
        if (a.up.sum) store(static_cast<T *>(a.up.sum) + p.offset(a.sums, row), x);
    }
    __device__ __forceinline__ const T *again(int row, int) const {
        return static_cast<const T *>(a.up.sum ? a.up.sum : a.sums.x) + p.offset(a.sums, row);
    }
    __device__ __forceinline__ void load_low(int row, Vector &low) const {
        if (!a.up.sum)
            low = ::load<V>(static_cast<const T *>(a.up.low) + low_row(row) * a.sums.channels +
                            p.at.channel);
    }
    __device__ __forceinline__ void settle_again(Vector &x, const Vector &low) const {
        if (!a.up.sum) add(x, low);
    }
};

/* ---- the kernel ---- */

/* The sums over all groups, once all blocks have come to the barrier. */
__device__ __forceinline__ void add_groups(const Args &a) {
    const int n = 2 * a.sums.channels;
    for (int i = int(blockIdx.x) * NORM_BLOCK + int(threadIdx.x); i < n;
         i += int(gridDim.x) * NORM_BLOCK) {
        float sum = 0.0f;
        for (int group = 0; group < a.groups; group++) sum += a.sums.out[group * n + i];
        a.total[i] = sum;
    }
}

template <class OP, class READ, class APPLY, class T, int V>
struct Whole {
    using Vector = Vec<T, V>;
    const Args &a;
    Vector *shelf; // (held, operands, threads)

    __device__ __forceinline__ Vector &place(int slot, int operand) const {
        return shelf[(slot * OP::OPERANDS + operand) * NORM_BLOCK + int(threadIdx.x)];
    }

    /* `first`: the slot of the thread's first row */
    __device__ __forceinline__ void sum(const Piece<V> &p, int first) const {
        Part<V> part = sum_rows<OP, T, V>(a.sums, p, READ{a, p},
                                          [this, first](int i, const Vector &x, const Vector &dy) {
                                              if (first + i >= a.held) return;
                                              place(first + i, 0) = x;
                                              if (OP::OPERANDS == 2) place(first + i, 1) = dy;
                                          });
        if (leave_part<OP, V>(a.sums, p, part)) bring_together<OP, V>(a.sums, p.group, p.at);
    }

    __device__ __forceinline__ void apply(const Piece<V> &p, int first) const {
        enum { BATCH = READ::AGAIN };
        if (!p.active(a.sums)) return;
        APPLY of;
        of.read(a.sums, p.group, p.at.channel);
        const READ read{a, p};
        T *y_rows = static_cast<T *>(a.y);
        for (int from = (a.slots - 1) / BATCH * BATCH; from >= 0; from -= BATCH) {
            if (p.at.stripe + from * p.at.stripes >= p.rows) continue;
            Vector x[BATCH], dy[BATCH];
#pragma unroll
            for (int i = 0; i < BATCH; i++) {
                const int slot = first + from + i, row = p.at.stripe + (from + i) * p.at.stripes;
                const int there = min(row, p.rows - 1);
                const bool held = there == row && slot < a.held;
                x[i] = ::load<V>(held ? place(slot, 0).v : read.again(there, 0));
                if (OP::OPERANDS == 2)
                    dy[i] = ::load<V>(held ? place(slot, 1).v : read.again(there, 1));
                else if (!held)
                    read.load_low(there, dy[i]);
            }
#pragma unroll
            for (int i = 0; i < BATCH; i++) {
                const int row = p.at.stripe + (from + i) * p.at.stripes;
                if (row >= p.rows) break;
                if (first + from + i >= a.held) read.settle_again(x[i], dy[i]);
                float y[V];
                of.apply(y, x[i], dy[i], a.sums.back.slope);
                store_floats(y_rows + p.offset(a.sums, row), y);
            }
        }
    }
};

template <class OP, class READ, class APPLY, class T, int V>
__global__ void __launch_bounds__(NORM_BLOCK, 2) whole_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    using Vector = Vec<T, V>;
    GPU_SHARED_MORE(Vector, shelf);
    const Whole<OP, READ, APPLY, T, V> whole{a, shelf};
    for (int first = 0; first < a.sums.tiles; first += a.tiles) {
        int mine = 0;
        for (int i = int(blockIdx.x); i < a.pieces; i += int(gridDim.x), mine++) {
            const Piece<V> p = a.piece<V>(first, i);
            if (p.exists(a.sums)) whole.sum(p, mine * a.slots);
        }
        if (a.barrier)
            grid_barrier(a.barrier);
        else
            __syncthreads();
        while (mine-- > 0) {
            const Piece<V> p = a.piece<V>(first, int(blockIdx.x) + mine * int(gridDim.x));
            whole.apply(p, mine * a.slots);
        }
    }
    if (OP::OPERANDS == 2 && a.total) add_groups(a);
}

/* ---- launchers ---- */

template <class T>
constexpr int width = 16 / int(sizeof(T));

/* What the current device has: multiprocessors, and of each how many blocks of a kernel it holds at
 * once and its shared memory in bytes; that of a block, at most. */
struct Device {
    int processors, blocks, shared, shared_of_block;
};

cudaError_t ask(Device *d, const void *kernel, size_t bytes) {
    int device = 0;
    cudaError_t error = cudaGetDevice(&device);
    const auto get = [&](int *value, cudaDeviceAttr attribute) {
        if (error == cudaSuccess) error = cudaDeviceGetAttribute(value, attribute, device);
    };
    get(&d->processors, cudaDevAttrMultiProcessorCount);
    get(&d->shared, cudaDevAttrMaxSharedMemoryPerMultiprocessor);
    get(&d->shared_of_block, cudaDevAttrMaxSharedMemoryPerBlockOptin);
    if (error == cudaSuccess)
        error =
            cudaOccupancyMaxActiveBlocksPerMultiprocessor(&d->blocks, kernel, NORM_BLOCK, bytes);
    return error;
}

/* As many blocks as there are pieces, or as there is room for at once, side by side on all
 * multiprocessors; what is left of their shared memory holds rows. */
template <class OP, class READ, class APPLY, class T, int V>
cudaError_t launch_whole(Args a, cudaStream_t stream) {
    /* combine() takes the first; the system a little of each block's */
    constexpr int taken = int(sizeof(float)) * NORM_BLOCK * (1 + 2 * V) + 2048,
                  slot = int(sizeof(Vec<T, V>)) * OP::OPERANDS * NORM_BLOCK;
    const auto kernel = whole_kernel<OP, READ, APPLY, T, V>;
    const void *address = reinterpret_cast<const void *>(kernel);
    Device d = {};
    cudaError_t error = ask(&d, address, 0);
    if (error != cudaSuccess) return error;
    if (d.blocks < 1) return cudaErrorInvalidConfiguration;
    const int64_t wanted = ceil_div(a.pieces, d.processors),
                  blocks = wanted < d.blocks ? wanted : d.blocks,
                  pieces = a.barrier ? ceil_div(a.pieces, blocks * d.processors) : 1;
    const int most = d.shared_of_block > taken ? d.shared_of_block - taken : 0,
              share = d.shared / int(blocks) - taken, room = share < most ? share : most;
    a.held = room < slot ? 0 : room / slot;
    if (a.held > pieces * a.slots) a.held = int(pieces * a.slots);
    const size_t bytes = size_t(a.held) * size_t(slot);
    error = cudaFuncSetAttribute(address, cudaFuncAttributeMaxDynamicSharedMemorySize, most);
    if (error == cudaSuccess) error = ask(&d, address, bytes);
    if (error != cudaSuccess) return error;
    const int64_t at_once = int64_t(d.processors) * d.blocks;
    if (!a.barrier)
        GPU_LAUNCH_WITH(bytes, kernel, dim3(unsigned(a.pieces)), dim3(NORM_BLOCK), stream, a);
    else
        GPU_LAUNCH_COOPERATIVE_WITH(bytes, kernel,
                                    dim3(unsigned(a.pieces < at_once ? a.pieces : at_once)),
                                    dim3(NORM_BLOCK), stream, a);
    return cudaGetLastError();
}

template <class T>
Args args_of(const gan_launch_norm_args *n, const gan_launch_norm_back *back, void *y, float *total,
             unsigned *barrier) {
    constexpr int V = width<T>;
    Args a = {};
    SumsArgs &s = a.sums;
    s.x = n->x, s.out = n->out, s.partial = static_cast<float *>(n->workspace);
    s.back = *back, s.counters = n->counters;
    s.rows = int(n->rows), s.channels = int(n->channels);
    plan(n, &s);
    set_tiles(n, &s, V);
    a.y = y;
    a.total = total;
    a.groups = int(n->groups);
    a.barrier = s.chunks > 1 || total ? barrier : NULL;
    a.tiles = a.barrier ? int(ceil_div(wave_of(n), s.lanes * V)) : s.tiles;
    a.pieces = a.groups * s.chunks * a.tiles;
    a.slots = int(ceil_div(s.chunk, NORM_BLOCK / s.lanes));
    return a;
}

/* fn: as in gan_launch_batch_norm() */
template <class READ, class T>
cudaError_t forward(const Args &a, int fn, cudaStream_t stream) {
    constexpr int V = width<T>;
    switch (fn) {
    case FN_relu:
        return launch_whole<Moments, READ, Normalised<V, FN_relu>, T, V>(a, stream);
    case FN_leaky_relu:
        return launch_whole<Moments, READ, Normalised<V, FN_leaky_relu>, T, V>(a, stream);
    default:
        return launch_whole<Moments, READ, Normalised<V, -1>, T, V>(a, stream);
    }
}

template <class T>
cudaError_t forward_of(const gan_launch_norm_args *n, const gan_launch_norm_back *back,
                       const gan_launch_norm_up *up, int fn, void *y, unsigned *barrier,
                       cudaStream_t stream) {
    constexpr int V = width<T>;
    Args a = args_of<T>(n, back, y, NULL, barrier);
    if (!up) return forward<AsGiven<Moments, T, V>, T>(a, fn, stream);
    a.up = {up->low,
            up->sum,
            Divisor(up->width * up->along),
            Divisor(up->down),
            Divisor(up->along),
            int(up->width)};
    return forward<Added<Moments, T, V>, T>(a, fn, stream);
}

template <class T>
cudaError_t backward(const gan_launch_norm_args *n, const gan_launch_norm_back *back, void *dx,
                     float *total, unsigned *barrier, cudaStream_t stream) {
    constexpr int V = width<T>;
    using All = Products<false>;
    using Some = Products<true>;
    const Args a = args_of<T>(n, back, dx, total, barrier);
    return back->slope == 1.0f
               ? launch_whole<All, AsGiven<All, T, V>, Gradient<V, false>, T, V>(a, stream)
               : launch_whole<Some, AsGiven<Some, T, V>, Gradient<V, true>, T, V>(a, stream);
}

} // namespace

extern "C" int gan_launch_norm_is_whole(const gan_launch_norm_args *n) {
    return n->groups > 0 && n->rows > 0 && n->channels > 0 && in_vectors(n) && has_counters(n);
}

extern "C" cudaError_t gan_launch_batch_norm(const gan_launch_norm_args *n,
                                             const gan_launch_norm_back *with,
                                             const gan_launch_norm_up *up, int fn, void *y,
                                             unsigned *barrier, cudaStream_t stream) {
    return n->bf16 ? forward_of<__nv_bfloat16>(n, with, up, fn, y, barrier, stream)
                   : forward_of<float>(n, with, up, fn, y, barrier, stream);
}

extern "C" cudaError_t gan_launch_batch_norm_back(const gan_launch_norm_args *n,
                                                  const gan_launch_norm_back *back, void *dx,
                                                  float *total, unsigned *barrier,
                                                  cudaStream_t stream) {
    return n->bf16 ? backward<__nv_bfloat16>(n, back, dx, total, barrier, stream)
                   : backward<float>(n, back, dx, total, barrier, stream);
}
