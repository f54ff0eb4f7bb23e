/* Evaluation of pointwise programs, V consecutive elements at a time. */
#pragma once
#include "kernels/common.cuh"
#include "kernels/launch_program.h"

namespace {

/* ---- the functions, from the table ---- */

enum Fn {
#define GAN_POINTWISE(name, arity, formula, da, db) FN_##name,
#include "base/pointwise.def"
#undef GAN_POINTWISE
};

template <int FN>
__device__ __forceinline__ float call(float a, float b, float k);

#define F(x) float(x)
#define SELECT(condition, yes, no) ((condition) ? (yes) : (no))
#define EXP expf
#define LOG logf
#define SQRT sqrtf
#define SIN sinf
#define COS cosf
#define TANH tanhf
#define POW powf
#define FABS fabsf
#define FLOOR floorf
#define FMAX fmaxf
#define FMIN fminf
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    template <>                                                                                    \
    __device__ __forceinline__ float call<FN_##name>(float a, float b, float k) {                  \
        (void)a, (void)b, (void)k;                                                                 \
        return formula;                                                                            \
    }
#include "base/pointwise.def"
#undef GAN_POINTWISE
#undef F
#undef SELECT
#undef EXP
#undef LOG
#undef SQRT
#undef SIN
#undef COS
#undef TANH
#undef POW
#undef FABS
#undef FLOOR
#undef FMAX
#undef FMIN

template <int FN, int V>
__device__ __forceinline__ void apply(float (&y)[V], const float (&a)[V], const float (&b)[V],
                                      float k) {
#pragma unroll
    for (int i = 0; i < V; i++) y[i] = call<FN>(a[i], b[i], k);
}

/* ---- where elements are ---- */

/* A program for V elements a thread: axis 0 counts vectors, of which the last may be cut short. */
struct Bound {
    gan_launch_program p;
    Divisor by[GAN_LAUNCH_AXES];

    Bound(const gan_launch_program &program, int v) : p(program), by() {
        for (int i = 0; i < p.n_axes; i++)
            by[i] = Divisor(i == 0 ? ceil_div(p.length[0], v) : p.length[i]);
    }
};

struct Position {
    unsigned index[GAN_LAUNCH_AXES]; /* elements; on axis 0 the vector's first */
};

/* Sets the indices of the axes in `mask` from `i`, counted over these axes with the lowest running
 * fastest. */
template <int V>
__device__ __forceinline__ void place(const Bound &b, unsigned mask, unsigned i, Position &at) {
#pragma unroll
    for (int axis = 0; axis < GAN_LAUNCH_AXES; axis++) {
        if (axis >= b.p.n_axes) break;
        if (!(mask >> axis & 1u)) continue;
        const unsigned rest = b.by[axis].divide(i);
        at.index[axis] = (i - rest * b.by[axis].by) * (axis == 0 ? V : 1);
        i = rest;
    }
}

/* How many of the vector's elements there are. */
template <int V>
__device__ __forceinline__ int count_of(const Bound &b, const Position &at) {
    const unsigned left = unsigned(b.p.length[0]) - at.index[0];
    return left < unsigned(V) ? int(left) : V;
}

/* ---- operands and results ---- */

template <class T, int V>
__device__ __forceinline__ void fetch_as(float (&y)[V], const T *p, bool repeated, int count) {
    if (repeated) {
        const float value = to_float(*p);
#pragma unroll
        for (int i = 0; i < V; i++) y[i] = value;
    } else if (count == V) {
        load_floats(y, p);
    } else {
#pragma unroll
        for (int i = 0; i < V; i++) y[i] = i < count ? to_float(p[i]) : 0.0f;
    }
}

template <int V>
__device__ __forceinline__ void fetch(float (&y)[V], const Bound &b, int input, const Position &at,
                                      int count) {
    const gan_launch_operand &x = b.p.operand[input];
    int64_t offset = 0;
#pragma unroll
    for (int axis = 0; axis < GAN_LAUNCH_AXES; axis++) {
        if (axis >= b.p.n_axes) break;
        offset += int64_t(at.index[axis]) * x.stride[axis];
    }
    const bool repeated = x.stride[0] == 0;
    if (x.bf16)
        fetch_as(y, static_cast<const __nv_bfloat16 *>(x.data) + offset, repeated, count);
    else
        fetch_as(y, static_cast<const float *>(x.data) + offset, repeated, count);
}

template <class T, int V>
__device__ __forceinline__ void write_as(T *p, const float (&y)[V], int count) {
    if (count == V) {
        store_floats(p, y);
    } else {
#pragma unroll
        for (int i = 0; i < V; i++)
            if (i < count) p[i] = from_float<T>(y[i]);
    }
}

template <int V>
__device__ __forceinline__ void write(void *out, int bf16, int64_t offset, const float (&y)[V],
                                      int count) {
    if (bf16)
        write_as(static_cast<__nv_bfloat16 *>(out) + offset, y, count);
    else
        write_as(static_cast<float *>(out) + offset, y, count);
}

/* ---- any program ---- */

/* One step after the other: its operands from memory, the result before from registers, older ones
 * from shared memory, of which each thread uses its own column. */
template <int WIDTH, int SLOTS, int BLOCK>
struct Interpreter {
    static constexpr int V = WIDTH, UNROLL = 1;
    using Value = Vec<float, V>;

    static __device__ __forceinline__ Value *slots() {
        if constexpr (SLOTS > 0) {
            GPU_SHARED(Value, slot, [SLOTS * BLOCK]);
            return slot + threadIdx.x;
        } else {
            return nullptr;
        }
    }

