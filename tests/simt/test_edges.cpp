/* What the cases of pooling, norms, losses, noise and updates do not reach: addresses of every
 * alignment, values that are not numbers, labels and indices that are none, a loss and its gradient
 * in one launch. Expected values are computed in double, right here. */
#include <cmath>
#include <deque>

#include "control.h"
#include "launchers.h"

namespace {

/* ---- device arrays of floats ---- */

struct Floats {
    std::vector<float> x;
    Place place;

    explicit Floats(int64_t n, int64_t shift = 0)
        : x(size_t(n)), place(size_t(4 * n), size_t(4 * shift)) {
        for (float &v : x) v = number();
        write();
    }
    void write() const { place.write(x.data()); }
    float *data() const { return static_cast<float *>(place.data()); }
    std::vector<float> read() const { return floats(place, false); }
};

template <class T>
struct Array {
    Place place;
    explicit Array(const std::vector<T> &x) : place(sizeof(T) * x.size(), 0) {
        place.write(x.data());
    }
    T *data() const { return static_cast<T *>(place.data()); }
};

struct Workspace {
    Place place;
    explicit Workspace(size_t bytes) : place(bytes, 0) {}
    void *data() const { return place.data(); }
};

void expect_near(const std::vector<float> &got, const std::vector<double> &wanted, double absolute,
                 int i) {
    assert_int_equal(got.size(), wanted.size());
    for (size_t k = 0; k < wanted.size(); k++)
        if (!(std::fabs(double(got[k]) - wanted[k]) <= absolute + 1e-5 * std::fabs(wanted[k])))
            fail_msg("%d: element %zu is %.9g, expected %.9g", i, k, double(got[k]), wanted[k]);
}

/* ---- pooling ---- */

struct Window {
    gan_launch_pool_args a;
    int64_t wide(int64_t n, int64_t h, int64_t w, int64_t c) const {
        return ((n * a.height + h) * a.width + w) * a.channels + c;
    }
};

/* Where the first maximum of a window is; a NaN is one. */
int64_t first_maximum(const Window &v, const std::vector<float> &x, int64_t n, int64_t p, int64_t q,
                      int64_t c) {
    int64_t best = -1;
    for (int r = 0; r < v.a.size_h; r++)
        for (int s = 0; s < v.a.size_w; s++) {
            const int64_t h = p * v.a.stride_h - v.a.top + r, w = q * v.a.stride_w - v.a.left + s;
            if (h < 0 || h >= v.a.height || w < 0 || w >= v.a.width) continue;
            const int64_t at = v.wide(n, h, w, c);
            const float y = x[size_t(at)];
            if (best < 0 || y > x[size_t(best)] || (std::isnan(y) && !std::isnan(x[size_t(best)])))
                best = at;
        }
    return best;
}

void maxima(void **) {
    static const float odd[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1.0f};
    for (int i = 0; i < 60; i++) {
        state = uint64_t(i) + 21000;
        Window v = {};
        v.a.n = pick(1, 2), v.a.height = pick(1, 9), v.a.width = pick(1, 9),
        v.a.channels = pick(1, 3) * 4 - pick(0, 1);
        v.a.size_h = int(pick(1, 4)), v.a.size_w = int(pick(1, 4));
        v.a.stride_h = int(pick(1, 3)), v.a.stride_w = int(pick(1, 3));
        v.a.top = int(pick(0, v.a.size_h - 1)), v.a.left = int(pick(0, v.a.size_w - 1));
        v.a.p = (v.a.height + 2 * v.a.top - v.a.size_h) / v.a.stride_h + 1;
        v.a.q = (v.a.width + 2 * v.a.left - v.a.size_w) / v.a.stride_w + 1;
        if (v.a.height + 2 * v.a.top < v.a.size_h || v.a.width + 2 * v.a.left < v.a.size_w)
            continue;
        const int64_t wide = v.a.n * v.a.height * v.a.width * v.a.channels,
                      pooled = v.a.n * v.a.p * v.a.q * v.a.channels;
        Floats x(wide, pick(0, 1)), y(pooled), from(wide), dy(pooled), dx(wide, pick(0, 1));
        for (float &e : x.x) e = pick(0, 3) ? float(pick(-2, 2)) : odd[pick(0, 5)];
        x.write();
        expect_launched(gan_launch_max_pool(y.data(), x.data(), from.data(), &v.a, nullptr));
        expect_launched(gan_launch_max_pool_adjoint(dx.data(), x.data(), dy.data(), &v.a, nullptr));
        std::vector<double> chosen, gradient(size_t(wide), 0.0);
        for (int64_t e = 0; e < pooled; e++) {
            const int64_t c = e % v.a.channels, at = e / v.a.channels;
            const int64_t best =
                first_maximum(v, x.x, at / v.a.q / v.a.p, at / v.a.q % v.a.p, at % v.a.q, c);
            chosen.push_back(best < 0 ? 0.0 : double(from.x[size_t(best)]));
            if (best >= 0) gradient[size_t(best)] += double(dy.x[size_t(e)]);
        }
        expect_near(y.read(), chosen, 0, i);
        expect_near(dx.read(), gradient, 1e-6, i);
        expect_launched(gan_launch_max_pool(y.data(), x.data(), x.data(), &v.a, nullptr));
        const std::vector<float> most = y.read();
        for (int64_t e = 0; e < pooled; e++) {
            const int64_t c = e % v.a.channels, at = e / v.a.channels;
            const int64_t best =
                first_maximum(v, x.x, at / v.a.q / v.a.p, at / v.a.q % v.a.p, at % v.a.q, c);
            assert_true(same(most[size_t(e)], best < 0 ? 0.0f : x.x[size_t(best)]));
        }
    }
}

/* ---- batch norm ---- */

/* Far from zero, an outlier first, rows by the thousand: the variance keeps its digits. */
void moments(void **) {
    static const struct {
        int64_t groups, rows, channels;
    } sizes[] = {{1, 9000, 4}, {2, 700, 12}, {3, 333, 5}, {1, 1, 4}, {1, 2600, 68}, {70, 3, 8}};
    for (int i = 0; i < 12; i++) {
        state = uint64_t(i) + 23000;
        gan_launch_norm_args a = {};
        a.groups = sizes[i / 2].groups, a.rows = sizes[i / 2].rows,
        a.channels = sizes[i / 2].channels;
        const int64_t size = a.groups * a.rows * a.channels;
        Floats x(size, i % 2), out(a.groups * 2 * a.channels, i % 2);
        for (int64_t k = 0; k < size; k++)
            x.x[size_t(k)] += k / a.channels % a.rows == 0 ? -3000.0f : 1000.0f;
        x.write();
        const Workspace workspace(gan_launch_norm_workspace(&a));
        a.x = x.data(), a.out = out.data(), a.workspace = workspace.data();
        expect_launched(gan_launch_moments(&a, nullptr));
        const std::vector<float> got = out.read();
        for (int64_t g = 0; g < a.groups; g++)
            for (int64_t c = 0; c < a.channels; c++) {
                const float *first = &x.x[size_t(g * a.rows * a.channels + c)];
                double mean = 0, variance = 0;
                for (int64_t r = 0; r < a.rows; r++)
                    mean += double(first[r * a.channels]) / double(a.rows);
                for (int64_t r = 0; r < a.rows; r++)
                    variance += std::pow(double(first[r * a.channels]) - mean, 2) / double(a.rows);
                const float *at = &got[size_t(2 * g * a.channels + c)];
                expect_near({at[0], at[a.channels]}, {mean, variance}, 1e-3 / 1000, i);
            }
    }
}

/* ---- losses ---- */

double softplus(double s) { return std::fmax(s, 0) + std::log1p(std::exp(-std::fabs(s))); }

void logits(void **) {
    static const int64_t lengths[] = {1, 3, 8, 1000, 16384, 16385, 40000};
    for (int i = 0; i < 14; i++) {
        state = uint64_t(i) + 25000;
        const int64_t n = lengths[i / 2];
        Floats s(n, i % 2), alone(1), both(1), gradient(n), gradient_alone(n, 1);
        for (float &v : s.x) v *= 30;
        s.write();
        const Workspace workspace(gan_launch_logits_loss_workspace(n));
        const gan_launch_logits_loss_args shared = {s.data(), n,       0.9f,
                                                    nullptr,  nullptr, workspace.data()};
        gan_launch_logits_loss_args a = shared;
        a.loss = both.data(), a.gradient = gradient.data();
        const long before = simt_count().kernels;
        expect_launched(gan_launch_logits_loss(&a, nullptr));
        assert_int_equal(simt_count().kernels - before, n <= 16384 ? 1 : 2);
        a.gradient = nullptr, a.loss = alone.data();
        expect_launched(gan_launch_logits_loss(&a, nullptr));
        a.loss = nullptr, a.gradient = gradient_alone.data();
        expect_launched(gan_launch_logits_loss(&a, nullptr));
        double loss = 0;
        std::vector<double> d;
        for (const float v : s.x) {
            loss += (softplus(double(v)) - double(0.9f) * double(v)) / double(n);
            d.push_back((1 / (1 + std::exp(-double(v))) - double(0.9f)) / double(n));
        }
        expect_near(both.read(), {loss}, 0, i);
        expect_near(alone.read(), {loss}, 0, i);
        expect_near(gradient.read(), d, 1e-7 / double(n), i);
        assert_memory_equal(gradient.read().data(), gradient_alone.read().data(), size_t(n) * 4);
    }
}

/* A label that is no class chooses nothing. */
void labels(void **) {
    static const int32_t label[] = {2, -1, 0, 5, 4, INT32_MIN, INT32_MAX};
    enum { ROWS = 7, CLASSES = 5 };
    state = 27000;
    Floats l(ROWS * CLASSES, 1), loss(1), gradient(ROWS * CLASSES, 1);
    const Array<int32_t> index(std::vector<int32_t>(label, label + ROWS));
    gan_launch_softmax_loss_args a = {l.data(), index.data(), ROWS, CLASSES, nullptr};
    assert_int_equal(gan_launch_softmax_loss_workspace(&a), 0);
    expect_launched(gan_launch_softmax_loss(loss.data(), &a, nullptr));
    expect_launched(gan_launch_softmax_loss_grad(gradient.data(), &a, nullptr));
    double wanted = 0;
    std::vector<double> d;
    for (int r = 0; r < ROWS; r++) {
        const float *x = &l.x[size_t(r * CLASSES)];
        double most = -INFINITY, sum = 0;
        for (int k = 0; k < CLASSES; k++) most = std::fmax(most, double(x[k]));
        for (int k = 0; k < CLASSES; k++) sum += std::exp(double(x[k]) - most);
        const bool there = label[r] >= 0 && label[r] < CLASSES;
        wanted += (std::log(sum) - (there ? double(x[label[r]]) - most : 0)) / ROWS;
        for (int k = 0; k < CLASSES; k++)
            d.push_back((std::exp(double(x[k]) - most) / sum - (k == label[r])) / ROWS);
    }
    expect_near(loss.read(), {wanted}, 0, 0);
    expect_near(gradient.read(), d, 1e-7, 0);
}

/* ---- noise and mini-batches ---- */

/* The same numbers at any address, and of any length. */
void noise(void **) {
    const Array<int64_t> counter({77});
    const gan_launch_source from = {5, 3, counter.data()};
    for (int i = 0; i < 20; i++) {
        state = uint64_t(i) + 29000;
        const int64_t n = pick(0, 2000);
        Floats a(n + 9), b(n, pick(1, 3));
        if (i % 2) {
            expect_launched(gan_launch_random_normal(a.data(), 0, n + 9, 1, 3, from, nullptr));
            expect_launched(gan_launch_random_normal(b.data(), 0, n, 1, 3, from, nullptr));
        } else {
            expect_launched(gan_launch_random_uniform(a.data(), 0, n + 9, -1, 3, from, nullptr));
            expect_launched(gan_launch_random_uniform(b.data(), 0, n, -1, 3, from, nullptr));
        }
        const std::vector<float> whole = a.read(), part = b.read();
        for (int64_t k = 0; k < n; k++) assert_true(same(whole[size_t(k)], part[size_t(k)]));
    }
}

void absent_examples(void **) {
    enum { EXAMPLES = 3, H = 2, W = 4, C = 3, SIZE = H * W * C };
    static const int32_t list[] = {1, -1, 2, 3, INT32_MIN, 0, INT32_MAX};
    enum { BATCH = sizeof list / sizeof *list };
    std::vector<uint8_t> pixels;
    state = 31000;
    for (int i = 0; i < EXAMPLES * SIZE; i++) pixels.push_back(uint8_t(draw()));
    const Array<uint8_t> data(pixels);
    const Array<int32_t> index(std::vector<int32_t>(list, list + BATCH));
    const Array<int64_t> counter({9});
    for (int i = 0; i < 4; i++) {
        const bool bf16 = i & 1;
        const size_t size = bf16 ? 2 : 4;
        const Place out(BATCH * SIZE * size, size_t(i / 2) * size);
        gan_launch_minibatch_args a = {};
        a.data = data.data(), a.index = index.data(), a.out = out.data(), a.bf16 = bf16;
        a.examples = EXAMPLES, a.batch = BATCH, a.height = H, a.width = W, a.channels = C;
        a.scale = 0.5f, a.shift = 1, a.from = {1, 2, counter.data()};
        expect_launched(gan_launch_minibatch(&a, nullptr));
        std::vector<double> wanted;
        for (const int32_t e : list)
            for (int k = 0; k < SIZE; k++)
                wanted.push_back(e < 0 || e >= EXAMPLES
                                     ? 0
                                     : stored(0.5f * pixels[size_t(e * SIZE + k)] + 1, bf16));
        expect_near(floats(out, bf16), wanted, 0, i);
    }
}

/* ---- updates ---- */

/* The copy in bf16 is what was stored as f32, rounded once. */
void expect_rounded(const Place &copy, const std::vector<float> &weight, int i) {
    const std::vector<float> half = floats(copy, true);
    assert_int_equal(half.size(), weight.size());
    for (size_t k = 0; k < half.size(); k++)
        if (!same(half[k], stored(weight[k], true))) fail_msg("%d: copy of element %zu", i, k);
}

gan_launch_pieces one_piece(const Floats &g) {
    gan_launch_pieces a = {};
    a.n = 1;
    a.piece[0] = {g.data(), int64_t(g.x.size()), 0, 0};
    return a;
}

/* Bias correction over the whole range of t, and at betas of 0 and next to 1. */
void adam(void **) {
    static const int64_t iterations[] = {0, 1, 10, 5000, 100000000};
    static const double betas[][2] = {{0.5, 0.999}, {0, 0.99}, {0.9, 0.999999}};
    for (int i = 0; i < 30; i++) {
        state = uint64_t(i) + 33000;
        const int64_t n = i % 2 ? 1031 : 64;
        Floats w(n, i % 2), m(n), v(n), g(n), rate(1);
        for (float &e : v.x) e = std::fabs(e);
        rate.x[0] = 0.25f;
        v.write(), rate.write();
        const Array<int64_t> counter({iterations[i / 2 % 5]});
        const double *beta = betas[i / 10], t = double(iterations[i / 2 % 5]) * 2 + 1 + 1;
        const Place copy(size_t(n) * 2, i % 4 == 2 ? 2 : 0);
        const gan_launch_pieces gradient = one_piece(g);
        const gan_launch_adam_args a = {w.data(),
                                        m.data(),
                                        v.data(),
                                        &gradient,
                                        n,
                                        rate.data(),
                                        counter.data(),
                                        2,
                                        1,
                                        beta[0],
                                        beta[1],
                                        1e-3,
                                        i % 3 ? copy.data() : nullptr};
        std::vector<double> weight, first, second;
        for (size_t k = 0; k < size_t(n); k++) {
            first.push_back(beta[0] * double(m.x[k]) + (1 - beta[0]) * double(g.x[k]));
            second.push_back(beta[1] * double(v.x[k]) +
                             (1 - beta[1]) * std::pow(double(g.x[k]), 2));
            const double along = first[k] / (1 - std::pow(beta[0], t)),
                         size = second[k] / (1 - std::pow(beta[1], t));
            weight.push_back(double(w.x[k]) - 0.25 * along / (std::sqrt(size) + 1e-3));
        }
        expect_launched(gan_launch_adam(&a, nullptr));
        expect_near(m.read(), first, 1e-6, i);
        expect_near(v.read(), second, 1e-6, i);
        expect_near(w.read(), weight, 2e-6, i);
        if (i % 3) expect_rounded(copy, w.read(), i);
    }
}

void flat_passes(void **) {
    for (int i = 0; i < 20; i++) {
        state = uint64_t(i) + 35000;
        const int64_t n = pick(0, 5000);
        Floats w(n, pick(0, 3)), v(n, pick(0, 1)), g(n, pick(0, 1));
        Floats rate(1), kept(1);
        std::vector<double> weight, velocity, average;
        for (size_t k = 0; k < size_t(n); k++) {
            velocity.push_back(double(kept.x[0]) * double(v.x[k]) -
                               double(rate.x[0]) * double(g.x[k]));
            weight.push_back(double(w.x[k]) + velocity[k]);
            average.push_back(double(kept.x[0]) * weight[k] +
                              (1 - double(kept.x[0])) * double(g.x[k]));
        }
        const Place copy(size_t(n) * 2, i % 4 == 2 ? 2 : 0);
        const gan_launch_pieces gradient = one_piece(g);
        expect_launched(gan_launch_momentum(w.data(), v.data(), &gradient, n, rate.data(),
                                            kept.data(), i % 3 ? copy.data() : nullptr, nullptr));
        expect_near(w.read(), weight, 1e-6, i);
        if (i % 3) expect_rounded(copy, w.read(), i);
        expect_near(v.read(), velocity, 1e-6, i);
        expect_launched(gan_launch_moving_average(w.data(), g.data(), kept.data(), n, nullptr));
        expect_near(w.read(), average, 1e-6, i);
    }
}

/* A gradient that lies in pieces, of both types and at odd addresses; some are empty. */
struct Pieces {
    std::deque<Place> place;
    std::vector<float> x; // the whole of it
    gan_launch_pieces a = {};

