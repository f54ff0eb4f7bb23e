/* The two sums of a channel over rows: how they are taken apart and brought together.
 *
 * A block takes a piece: a tile of channels and a chunk of rows. Its threads lie side by side over
 * the channels, V to a thread, so that a row is read in whole lines, and over as many rows as
 * threads are left. With several chunks each leaves its part in the workspace, and the last block
 * of a tile combines them, always in the same order.
 */
#pragma once
#include "kernels/last.cuh"
#include "kernels/norm.cuh"

namespace {

/* ---- what is summed ---- */

/* Two numbers of each of V channels, over `count` rows. */
template <int V>
struct Part {
    float count, first[V], second[V];
};

/* The mean, and the sum of squared distances from it. */
struct Moments {
    /* rows that a thread reads before it uses them; of how many channels at once, in bf16 */
    enum { BATCH = 8, OPERANDS = 1, BF16 = 8 };

    template <int V>
    static __device__ __forceinline__ void add(Part<V> &a, const Part<V> &b) {
        if (b.count == 0.0f) return;
        const float n = a.count + b.count, share = b.count / n;
#pragma unroll
        for (int k = 0; k < V; k++) {
            const float d = b.first[k] - a.first[k];
            a.first[k] += d * share;
            a.second[k] += b.second[k] + d * d * (a.count * share);
        }
        a.count = n;
    }

    /* of `count` rows */
    template <class T, int V>
    static __device__ __forceinline__ Part<V> of(const Vec<T, V> (&x)[BATCH],
                                                 const Vec<T, V> (&)[BATCH], int count,
                                                 const Channels<V> &, float) {
        Part<V> part = {};
        part.count = float(count);
#pragma unroll
        for (int i = 0; i < BATCH; i++)
#pragma unroll
            for (int k = 0; k < V; k++) part.first[k] += i < count ? to_float(x[i].v[k]) : 0.0f;
        const float share = 1.0f / part.count;
#pragma unroll
        for (int k = 0; k < V; k++) part.first[k] *= share;
#pragma unroll
        for (int i = 0; i < BATCH; i++)
#pragma unroll
            for (int k = 0; k < V; k++) {
                const float d = to_float(x[i].v[k]) - part.first[k];
                part.second[k] += i < count ? d * d : 0.0f;
            }
        return part;
    }

    static __device__ __forceinline__ float finish(float squares, float count, float) {
        return squares / count;
    }
};

/* Σ dy and Σ dy·(x - mean), with an activation after batch norm or without. */
template <bool FOLLOWED>
struct Products {
    enum { BATCH = 4, OPERANDS = 2, BF16 = 8 };

    template <int V>
    static __device__ __forceinline__ void add(Part<V> &a, const Part<V> &b) {
#pragma unroll
        for (int k = 0; k < V; k++) {
            a.first[k] += b.first[k];
            a.second[k] += b.second[k];
        }
    }

    template <class T, int V>
    static __device__ __forceinline__ Part<V> of(const Vec<T, V> (&x)[BATCH],
                                                 const Vec<T, V> (&dy)[BATCH], int count,
                                                 const Channels<V> &c, float slope) {
        Part<V> part = {};
#pragma unroll
        for (int i = 0; i < BATCH; i++)
#pragma unroll
            for (int k = 0; k < V; k++) {
                const float distance = to_float(x[i].v[k]) - c.mean[k];
                float d = to_float(dy[i].v[k]);
                if (FOLLOWED) d = c.before(d, distance, k, slope);
                part.first[k] += i < count ? d : 0.0f;
                part.second[k] += i < count ? d * distance : 0.0f;
            }
        return part;
    }

    static __device__ __forceinline__ float finish(float products, float, float inverse) {
        return products * inverse;
    }
};

/* ---- pieces ---- */

struct SumsArgs {
    const void *x;  // (groups, rows, channels)
    float *out;     // (groups, 2, channels)
    float *partial; // (groups, chunks, 2, channels)
    gan_launch_norm_back back;
    int rows, channels, chunk, chunks, tiles;
    Divisor by_chunks;
    int lanes;          // threads side by side: a power of two, at most 32
    unsigned *counters; // (groups, tiles), or NULL
};

/* A part, group · chunks + chunk, of a tile, and the thread's place in it. */
template <int V>
struct Piece {
    unsigned part, tile;
    int group;
    int begin, rows;
    Tile<V> at;

    __device__ __forceinline__ Piece(const SumsArgs &a, unsigned part, unsigned tile)
        : part(part), tile(tile), group(int(a.by_chunks.divide(part))),
          begin((int(part) - group * a.chunks) * a.chunk), rows(min(a.chunk, a.rows - begin)),
          at(a.lanes, int(tile)) {}

