/* Pointwise programs as tasks of joined.cu, and sums and maxima of their values: an element at a
 * time, or a vector. */
#pragma once
#include "kernels/launch_joined.h"
#include "kernels/program.cuh"

namespace {

enum { TASK_LANES = 32, TASK_VECTOR = 8 /* elements, of a wide program */ };

struct Place {
    unsigned index[GAN_LAUNCH_TASK_AXES];
};

/* Sets the indices of the axes in `mask` from i, the lowest running fastest; axis 0 in vectors of V
 * elements. */
template <int V>
__device__ __forceinline__ void locate(const gan_launch_task_program &p, unsigned mask, unsigned i,
                                       Place &at) {
#pragma unroll
    for (int axis = 0; axis < GAN_LAUNCH_TASK_AXES; axis++) {
        if (axis >= p.n_axes || !(mask >> axis & 1u)) continue;
        const unsigned unit = axis == 0 ? unsigned(V) : 1u,
                       length = unsigned(p.length[axis]) / unit, rest = i / length;
        at.index[axis] = (i - rest * length) * unit;
        i = rest;
    }
}

template <class T, int V>
__device__ __forceinline__ void fetch_vector(float (&y)[V], const T *p, bool repeated) {
    if constexpr (V == 1) {
        y[0] = to_float(*p);
    } else if (repeated) {
        const float value = to_float(*p);
#pragma unroll
        for (int k = 0; k < V; k++) y[k] = value;
    } else {
        load_floats(y, p);
    }
}

template <int V>
__device__ __forceinline__ void operand(float (&y)[V], const gan_launch_task_program &p, int input,
                                        const Place &at) {
    int offset = 0;
#pragma unroll
    for (int axis = 0; axis < GAN_LAUNCH_TASK_AXES; axis++)
        if (axis < p.n_axes) offset += int(at.index[axis]) * p.operand[input].stride[axis];
    const void *data = p.operand[input].data;
    const bool repeated = p.operand[input].stride[0] == 0;
    if (p.bf16 >> input & 1)
        fetch_vector(y, static_cast<const __nv_bfloat16 *>(data) + offset, repeated);
    else
        fetch_vector(y, static_cast<const float *>(data) + offset, repeated);
}

/* Remembered results lie in shared memory, a column a thread. */
template <int BLOCK>
__device__ __forceinline__ float *slots() {
    GPU_SHARED(float, slot, [GAN_LAUNCH_SLOTS * BLOCK]);
    return slot + threadIdx.x;
}

template <int BLOCK, int V>
__device__ __forceinline__ void value(float (&y)[V], const gan_launch_task_program &p, int from,
                                      const float (&last)[V], const Place &at) {
    if (from == GAN_LAUNCH_LAST) {
#pragma unroll
        for (int k = 0; k < V; k++) y[k] = last[k];
    } else if (from < GAN_LAUNCH_INPUTS) {
        operand(y, p, from, at);
    } else {
#pragma unroll
        for (int k = 0; k < V; k++)
            y[k] = slots<BLOCK>()[((from - GAN_LAUNCH_INPUTS) * V + k) * BLOCK];
    }
}

template <int BLOCK, int V>
__device__ __forceinline__ void evaluate(float (&y)[V], const gan_launch_task_program &p,
                                         const Place &at) {
    const gan_launch_step *steps =
        reinterpret_cast<const gan_launch_step *>(&p.operand[p.n_inputs]);
#pragma unroll
    for (int k = 0; k < V; k++) y[k] = 0.0f;
    if (p.n_steps == 0) operand(y, p, 0, at);
#pragma unroll 1
    for (int s = 0; s < p.n_steps; s++) {
        const gan_launch_step step = steps[s];
        float a[V], b[V];
        value<BLOCK>(a, p, step.a, y, at);
        value<BLOCK>(b, p, step.b, y, at);
        switch (step.fn) {
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    case FN_##name:                                                                                \
        apply<FN_##name>(y, a, b, step.k);                                                         \
        break;
#include "base/pointwise.def"
#undef GAN_POINTWISE
        }
        if (step.slot != GAN_LAUNCH_LAST) {
#pragma unroll
            for (int k = 0; k < V; k++) slots<BLOCK>()[(step.slot * V + k) * BLOCK] = y[k];
        }
    }
}

__device__ __forceinline__ void put(void *out, int bf16, int i, float y) {
    if (bf16)
        static_cast<__nv_bfloat16 *>(out)[i] = from_float<__nv_bfloat16>(y);
    else
        static_cast<float *>(out)[i] = y;
}

template <int V>
__device__ __forceinline__ void put_vector(void *out, int bf16, int64_t i, const float (&y)[V]) {
    if (bf16)
        store_floats(static_cast<__nv_bfloat16 *>(out) + i, y);
    else
        store_floats(static_cast<float *>(out) + i, y);
}

/* ---- tasks; `block` of `blocks` that share one ---- */

template <int BLOCK>
__device__ void program_task(const gan_launch_task &t, int block, int blocks) {
    const gan_launch_task_program &p = t.of.program;
    for (int i = block * BLOCK + int(threadIdx.x); i < p.size; i += blocks * BLOCK) {
        Place at = {};
        float y[1];
        locate<1>(p, 0xffffffffu, unsigned(i), at);
        evaluate<BLOCK>(y, p, at);
        put(t.out, p.out_bf16, i, y[0]);
    }
}

template <int BLOCK>
__device__ void wide_task(const gan_launch_task &t, int block, int blocks) {
    const gan_launch_task_program &p = t.of.program;
    for (int i = block * BLOCK + int(threadIdx.x); i < p.size / TASK_VECTOR; i += blocks * BLOCK) {
        Place at = {};
        float y[TASK_VECTOR];
        locate<TASK_VECTOR>(p, 0xffffffffu, unsigned(i), at);
        evaluate<BLOCK>(y, p, at);
        put_vector(t.out, p.out_bf16, int64_t(i) * TASK_VECTOR, y);
    }
}

__device__ __forceinline__ float join(const gan_launch_task_program &p, float x, float y) {
    return p.max ? fmaxf(x, y) : x + y;
}

/* How threads share a reduction: `lanes` results side by side in a pass, `rows` threads to each.
 * Threads of a warp go along axis 0 of the program. */
template <int BLOCK>
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
            while (lanes < TASK_LANES && lanes < results) lanes *= 2;
            rows = BLOCK / lanes;
        }
    }
};

