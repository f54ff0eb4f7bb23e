/* Programs and reductions by their launchers, on what the cases of ops do not reach: bfloat16,
 * addresses and lengths that forbid wide accesses, programs of any form, reductions in many chunks.
 * What one function after the other computes has to be right to the bit. */
#include "launchers.h"

namespace {

/* ---- arrays of f32 or bf16 ---- */

struct Array {
    gan_array is;
    std::vector<float> value;
    Place place;

    Array(gan_dtype dtype, gan_shape shape, size_t shift)
        : is{nullptr, dtype, shape}, value(size_t(gan_shape_size(shape))),
          place(value.size() * gan_dtype_size(dtype), shift * gan_dtype_size(dtype)) {
        std::vector<__nv_bfloat16> half(value.size());
        for (size_t i = 0; i < value.size(); i++) {
            half[i] = __float2bfloat16_rn(number());
            value[i] = dtype == GAN_BF16 ? __bfloat162float(half[i]) : number();
        }
        place.write(dtype == GAN_BF16 ? static_cast<const void *>(half.data()) : value.data());
        is.data = place.data();
    }
};

gan_shape random_shape(int64_t most) {
    static const int64_t lengths[] = {1, 1, 2, 3, 4, 4, 5, 8, 12, 16, 33, 64, 300, 1028};
    gan_shape s = {int(pick(0, GAN_MAX_RANK)), {0}};
    int64_t size = 1;
    for (int i = 0; i < s.rank; i++) {
        int64_t n = lengths[pick(0, 13)];
        if (size * n > most) n = 1;
        s.dim[i] = pick(0, 60) == 0 ? 0 : n;
        size *= n;
    }
    return s;
}

/* Of the same rank or less, each axis as in `shape` or 1. */
gan_shape part_of(gan_shape shape) {
    gan_shape s = shape;
    const int kind = int(pick(0, 5));
    for (int i = 0; i < s.rank; i++)
        if (kind == 0 || (kind == 1 && i < s.rank - 1) || (kind == 2 && pick(0, 1))) s.dim[i] = 1;
    while (s.rank > 0 && s.dim[0] == 1 && pick(0, 1)) {
        for (int i = 1; i < s.rank; i++) s.dim[i - 1] = s.dim[i];
        s.rank--;
    }
    return s;
}

/* Where element e of `shape` is in an operand. */
size_t position(gan_shape shape, gan_shape operand, int64_t e) {
    int64_t at = 0, stride = 1;
    for (int i = shape.rank - 1; i >= 0; i--) {
        const int64_t index = e % shape.dim[i], k = i - (shape.rank - operand.rank);
        e /= shape.dim[i];
        if (k < 0) continue;
        if (operand.dim[k] != 1) at += index * stride;
        stride *= operand.dim[k];
    }
    return size_t(at);
}

/* ---- programs ---- */

const gan_fn functions[] = {
    GAN_FN_value,   GAN_FN_add,      GAN_FN_sub,   GAN_FN_mul,   GAN_FN_maximum,   GAN_FN_minimum,
    GAN_FN_greater, GAN_FN_neg,      GAN_FN_abs,   GAN_FN_sign,  GAN_FN_square,    GAN_FN_sin,
    GAN_FN_tanh,    GAN_FN_sigmoid,  GAN_FN_relu,  GAN_FN_scale, GAN_FN_shift,     GAN_FN_equal,
    GAN_FN_exp,     GAN_FN_softplus, GAN_FN_floor, GAN_FN_cos,   GAN_FN_leaky_relu};

float apply_one(int fn, float a, float b, float k) {
    switch (fn) {
#define GAN_POINTWISE(name, arity, formula, da, db)                                                \
    case GAN_FN_##name:                                                                            \
        return call<FN_##name>(a, b, k);
#include "base/pointwise.def"
#undef GAN_POINTWISE
    }
    return NAN;
}

/* Without steps whose results nobody uses, as the plan makes them. */
gan_pointwise_program random_program(int n_inputs, int n_steps) {
    gan_pointwise_program p = {}, q = {};
    bool needed[GAN_MAX_PROGRAM_STEPS] = {}, used[GAN_MAX_PROGRAM_STEPS] = {};
    uint8_t place[GAN_MAX_PROGRAM_STEPS];
    p.n_inputs = q.n_inputs = n_inputs;
    for (int s = 0; s < n_steps; s++) {
        gan_program_step *step = &p.step[s];
        step->fn = uint8_t(functions[pick(0, int64_t(sizeof functions / sizeof *functions) - 1)]);
        for (uint8_t &v : step->arg) {
            int64_t from =
                s > 0 ? pick(0, s - 1) : -1; /* a result, rather one that was not used yet */
            for (int tries = 0; tries < 4 && from >= 0 && used[from]; tries++)
                from = pick(0, s - 1);
            if (from < 0 || (pick(0, 2) == 0 && s < n_steps - 2)) from = -1;
            v = uint8_t(from < 0 ? pick(0, n_inputs - 1) : n_inputs + from);
            if (from >= 0) used[from] = true;
        }
        step->k = number();
    }
    for (int s = n_steps - 1; s >= 0; s--) {
        needed[s] = needed[s] || s == n_steps - 1;
        for (int side = 0; needed[s] && side < gan_fn_table[p.step[s].fn].arity; side++)
            if (p.step[s].arg[side] >= n_inputs) needed[p.step[s].arg[side] - n_inputs] = true;
    }
    for (int s = 0; s < n_steps; s++) {
        if (!needed[s]) continue;
        place[s] = uint8_t(n_inputs + q.n_steps);
        gan_program_step step = p.step[s];
        for (int side = 0; side < gan_fn_table[step.fn].arity; side++)
            if (step.arg[side] >= n_inputs) step.arg[side] = place[step.arg[side] - n_inputs];
        q.step[q.n_steps++] = step;
    }
    return q;
}

/* A program, its operands, and the node they belong to. */
struct Computation {
    gan_shape shape;
    gan_pointwise_program program;
    std::vector<Array *> operand;
    std::vector<gan_array> arrays;
    gan_node node = {};

