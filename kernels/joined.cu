/* Many small calls as one launch: what a call of a few hundred numbers costs is the launch, and
 * here only the first pays for it. Calls that depend on each other are taken by one block, a chain,
 * one after the other; those that are spread have blocks to themselves, and what waits for them
 * comes in a phase behind a barrier of all blocks. */
#include <cstddef>

#include "kernels/barrier.cuh"
#include "kernels/columns.cuh"
#include "kernels/fold.cuh"
#include "kernels/launch_joined.h"
#include "kernels/minibatch.cuh"
#include "kernels/program.cuh"

namespace {

enum { BLOCK = FOLD_BLOCK, LANES = 32, ELEMENTS = 1024 /* of a spread task, a block */ };

/* ---- programs, an element at a time ---- */

struct Place {
    unsigned index[GAN_LAUNCH_TASK_AXES];
};

/* Sets the indices of the axes in `mask` from i, the lowest running fastest. */
__device__ __forceinline__ void locate(const gan_launch_task_program &p, unsigned mask, unsigned i,
                                       Place &at) {
#pragma unroll
    for (int axis = 0; axis < GAN_LAUNCH_TASK_AXES; axis++) {
        if (axis >= p.n_axes || !(mask >> axis & 1u)) continue;
        const unsigned length = unsigned(p.length[axis]), rest = i / length;
        at.index[axis] = i - rest * length;
        i = rest;
    }
}

__device__ __forceinline__ float operand(const gan_launch_task_program &p, int input,
                                         const Place &at) {
    int offset = 0;
#pragma unroll
    for (int axis = 0; axis < GAN_LAUNCH_TASK_AXES; axis++)
        if (axis < p.n_axes) offset += int(at.index[axis]) * p.operand[input].stride[axis];
    const void *data = p.operand[input].data;
    return p.bf16 >> input & 1 ? to_float(static_cast<const __nv_bfloat16 *>(data)[offset])
                               : static_cast<const float *>(data)[offset];
}

/* Remembered results lie in shared memory, a column a thread. */
__device__ __forceinline__ float *slots() {
    GPU_SHARED(float, slot, [GAN_LAUNCH_SLOTS * BLOCK]);
    return slot + threadIdx.x;
}

__device__ __forceinline__ float value(const gan_launch_task_program &p, int from, float last,
                                       const Place &at) {
    if (from == GAN_LAUNCH_LAST) return last;
    return from < GAN_LAUNCH_INPUTS ? operand(p, from, at)
                                    : slots()[(from - GAN_LAUNCH_INPUTS) * BLOCK];
}

__device__ __forceinline__ float evaluate(const gan_launch_task_program &p, const Place &at) {
    const gan_launch_step *steps =
        reinterpret_cast<const gan_launch_step *>(&p.operand[p.n_inputs]);
    float y = p.n_steps == 0 ? operand(p, 0, at) : 0.0f;
#pragma unroll 1
    for (int s = 0; s < p.n_steps; s++) {
        const gan_launch_step step = steps[s];
        const float a = value(p, step.a, y, at), b = value(p, step.b, y, at);
        switch (step.fn) {
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    case FN_##name:                                                                                \
        y = call<FN_##name>(a, b, step.k);                                                         \
        break;
#include "base/pointwise.def"
#undef GAN_POINTWISE
        }
        if (step.slot != GAN_LAUNCH_LAST) slots()[step.slot * BLOCK] = y;
    }
    return y;
}

__device__ __forceinline__ void put(void *out, int bf16, int i, float y) {
    if (bf16)
        static_cast<__nv_bfloat16 *>(out)[i] = from_float<__nv_bfloat16>(y);
    else
        static_cast<float *>(out)[i] = y;
}

/* ---- tasks; `block` of `blocks` that share one ---- */

__device__ void program_task(const gan_launch_task &t, int block, int blocks) {
    const gan_launch_task_program &p = t.of.program;
    for (int i = block * BLOCK + int(threadIdx.x); i < p.size; i += blocks * BLOCK) {
        Place at = {};
        locate(p, 0xffffffffu, unsigned(i), at);
        put(t.out, p.out_bf16, i, evaluate(p, at));
    }
}

__device__ __forceinline__ float join(const gan_launch_task_program &p, float x, float y) {
    return p.max ? fmaxf(x, y) : x + y;
}

/* How threads share a reduction: `lanes` results side by side in a pass, `rows` threads to each.
 * Threads of a warp go along axis 0 of the program. */
struct Shares {
    int lanes, rows;
    bool inner; // axis 0 is reduced: the threads of a result are neighbours

