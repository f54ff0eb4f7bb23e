/* Many small calls as one launch: what a call of a few hundred numbers costs is the launch, and
 * here only the first pays for it. Calls that depend on each other are taken by one block, a chain,
 * one after the other; those that are spread have blocks to themselves, and what waits for them
 * comes in a phase behind a barrier of all blocks. */
#include <cstddef>

#include "kernels/barrier.cuh"
#include "kernels/columns.cuh"
#include "kernels/dots.cuh"
#include "kernels/fold.cuh"
#include "kernels/launch_joined.h"
#include "kernels/minibatch.cuh"
#include "kernels/task_program.cuh"

namespace {

enum { BLOCK = FOLD_BLOCK, ELEMENTS = 1024 /* of a spread task, a block */ };

/* ---- tasks; `block` of `blocks` that share one ---- */

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
        if (t.of.program.wide)
            wide_task<BLOCK>(t, block, blocks);
        else
            program_task<BLOCK>(t, block, blocks);
        break;
    case GAN_LAUNCH_TASK_REDUCE:
        reduce_task<BLOCK>(t, block, blocks);
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
    case GAN_LAUNCH_TASK_DOTS:
        dots_task<BLOCK>(t.of.dots, block, blocks);
        break;
    }
}

/* ---- the kernel ---- */

/* How many blocks a spread task has. */
int blocks_of(const gan_launch_task &t) {
    switch (t.kind) {
    case GAN_LAUNCH_TASK_PROGRAM:
        return int(ceil_div(t.of.program.size, t.of.program.wide ? TASK_VECTOR * BLOCK : ELEMENTS));
    case GAN_LAUNCH_TASK_REDUCE:
        return int(ceil_div(t.of.program.results, Shares<BLOCK>(t).lanes));
    case GAN_LAUNCH_TASK_FOLD:
        return fold_blocks(t.of.fold);
    case GAN_LAUNCH_TASK_COLUMNS:
        return t.of.columns.matrices * t.of.columns.chunks * column_tiles(t.of.columns);
    case GAN_LAUNCH_TASK_DOTS:
        return int(ceil_div(t.of.dots.rows, BLOCK / dots_lanes<BLOCK>(t.of.dots)));
    default:
        return int(ceil_div(t.n, ELEMENTS));
    }
}

/* A block is every gridDim.x-th of a phase's blocks. One a multiprocessor will do: for more the
 * compiler would spill registers. */
__global__ void __launch_bounds__(BLOCK, 1)
    joined_kernel(const __grid_constant__ gan_launch_joined_args a) {
    GPU_WAIT();
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
    case GAN_LAUNCH_TASK_DOTS:
        return BYTES_OF(dots);
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
    if (t.kind == GAN_LAUNCH_TASK_PROGRAM) t.of.program.wide = chain < 0 && is_wide(t);
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