    __device__ __forceinline__ bool exists(const SumsArgs &a) const { return int(tile) < a.tiles; }
    __device__ __forceinline__ bool active(const SumsArgs &a) const {
        return at.channel < a.channels;
    }
    /* Row `row` of the piece, of those of all groups. */
    __device__ __forceinline__ int row_of(const SumsArgs &a, int row) const {
        return group * a.rows + begin + row;
    }
    /* Of the thread's channels in it: there are less than 2^31 elements. */
    __device__ __forceinline__ int offset(const SumsArgs &a, int row) const {
        return row_of(a, row) * a.channels + at.channel;
    }
};

/* How a thread reads its rows: x, and dy where it is needed, as they are. */
template <class OP, class T, int V>
struct Given {
    /* rows that are on their way at a time, and when they are read again */
    enum { AHEAD = OP::BATCH, AGAIN = 4 / OP::OPERANDS };
    using Vector = Vec<T, V>;
    const SumsArgs &a;
    const Piece<V> &p;

    __device__ __forceinline__ void load(int row, Vector &x, Vector &dy) const {
        const int offset = p.offset(a, row);
        x = ::load<V>(static_cast<const T *>(a.x) + offset);
        if (OP::OPERANDS == 2) dy = ::load<V>(static_cast<const T *>(a.back.dy) + offset);
    }
    /* what they come to, once many are on their way */
    __device__ __forceinline__ void settle(int, Vector &, const Vector &) const {}
    /* rows that have been read before: where an operand's is, and what it needs besides */
    __device__ __forceinline__ const T *again(int row, int operand) const {
        return static_cast<const T *>(operand ? a.back.dy : a.x) + p.offset(a, row);
    }
    __device__ __forceinline__ void load_low(int, Vector &) const {}
    __device__ __forceinline__ void settle_again(Vector &, const Vector &) const {}
};

/* What the thread's rows add up to. keep(i, x, dy) gets the vectors of its i-th row. */
template <class OP, class T, int V, class READ, class KEEP>
__device__ __forceinline__ Part<V> sum_rows(const SumsArgs &a, const Piece<V> &p, const READ &read,
                                            const KEEP &keep) {
    constexpr int BATCH = OP::BATCH;
    Part<V> part = {};
    if (!p.active(a)) return part;
    const int stripes = p.at.stripes;
    Channels<V> of = {};
    if (OP::OPERANDS == 2)
        of.read(a.back.moments + 2 * int64_t(p.group) * a.channels, a.channels, p.at.channel,
                a.back);
    for (int r = p.at.stripe, first = 0; r < p.rows; r += BATCH * stripes, first += BATCH) {
        Vec<T, V> x[BATCH] = {}, dy[BATCH] = {};
        int count = 0;
#pragma unroll
        for (int from = 0; from < BATCH; from += READ::AHEAD) {
#pragma unroll
            for (int i = from; i < from + READ::AHEAD; i++) {
                const int row = r + i * stripes;
                if (row < p.rows) {
                    read.load(row, x[i], dy[i]);
                    count = i + 1;
                }
            }
#pragma unroll
            for (int i = from; i < from + READ::AHEAD; i++)
                if (i < count) {
                    read.settle(r + i * stripes, x[i], dy[i]);
                    keep(first + i, x[i], dy[i]);
                }
        }
        OP::add(part, OP::of(x, dy, count, of, a.back.slope));
    }
    return part;
}

/* ---- parts ---- */

/* Shared memory of a block for its parts, in floats. */
template <int V>
constexpr int norm_room = (1 + 2 * V) * NORM_BLOCK;

/* The parts of all stripes; stripe 0 gets them. All threads take part. */
template <class OP, int V>
__device__ __forceinline__ void combine(Part<V> &part, const Tile<V> &at, int lanes, float *room) {
    float *counts = room, *firsts = counts + NORM_BLOCK, *seconds = firsts + V * NORM_BLOCK;
    const int thread = int(threadIdx.x);
    for (int half = at.stripes / 2; half > 0; half /= 2) {
        if (at.stripe >= half && at.stripe < 2 * half) {
            counts[thread] = part.count;
#pragma unroll
            for (int k = 0; k < V; k++) {
                firsts[k * NORM_BLOCK + thread] = part.first[k];
                seconds[k * NORM_BLOCK + thread] = part.second[k];
            }
        }
        __syncthreads();
        if (at.stripe < half) {
            const int other = thread + half * lanes;
            Part<V> b;
            b.count = counts[other];
#pragma unroll
            for (int k = 0; k < V; k++) {
                b.first[k] = firsts[k * NORM_BLOCK + other];
                b.second[k] = seconds[k * NORM_BLOCK + other];
            }
            OP::add(part, b);
        }
        /* the next round writes below `half` and reads no more above it: no barrier is needed */
    }
}

template <class OP, int V>
__device__ __forceinline__ void write_out(const SumsArgs &a, int64_t group, int channel,
                                          const Part<V> &part) {
    const int64_t first = 2 * group * a.channels + channel, second = first + a.channels;
#pragma unroll
    for (int k = 0; k < V; k++) {
        const float inverse =
            OP::OPERANDS == 2 ? 1.0f / sqrtf(a.back.moments[second + k] + a.back.eps) : 0.0f;
        a.out[first + k] = part.first[k];
        a.out[second + k] = OP::finish(part.second[k], part.count, inverse);
    }
}

/* The parts of all chunks, by the block that is the last of its tile. */
template <class OP, int V>
__device__ __forceinline__ void bring_together(const SumsArgs &a, int64_t group, const Tile<V> &at,
                                               float *room) {
    Part<V> part = {};
    if (at.channel < a.channels) {
        const float *from = a.partial + group * a.chunks * 2 * a.channels + at.channel;
#pragma unroll 4
        for (int i = at.stripe; i < a.chunks; i += at.stripes) {
            Part<V> b;
            b.count = float(min(a.chunk, a.rows - i * a.chunk));
            load_floats(b.first, from + int64_t(2 * i) * a.channels);
            load_floats(b.second, from + int64_t(2 * i + 1) * a.channels);
            OP::add(part, b);
        }
    }
    combine<OP, V>(part, at, a.lanes, room);
    if (at.stripe == 0 && at.channel < a.channels) write_out<OP, V>(a, group, at.channel, part);
}

/* The part of a piece: as a result, or left for others. All threads take part; true for those of
 * the block that has to bring the parts together. */
template <class OP, int V>
__device__ __forceinline__ bool leave_part(const SumsArgs &a, const Piece<V> &p, Part<V> &part,
                                           float *room) {
    combine<OP, V>(part, p.at, a.lanes, room);
    const bool writes = p.at.stripe == 0 && p.active(a);
    if (a.chunks == 1) {
        if (writes) write_out<OP, V>(a, p.group, p.at.channel, part);
        return false;
    }
    if (writes) {
        float *to = a.partial + int64_t(p.part) * 2 * a.channels + p.at.channel;
        store_floats(to, part.first);
        store_floats(to + a.channels, part.second);
    }
    return a.counters && is_last(a.counters + p.group * a.tiles + p.tile, unsigned(a.chunks));
}

/* ---- for launchers ---- */

inline bool in_vectors(const gan_launch_norm_args *n) {
    return n->channels % (n->bf16 ? 8 : 4) == 0;
}

/* Whether there is a counter for every tile. */
inline bool has_counters(const gan_launch_norm_args *n) {
    return n->groups * ceil_div(n->channels, 32) <= GAN_LAUNCH_COUNTERS;
}

/* A wave's values pass through the cache beside what is written, of which as much: a quarter is
 * left to that, since shared memory holds many of them. Transfers from memory are 64 bytes. */
inline int64_t wave_of(const gan_launch_norm_args *n) {
    enum { LEAST = 32 };
    const int64_t column = n->groups * n->rows * n->operands * (n->bf16 ? 2 : 4),
                  room = n->cache / 4 * 3;
    int64_t wave = LEAST;
    if (n->channels * column <= room || wave * column > room || !in_vectors(n) || !has_counters(n))
        return n->channels;
    while (2 * wave * column <= room) wave *= 2;
    return wave;
}

/* Chunks of rows of a wave: one where a second launch costs more than it saves. */
inline void plan(const gan_launch_norm_args *n, SumsArgs *a) {
    enum { BLOCKS = 128, BATCH = 8, FEW = 2 }; /* one a multiprocessor, of the largest */
    const int64_t channels = wave_of(n);
    const int v = channels % 4 == 0 ? 4 : 1;
    const int64_t lanes = lanes_for(channels / v, 32), tiles = ceil_div(channels, lanes * v);
    const int64_t pass = NORM_BLOCK / lanes * BATCH, passes = ceil_div(n->rows, pass);
    int64_t chunks = passes <= FEW ? 1 : ceil_div(BLOCKS, tiles * n->groups);
    if (chunks > passes) chunks = passes;
    if (chunks < 1) chunks = 1;
    a->chunk = int(ceil_div(passes, chunks) * pass);
    a->chunks = int(ceil_div(n->rows, a->chunk));
    a->by_chunks = Divisor(a->chunks);
}

/* V channels to a thread. */
inline void set_tiles(const gan_launch_norm_args *n, SumsArgs *a, int v) {
    const int lanes = lanes_for(wave_of(n) / v, 32);
    a->lanes = lanes;
    a->tiles = int(ceil_div(a->channels, int64_t(lanes) * v));
}

} // namespace