    __host__ __device__ __forceinline__ explicit Shares(const gan_launch_task &t) : lanes(1) {
        const int results = t.of.program.results;
        inner = (t.of.program.reduced & 1u) != 0;
        if (inner) {
            for (rows = 1; rows < BLOCK && 2 * rows < t.n;) rows *= 2;
            lanes = BLOCK / rows;
        } else {
            while (lanes < LANES && lanes < results) lanes *= 2;
            rows = BLOCK / lanes;
        }
    }
};

__device__ void reduce_task(const gan_launch_task &t, int block, int blocks) {
    GPU_SHARED(float, part, [BLOCK]);
    const gan_launch_task_program &p = t.of.program;
    const Shares shares(t);
    const int thread = int(threadIdx.x), lanes = shares.lanes, n = int(t.n);
    const int lane = shares.inner ? thread / shares.rows : thread & (lanes - 1);
    const int row = shares.inner ? thread & (shares.rows - 1) : thread / lanes;
    const int next = shares.inner ? 1 : lanes; // from a row to the one below
    for (int first = block * lanes; first < p.results; first += blocks * lanes) {
        const int result = first + lane;
        float y = p.max ? -INFINITY : 0.0f;
        Place at = {};
        if (result < p.results) {
            locate(p, ~unsigned(p.reduced), unsigned(result), at);
            for (int i = row; i < n; i += shares.rows) {
                locate(p, p.reduced, unsigned(i), at);
                y = join(p, y, evaluate(p, at));
            }
        }
        part[thread] = y;
        for (int half = shares.rows / 2; half > 0; half /= 2) {
            __syncthreads();
            if (row < half) part[thread] = y = join(p, y, part[thread + half * next]);
        }
        if (row == 0 && result < p.results) put(t.out, p.out_bf16, result, y);
        __syncthreads(); /* part is used again */
    }
}

__device__ void rows_task(const gan_launch_task &t) {
    const auto &r = t.of.rows;
    const int row = r.before + r.width + r.after;
    for (int i = int(threadIdx.x); i < r.rows * row; i += BLOCK) {
        const int line = i / row, column = i - line * row - r.before;
        static_cast<unsigned *>(t.out)[line * r.to_pitch + column + r.before] =
            column >= 0 && column < r.width
                ? static_cast<const unsigned *>(t.in)[line * r.from_pitch + column]
                : 0u;
    }
}

__device__ void average_task(const gan_launch_task &t) {
    float *y = static_cast<float *>(t.out);
    const float *x = static_cast<const float *>(t.in), kept = *t.of.average.decay,
                rest = 1.0f - kept;
    for (int i = int(threadIdx.x); i < t.n; i += BLOCK) y[i] = kept * y[i] + rest * x[i];
}

__device__ void record_task(const gan_launch_task &t) {
    const auto &r = t.of.record;
    const int64_t counter = *r.counter;
    const int i = int(threadIdx.x);
    if (counter % r.every != 0 || i >= t.n) return;
    static_cast<float *>(t.out)[counter / r.every % r.rows * r.width + i] = *r.value[i];
}

/* The mean of softplus(s) - target·s, or its gradient; loss.cu says why it is written so. */
__device__ void loss_task(const gan_launch_task &t, bool gradient) {
    const float *s = static_cast<const float *>(t.in), target = t.of.loss.target,
                scale = 1.0f / float(t.n);
    float *out = static_cast<float *>(t.out), sum = 0.0f;
    for (int i = int(threadIdx.x); i < t.n; i += BLOCK) {
        const float x = s[i], e = expf(-fabsf(x));
        if (gradient)
            out[i] = ((x < 0.0f ? e : 1.0f) / (1.0f + e) - target) * scale;
        else
            sum += fmaxf(x, 0.0f) + log1pf(e) - target * x;
    }
    if (gradient) return;
    sum = block_reduce<BLOCK>(sum, Sum());
    if (threadIdx.x == 0) *out = sum * scale;
}

template <class F>
__device__ void random_task(const gan_launch_task &t, const F f, int block, int blocks) {
    for (int64_t i = 4 * (block * BLOCK + int(threadIdx.x)); i < t.n; i += 4 * blocks * BLOCK) {
        const gan_philox4 bits = random_words(t.of.random.from, i / 4);
        typename F::Type r[4];
        f(r, bits);
#pragma unroll
        for (int k = 0; k < 4; k++)
            if (i + k < t.n) put(t.out, t.of.random.bf16, int(i + k), r[k]);
    }
}

__device__ void shuffle_task(const gan_launch_task &t) {
    for (int i = int(threadIdx.x); i < t.n; i += BLOCK)
        static_cast<int32_t *>(t.out)[i] = int32_t(shuffled(t.of.shuffle, i));
}

template <int V>
__device__ void batch_task(const gan_launch_task &t, int block, int blocks) {
    const gan_launch_minibatch_args &a = t.of.batch;
    const int64_t size = a.height * a.width * a.channels;
    const Batch<Division> b = {a,
                               {unsigned(size / V)},
                               {unsigned(a.width * a.channels)},
                               {unsigned(a.channels)},
                               unsigned(a.batch * size / V)};
    for (unsigned i = unsigned(block * BLOCK) + threadIdx.x; i < b.threads;
         i += unsigned(blocks * BLOCK))
        batch_elements<V>(b, i);
}

__device__ void run(const gan_launch_task &t, int block, int blocks) {
    switch (t.kind) {
    case GAN_LAUNCH_TASK_PROGRAM:
        program_task(t, block, blocks);
        break;
    case GAN_LAUNCH_TASK_REDUCE:
        reduce_task(t, block, blocks);
        break;
    case GAN_LAUNCH_TASK_FOLD:
        fold_tiles_of(t.of.fold, block, blocks);
        break;
    case GAN_LAUNCH_TASK_ROWS:
        rows_task(t);
        break;
    case GAN_LAUNCH_TASK_CONVERT:
        for (int i = int(threadIdx.x); i < t.n; i += BLOCK)
            static_cast<float *>(t.out)[i] = float(static_cast<const int64_t *>(t.in)[i]);
        break;
    case GAN_LAUNCH_TASK_AVERAGE:
        average_task(t);
        break;
    case GAN_LAUNCH_TASK_ADVANCE:
        if (threadIdx.x == 0) *static_cast<int64_t *>(t.out) += t.of.advance.by;
        break;
    case GAN_LAUNCH_TASK_RECORD:
        record_task(t);
        break;
    case GAN_LAUNCH_TASK_LOSS:
    case GAN_LAUNCH_TASK_LOSS_GRAD:
        loss_task(t, t.kind == GAN_LAUNCH_TASK_LOSS_GRAD);
        break;
    case GAN_LAUNCH_TASK_UNIFORM:
        random_task(t, Uniform{t.of.random.a, t.of.random.b - t.of.random.a}, block, blocks);
        break;
    case GAN_LAUNCH_TASK_NORMAL:
        random_task(t, Normal{t.of.random.a, t.of.random.b}, block, blocks);
        break;
    case GAN_LAUNCH_TASK_SHUFFLE:
        shuffle_task(t);
        break;
    case GAN_LAUNCH_TASK_BATCH:
        if (batch_width(t.of.batch) == 4)
            batch_task<4>(t, block, blocks);
        else
            batch_task<1>(t, block, blocks);
        break;
    case GAN_LAUNCH_TASK_COLUMNS:
        columns_task<BLOCK>(t.of.columns, block);
        break;
    }
}

/* ---- the kernel ---- */

/* How many blocks a spread task has. */
int blocks_of(const gan_launch_task &t) {
    if (t.kind == GAN_LAUNCH_TASK_REDUCE)
        return int(ceil_div(t.of.program.results, Shares(t).lanes));
    if (t.kind == GAN_LAUNCH_TASK_FOLD) return fold_blocks(t.of.fold);
    if (t.kind == GAN_LAUNCH_TASK_COLUMNS) return t.of.columns.chunks * column_tiles(t.of.columns);
    return int(ceil_div(t.kind == GAN_LAUNCH_TASK_PROGRAM ? t.of.program.size : t.n, ELEMENTS));
}

/* A block is every gridDim.x-th of a phase's blocks. One a multiprocessor will do: for more the
 * compiler would spill registers. */
__global__ void __launch_bounds__(BLOCK, 1)
    joined_kernel(const __grid_constant__ gan_launch_joined_args a) {
    const int blocks = int(gridDim.x);
    for (int i = 0; i < a.bytes;) {
        const gan_launch_task &t = *reinterpret_cast<const gan_launch_task *>(&a.room[i / 8]);
        i += t.bytes;
        if (t.begins) grid_barrier(a.barrier);
        int block = int(blockIdx.x) - t.first % blocks;
        for (block += block < 0 ? blocks : 0; block < t.blocks; block += blocks) {
            run(t, block, t.blocks);
            __syncthreads();
        }
    }
}

/* Bytes of the task up to the end of a member of `of`. */
#define BYTES_OF(member)                                                                           \
    (offsetof(gan_launch_task, of) + sizeof(static_cast<gan_launch_task *>(nullptr)->of.member))

size_t task_bytes(int kind) {
    switch (kind) {
    case GAN_LAUNCH_TASK_FOLD:
        return BYTES_OF(fold);
    case GAN_LAUNCH_TASK_ROWS:
        return BYTES_OF(rows);
    case GAN_LAUNCH_TASK_AVERAGE:
        return BYTES_OF(average);
    case GAN_LAUNCH_TASK_ADVANCE:
        return BYTES_OF(advance);
    case GAN_LAUNCH_TASK_RECORD:
        return BYTES_OF(record);
    case GAN_LAUNCH_TASK_LOSS:
    case GAN_LAUNCH_TASK_LOSS_GRAD:
        return BYTES_OF(loss);
    case GAN_LAUNCH_TASK_UNIFORM:
    case GAN_LAUNCH_TASK_NORMAL:
        return BYTES_OF(random);
    case GAN_LAUNCH_TASK_SHUFFLE:
        return BYTES_OF(shuffle);
    case GAN_LAUNCH_TASK_BATCH:
        return BYTES_OF(batch);
    case GAN_LAUNCH_TASK_COLUMNS:
        return BYTES_OF(columns);
    default:
        return offsetof(gan_launch_task, of);
    }
}

/* Of a program: up to its operands. */
constexpr size_t PROGRAM_BYTES =
    offsetof(gan_launch_task, of) + offsetof(gan_launch_task_program, operand);
constexpr size_t OPERAND_BYTES = sizeof(gan_launch_task_program::operand) / GAN_LAUNCH_TASK_INPUTS;

bool is_program(int kind) {
    return kind == GAN_LAUNCH_TASK_PROGRAM || kind == GAN_LAUNCH_TASK_REDUCE;
}

} // namespace

