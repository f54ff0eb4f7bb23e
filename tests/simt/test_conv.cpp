/* Convolutions with few channels on one side, by our kernels: every kind of shape, both types, both
 * ways that a filter lies, programs of every kind, addresses that vectors do not fit. Expected
 * values are sums in double over all taps, right here. */
#include <cmath>

#include "launchers.h"

namespace {

/* ---- problems ---- */

struct Problem {
    gan_launch_conv_sides v;
    bool bf16;
    int64_t few() const { return int64_t(v.n) * v.h * v.w * v.c; }
    int64_t many() const { return int64_t(v.n) * v.p * v.q * v.k; }
    int64_t filter() const { return int64_t(v.k) * v.r * v.s * v.c; }
};

struct Values {
    std::vector<float> x;
    Place place;
    bool bf16;

    Values(int64_t n, bool as_half, int64_t shift)
        : x(size_t(n)), place(size_t(n * (as_half ? 2 : 4)), size_t(shift * (as_half ? 2 : 4))),
          bf16(as_half) {
        for (float &v : x) v = stored(number(), as_half);
        if (!as_half) {
            place.write(x.data());
            return;
        }
        std::vector<__nv_bfloat16> halves;
        for (const float v : x) halves.push_back(__float2bfloat16_rn(v));
        place.write(halves.data());
    }
    void *data() const { return place.data(); }
    std::vector<float> read() const { return floats(place, bf16); }
};

/* Calls add(pixel of the few, element of the filter, pixel of the many, c, k) for all that touch.
 */
template <class ADD>
void each_term(const gan_launch_conv_sides &v, ADD add) {
    for (int64_t n = 0; n < v.n; n++)
        for (int64_t p = 0; p < v.p; p++)
            for (int64_t q = 0; q < v.q; q++)
                for (int64_t r = 0; r < v.r; r++)
                    for (int64_t s = 0; s < v.s; s++) {
                        const int64_t y = p * v.stride - v.top + r, x = q * v.stride - v.left + s;
                        if (y < 0 || y >= v.h || x < 0 || x >= v.w) continue;
                        for (int64_t c = 0; c < v.c; c++)
                            for (int64_t k = 0; k < v.k; k++) {
                                const int64_t filter =
                                    v.turned
                                        ? ((c * v.r + v.r - 1 - r) * v.s + v.s - 1 - s) * v.k + k
                                        : ((k * v.r + r) * v.s + s) * v.c + c;
                                add(size_t(((n * v.h + y) * v.w + x) * v.c + c), size_t(filter),
                                    size_t(((n * v.p + p) * v.q + q) * v.k + k));
                            }
                    }
}

enum Kind { MANY, FEW, WEIGHT };

struct Result {
    std::vector<double> sum, size; /* and of absolute values */
    explicit Result(int64_t n) : sum(size_t(n)), size(size_t(n)) {}
    void add(size_t i, double term) { sum[i] += term, size[i] += std::fabs(term); }
};

Result expected(const Problem &t, Kind kind, const Values &few, const Values &many,
                const Values &filter) {
    Result y(kind == MANY ? t.many() : kind == FEW ? t.few() : t.filter());
    each_term(t.v, [&](size_t f, size_t w, size_t m) {
        if (kind == MANY) y.add(m, double(few.x[f]) * double(filter.x[w]));
        if (kind == FEW) y.add(f, double(many.x[m]) * double(filter.x[w]));
        if (kind == WEIGHT) y.add(w, double(few.x[f]) * double(many.x[m]));
    });
    return y;
}

/* ---- launches ---- */

cudaError_t launch(Kind kind, const gan_launch_conv_args &a) {
    return kind == MANY ? (a.bf16 ? gan_launch_conv_many_half : gan_launch_conv_many)(&a, nullptr)
           : kind == FEW
               ? (a.bf16 ? gan_launch_conv_few_half : gan_launch_conv_few)(&a, nullptr)
               : (a.bf16 ? gan_launch_conv_weight_half : gan_launch_conv_weight)(&a, nullptr);
}

size_t workspace_of(const Problem &t) {
    return t.bf16 ? gan_launch_conv_half_workspace(&t.v) : gan_launch_conv_weight_workspace(&t.v);
}

/* f32 sums of n terms, and the rounding to what is stored. */
double tolerance(const Problem &t, double value, double size) {
    return 4e-6 * size + 1e-6 + (t.bf16 ? std::fabs(value) / 200 : 0);
}

void expect_result(const Problem &t, const std::vector<float> &got, const Result &wanted, int i,
                   int kind) {
    assert_int_equal(got.size(), wanted.sum.size());
    for (size_t e = 0; e < got.size(); e++) {
        const double y = wanted.sum[e], error = std::fabs(double(got[e]) - y);
        if (!(error <= tolerance(t, y, wanted.size[e])))
            fail_msg("%d, kind %d: element %zu is %.9g, expected %.9g: few (%d,%d,%d,%d), many "
                     "(%d,%d,%d), taps %d %d, stride %d, from %d %d, turned %d, bf16 %d",
                     i, kind, e, double(got[e]), y, t.v.n, t.v.h, t.v.w, t.v.c, t.v.p, t.v.q, t.v.k,
                     t.v.r, t.v.s, t.v.stride, t.v.top, t.v.left, t.v.turned, t.bf16);
    }
}

void expect_sums(const Problem &t, const std::vector<float> &got, const Values &many, int i) {
    for (size_t k = 0; k < got.size(); k++) {
        double sum = 0, size = 0;
        for (size_t e = k; e < many.x.size(); e += got.size())
            sum += double(many.x[e]), size += std::fabs(double(many.x[e]));
        if (!(std::fabs(double(got[k]) - sum) <= 4e-6 * size + 1e-6))
            fail_msg("%d: sum %zu is %.9g, expected %.9g: many (%d,%d,%d,%d)", i, k, double(got[k]),
                     sum, t.v.n, t.v.p, t.v.q, t.v.k);
    }
}

/* Twice the same bits, the second time with the counters that the first one has left. */
void check(const Problem &t, int i) {
    assert_true(gan_launch_conv_takes(&t.v));
    const int64_t shift = i % 3 == 1 ? 1 : 0;
    const Place counters(GAN_LAUNCH_COUNTERS * sizeof(unsigned), 0), workspace(workspace_of(t), 0),
        sums(size_t(t.v.k) * sizeof(float), 0);
    const std::vector<unsigned char> zeros(GAN_LAUNCH_COUNTERS * sizeof(unsigned));
    counters.write(zeros.data());
    for (const Kind kind : {MANY, FEW, WEIGHT}) {
        const Values few(t.few(), t.bf16, shift), many(t.many(), t.bf16, shift),
            filter(t.filter(), t.bf16, shift);
        const Values &out = kind == MANY ? many : kind == FEW ? few : filter;
        const Result wanted = expected(t, kind, few, many, filter);
        gan_launch_conv_args a = {};
        a.sides = t.v, a.bf16 = t.bf16, a.raw_input = -1;
        a.few = few.data(), a.many = many.data(), a.filter = filter.data(), a.out = out.data();
        a.workspace = workspace.data();
        a.counters = static_cast<unsigned *>(counters.data());
        if (kind == WEIGHT && t.bf16 && i % 4 != 1) a.sums = static_cast<float *>(sums.data());
        expect_launched(launch(kind, a));
        const std::vector<unsigned char> bits = out.place.read(), sum_bits = sums.read();
        expect_result(t, out.read(), wanted, i, kind);
        if (a.sums) expect_sums(t, floats(sums, false), many, i);
        expect_launched(launch(kind, a));
        assert_true(out.place.read() == bits);
        assert_true(!a.sums || sums.read() == sum_bits);
        assert_true(counters.read() == zeros);
    }
}

gan_launch_conv_sides sides(int n, int size, int c, int k, int taps, int stride, int from) {
    const int windows = (size + 2 * from - taps) / stride + 1;
    return {n, size, size, c, windows, windows, k, taps, taps, stride, from, from, 0};
}

/* ---- the tests ---- */

/* As networks have them, small. */
void layers(void **) {
    static const gan_launch_conv_sides list[] = {
        sides(2, 16, 3, 64, 4, 2, 1),  sides(1, 28, 1, 64, 4, 2, 1), sides(2, 8, 3, 96, 4, 2, 1),
        sides(1, 16, 3, 128, 3, 1, 1), sides(3, 4, 3, 16, 1, 1, 0),  sides(1, 12, 3, 72, 2, 2, 0),
        sides(1, 34, 4, 8, 3, 2, 1),
    };
    int i = 0;
    for (gan_launch_conv_sides v : list)
        for (int way = 0; way < 4; way++) {
            state = uint64_t(i) + 41000;
            if (way / 2 && v.stride != 1) continue;
            v.turned = way / 2;
            check({v, way % 2 != 0}, i++);
        }
}

/* 1 to 4 channels, sizes and windows of any kind, images that windows do not cover or go beyond. */
void any_shape(void **) {
    int taken = 0;
    for (int i = 0; i < 90; i++) {
        state = uint64_t(i) + 43000;
        gan_launch_conv_sides v = {};
        v.n = int32_t(pick(1, 3)), v.h = int32_t(pick(1, 14)), v.w = int32_t(pick(1, 21));
        v.c = int32_t(pick(1, 4)), v.k = int32_t(i % 5 == 0 ? pick(60, 140) : pick(1, 24));
        v.stride = int32_t(pick(1, 2));
        v.r = int32_t(pick(1, 5)), v.s = int32_t(pick(1, 5));
        v.top = int32_t(pick(-1, v.r)), v.left = int32_t(pick(-1, v.s));
        v.p = int32_t(pick(1, 12)), v.q = int32_t(pick(1, 19));
        v.turned = int(pick(0, 1));
        if (!gan_launch_conv_takes(&v)) continue;
        check({v, i % 2 != 0}, i);
        taken++;
    }
    assert_true(taken > 50);
}

/* So many pixels that parts are brought together in groups, and these again. */
void many_parts(void **) {
    for (int i = 0; i < 4; i++) {
        state = uint64_t(i) + 45000;
        check({sides(i < 2 ? 67 : 9, i < 2 ? 16 : 32, i % 2 ? 1 : 3, 8 + i, 2, 1 + i % 2, i / 2),
               i % 2 != 0},
              i);
    }
}

/* Programs: those known ahead, and what the interpreter does, of whole and repeated operands. */
struct Followed {
    gan_pointwise_program program;
    int operands; /* beside the result: an array of its shape, one of its channels, by turns */
};

gan_program_step step(gan_fn fn, int a, int b, float k) {
    return {uint8_t(fn), {uint8_t(a), uint8_t(b)}, k};
}

double value_of(const gan_pointwise_program &p, const double *operand) {
    double v[16];
    for (int i = 0; i < p.n_inputs; i++) v[i] = operand[i];
    for (int s = 0; s < p.n_steps; s++) {
        const double a = v[p.step[s].arg[0]], b = v[p.step[s].arg[1]], k = double(p.step[s].k);
        double &y = v[p.n_inputs + s];
        switch (gan_fn(p.step[s].fn)) {
        case GAN_FN_add:
            y = a + b;
            break;
        case GAN_FN_mul:
            y = a * b;
            break;
        case GAN_FN_square:
            y = a * a;
            break;
        case GAN_FN_neg:
            y = -a;
            break;
        case GAN_FN_shift:
            y = a + k;
            break;
        case GAN_FN_tanh:
            y = std::tanh(a);
            break;
        case GAN_FN_leaky_relu:
            y = a > 0 ? a : k * a;
            break;
        default:
            fail_msg("function %d", p.step[s].fn);
        }
    }
    return v[p.n_inputs + p.n_steps - 1];
}

void programs(void **) {
    const Followed list[] = {
        {{1, 1, {step(GAN_FN_leaky_relu, 0, 0, 0.2f)}}, 0},
        {{2, 2, {step(GAN_FN_add, 0, 1, 0), step(GAN_FN_leaky_relu, 2, 0, 0.1f)}}, 1},
        {{1, 1, {step(GAN_FN_tanh, 0, 0, 0)}}, 0},
        {{2, 2, {step(GAN_FN_add, 0, 1, 0), step(GAN_FN_tanh, 2, 0, 0)}}, 1},
        {{2,
          4,
          {step(GAN_FN_square, 1, 0, 0), step(GAN_FN_neg, 2, 0, 0), step(GAN_FN_shift, 3, 0, 1),
           step(GAN_FN_mul, 0, 4, 0)}},
         1},
        {{3,
          5,
          {step(GAN_FN_mul, 0, 1, 0), step(GAN_FN_square, 2, 0, 0), step(GAN_FN_tanh, 3, 0, 0),
           step(GAN_FN_add, 5, 4, 0), step(GAN_FN_mul, 6, 0, 0)}},
         2},
    };
    int i = 0;
    for (const Followed &f : list)
        for (int way = 0; way < 12; way++, i++) {
            state = uint64_t(i) + 47000;
            const Kind kind = way % 2 ? FEW : MANY;
            const Problem t = {way / 2 % 3 == 0   ? sides(2, 9, 3, 24, 4, 2, 1)
                               : way / 2 % 3 == 1 ? sides(1, 7, 1, 68, 3, 1, 1)
                                                  : sides(2, 6, 4, 13, 3, 2, 1),
                               way / 6 != 0};
            const int64_t shift = way % 5 == 4;
            const Values few(t.few(), t.bf16, shift), many(t.many(), t.bf16, shift),
                filter(t.filter(), t.bf16, shift);
            const Values &out = kind == MANY ? many : few;
            const int64_t channels = kind == MANY ? t.v.k : t.v.c, size = int64_t(out.x.size());
            const bool vector_first = f.operands == 1 && f.program.step[0].fn == GAN_FN_add;
            const Values whole(size, t.bf16, 0), vector(channels, false, shift);
            Result wanted = expected(t, kind, few, many, filter);
            for (int64_t e = 0; e < size; e++) {
                const double bias = double(vector.x[size_t(e % channels)]);
                const double operand[3] = {wanted.sum[size_t(e)],
                                           vector_first ? bias : double(whole.x[size_t(e)]), bias};
                wanted.sum[size_t(e)] = value_of(f.program, operand);
                wanted.size[size_t(e)] = 3 * wanted.size[size_t(e)] + 3;
            }
            gan_array operand[3] = {};
            const int64_t pixels = size / channels;
            operand[0] = {out.data(), t.bf16 ? GAN_BF16 : GAN_F32, gan_shape2(pixels, channels)};
            operand[1] = {whole.data(), operand[0].dtype, operand[0].shape};
            operand[2] = {vector.data(), GAN_F32, gan_shape1(channels)};
            if (vector_first) operand[1] = operand[2];
            gan_node node = {};
            node.op = GAN_OP_pointwise;
            gan_cuda_program bound;
            assert_int_equal(gan_cuda_program_bind(&bound, &node, &f.program, operand[0].shape,
                                                   1 + f.operands, operand, 0, nullptr),
                             GAN_OK);
            gan_launch_conv_args a = {};
            a.sides = t.v, a.bf16 = t.bf16, a.with_program = 1;
            a.program = gan_cuda_program_at(&bound, operand);
            a.raw_input = -1;
            for (int o = 0; o < a.program.n_inputs; o++)
                if (bound.source[o] == 0) a.raw_input = o;
            a.few = few.data(), a.many = many.data(), a.filter = filter.data(), a.out = out.data();
            expect_launched(launch(kind, a));
            expect_result(t, out.read(), wanted, i, kind);
        }
}

/* What they do not take. */
void refusals(void **) {
    const gan_launch_conv_sides good = sides(2, 16, 3, 64, 4, 2, 1);
    assert_true(gan_launch_conv_takes(&good));
    gan_launch_conv_sides v = good;
    v.c = 5;
    assert_false(gan_launch_conv_takes(&v));
    v = good, v.stride = 3;
    assert_false(gan_launch_conv_takes(&v));
    v = good, v.r = 5, v.s = 3; /* 6·4 taps in units of the stride */
    assert_false(gan_launch_conv_takes(&v));
    v.stride = 1;
    assert_true(gan_launch_conv_takes(&v));
    v.s = 4;
    assert_false(gan_launch_conv_takes(&v));
    v = good, v.k = 0;
    assert_false(gan_launch_conv_takes(&v));
    v = good, v.n = 1 << 24;
    assert_false(gan_launch_conv_takes(&v));
}

} // namespace

int main() {
    const struct CMUnitTest tests[] = {cmocka_unit_test(layers), cmocka_unit_test(any_shape),
                                       cmocka_unit_test(many_parts), cmocka_unit_test(programs),
                                       cmocka_unit_test(refusals)};
    return cmocka_run_group_tests_name("conv", tests, nullptr, nullptr);
}
