/* Pointwise programs: chains that matter compiled ahead, all others interpreted. */
#include "kernels/launch_pointwise.h"
#include "kernels/program.cuh"

#include <utility>

namespace {

/* ---- the chains ---- */

#define LAST GAN_LAUNCH_LAST
#define KEPT GAN_LAUNCH_INPUTS
#define OF(fn, a, b)                                                                               \
    { FN_##fn, a, b, 0 } /* of these two values */
#define FIRST(fn)                                                                                  \
    { FN_##fn, 0, LAST, 0 } /* of operand 0 */
#define THEN(fn)                                                                                   \
    { FN_##fn, LAST, LAST, 0 } /* of the result before */
#define WITH(fn, b)                                                                                \
    { FN_##fn, LAST, b, 0 } /* of the result before and b */
#define KEEP(fn, b)                                                                                \
    { FN_##fn, LAST, b, 1 } /* the same, and remembered: KEPT */
constexpr Chain chains[] = {
    Identity::value,
/* each function by itself */
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    {arity, 1, 0, {OF(name, arity > 0 ? 0 : LAST, arity > 1 ? 1 : LAST)}},
#include "base/pointwise.def"
#undef GAN_POINTWISE
    /* a layer's bias and activation */
    {2, 2, 0, {OF(add, 0, 1), THEN(relu)}},
    {2, 2, 0, {OF(add, 0, 1), THEN(leaky_relu)}},
    {2, 2, 0, {OF(add, 0, 1), THEN(tanh)}},
    {2, 2, 0, {OF(add, 0, 1), THEN(sigmoid)}},
    /* and its gradient, from the activation */
    {2, 2, 0, {FIRST(leaky_step), WITH(mul, 1)}},
    {2, 4, 0, {FIRST(square), THEN(neg), THEN(shift), WITH(mul, 1)}},
    {3, 5, 1, {FIRST(neg), THEN(shift), KEEP(mul, 0), OF(mul, 1, 2), WITH(mul, KEPT)}},
    /* batch norm, with its activation */
#define NORM FIRST(shift), THEN(rsqrt), KEEP(mul, 1), OF(sub, 2, 3), WITH(mul, KEPT), WITH(add, 4)
    {5, 6, 1, {NORM}},
    {5, 7, 1, {NORM, THEN(relu)}},
    {5, 7, 1, {NORM, THEN(leaky_relu)}},
    /* and its gradient */
    {6, 5, 1, {OF(sub, 0, 1), WITH(mul, 2), KEEP(add, 3), OF(mul, 4, 5), WITH(add, KEPT)}},
    /* dropout */
    {1, 3, 0, {THEN(value), WITH(greater, 0), THEN(scale)}},
    {2, 4, 0, {THEN(value), WITH(greater, 0), THEN(scale), WITH(mul, 1)}},
};
#undef NORM
#undef KEEP
#undef WITH
#undef THEN
#undef FIRST
#undef OF
#undef KEPT
#undef LAST
constexpr int n_chains = int(sizeof chains / sizeof *chains);

template <int I>
struct ChainAt {
    static constexpr Chain value = chains[I];
};

/* ---- kernels ---- */

enum { BLOCK = 128 };

struct Args {
    Bound bound;
    void *out; // (rows, length[0])
    int out_bf16;
    unsigned vectors; // a row has ceil(length[0] / V) of them
};

template <class EVALUATOR>
__global__ void __launch_bounds__(BLOCK) pointwise_kernel(const __grid_constant__ Args a) {
    GPU_WAIT();
    constexpr int V = EVALUATOR::V;
    const unsigned i = blockIdx.x * BLOCK + threadIdx.x;
    if (i >= a.vectors) return;
    Position at = {};
    place<V>(a.bound, 0xffffffffu, i, at);
    const int count = count_of<V>(a.bound, at);
    float y[V];
    EVALUATOR::evaluate(y, a.bound, at, count);
    const unsigned row = a.bound.by[0].divide(i);
    write(a.out, a.out_bf16, int64_t(row) * a.bound.p.length[0] + at.index[0], y, count);
}

/* ---- launchers ---- */

using Kernel = void (*)(const Args);

template <int... I>
Kernel chain_kernel(int chain, std::integer_sequence<int, I...>) {
    static const Kernel table[] = {pointwise_kernel<Compiled<ChainAt<I>, 4>>...};
    return table[chain];
}

Kernel choose(const gan_launch_program &p, bool vectors) {
    if (!vectors)
        return p.n_slots == 0 ? pointwise_kernel<Interpreter<1, 0, BLOCK>>
                              : pointwise_kernel<Interpreter<1, GAN_LAUNCH_SLOTS, BLOCK>>;
    for (int c = 0; c < n_chains; c++)
        if (chains[c].n_inputs > 0 && matches(p, chains[c]))
            return chain_kernel(c, std::make_integer_sequence<int, n_chains>());
    if (p.n_slots == 0) return pointwise_kernel<Interpreter<4, 0, BLOCK>>;
    return pointwise_kernel<Interpreter<4, GAN_LAUNCH_SLOTS, BLOCK>>;
}

} // namespace

extern "C" cudaError_t gan_launch_pointwise(const gan_launch_pointwise_args *a,
                                            cudaStream_t stream) {
    const gan_launch_program &p = a->program;
    if (p.size == 0) return cudaSuccess;
    const bool vectors = vectors_fit(p, a->out, a->out_bf16);
    const Bound bound(p, vectors ? 4 : 1);
    const unsigned n = unsigned(p.size / p.length[0]) * bound.by[0].by;
    const Kernel kernel = choose(p, vectors);
    GPU_LAUNCH(kernel, grid_for(n, BLOCK), dim3(BLOCK), stream,
               Args{bound, a->out, a->out_bf16, n});
    return cudaGetLastError();
}