extern "C" int gan_launch_column_counters(const gan_launch_columns_args *a) {
    return column_tiles(*a);
}

extern "C" int gan_launch_task_bytes(int kind, int inputs, int steps) {
    const size_t bytes = is_program(kind) ? PROGRAM_BYTES + size_t(inputs) * OPERAND_BYTES +
                                                size_t(steps) * sizeof(gan_launch_step)
                                          : task_bytes(kind);
    return int(ceil_div(int64_t(bytes), 8) * 8);
}

extern "C" void gan_launch_joined_phase(gan_launch_joined_args *a, int chains) {
    a->begins = a->phases++ > 0;
    a->blocks = chains;
    if (a->most < chains) a->most = chains;
}

extern "C" void gan_launch_joined_add(gan_launch_joined_args *a, const gan_launch_task *task,
                                      int chain) {
    const gan_launch_task_program &p = task->of.program;
    gan_launch_task t = *task;
    char *to = reinterpret_cast<char *>(a->room) + a->bytes;
    t.bytes = gan_launch_task_bytes(t.kind, p.n_inputs, p.n_steps);
    t.begins = a->begins;
    a->begins = 0;
    t.first = chain < 0 ? a->blocks : chain;
    t.blocks = chain < 0 ? blocks_of(t) : 1;
    if (chain < 0) a->blocks += t.blocks;
    if (a->most < a->blocks) a->most = a->blocks;
    a->bytes += t.bytes;
    const size_t steps = is_program(t.kind) ? size_t(p.n_steps) * sizeof *p.step : 0;
    const size_t before =
        is_program(t.kind) ? PROGRAM_BYTES + size_t(p.n_inputs) * OPERAND_BYTES : size_t(t.bytes);
    memcpy(to, &t, before);
    memcpy(to + before, p.step, steps);
}

extern "C" cudaError_t gan_launch_joined(const gan_launch_joined_args *a, cudaStream_t stream) {
    if (a->phases == 1) {
        GPU_LAUNCH(joined_kernel, dim3(unsigned(a->most)), dim3(BLOCK), stream, *a);
    } else {
        const int resident = resident_blocks(joined_kernel, BLOCK);
        const int blocks = a->most < resident ? a->most : resident;
        GPU_LAUNCH_COOPERATIVE(joined_kernel, dim3(unsigned(blocks)), dim3(BLOCK), stream, *a);
    }
    return cudaGetLastError();
}
