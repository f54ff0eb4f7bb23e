/* Batch normalisation's two sums over rows, a channel at a time.
 *
 * A block takes a tile of channels and a chunk of rows: its threads lie side by side over the
 * channels, V to a thread, so that a row is read in whole lines, and over as many rows as threads
 * are left. With several chunks each leaves its part in the workspace, and a second launch combines
 * them, always in the same order.
 */
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
    enum { BATCH = 8, OPERANDS = 1, BF16 = 8, ACTIVE = false };

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

    template <int V>
    static __device__ __forceinline__ Part<V>
    of(const float (&x)[BATCH][V], const float (&)[BATCH][V], int count, const float (&)[V]) {
        Part<V> part = {};
        part.count = float(count);
#pragma unroll
        for (int i = 0; i < BATCH; i++)
#pragma unroll
            for (int k = 0; k < V; k++) part.first[k] += i < count ? x[i][k] : 0.0f;
        const float share = 1.0f / part.count;
#pragma unroll
        for (int k = 0; k < V; k++) part.first[k] *= share;
#pragma unroll
        for (int i = 0; i < BATCH; i++)
#pragma unroll
            for (int k = 0; k < V; k++) {
                const float d = x[i][k] - part.first[k];
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
    enum { BATCH = 4, OPERANDS = 2, BF16 = 8, ACTIVE = FOLLOWED };

    template <int V>
    static __device__ __forceinline__ void add(Part<V> &a, const Part<V> &b) {
#pragma unroll
        for (int k = 0; k < V; k++) {
            a.first[k] += b.first[k];
            a.second[k] += b.second[k];
        }
    }

    template <int V>
    static __device__ __forceinline__ Part<V>
    of(const float (&x)[BATCH][V], const float (&dy)[BATCH][V], int count, const float (&mean)[V]) {
        Part<V> part = {};
#pragma unroll
        for (int i = 0; i < BATCH; i++)
#pragma unroll
            for (int k = 0; k < V; k++) {
                part.first[k] += i < count ? dy[i][k] : 0.0f;
                part.second[k] += i < count ? dy[i][k] * (x[i][k] - mean[k]) : 0.0f;
            }
        return part;
    }

    static __device__ __forceinline__ float finish(float products, float, float inverse) {
        return products * inverse;
    }
};

/* ---- kernels ---- */

enum { BLOCK = NORM_BLOCK };

struct Args {
    const void *x;  // (groups, rows, channels)
    float *out;     // (groups, 2, channels)
    float *partial; // (groups, chunks, 2, channels)
    gan_launch_norm_back back;
    int rows, channels, chunk, chunks, tiles;
    int lanes;          // threads side by side: a power of two, at most 32
    unsigned *counters; // (groups, tiles), or NULL
};

/* The parts of all stripes; stripe 0 gets them. All threads take part. */
template <class OP, int V>
__device__ __forceinline__ void combine(Part<V> &part, const Tile<V> &at, int lanes) {
    GPU_SHARED(float, counts, [BLOCK]);
    GPU_SHARED(float, firsts, [V][BLOCK]);
    GPU_SHARED(float, seconds, [V][BLOCK]);
    const int thread = int(threadIdx.x);
    for (int half = at.stripes / 2; half > 0; half /= 2) {
        if (at.stripe >= half && at.stripe < 2 * half) {
            counts[thread] = part.count;
#pragma unroll
            for (int k = 0; k < V; k++) {
                firsts[k][thread] = part.first[k];
                seconds[k][thread] = part.second[k];
            }
        }
        __syncthreads();
        if (at.stripe < half) {
            const int other = thread + half * lanes;
            Part<V> b;
            b.count = counts[other];
#pragma unroll
            for (int k = 0; k < V; k++) {
                b.first[k] = firsts[k][other];
                b.second[k] = seconds[k][other];
            }
            OP::add(part, b);
        }
        /* the next round writes below `half` and reads no more above it: no barrier is needed */
    }
}

template <class OP, int V>
__device__ __forceinline__ void write_out(const Args &a, int64_t group, int channel,
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
__device__ __forceinline__ void bring_together(const Args &a, int64_t group, const Tile<V> &at) {
    Part<V> part = {};
    if (at.channel < a.channels) {
        const float *from = a.partial + group * a.chunks * 2 * a.channels + at.channel;
#pragma unroll 2
        for (int i = at.stripe; i < a.chunks; i += at.stripes) {
            Part<V> b;
            b.count = float(min(a.chunk, a.rows - i * a.chunk));
            load_floats(b.first, from + int64_t(2 * i) * a.channels);
            load_floats(b.second, from + int64_t(2 * i + 1) * a.channels);
            OP::add(part, b);
        }
    }
    combine<OP, V>(part, at, a.lanes);
    if (at.stripe == 0 && at.channel < a.channels) write_out<OP, V>(a, group, at.channel, part);
}

/* Block (group · chunks + chunk) · tiles + tile. */
template <class OP, class T, int V>
__global__ void __launch_bounds__(BLOCK, 2) rows_kernel(const Args a) {
    constexpr int BATCH = OP::BATCH;
    const T *x_rows = static_cast<const T *>(a.x), *dy_rows = static_cast<const T *>(a.back.dy);
    const unsigned tile = blockIdx.x % unsigned(a.tiles),
                   part_index = blockIdx.x / unsigned(a.tiles);
    const int64_t group = part_index / unsigned(a.chunks);
    const int begin = int(part_index % unsigned(a.chunks)) * a.chunk,
              rows = min(a.chunk, a.rows - begin);
    const Tile<V> at(a.lanes, int(tile));
    Part<V> part = {};
    if (at.channel < a.channels) {
        const int64_t base = (group * a.rows + begin) * a.channels + at.channel;
        Channels<V> of = {};
        if (OP::OPERANDS == 2)
            of.read(a.back.moments + 2 * group * a.channels, a.channels, at.channel, a.back);
        for (int r = at.stripe; r < rows; r += BATCH * at.stripes) {
            float x[BATCH][V] = {}, dy[BATCH][V] = {};
            int count = 0;
#pragma unroll
            for (int i = 0; i < BATCH; i++) {
                const int row = r + i * at.stripes;
                if (row < rows) {
                    const int64_t offset = base + int64_t(row) * a.channels;
                    load_floats(x[i], x_rows + offset);
                    if (OP::OPERANDS == 2) load_floats(dy[i], dy_rows + offset);
                    count = i + 1;
                }
            }
            if (OP::ACTIVE) {
#pragma unroll
                for (int i = 0; i < BATCH; i++)
#pragma unroll
                    for (int k = 0; k < V; k++)
                        dy[i][k] = of.before(dy[i][k], x[i][k] - of.mean[k], k, a.back.slope);
            }
            OP::add(part, OP::of(x, dy, count, of.mean));
        }
    }
    combine<OP, V>(part, at, a.lanes);
    const bool writes = at.stripe == 0 && at.channel < a.channels;
    if (a.chunks == 1) {
        if (writes) write_out<OP, V>(a, group, at.channel, part);
        return;
    }
    if (writes) {
        float *to = a.partial + int64_t(part_index) * 2 * a.channels + at.channel;
        store_floats(to, part.first);
        store_floats(to + a.channels, part.second);
    }
    if (a.counters && is_last(a.counters + group * a.tiles + tile, unsigned(a.chunks)))
        bring_together<OP, V>(a, group, at);
}

/* Block group · tiles + tile, of the parts of all chunks. */
template <class OP>
__global__ void __launch_bounds__(BLOCK) chunks_kernel(const Args a) {
    const int64_t group = blockIdx.x / unsigned(a.tiles);
    const Tile<1> at(a.lanes, int(blockIdx.x % unsigned(a.tiles)));
    Part<1> part = {};
    if (at.channel < a.channels) {
        const float *from = a.partial + group * a.chunks * 2 * a.channels + at.channel;
#pragma unroll 4
        for (int i = at.stripe; i < a.chunks; i += at.stripes) {
            Part<1> b;
            b.count = float(min(a.chunk, a.rows - i * a.chunk));
            b.first[0] = from[int64_t(2 * i) * a.channels];
            b.second[0] = from[int64_t(2 * i + 1) * a.channels];
            OP::add(part, b);
        }
    }
    combine<OP, 1>(part, at, a.lanes);
    if (at.stripe == 0 && at.channel < a.channels) write_out<OP, 1>(a, group, at.channel, part);
}

/* ---- launchers ---- */

/* Chunks of rows, by the shape alone: one where a second launch costs more than it saves. */
void plan(const gan_launch_norm_args *n, Args *a) {
    enum { BLOCKS = 512, BATCH = 8, FEW = 4 };
    const int v = n->channels % 4 == 0 ? 4 : 1;
    const int64_t lanes = lanes_for(n->channels / v, 32), tiles = ceil_div(n->channels, lanes * v);
    const int64_t pass = BLOCK / lanes * BATCH, passes = ceil_div(n->rows, pass);
    int64_t chunks = passes <= FEW ? 1 : ceil_div(BLOCKS, tiles * n->groups);
    if (chunks > ceil_div(passes, 2)) chunks = ceil_div(passes, 2);
    if (chunks < 1) chunks = 1;
    a->chunk = int(ceil_div(passes, chunks) * pass);
    a->chunks = int(ceil_div(n->rows, a->chunk));
}

void set_tiles(Args *a, int lanes, int v) {
    a->lanes = lanes;
    a->tiles = int(ceil_div(a->channels, int64_t(lanes) * v));
}

/* V elements of T, or one where they are not aligned, to a thread. */
template <class OP, class T, int V>
cudaError_t launch_rows(const gan_launch_norm_args *n, Args a, cudaStream_t stream) {
    const int bytes = int(sizeof(T));
    const bool vectors = vector_width(n->x, n->channels, bytes, V) == V &&
                         vector_width(a.back.dy, n->channels, bytes, V) == V;
    set_tiles(&a, lanes_for(n->channels / (vectors ? V : 1), 32), vectors ? V : 1);
    const dim3 grid(unsigned(n->groups * a.chunks * a.tiles));
    if (vectors)
        GPU_LAUNCH((rows_kernel<OP, T, V>), grid, dim3(BLOCK), stream, a);
    else
        GPU_LAUNCH((rows_kernel<OP, T, 1>), grid, dim3(BLOCK), stream, a);
    return cudaGetLastError();
}

template <class OP>
cudaError_t launch(const gan_launch_norm_args *n, Args a, cudaStream_t stream) {
    if (n->groups == 0 || n->channels == 0) return cudaSuccess;
    a.x = n->x, a.out = n->out, a.partial = static_cast<float *>(n->workspace);
    a.rows = int(n->rows), a.channels = int(n->channels);
    plan(n, &a);
    /* A tile has at least a channel, and several chunks mean less than 512 tiles. */
    a.counters = n->groups * ceil_div(n->channels, 32) <= GAN_LAUNCH_COUNTERS ? n->counters : NULL;
    const cudaError_t error = n->bf16 ? launch_rows<OP, __nv_bfloat16, OP::BF16>(n, a, stream)
                                      : launch_rows<OP, float, 4>(n, a, stream);
    if (error != cudaSuccess || a.chunks == 1 || a.counters) return error;
    set_tiles(&a, lanes_for(n->channels, 8),
              1); /* few channels a block, for many chunks at a time */
    GPU_LAUNCH(chunks_kernel<OP>, dim3(unsigned(n->groups * a.tiles)), dim3(BLOCK), stream, a);
    return cudaGetLastError();
}

} // namespace

extern "C" size_t gan_launch_norm_workspace(const gan_launch_norm_args *n) {
    Args a = {};
    if (n->groups == 0 || n->channels == 0 || n->rows == 0) return 0;
    plan(n, &a);
    return a.chunks == 1 ? 0 : sizeof(float) * 2 * size_t(n->groups * a.chunks * n->channels);
}

extern "C" cudaError_t gan_launch_moments(const gan_launch_norm_args *n, cudaStream_t stream) {
    return launch<Moments>(n, Args{}, stream);
}

extern "C" cudaError_t gan_launch_batch_norm_sums(const gan_launch_norm_args *n,
                                                  const gan_launch_norm_back *back,
                                                  cudaStream_t stream) {
    Args a = {};
    a.back = *back;
    return back->slope == 1.0f ? launch<Products<false>>(n, a, stream)
                               : launch<Products<true>>(n, a, stream);
}