template <int BLOCK>
__device__ void reduce_task(const gan_launch_task &t, int block, int blocks) {
    GPU_SHARED(float, part, [BLOCK]);
    const gan_launch_task_program &p = t.of.program;
    const Shares<BLOCK> shares(t);
    const int thread = int(threadIdx.x), lanes = shares.lanes, n = int(t.n);
    const int lane = shares.inner ? thread / shares.rows : thread & (lanes - 1);
    const int row = shares.inner ? thread & (shares.rows - 1) : thread / lanes;
    const int next = shares.inner ? 1 : lanes; // from a row to the one below
    for (int first = block * lanes; first < p.results; first += blocks * lanes) {
        const int result = first + lane;
        float y = p.max ? -INFINITY : 0.0f;
        Place at = {};
        if (result < p.results) {
            locate<1>(p, ~unsigned(p.reduced), unsigned(result), at);
            for (int i = row; i < n; i += shares.rows) {
                float x[1];
                locate<1>(p, p.reduced, unsigned(i), at);
                evaluate<BLOCK>(x, p, at);
                y = join(p, y, x[0]);
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

/* ---- for launchers ---- */

/* Whether a program can be taken in vectors: rows of whole ones, aligned, and shared memory for
 * what they remember. */
inline bool is_wide(const gan_launch_task &t) {
    const gan_launch_task_program &p = t.of.program;
    const auto fits = [](const void *data, bool bf16) {
        return reinterpret_cast<uintptr_t>(data) % (bf16 ? 2 * TASK_VECTOR : 16) == 0;
    };
    bool wide = p.length[0] % TASK_VECTOR == 0 && fits(t.out, p.out_bf16 != 0);
    for (int i = 0; i < p.n_inputs; i++) {
        if (p.operand[i].stride[0] == 0) continue;
        wide = wide && fits(p.operand[i].data, (p.bf16 >> i & 1) != 0);
        for (int axis = 1; axis < p.n_axes; axis++)
            wide = wide && p.operand[i].stride[axis] % TASK_VECTOR == 0;
    }
    for (int s = 0; s < p.n_steps; s++)
        wide = wide && (p.step[s].slot == GAN_LAUNCH_LAST ||
                        (p.step[s].slot + 1) * TASK_VECTOR <= GAN_LAUNCH_SLOTS);
    return wide;
}

} // namespace