    static __device__ __forceinline__ void value(float (&y)[V], const float (&last)[V],
                                                 const Bound &b, int from, const Position &at,
                                                 int count, const Value *slot) {
        if (from == GAN_LAUNCH_LAST) {
#pragma unroll
            for (int i = 0; i < V; i++) y[i] = last[i];
        } else if (SLOTS == 0 || from < GAN_LAUNCH_INPUTS) {
            fetch(y, b, from, at, count);
        } else {
            const Value v = slot[(from - GAN_LAUNCH_INPUTS) * BLOCK];
#pragma unroll
            for (int i = 0; i < V; i++) y[i] = v.v[i];
        }
    }

    static __device__ __forceinline__ void evaluate(float (&y)[V], const Bound &b,
                                                    const Position &at, int count) {
        Value *slot = slots();
#pragma unroll
        for (int i = 0; i < V; i++) y[i] = 0.0f;
        if (b.p.n_steps == 0) fetch(y, b, 0, at, count);
#pragma unroll 1
        for (int s = 0; s < b.p.n_steps; s++) {
            const gan_launch_step step = b.p.step[s];
            float left[V], right[V];
            value(left, y, b, step.a, at, count, slot);
            value(right, y, b, step.b, at, count, slot);
            switch (step.fn) {
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    case FN_##name:                                                                                \
        apply<FN_##name>(y, left, right, step.k);                                                  \
        break;
#include "base/pointwise.def"
#undef GAN_POINTWISE
            }
            if (SLOTS > 0 && step.slot != GAN_LAUNCH_LAST) {
                Value v;
#pragma unroll
                for (int i = 0; i < V; i++) v.v[i] = y[i];
                slot[step.slot * BLOCK] = v;
            }
        }
    }
};

/* ---- chains known ahead ---- */

enum { CHAIN_STEPS = 8 };

struct Chain {
    int n_inputs, n_steps, n_slots;
    struct {
        unsigned char fn, a, b;
        unsigned char keep; /* 1 + the slot where the result is remembered, 0: nowhere */
    } step[CHAIN_STEPS];
};

/* CHAIN has a static member `value`, of type Chain. All operands are loaded first; every value is
 * in registers. */
template <class CHAIN, int WIDTH>
struct Compiled {
    static constexpr int V = WIDTH, UNROLL = 4; /* how far to unroll a loop around it */
    static constexpr int INPUTS = CHAIN::value.n_inputs > 0 ? CHAIN::value.n_inputs : 1;
    static constexpr int SLOTS = CHAIN::value.n_slots > 0 ? CHAIN::value.n_slots : 1;

    struct Values {
        float in[INPUTS][V], kept[SLOTS][V], last[V];
    };

    template <int FROM>
    static __device__ __forceinline__ const float (&value(const Values &v))[V] {
        if constexpr (FROM == GAN_LAUNCH_LAST)
            return v.last;
        else if constexpr (FROM >= GAN_LAUNCH_INPUTS)
            return v.kept[FROM - GAN_LAUNCH_INPUTS];
        else
            return v.in[FROM];
    }

    template <int S>
    static __device__ __forceinline__ void steps(Values &v, const Bound &b) {
        if constexpr (S < CHAIN::value.n_steps) {
            constexpr int FN = CHAIN::value.step[S].fn, A = CHAIN::value.step[S].a,
                          B = CHAIN::value.step[S].b;
            constexpr int KEEP = CHAIN::value.step[S].keep;
            float y[V];
            apply<FN>(y, value<A>(v), value<B>(v), b.p.step[S].k);
#pragma unroll
            for (int i = 0; i < V; i++) {
                v.last[i] = y[i];
                if (KEEP > 0) v.kept[KEEP > 0 ? KEEP - 1 : 0][i] = y[i];
            }
            steps<S + 1>(v, b);
        }
    }

    static __device__ __forceinline__ void evaluate(float (&y)[V], const Bound &b,
                                                    const Position &at, int count) {
        Values v;
#pragma unroll
        for (int i = 0; i < INPUTS; i++) fetch(v.in[i], b, i, at, count);
#pragma unroll
        for (int i = 0; i < V; i++) v.last[i] = v.in[0][i];
        steps<0>(v, b);
#pragma unroll
        for (int i = 0; i < V; i++) y[i] = v.last[i];
    }
};

struct Identity {
    static constexpr Chain value = {1, 0, 0, {}};
};

/* ---- for launchers ---- */

inline bool matches(const gan_launch_program &p, const Chain &c) {
    bool same = p.n_inputs == c.n_inputs && p.n_steps == c.n_steps && p.n_slots == c.n_slots;
    for (int s = 0; same && s < c.n_steps; s++)
        same = p.step[s].fn == c.step[s].fn && p.step[s].a == c.step[s].a &&
               p.step[s].b == c.step[s].b &&
               p.step[s].slot == (c.step[s].keep ? c.step[s].keep - 1 : GAN_LAUNCH_LAST);
    return same;
}

/* Whether 4 elements can be read at once: rows of whole vectors (or a single row, cut short),
 * aligned. */
inline bool vectors_fit(const gan_launch_program &p, const void *out, int out_bf16) {
    const int v = 4;
    if (p.length[0] < v || (p.n_axes > 1 && p.length[0] % v != 0)) return false;
    bool fit = reinterpret_cast<uintptr_t>(out) % (out_bf16 ? 2 * v : 4 * v) == 0;
    for (int i = 0; i < p.n_inputs; i++) {
        const gan_launch_operand &x = p.operand[i];
        if (x.stride[0] == 0) continue;
        fit = fit && reinterpret_cast<uintptr_t>(x.data) % (x.bf16 ? 2 * v : 4 * v) == 0;
        for (int axis = 1; axis < p.n_axes; axis++) fit = fit && x.stride[axis] % v == 0;
    }
    return fit;
}

} // namespace
