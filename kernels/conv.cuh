/* What convolutions with an image of few channels share: where the filter's elements are, tiles in
 * shared memory, the program on a result that is still in registers. */
#pragma once
#include "kernels/launch_conv.h"
#include "kernels/program.cuh"

namespace {

using Sides = gan_launch_conv_sides;

enum {
    CONV_PIXEL = 4,     /* floats of a pixel of few channels in shared memory, and a vector */
    CONV_CHUNK = 8,     /* channels of the many that a thread loads at once */
    CONV_CHANNELS = 64, /* of the many, a block */
    CONV_ACROSS = 16,   /* pixels of the many in a row of a tile */
};

template <int N>
struct alignas(16) Floats {
    float v[N];
};

__device__ __forceinline__ int filter_at(const Sides &v, int k, int tap, int c) {
    const int taps = v.r * v.s;
    return v.turned ? (c * taps + taps - 1 - tap) * v.k + k : (k * taps + tap) * v.c + c;
}

/* ---- tiles ---- */

/* rows·columns pixels of the few from (y, x) on, zeros where there are none. */
template <int BLOCK, class T>
__device__ __forceinline__ void stage_few(float *tile, const T *few, const Sides &v, int n, int y,
                                          int x, int rows, int columns) {
    for (int i = int(threadIdx.x); i < rows * columns; i += BLOCK) {
        const int row = y + i / columns, column = x + i % columns;
        const bool inside = row >= 0 && row < v.h && column >= 0 && column < v.w;
        const T *pixel = few + ((n * v.h + row) * v.w + column) * v.c;
        float value[CONV_PIXEL];
#pragma unroll
        for (int c = 0; c < CONV_PIXEL; c++)
            value[c] = inside && c < v.c ? to_float(pixel[c]) : 0.0f;
        store_floats(tile + i * CONV_PIXEL, value);
    }
}

/* CONV_CHUNK channels from k on of pixel (y, x) of the many, zeros where there are none. */
template <class T>
__device__ __forceinline__ void load_many(float (&value)[CONV_CHUNK], const T *many, const Sides &v,
                                          bool vectors, int n, int y, int x, int k) {
    const bool inside = y >= 0 && y < v.p && x >= 0 && x < v.q && k < v.k;
    const T *from = many + int64_t((n * v.p + y) * v.q + x) * v.k + k;
    if (inside && vectors) {
        load_floats(value, from);
        return;
    }
#pragma unroll
    for (int i = 0; i < CONV_CHUNK; i++)
        value[i] = inside && k + i < v.k ? to_float(from[i]) : 0.0f;
}

/* Tiles of an image, and images. */
struct Tiles {
    int across, down;
    unsigned all;
    Divisor by_across, by_down;

    Tiles(int64_t n, int64_t rows, int64_t columns, int tile_rows, int tile_columns)
        : across(int(ceil_div(columns, tile_columns))), down(int(ceil_div(rows, tile_rows))),
          all(unsigned(n * across * down)), by_across(across), by_down(down) {}
    __device__ __forceinline__ void find(unsigned tile, int &n, int &row, int &column) const {
        const unsigned line = by_across.divide(tile), image = by_down.divide(line);
        column = int(tile - line * unsigned(across));
        row = int(line - image * unsigned(down));
        n = int(image);
    }
};

/* ---- what is done with a result before it is stored: V of its elements, all of a row ---- */

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

template <class CHAIN>
bool is_chain(const gan_launch_conv_args &a) {
    return a.with_program && a.raw_input == CHAIN::raw && matches(a.program, CHAIN::value);
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
    static int find(const gan_launch_conv_args &a) {
        int i = 0, found = a.with_program ? int(FOLLOW_ANY) : int(FOLLOW_NOTHING);
        ((found = is_chain<CHAINS>(a) ? i : found, i++), ...);
        return found;
    }
};

/* What networks write behind such convolutions. */
struct LeakyRelu {
    static constexpr int raw = 0;
    static constexpr Chain value = {1, 1, 0, {{FN_leaky_relu, 0, GAN_LAUNCH_LAST, 0}}};
};
struct BiasLeakyRelu {
    static constexpr int raw = 0;
    static constexpr Chain value = {
        2, 2, 0, {{FN_add, 0, 1, 0}, {FN_leaky_relu, GAN_LAUNCH_LAST, GAN_LAUNCH_LAST, 0}}};
};
struct Tanh {
    static constexpr int raw = 0;
    static constexpr Chain value = {1, 1, 0, {{FN_tanh, 0, GAN_LAUNCH_LAST, 0}}};
};
struct BiasTanh {
    static constexpr int raw = 0;
    static constexpr Chain value = {
        2, 2, 0, {{FN_add, 0, 1, 0}, {FN_tanh, GAN_LAUNCH_LAST, GAN_LAUNCH_LAST, 0}}};
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

/* ---- for launchers ---- */

/* Of any program the result is in a slot of its own. V elements at a time. */
inline Follow follow_of(const gan_launch_conv_args &a, int chain, int v) {
    gan_launch_program p = a.with_program ? a.program : gan_launch_program();
    const int slot = p.n_slots;
    if (!a.with_program) p.n_axes = p.length[0] = 1;
    for (int s = 0; chain == FOLLOW_ANY && a.raw_input >= 0 && s < p.n_steps; s++) {
        gan_launch_step &step = p.step[s];
        if (step.a == a.raw_input) step.a = uint8_t(GAN_LAUNCH_INPUTS + slot);
        if (step.b == a.raw_input) step.b = uint8_t(GAN_LAUNCH_INPUTS + slot);
    }
    return {Bound(p, v), chain, slot};
}

/* Whether pixels of the many can be read and written eight channels at a time. */
inline bool many_in_vectors(const Sides &v, const void *many, int bf16) {
    const int most = bf16 ? CONV_CHUNK : CONV_CHUNK / 2;
    return v.k % CONV_CHUNK == 0 && vector_width(many, v.k, bf16 ? 2 : 4, most) == most;
}

} // namespace
