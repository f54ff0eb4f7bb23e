/* Batch normalisation with its statistics, and its gradient with the sums it needs, by blocks that
 * wait for each other: every block adds up its pieces (norm_sums.cuh), the last one of a tile
 * brings the parts together, and behind a barrier each goes over its own pieces again. Of what it
 * has read, as much stays in shared memory as there is room for: the rows that came first, since
 * those that came last, with which it begins, are the likeliest to be in the cache still. What is
 * too large for that goes in waves of some channels, since no sum is of two. Sums are what norm.cu
 * makes of them, to the bit. What is normalised may be a sum, which is formed as it is read.
 */
#pragma once
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

struct NormArgs {
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
    __device__ __forceinline__ AsGiven(const NormArgs &a, const Piece<V> &p)
        : Given<OP, T, V>{a.sums, p} {}
};

/* x + low, as it would be stored. Where it is, it is read again from there. */
template <class OP, class T, int V>
struct Added {
    enum { AHEAD = OP::BATCH / 4, AGAIN = 2 };
    using Vector = Vec<T, V>;
    const NormArgs &a;
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
__device__ __forceinline__ void add_groups(const NormArgs &a) {
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
    const NormArgs &a;
    Vector *shelf; // (held, operands, threads)
    float *room;   // norm_room<V>

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
        if (leave_part<OP, V>(a.sums, p, part, room))
            bring_together<OP, V>(a.sums, p.group, p.at, room);
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

    /* All of it, by all blocks of the launch. */
    __device__ __forceinline__ void run() const {
        for (int first = 0; first < a.sums.tiles; first += a.tiles) {
            int mine = 0;
            for (int i = int(blockIdx.x); i < a.pieces; i += int(gridDim.x), mine++) {
                const Piece<V> p = a.piece<V>(first, i);
                if (p.exists(a.sums)) sum(p, mine * a.slots);
            }
            if (a.barrier)
                grid_barrier(a.barrier);
            else
                __syncthreads();
            while (mine-- > 0) {
                const Piece<V> p = a.piece<V>(first, int(blockIdx.x) + mine * int(gridDim.x));
                apply(p, mine * a.slots);
            }
        }
        if (OP::OPERANDS == 2 && a.total) add_groups(a);
    }
};

/* ---- for launchers ---- */

/* V channels to a thread. */
template <int V>
NormArgs norm_args_of(const gan_launch_norm_args *n, const gan_launch_norm_back *back, void *y,
                      float *total, unsigned *barrier) {
    NormArgs a = {};
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

} // namespace
