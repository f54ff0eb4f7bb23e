/* What is done with a result that is still in registers before it is stored: V of its elements, all
 * of a row. */
#pragma once
#include "kernels/program.cuh"

namespace {

enum { FOLLOW_NOTHING = -1, FOLLOW_ANY = -2 };

struct Follow {
    Bound bound;
    int chain; // of those known ahead, or one of the above
    int raw_slot;
};

/* Any program, an element at a time, the result being in a slot. */
template <int BLOCK>
struct Any {
    static constexpr int V = 1;
    static __device__ __forceinline__ void apply(float (&y)[1], const Follow &f, unsigned element,
                                                 int count) {
        using Program = Interpreter<1, GAN_LAUNCH_SLOTS, BLOCK>;
        using Value = typename Program::Value;
        if (count < 1) return;
        Position at = {};
        place<1>(f.bound, 0xffffffffu, element, at);
        Value raw;
        raw.v[0] = y[0];
        Program::slots()[f.raw_slot * BLOCK] = raw;
        Program::evaluate(y, f.bound, at, 1);
    }
};

/* A chain that is known ahead; CHAIN::raw is its operand that is the result. */
template <class CHAIN, int V>
__device__ __forceinline__ void follow_chain(float (&y)[V], const Follow &f, unsigned element) {
    using Program = Compiled<CHAIN, V>;
    typename Program::Values v;
    Position at = {};
    place<V>(f.bound, 0xffffffffu, element / V, at);
#pragma unroll
    for (int i = 0; i < Program::INPUTS; i++)
        if (i != CHAIN::raw) fetch(v.in[i], f.bound, i, at, V);
#pragma unroll
    for (int i = 0; i < V; i++) v.in[CHAIN::raw][i] = y[i];
#pragma unroll
    for (int i = 0; i < V; i++) v.last[i] = v.in[0][i];
    Program::template steps<0>(v, f.bound);
#pragma unroll
    for (int i = 0; i < V; i++) y[i] = v.last[i];
}

/* A launch's program, if there is one, and which of its operands is the result. A sum that it
 * begins with, of the result and a bias, has them in this order. */
struct Following {
    gan_launch_program program;
    bool active;
    int raw_input;

