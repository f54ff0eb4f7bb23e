/* Launchers that move and convert, over lengths and addresses of every alignment: right to the bit,
 * and nothing written beside. */
#include <utility>

#include "launchers.h"

namespace {

/* ---- what moves ---- */

std::vector<unsigned char> random_bytes(size_t n) {
    std::vector<unsigned char> x(n);
    for (unsigned char &b : x) b = (unsigned char)draw();
    return x;
}

void expect_bytes(const Place &place, const std::vector<unsigned char> &wanted, int i) {
    const std::vector<unsigned char> got = place.read();
    for (size_t k = 0; k < wanted.size(); k++)
        if (got[k] != wanted[k])
            fail_msg("%d: byte %zu is %d, expected %d", i, k, got[k], wanted[k]);
}

void rows(void **) {
    for (int i = 0; i < 200; i++) {
        state = uint64_t(i) + 9000;
        const int64_t unit = int64_t(1) << pick(0, 5);
        gan_launch_rows_args a = {};
        a.rows = pick(0, 40), a.width = pick(0, 20) * unit;
        if (pick(0, 1)) a.before = pick(0, 5) * unit, a.after = pick(0, 5) * unit;
        const int64_t row = a.before + a.width + a.after;
        a.to_pitch = row + (pick(0, 1) ? pick(0, 4) * unit : 0);
        a.from_pitch = a.width + (pick(0, 1) ? pick(0, 4) * unit : 0);
        const size_t shift = pick(0, 2) ? 0 : size_t(unit);
        const Place to(size_t(a.rows * a.to_pitch), shift),
            from(size_t(a.rows * a.from_pitch), shift);
        const std::vector<unsigned char> x = random_bytes(from.bytes);
        std::vector<unsigned char> y(to.bytes, 0xa5);
        from.write(x.data());
        for (int64_t r = 0; r < a.rows; r++)
            for (int64_t b = 0; b < row; b++)
                y[size_t(r * a.to_pitch + b)] = b < a.before || b >= a.before + a.width
                                                    ? 0
                                                    : x[size_t(r * a.from_pitch + b - a.before)];
        a.to = to.data(), a.from = from.data();
        expect_launched(gan_launch_rows(&a, nullptr));
        expect_bytes(to, y, i);
    }
}

void frames(void **) {
    for (int i = 0; i < 100; i++) {
        state = uint64_t(i) + 11000;
        gan_launch_frame_args a = {};
        a.n = pick(0, 3), a.to_h = pick(1, 9), a.to_w = pick(1, 9), a.from_h = pick(1, 9),
        a.from_w = pick(1, 9);
        a.pixel = pick(1, 9) << pick(0, 3), a.top = pick(-3, 3), a.left = pick(-3, 3);
        const Place to(size_t(a.n * a.to_h * a.to_w * a.pixel), 0),
            from(size_t(a.n * a.from_h * a.from_w * a.pixel), 0);
        const std::vector<unsigned char> x = random_bytes(from.bytes);
        std::vector<unsigned char> y;
        from.write(x.data());
        for (int64_t e = 0; e < int64_t(to.bytes); e++) {
            const int64_t b = e % a.pixel, at = e / a.pixel;
            const int64_t w = at % a.to_w - a.left, h = at / a.to_w % a.to_h - a.top,
                          n = at / a.to_w / a.to_h;
            const bool inside = w >= 0 && w < a.from_w && h >= 0 && h < a.from_h;
            y.push_back(inside ? x[size_t(((n * a.from_h + h) * a.from_w + w) * a.pixel + b)] : 0);
        }
        a.to = to.data(), a.from = from.data();
        expect_launched(gan_launch_frame(&a, nullptr));
        expect_bytes(to, y, i);
    }
}

void permutations(void **) {
    static const int64_t lengths[] = {2, 3, 4, 8, 16, 31, 33, 65};
    for (int i = 0; i < 150; i++) {
        state = uint64_t(i) + 13000;
        gan_launch_permute_args a = {};
        int64_t dim[GAN_LAUNCH_PERMUTE_AXES], stride[GAN_LAUNCH_PERMUTE_AXES], size = 1;
        int order[GAN_LAUNCH_PERMUTE_AXES];
        a.rank = int(pick(1, GAN_LAUNCH_PERMUTE_AXES)), a.bytes = 1 << pick(0, 3);
        for (int k = 0; k < a.rank; k++) {
            dim[k] = lengths[pick(0, 7)];
            if (size * dim[k] > 20000) dim[k] = 2;
            size *= dim[k], order[k] = k;
        }
        for (int k = a.rank - 1, step = 1; k >= 0; step *= int(dim[k--])) stride[k] = step;
        for (int k = a.rank - 1; k > 0; k--) std::swap(order[k], order[pick(0, k)]);
        for (int k = 0; k < a.rank; k++)
            a.length[k] = dim[order[k]], a.stride[k] = stride[order[k]];
        const size_t shift = pick(0, 2) ? 0 : size_t(a.bytes), bytes = size_t(a.bytes);
        const Place to(size_t(size) * bytes, shift), from(size_t(size) * bytes, 0);
        const std::vector<unsigned char> x = random_bytes(from.bytes);
        std::vector<unsigned char> y(to.bytes);
        from.write(x.data());
        for (int64_t e = 0; e < size; e++) {
            int64_t rest = e, at = 0;
            for (int k = a.rank - 1; k >= 0; k--)
                at += rest % a.length[k] * a.stride[k], rest /= a.length[k];
            memcpy(&y[size_t(e) * bytes], &x[size_t(at) * bytes], bytes);
        }
        a.to = to.data(), a.from = from.data();
        expect_launched(gan_launch_permute(&a, nullptr));
        expect_bytes(to, y, i);
    }
}

void gathers(void **) {
    for (int i = 0; i < 100; i++) {
        state = uint64_t(i) + 15000;
        const int64_t m = pick(0, 400), rows = pick(0, 2) ? pick(1, 30) : pick(0, 400),
                      n = pick(1, 30) * (1 << pick(0, 5));
        const size_t shift = pick(0, 2) ? 0 : 4;
        const Place table(size_t(rows * n) * 4, shift), x(size_t(m * n) * 4, shift),
            indices(size_t(m) * 4, 0);
        const Place taken(size_t(m * n) * 4, shift), summed(size_t(rows * n) * 4, shift);
        std::vector<int32_t> index;
        std::vector<float> from(size_t(rows * n)), add(size_t(m * n)), get(size_t(m * n)),
            sum(size_t(rows * n));
        for (float &f : from) f = number();
        for (float &f : add) f = number();
        for (int64_t k = 0; k < m; k++) {
            const int64_t r = pick(-1, rows);
            index.push_back(int32_t(r));
            for (int64_t c = 0; c < n && r >= 0 && r < rows; c++) {
                get[size_t(k * n + c)] = from[size_t(r * n + c)];
                sum[size_t(r * n + c)] += add[size_t(k * n + c)]; /* in the order of the index */
            }
        }
        table.write(from.data()), x.write(add.data()), indices.write(index.data());
        const int32_t *at = static_cast<int32_t *>(indices.data());
        expect_launched(gan_launch_gather(taken.data(), table.data(), at, m, rows, n * 4, nullptr));
        expect_launched(gan_launch_scatter_add(static_cast<float *>(summed.data()),
                                               static_cast<float *>(x.data()), 0, at, m, rows,
                                               n, nullptr));
        const std::vector<float> got = floats(taken, false), total = floats(summed, false);
        for (size_t k = 0; k < get.size(); k++) assert_true(got[k] == get[k]);
        for (size_t k = 0; k < sum.size(); k++) assert_true(total[k] == sum[k]);
    }
}

/* ---- conversions ---- */

template <class T>
void casts_from(gan_launch_type type, double low, double high) {
    for (int i = 0; i < 12; i++) {
        const int64_t n = pick(0, 1) ? pick(0, 40) : pick(1000, 5000);
        const size_t shift = size_t(pick(0, 1));
        const bool bf16 = i % 2;
        std::vector<T> x;
        for (int64_t k = 0; k < n; k++)
            x.push_back(T(float(low + (high - low) * (double(number()) * 0.5 + 0.5))));
        const Place from(x.size() * sizeof(T), shift * sizeof(T)), to(x.size() * (bf16 ? 2 : 4), 0);
        from.write(x.data());
        expect_launched(gan_launch_cast(to.data(), bf16 ? GAN_LAUNCH_BF16 : GAN_LAUNCH_F32,
                                        from.data(), type, n, nullptr));
        const std::vector<float> y = floats(to, bf16);
        for (size_t k = 0; k < y.size(); k++) assert_true(y[k] == stored(float(x[k]), bf16));
    }
}

void conversions(void **) {
    state = 17000;
    casts_from<float>(GAN_LAUNCH_F32, -100, 100);
    casts_from<__nv_bfloat16>(GAN_LAUNCH_BF16, -100, 100);
    casts_from<int32_t>(GAN_LAUNCH_I32, -2e9, 2e9);
    casts_from<int64_t>(GAN_LAUNCH_I64, -9e18, 9e18);
    casts_from<uint8_t>(GAN_LAUNCH_U8, 0, 255);
    for (int i = 0; i < 20; i++) {
        const bool bf16 = i % 2;
        const Place to(size_t(pick(0, 3000)) * (bf16 ? 2 : 4), pick(0, 1) ? 0 : 4);
        expect_launched(gan_launch_fill(to.data(), bf16 ? GAN_LAUNCH_BF16 : GAN_LAUNCH_F32, 0.3f,
                                        int64_t(to.bytes) / (bf16 ? 2 : 4), nullptr));
        for (const float y : floats(to, bf16)) assert_true(y == stored(0.3f, bf16));
    }
}

} // namespace

int main() {
    const CMUnitTest tests[] = {
        cmocka_unit_test(rows),    cmocka_unit_test(frames),      cmocka_unit_test(permutations),
        cmocka_unit_test(gathers), cmocka_unit_test(conversions),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
}
