/* Sums and maxima over axes, of a program's values, which are never stored.
 *
 * Two ways, by what the innermost axis is. Reduced: a few lanes or a block for each result, along
 * it. Kept: a block for 32 results side by side, down the rows. Long reductions are cut into
 * chunks, whose partial results a second launch reduces.
 */
#include "kernels/last.cuh"
#include "kernels/launch_reduce.h"
#include "kernels/program.cuh"

namespace {

/* The programs worth compiling ahead: squared norms, dot products. */
struct Square {
    static constexpr Chain value = {1, 1, 0, {{FN_square, 0, GAN_LAUNCH_LAST, 0}}};
};
struct Product {
    static constexpr Chain value = {2, 1, 0, {{FN_mul, 0, 1, 0}}};
};

enum { BLOCK = 256 };

struct Args {
    Bound bound;
    unsigned reduced; // mask of axes
    bool max;
    void *out; // (results), or (results, chunks) where axis 0 is reduced, (chunks, results) where
               // it is kept
    int out_bf16;
    unsigned results, n;    // both in vectors where they count axis 0, else in elements
    unsigned row;           // length of axis 0, in elements
    unsigned chunks, chunk; // each of `chunk` of the n
    Divisor by_chunks, by_tiles;
    unsigned lanes; // threads for one result; for one row of results
    /* Of several chunks: the last block of a result or tile brings them together; NULL: not here.
     */
    unsigned *counters;
    void *result;
    int result_bf16;
};

__device__ __forceinline__ float identity(const Args &a) { return a.max ? -INFINITY : 0.0f; }
__device__ __forceinline__ float combine(const Args &a, float x, float y) {
    return a.max ? fmaxf(x, y) : x + y;
}

__device__ __forceinline__ float over_block(const Args &a, float y) {
    return a.max ? block_reduce<BLOCK>(y, Max{}) : block_reduce<BLOCK>(y, Sum{});
}

// ---- axis 0 is reduced: thread group g makes out[g], g = result·chunks + chunk ----

template <class EVALUATOR>
__global__ void __launch_bounds__(BLOCK, 2) inner_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    constexpr int V = EVALUATOR::V;
    const unsigned lane = threadIdx.x & (a.lanes - 1);
    const unsigned group = blockIdx.x * (BLOCK / a.lanes) + threadIdx.x / a.lanes;
    const unsigned result = a.by_chunks.divide(group), chunk = group - result * a.chunks;
    const bool active = result < a.results;
    float sum[V];
#pragma unroll
    for (int k = 0; k < V; k++) sum[k] = identity(a);
    if (active) {
        Position at = {};
        place<V>(a.bound, ~a.reduced, result, at);
        const unsigned begin = chunk * a.chunk, end = a.n - begin < a.chunk ? a.n : begin + a.chunk;
#pragma unroll EVALUATOR::UNROLL
        for (unsigned i = begin + lane; i < end; i += a.lanes) {
            place<V>(a.bound, a.reduced, i, at);
            const int count = count_of<V>(a.bound, at);
            float x[V];
            EVALUATOR::evaluate(x, a.bound, at, count);
#pragma unroll
            for (int k = 0; k < V; k++)
                if (k < count) sum[k] = combine(a, sum[k], x[k]);
        }
    }
    float y[1] = {sum[0]};
#pragma unroll
    for (int k = 1; k < V; k++) y[0] = combine(a, y[0], sum[k]);
    if (a.lanes == BLOCK)
        y[0] = over_block(a, y[0]);
    else
        y[0] =
            a.max ? warp_reduce(y[0], Max{}, int(a.lanes)) : warp_reduce(y[0], Sum{}, int(a.lanes));
    if (active && lane == 0) write(a.out, a.out_bf16, group, y, 1);
    if (!a.counters || !is_last(a.counters + result, a.chunks)) return; // a block a chunk
    const float *parts = static_cast<const float *>(a.out) + int64_t(result) * a.chunks;
    y[0] = identity(a);
    for (unsigned i = threadIdx.x; i < a.chunks; i += BLOCK) y[0] = combine(a, y[0], parts[i]);
    y[0] = over_block(a, y[0]);
    if (threadIdx.x == 0) write(a.result, a.result_bf16, result, y, 1);
}

// ---- axis 0 is kept: block = chunk·tiles + tile makes `lanes` vectors of out's row `chunk` ----

/* The first row gets what all rows have. */
template <class VALUE>
__device__ __forceinline__ void down_rows(const Args &a, VALUE *part, VALUE &sum, unsigned row,
                                          unsigned rows) {
    constexpr int V = int(sizeof sum.v / sizeof *sum.v);
    part[threadIdx.x] = sum;
    for (unsigned half = rows / 2; half > 0; half /= 2) {
        __syncthreads();
        if (row < half) {
            const VALUE other = part[threadIdx.x + half * a.lanes];
#pragma unroll
            for (int k = 0; k < V; k++) sum.v[k] = combine(a, sum.v[k], other.v[k]);
            part[threadIdx.x] = sum;
        }
    }
}

