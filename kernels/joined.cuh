/* Tasks of joined launches, and how blocks take them, for joined.cu and joined_whole.cu. */
#pragma once
#include "kernels/barrier.cuh"
#include "kernels/columns.cuh"
#include "kernels/dots.cuh"
#include "kernels/fold.cuh"
#include "kernels/launch_joined.h"
#include "kernels/minibatch.cuh"
#include "kernels/task_program.cuh"

namespace {

enum { JOINED_BLOCK = FOLD_BLOCK };

/* ---- tasks; `block` of `blocks` that share one ---- */

__device__ void rows_task(const gan_launch_task &t) {
    const auto &r = t.of.rows;
    const int row = r.before + r.width + r.after;
    for (int i = int(threadIdx.x); i < r.rows * row; i += JOINED_BLOCK) {
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
    for (int i = int(threadIdx.x); i < t.n; i += JOINED_BLOCK) y[i] = kept * y[i] + rest * x[i];
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
    for (int i = int(threadIdx.x); i < t.n; i += JOINED_BLOCK) {
        const float x = s[i], e = expf(-fabsf(x));
        if (gradient)
            out[i] = ((x < 0.0f ? e : 1.0f) / (1.0f + e) - target) * scale;
        else
            sum += fmaxf(x, 0.0f) + log1pf(e) - target * x;
    }
    if (gradient) return;
    sum = block_reduce<JOINED_BLOCK>(sum, Sum());
    if (threadIdx.x == 0) *out = sum * scale;
}

template <class F>
__device__ void random_task(const gan_launch_task &t, const F f, int block, int blocks) {
    for (int64_t i = 4 * (block * JOINED_BLOCK + int(threadIdx.x)); i < t.n;
         i += 4 * blocks * JOINED_BLOCK) {
        const gan_philox4 bits = random_words(t.of.random.from, i / 4);
        typename F::Type r[4];
        f(r, bits);
#pragma unroll
        for (int k = 0; k < 4; k++)
            if (i + k < t.n) put(t.out, t.of.random.bf16, int(i + k), r[k]);
    }
}

__device__ void shuffle_task(const gan_launch_task &t) {
    for (int i = int(threadIdx.x); i < t.n; i += JOINED_BLOCK)
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
    for (unsigned i = unsigned(block * JOINED_BLOCK) + threadIdx.x; i < b.threads;
         i += unsigned(blocks * JOINED_BLOCK))
        batch_elements<V>(b, i);
}

__device__ void run_task(const gan_launch_task &t, int block, int blocks) {
    switch (t.kind) {
    case GAN_LAUNCH_TASK_PROGRAM:
        if (t.of.program.wide)
            wide_task<JOINED_BLOCK>(t, block, blocks);
        else
            program_task<JOINED_BLOCK>(t, block, blocks);
        break;
    case GAN_LAUNCH_TASK_REDUCE:
        reduce_task<JOINED_BLOCK>(t, block, blocks);
        break;
    case GAN_LAUNCH_TASK_FOLD:
        fold_tiles_of(t.of.fold, block, blocks);
        break;
    case GAN_LAUNCH_TASK_ROWS:
        rows_task(t);
        break;
    case GAN_LAUNCH_TASK_CONVERT:
        for (int i = int(threadIdx.x); i < t.n; i += JOINED_BLOCK)
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
        columns_task<JOINED_BLOCK>(t.of.columns, block);
        break;
    case GAN_LAUNCH_TASK_DOTS:
        dots_task<JOINED_BLOCK>(t.of.dots, block, blocks);
        break;
    }
}

struct NoWhole {
    __device__ __forceinline__ static bool takes(const gan_launch_task &) { return false; }
    __device__ __forceinline__ static void run(const gan_launch_task &) {}
};

/* A phase's tasks one after the other, of which each block takes its share: it is every
 * gridDim.x-th of the phase's blocks. whole runs those that all blocks are of. */
template <class WHOLE>
__device__ __forceinline__ void run_joined(const gan_launch_joined_args &a, const WHOLE &whole) {
    const int blocks = int(gridDim.x);
    for (int i = 0; i < a.bytes;) {
        const gan_launch_task &t = *reinterpret_cast<const gan_launch_task *>(&a.room[i / 8]);
        i += t.bytes;
        if (t.begins) grid_barrier(a.barrier);
        if (whole.takes(t)) {
            whole.run(t);
            continue;
        }
        int block = int(blockIdx.x) - t.first % blocks;
        for (block += block < 0 ? blocks : 0; block < t.blocks; block += blocks) {
            run_task(t, block, t.blocks);
            __syncthreads();
        }
    }
}

} // namespace