    Computation(int64_t most, int n_inputs, int n_steps) : shape(random_shape(most)) {
        program = random_program(n_inputs, n_steps);
        for (int i = 0; i < n_inputs; i++)
            add(i == 0 ? shape : part_of(shape), pick(0, 3) ? 0 : size_t(pick(1, 3)));
    }
    /* Operands that allow wide accesses, of the whole shape or repeated. */
    Computation(const gan_pointwise_program &of, gan_shape of_shape)
        : shape(of_shape), program(of) {
        for (int i = 0; i < program.n_inputs; i++) {
            gan_shape part = shape;
            for (int axis = 0; axis + 1 < shape.rank && i > 0; axis++)
                if (pick(0, 1)) part.dim[axis] = 1;
            add(part, 0);
        }
    }
    void add(gan_shape part, size_t shift) {
        operand.push_back(new Array(pick(0, 2) ? GAN_F32 : GAN_BF16, part, shift));
        arrays.push_back(operand.back()->is);
        node.op = GAN_OP_pointwise;
    }
    Computation(const Computation &) = delete;
    ~Computation() {
        for (Array *a : operand) delete a;
    }
    float at(int64_t e) const {
        float v[GAN_MAX_PROGRAM_INPUTS + GAN_MAX_PROGRAM_STEPS];
        const int n = program.n_inputs;
        for (int i = 0; i < n; i++)
            v[i] = operand[size_t(i)]->value[position(shape, arrays[size_t(i)].shape, e)];
        for (int s = 0; s < program.n_steps; s++) {
            const gan_program_step &step = program.step[s];
            v[n + s] = apply_one(step.fn, v[step.arg[0]], v[step.arg[1]], step.k);
        }
        return v[n + program.n_steps - 1];
    }
};

/* Runs it into bf16 or f32, `shift` bytes from an aligned address; returns how many values were
 * remembered. */
int expect_computed(const Computation &c, bool bf16, size_t shift, int i) {
    gan_cuda_program bound;
    if (gan_cuda_program_bind(&bound, &c.node, &c.program, c.shape, c.program.n_inputs,
                              c.arrays.data(), 0, nullptr) != GAN_OK)
        fail_msg("%d: %s", i, gan_last_error());
    const int64_t size = gan_shape_size(c.shape);
    Place out(size_t(size) * (bf16 ? 2 : 4), shift);
    const gan_launch_pointwise_args args = {gan_cuda_program_at(&bound, c.arrays.data()),
                                            out.data(), bf16};
    expect_launched(gan_launch_pointwise(&args, nullptr));
    const std::vector<float> y = floats(out, bf16);
    for (int64_t e = 0; e < size; e++)
        if (!same(y[size_t(e)], stored(c.at(e), bf16)))
            fail_msg("program %d, element %ld: %.9g, expected %.9g", i, long(e),
                     double(y[size_t(e)]), double(stored(c.at(e), bf16)));
    return bound.launch.n_slots;
}

void programs(void **) {
    int remembered = 0, most = 0;
    for (int i = 0; i < 400; i++) {
        state = uint64_t(i) + 1000;
        const int n_inputs = int(pick(0, 2) ? pick(1, 4) : pick(1, GAN_LAUNCH_INPUTS));
        Computation c(pick(0, 3) ? 700 : 5000, n_inputs,
                      n_inputs == 1 && pick(0, 3) == 0 ? 0 : int(pick(1, 24)));
        const int slots = expect_computed(c, pick(0, 3) == 0, pick(0, 3) ? 0 : 4, i);
        remembered += slots > 0;
        most = slots > most ? slots : most;
    }
    assert_true(remembered > 100); /* programs of every kind were met */
    assert_true(most > 3);
}

/* ---- the programs that networks are made of, some of which are compiled ahead ---- */

#define STEP(fn, a, b)                                                                             \
    { GAN_FN_##fn, {a, b}, 0.2f }

void networks(void **) {
    static const gan_pointwise_program known[] = {
        {2, 2, {STEP(add, 0, 1), STEP(relu, 2, 0)}},
        {2, 2, {STEP(add, 0, 1), STEP(leaky_relu, 2, 0)}},
        {2, 2, {STEP(add, 1, 0), STEP(tanh, 2, 0)}},
        {2, 2, {STEP(add, 0, 1), STEP(sigmoid, 2, 0)}},
        {2, 2, {STEP(leaky_step, 1, 0), STEP(mul, 0, 2)}},
        {2, 4, {STEP(square, 0, 0), STEP(neg, 2, 0), STEP(shift, 3, 0), STEP(mul, 4, 1)}},
        {3,
         5,
         {STEP(neg, 2, 0), STEP(shift, 3, 0), STEP(mul, 2, 4), STEP(mul, 0, 1), STEP(mul, 6, 5)}},
        {4, 3, {STEP(sub, 0, 1), STEP(mul, 4, 2), STEP(add, 5, 3)}},
        {4, 4, {STEP(sub, 0, 1), STEP(mul, 4, 2), STEP(add, 5, 3), STEP(relu, 6, 0)}},
        {4, 4, {STEP(sub, 0, 1), STEP(mul, 4, 2), STEP(add, 5, 3), STEP(leaky_relu, 6, 0)}},
        {6,
         5,
         {STEP(sub, 0, 1), STEP(mul, 6, 2), STEP(add, 7, 3), STEP(mul, 4, 5), STEP(add, 8, 9)}},
        {1, 3, {STEP(value, 0, 0), STEP(greater, 1, 0), STEP(scale, 2, 0)}},
        {2, 4, {STEP(value, 0, 0), STEP(greater, 2, 0), STEP(scale, 3, 0), STEP(mul, 1, 4)}},
        {1, 1, {STEP(sin, 0, 0)}},
        {1, 0, {}},
    };
    for (const gan_pointwise_program &program : known) {
        for (int i = 0; i < 12; i++) {
            state = uint64_t(&program - known) * 100 + uint64_t(i);
            Computation c(program, i % 2 ? gan_shape{3, {3, 17, 36}} : gan_shape{1, {1021}});
            expect_computed(c, i % 3 == 0, 0, i);
        }
    }
}

/* ---- reductions ---- */

void reductions(void **) {
    int in_chunks = 0;
    for (int i = 0; i < 400; i++) {
        state = uint64_t(i) + 5000;
        const int kind = int(pick(0, 3)), n_inputs = kind == 2   ? 2
                                                     : kind == 3 ? int(pick(1, 4))
                                                                 : 1;
        Computation c(i % 5 == 0 ? 80000 : 4000, n_inputs, kind == 3 ? int(pick(1, 8)) : 0);
        c.node.op = pick(0, 1) ? GAN_OP_sum : GAN_OP_max;
        if (kind == 1) c.program = {1, 1, {{GAN_FN_square, {0, 0}, 0}}};
        if (kind == 2) c.program = {2, 1, {{GAN_FN_mul, {0, 1}, 0}}};
        const uint32_t axes = uint32_t(pick(0, 3) ? pick(0, 63) : 63) & ((1u << c.shape.rank) - 1);
        gan_shape kept = c.shape;
        for (int axis = 0; axis < kept.rank; axis++)
            if (axes >> axis & 1) kept.dim[axis] = 1;

        gan_cuda_program bound;
        uint32_t reduced;
        if (gan_cuda_program_bind(&bound, &c.node, &c.program, c.shape, n_inputs, c.arrays.data(),
                                  axes, &reduced) != GAN_OK)
            fail_msg("%d: %s", i, gan_last_error());
        const size_t results = size_t(gan_shape_size(kept));
        const bool max = c.node.op == GAN_OP_max, bf16 = max && pick(0, 2) == 0;
        Place out(results * (bf16 ? 2 : 4), pick(0, 3) ? 0 : 4);
        gan_launch_reduce_args args = {gan_cuda_program_at(&bound, c.arrays.data()),
                                       reduced,
                                       max,
                                       out.data(),
                                       int64_t(results),
                                       bf16,
                                       nullptr, nullptr};
        Place work(gan_launch_reduce_workspace(&args), 0);
        args.workspace = work.data();
        in_chunks += work.bytes > 0;
        expect_launched(gan_launch_reduce(&args, nullptr));
        work.read();

        std::vector<double> wanted(results, max ? -INFINITY : 0.0), size(results, 0.0);
        for (int64_t e = 0; e < gan_shape_size(c.shape); e++) {
            const size_t at = position(c.shape, kept, e);
            const double x = double(c.at(e));
            wanted[at] = max ? fmax(wanted[at], x) : wanted[at] + x;
            size[at] += fabs(x);
        }
        const std::vector<float> y = floats(out, bf16);
        for (size_t k = 0; k < results; k++) {
            const double error = max ? 0 : 2e-6 * size[k];
            const double expected = max ? double(stored(float(wanted[k]), bf16)) : wanted[k];
            if (!(double(y[k]) == expected || fabs(double(y[k]) - expected) <= error))
                fail_msg("reduction %d, result %zu: %.9g, expected %.9g", i, k, double(y[k]),
                         expected);
        }
    }
    assert_true(in_chunks > 5);
}

/* ---- indices ---- */

void divisions(void **) {
    std::vector<int64_t> divisors = {INT32_MAX, INT32_MAX - 1};
    for (int64_t d = 1; d < 300; d++) divisors.push_back(d);
    for (int bit = 8; bit < 31; bit++)
        for (int64_t d = -1; d <= 1; d++) divisors.push_back((int64_t(1) << bit) + d);
    for (int i = 0; i < 1000; i++) divisors.push_back(pick(1, INT32_MAX));
    for (const int64_t d : divisors) {
        const Divisor by(d);
        std::vector<int64_t> numbers = {
            0, 1, d - 1, d, INT32_MAX, INT32_MAX / d * d, INT32_MAX / d * d - 1};
        for (int i = 0; i < 50; i++) numbers.push_back(pick(0, INT32_MAX));
        for (const int64_t n : numbers)
            if (by.divide(unsigned(n)) != unsigned(n / d)) fail_msg("%ld / %ld", long(n), long(d));
    }
}

} // namespace

int main() {
    const CMUnitTest tests[] = {cmocka_unit_test(programs), cmocka_unit_test(networks),
                                cmocka_unit_test(reductions), cmocka_unit_test(divisions)};
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