template <class EVALUATOR>
__global__ void __launch_bounds__(BLOCK, 2) outer_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    constexpr int V = EVALUATOR::V;
    using Value = Vec<float, V>;
    GPU_SHARED(Value, part, [BLOCK]); // (rows, lanes)
    const unsigned lane = threadIdx.x & (a.lanes - 1), row = threadIdx.x / a.lanes,
                   rows = BLOCK / a.lanes;
    const unsigned chunk = a.by_tiles.divide(blockIdx.x), tile = blockIdx.x - chunk * a.by_tiles.by;
    const unsigned result = tile * a.lanes + lane;
    const bool active = result < a.results;
    Value sum;
#pragma unroll
    for (int k = 0; k < V; k++) sum.v[k] = identity(a);
    Position at = {};
    if (active) {
        place<V>(a.bound, ~a.reduced, result, at);
        const int count = count_of<V>(a.bound, at);
        const unsigned begin = chunk * a.chunk, end = a.n - begin < a.chunk ? a.n : begin + a.chunk;
#pragma unroll EVALUATOR::UNROLL
        for (unsigned i = begin + row; i < end; i += rows) {
            place<V>(a.bound, a.reduced, i, at);
            float x[V];
            EVALUATOR::evaluate(x, a.bound, at, count);
#pragma unroll
            for (int k = 0; k < V; k++) sum.v[k] = combine(a, sum.v[k], x[k]);
        }
    }
    down_rows(a, part, sum, row, rows);
    const unsigned line = a.bound.by[0].divide(result); // of results
    const unsigned per_chunk = (a.results / a.bound.by[0].by) * a.row;
    const int64_t place_of = line * a.row + at.index[0];
    const int count = active ? count_of<V>(a.bound, at) : 0;
    if (active && row == 0)
        write(a.out, a.out_bf16, chunk * int64_t(per_chunk) + place_of, sum.v, count);
    if (!a.counters || !is_last(a.counters + tile, a.chunks)) return;
#pragma unroll
    for (int k = 0; k < V; k++) sum.v[k] = identity(a);
    const float *parts = static_cast<const float *>(a.out) + place_of;
    for (unsigned i = row; active && i < a.chunks; i += rows)
#pragma unroll
        for (int k = 0; k < V; k++)
            if (k < count) sum.v[k] = combine(a, sum.v[k], parts[int64_t(i) * per_chunk + k]);
    down_rows(a, part, sum, row, rows);
    if (active && row == 0) write(a.result, a.result_bf16, place_of, sum.v, count);
}

/* ---- launchers ---- */

/* What the axes alone decide. */
struct Plan {
    bool inner;            // axis 0 is reduced
    int64_t n;             // elements reduced to one result
    int64_t chunks, chunk; // in elements
};

/* About as many blocks as the largest processors hold at once, and chunks that are worth a block.
 */
Plan plan_of(const gan_launch_program &p, unsigned reduced, int64_t results) {
    const int64_t blocks = 1024, few = 16384, least = 8192, few_rows = 1024, least_rows = 256;
    Plan plan = {(reduced & 1u) != 0, 1, 1, 0};
    for (int axis = 0; axis < p.n_axes; axis++)
        if (reduced >> axis & 1u) plan.n *= p.length[axis];
    const int64_t n = plan.n, groups = plan.inner ? results : ceil_div(results, 32);
    plan.chunk = n;
    if (n <= (plan.inner ? few : few_rows) || groups >= blocks) return plan;
    const int64_t wanted = ceil_div(n * groups, blocks), shortest = plan.inner ? least : least_rows;
    plan.chunk = wanted < shortest ? shortest : wanted;
    if (plan.inner) { // vectors stay whole: whole rows, or of a single row a multiple of any vector
        const int64_t unit = p.n_axes == 1 ? least : p.length[0];
        plan.chunk = ceil_div(plan.chunk, unit) * unit;
    }
    plan.chunks = ceil_div(n, plan.chunk);
    return plan;
}

unsigned power_of_two(int64_t n, unsigned most) {
    unsigned p = 1;
    while (p < most && p < n) p *= 2;
    return p;
}