    void add(int64_t n, bool bf16, int64_t shift) {
        const size_t size = bf16 ? 2 : 4;
        std::vector<unsigned char> bytes(size_t(n) * size);
        a.piece[a.n] = {nullptr, n, uint32_t(x.size() / 16), bf16};
        for (size_t e = 0; e < size_t(n); e++) {
            const float value = number();
            const __nv_bfloat16 half = __float2bfloat16_rn(value);
            memcpy(&bytes[e * size], bf16 ? static_cast<const void *>(&half) : &value, size);
            x.push_back(stored(value, bf16));
        }
        x.resize((x.size() + 15) / 16 * 16, 0.0f);
        place.emplace_back(bytes.size(), size * size_t(shift));
        place.back().write(bytes.data());
        a.piece[a.n++].data = place.back().data();
    }
};

/* The same bits as with the gradient in one vector. */
void unpacked(void **) {
    for (int i = 0; i < 24; i++) {
        state = uint64_t(i) + 43000;
        Pieces g;
        g.add(33, true, 0);
        const int64_t most = i % 3 == 0 ? int64_t(GAN_LAUNCH_PIECES) : pick(1, 12);
        while (g.a.n < most)
            g.add(pick(0, 3) ? pick(0, 70) : pick(0, 2000), pick(0, 1),
                  pick(0, 3) ? 0 : pick(1, 3));
        const int64_t n = int64_t(g.x.size()), shift = i % 4 == 1;
        Floats whole(n), rate(1), kept(1);
        whole.x = g.x;
        whole.write();
        const gan_launch_pieces flat = one_piece(whole);
        const Array<int64_t> counter({7});
        std::vector<float> weight[2], first[2], second[2], copied[2];
        for (int packed = 0; packed < 2; packed++) {
            state = uint64_t(i) + 44000;
            Floats w(n, shift), m(n), v(n);
            for (float &e : v.x) e = std::fabs(e);
            v.write();
            const Place copy(size_t(n) * 2, 0);
            const gan_launch_adam_args a = {
                w.data(),   m.data(),    v.data(),       packed ? &flat : &g.a,
                n,          rate.data(), counter.data(), 1,
                0,          0.5,         0.99,           1e-3,
                copy.data()};
            if (i % 2)
                expect_launched(gan_launch_adam(&a, nullptr));
            else
                expect_launched(gan_launch_momentum(a.weight, a.first, a.gradient, n, a.rate,
                                                    kept.data(), copy.data(), nullptr));
            weight[packed] = w.read(), first[packed] = m.read(), second[packed] = v.read();
            copied[packed] = floats(copy, true);
        }
        const size_t bytes = size_t(n) * sizeof(float);
        assert_memory_equal(weight[0].data(), weight[1].data(), bytes);
        assert_memory_equal(first[0].data(), first[1].data(), bytes);
        assert_memory_equal(second[0].data(), second[1].data(), bytes);
        assert_memory_equal(copied[0].data(), copied[1].data(), bytes);
    }
}

/* Pieces that are there already, pieces at odd addresses, and nothing in the gaps but zeros. */
void pieces(void **) {
    for (int i = 0; i < 30; i++) {
        state = uint64_t(i) + 37000;
        int64_t length[GAN_LAUNCH_PACK_PIECES], padded[GAN_LAUNCH_PACK_PIECES], total = 0;
        const int n = int(pick(1, GAN_LAUNCH_PACK_PIECES));
        for (int k = 0; k < n; k++) {
            length[k] = pick(0, 3) ? pick(0, 70) : pick(0, 5000);
            padded[k] = (length[k] + 15) / 16 * 16;
            total += padded[k];
        }
        Floats all(total), source(total, pick(0, 3));
        std::vector<double> wanted;
        gan_launch_pack_args a = {};
        for (int k = 0; k < n; k++) {
            const int64_t at = int64_t(wanted.size()), from = pick(0, at);
            const bool there = pick(0, 2) == 0;
            a.piece[a.n_pieces].to = all.data() + at;
            a.piece[a.n_pieces].from = there ? nullptr : source.data() + from;
            a.piece[a.n_pieces].n = length[k];
            a.piece[a.n_pieces++].padded = padded[k];
            for (int64_t e = 0; e < padded[k]; e++)
                wanted.push_back(e >= length[k] ? 0
                                                : double(there ? all.x[size_t(at + e)]
                                                               : source.x[size_t(from + e)]));
        }
        expect_launched(gan_launch_pack(&a, nullptr));
        expect_near(all.read(), wanted, 0, i);
    }
}

/* A matrix of zeros has no direction: eps keeps the vectors finite. */
void power(void **) {
    for (int i = 0; i < 8; i++) {
        state = uint64_t(i) + 39000;
        gan_launch_power_args a = {};
        a.rows = pick(1, 150), a.columns = pick(1, 50) * 4 + i % 2, a.eps = 1e-6;
        Floats u(a.rows, 1), v(a.columns, pick(0, 1)), w(a.rows * a.columns);
        if (i < 2) std::fill(w.x.begin(), w.x.end(), 0.0f);
        w.write();
        const Workspace workspace(gan_launch_power_workspace(&a));
        a.u = u.data(), a.v = v.data(), a.w = w.data(), a.workspace = workspace.data();
        expect_launched(gan_launch_power_iteration(&a, nullptr));
        std::vector<double> right(size_t(a.columns), 0.0), left(size_t(a.rows), 0.0);
        double norm = 0;
        for (int64_t e = 0; e < a.rows * a.columns; e++)
            right[size_t(e % a.columns)] +=
                double(w.x[size_t(e)]) * double(u.x[size_t(e / a.columns)]);
        for (const double e : right) norm += e * e;
        for (double &e : right) e /= std::fmax(std::sqrt(norm), a.eps);
        norm = 0;
        for (int64_t e = 0; e < a.rows * a.columns; e++)
            left[size_t(e / a.columns)] += double(w.x[size_t(e)]) * right[size_t(e % a.columns)];
        for (const double e : left) norm += e * e;
        for (double &e : left) e /= std::fmax(std::sqrt(norm), a.eps);
        expect_near(v.read(), right, 1e-5, i);
        expect_near(u.read(), left, 1e-5, i);
    }
}

} // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(maxima), cmocka_unit_test(moments),
        cmocka_unit_test(logits), cmocka_unit_test(labels),
        cmocka_unit_test(noise),  cmocka_unit_test(absent_examples),
        cmocka_unit_test(adam),   cmocka_unit_test(flat_passes),
        cmocka_unit_test(pieces), cmocka_unit_test(unpacked),
        cmocka_unit_test(power),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