    Following(const gan_launch_program &p, bool active, int raw_input)
        : program(active ? p : gan_launch_program()), active(active), raw_input(raw_input) {
        bool again = program.n_steps < 1 || raw_input != 1 || program.step[0].fn != FN_add ||
                     program.step[0].a != 0 || program.step[0].b != 1;
        for (int s = 1; s < program.n_steps; s++)
            again = again || program.step[s].a < 2 || program.step[s].b < 2;
        if (again) return;
        const gan_launch_operand bias = program.operand[0];
        program.operand[0] = program.operand[1];
        program.operand[1] = bias;
        this->raw_input = 0;
    }
};

template <class CHAIN>
bool is_chain(const Following &f) {
    return f.active && f.raw_input == CHAIN::raw && matches(f.program, CHAIN::value);
}

/* One of these chains, or nothing. */
template <int WIDTH, class... CHAINS>
struct Known {
    static constexpr int V = WIDTH;
    static __device__ __forceinline__ void apply(float (&y)[V], const Follow &f, unsigned element,
                                                 int count) {
        int i = 0;
        if (count < V) return; /* vectors are whole, or beyond the end */
        ((i++ == f.chain ? follow_chain<CHAINS>(y, f, element) : void()), ...);
    }
    static int find(const Following &f) {
        int i = 0, found = f.active ? int(FOLLOW_ANY) : int(FOLLOW_NOTHING);
        ((found = is_chain<CHAINS>(f) ? i : found, i++), ...);
        return found;
    }
};

/* What networks write behind convolutions and products. */
struct Bias {
    static constexpr int raw = 0;
    static constexpr Chain value = {2, 1, 0, {{FN_add, 0, 1, 0}}};
};
template <int FN>
struct Function {
    static constexpr int raw = 0;
    static constexpr Chain value = {1, 1, 0, {{FN, 0, GAN_LAUNCH_LAST, 0}}};
};
template <int FN>
struct BiasFunction {
    static constexpr int raw = 0;
    static constexpr Chain value = {
        2, 2, 0, {{FN_add, 0, 1, 0}, {FN, GAN_LAUNCH_LAST, GAN_LAUNCH_LAST, 0}}};
};
using LeakyRelu = Function<FN_leaky_relu>;
using Tanh = Function<FN_tanh>;
using BiasRelu = BiasFunction<FN_relu>;
using BiasLeakyRelu = BiasFunction<FN_leaky_relu>;
using BiasTanh = BiasFunction<FN_tanh>;
using BiasSigmoid = BiasFunction<FN_sigmoid>;
struct LeakyGradient { /* times the slope at y; of ReLU, too */
    static constexpr int raw = 1;
    static constexpr Chain value = {
        2, 2, 0, {{FN_leaky_step, 0, GAN_LAUNCH_LAST, 0}, {FN_mul, GAN_LAUNCH_LAST, 1, 0}}};
};
struct TanhGradient { /* times 1 - y² */
    static constexpr int raw = 1;
    static constexpr Chain value = {2,
                                    4,
                                    0,
                                    {{FN_square, 0, GAN_LAUNCH_LAST, 0},
                                     {FN_neg, GAN_LAUNCH_LAST, GAN_LAUNCH_LAST, 0},
                                     {FN_shift, GAN_LAUNCH_LAST, GAN_LAUNCH_LAST, 0},
                                     {FN_mul, GAN_LAUNCH_LAST, 1, 0}}};
};
#define LAST GAN_LAUNCH_LAST
#define KEPT GAN_LAUNCH_INPUTS
struct DroppedSigmoidGradient { /* times y·(1 - y), where noise is above a bound */
    static constexpr int raw = 2;
    static constexpr Chain value = {3,
                                    8,
                                    1,
                                    {{FN_neg, 0, LAST, 0},
                                     {FN_shift, LAST, LAST, 0},
                                     {FN_mul, LAST, 0, 1},
                                     {FN_value, LAST, LAST, 0},
                                     {FN_greater, LAST, 1, 0},
                                     {FN_scale, LAST, LAST, 0},
                                     {FN_mul, LAST, 2, 0},
                                     {FN_mul, LAST, KEPT, 0}}};
};
struct DroppedShare { /* where noise is above a bound, divided by how many share it */
    static constexpr int raw = 1;
    static constexpr Chain value = {3,
                                    5,
                                    0,
                                    {{FN_value, LAST, LAST, 0},
                                     {FN_greater, LAST, 0, 0},
                                     {FN_scale, LAST, LAST, 0},
                                     {FN_mul, LAST, 1, 0},
                                     {FN_div, LAST, 2, 0}}};
};
struct DroppedMaxGradient { /* the same, of each piece that is equal to the maximum */
    static constexpr int raw = 1;
    static constexpr Chain value = {5,
                                    7,
                                    1,
                                    {{FN_value, LAST, LAST, 0},
                                     {FN_greater, LAST, 0, 0},
                                     {FN_scale, LAST, LAST, 0},
                                     {FN_mul, LAST, 1, 0},
                                     {FN_div, LAST, 2, 1},
                                     {FN_equal, 3, 4, 0},
                                     {FN_mul, LAST, KEPT, 0}}};
};
#undef LAST
#undef KEPT

/* ---- for launchers ---- */

/* Of any program the result is in a slot of its own. V elements at a time. */
inline Follow follow_of(const Following &f, int chain, int v) {
    gan_launch_program p = f.program;
    const int slot = p.n_slots;
    if (!f.active) p.n_axes = p.length[0] = 1;
    for (int s = 0; chain == FOLLOW_ANY && f.raw_input >= 0 && s < p.n_steps; s++) {
        gan_launch_step &step = p.step[s];
        if (step.a == f.raw_input) step.a = uint8_t(GAN_LAUNCH_INPUTS + slot);
        if (step.b == f.raw_input) step.b = uint8_t(GAN_LAUNCH_INPUTS + slot);
    }
    return {Bound(p, v), chain, slot};
}

} // namespace