template <class EVALUATOR>
cudaError_t launch(const gan_launch_reduce_args &a, const Plan &plan, void *out, int out_bf16,
                   cudaStream_t stream) {
    constexpr int V = EVALUATOR::V;
    const gan_launch_program &p = a.program;
    Args k = {Bound(p, V), a.reduced, a.max != 0,           out,        out_bf16, 0,    0,    0,
              0,           0,         Divisor(plan.chunks), Divisor(1), 0,        NULL, NULL, 0};
    if (plan.chunks > 1) k.counters = a.counters, k.result = a.out, k.result_bf16 = a.out_bf16;
    k.row = unsigned(p.length[0]);
    k.chunks = unsigned(plan.chunks);
    const int64_t row_vectors = k.bound.by[0].by;
    const auto in_vectors = [&](int64_t elements) { return elements / p.length[0] * row_vectors; };
    if (plan.inner) {
        k.results = unsigned(a.results);
        k.n = unsigned(p.length[0] == 0 ? 0 : in_vectors(plan.n));
        k.chunk = unsigned(plan.chunks == 1 ? k.n
                           : p.n_axes == 1  ? plan.chunk / V
                                            : in_vectors(plan.chunk));
        k.lanes = k.chunk > 512 / V ? unsigned(BLOCK) : power_of_two(k.chunk, 32);
        GPU_LAUNCH((inner_kernel<EVALUATOR>), grid_for(a.results * plan.chunks, BLOCK / k.lanes),
                   dim3(BLOCK), stream, k);
    } else {
        k.results = unsigned(in_vectors(a.results));
        k.n = unsigned(plan.n);
        k.chunk = unsigned(plan.chunk);
        k.lanes = power_of_two(k.results, 32 / V);
        k.by_tiles = Divisor(ceil_div(k.results, k.lanes));
        GPU_LAUNCH((outer_kernel<EVALUATOR>), grid_for(int64_t(k.by_tiles.by) * plan.chunks, 1),
                   dim3(BLOCK), stream, k);
    }
    return cudaGetLastError();
}

cudaError_t reduce(const gan_launch_reduce_args &a, const Plan &plan, void *out, int out_bf16,
                   cudaStream_t stream) {
    const gan_launch_program &p = a.program;
    const bool vectors = vectors_fit(p, plan.inner ? nullptr : out, out_bf16);
    if (p.n_steps == 0)
        return vectors ? launch<Compiled<Identity, 4>>(a, plan, out, out_bf16, stream)
                       : launch<Compiled<Identity, 1>>(a, plan, out, out_bf16, stream);
    if (vectors && matches(p, Square::value))
        return launch<Compiled<Square, 4>>(a, plan, out, out_bf16, stream);
    if (vectors && matches(p, Product::value))
        return launch<Compiled<Product, 4>>(a, plan, out, out_bf16, stream);
    if (p.n_slots == 0) return launch<Interpreter<1, 0, BLOCK>>(a, plan, out, out_bf16, stream);
    return launch<Interpreter<1, GAN_LAUNCH_SLOTS, BLOCK>>(a, plan, out, out_bf16, stream);
}

/* The partial results as what is reduced next. */
gan_launch_reduce_args second(const gan_launch_reduce_args &a, const Plan &plan) {
    gan_launch_reduce_args b = a;
    gan_launch_program &p = b.program;
    p.n_inputs = p.n_axes = 1;
    p.n_steps = p.n_slots = 0;
    p.size = int32_t(a.results * plan.chunks);
    p.operand[0] = {a.workspace, {1}, 0};
    p.length[0] = int32_t(plan.inner ? plan.chunks : a.results);
    b.reduced = plan.inner ? 1u : 0u;
    const int64_t other = plan.inner ? a.results : plan.chunks;
    if (other == 1 && plan.inner) return b;
    p.n_axes = 2;
    p.length[1] = int32_t(other);
    p.operand[0].stride[1] = p.length[0];
    if (!plan.inner) b.reduced = 2u;
    return b;
}

} // namespace

extern "C" size_t gan_launch_reduce_workspace(const gan_launch_reduce_args *a) {
    const Plan plan = plan_of(a->program, a->reduced, a->results);
    return plan.chunks > 1 ? size_t(a->results * plan.chunks) * sizeof(float) : 0;
}

extern "C" cudaError_t gan_launch_reduce(const gan_launch_reduce_args *a, cudaStream_t stream) {
    if (a->results == 0) return cudaSuccess;
    const Plan plan = plan_of(a->program, a->reduced, a->results);
    if (plan.chunks == 1) return reduce(*a, plan, a->out, a->out_bf16, stream);
    const cudaError_t error = reduce(*a, plan, a->workspace, 0, stream);
    if (error != cudaSuccess || a->counters) return error;
    const gan_launch_reduce_args next = second(*a, plan);
    const Plan whole = {plan.inner, plan.chunks, 1, plan.chunks};
    return reduce(next, whole, a->out, a->out_bf16, stream);
}
