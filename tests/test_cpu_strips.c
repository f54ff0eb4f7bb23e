/* What products and convolutions are made of, for every instruction set that this processor has:
 * the loops of simd_product.c and of short rows, and the ways that are built on them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/conv.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

enum { GUARD = 8 };
static const float POISON = -12345.0f;

static float number(int64_t i) {
    uint32_t x = (uint32_t)i * 2654435761u;
    x = (x ^ x >> 15) * 2246822519u;
    return (float)(x >> 8) / (float)(1 << 23) - 1.0f;
}

static float *numbers(int64_t n) {
    float *x = malloc((size_t)(n + GUARD) * sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n + GUARD; i++) x[i] = number(i);
    return x;
}

static float *poisoned(int64_t n) {
    float *x = numbers(n);
    for (int64_t i = 0; i < n + GUARD; i++) x[i] = POISON;
    return x;
}

static void close_to(double given, double expected, double terms, const char *name) {
    if (!(fabs(given - expected) <= 2e-7 * (terms + 1) + 2e-6 * fabs(expected)))
        fail_msg("%s: %.9g, not %.9g", name, given, expected);
}

/* ---- loops ---- */

/* c (m,n) in rows of n + 3, before and after which nothing changes. */
static void check_strip(const gan_cpu_simd *simd, int64_t m, int64_t n, int64_t k, bool transposed,
                        bool add) {
    const int64_t strip = simd->product->strip, ldc = n + 3, lda = (transposed ? m : k) + 2;
    float *a = numbers(transposed ? k * lda : m * lda), *b = numbers(k * strip),
          *c = poisoned(m * ldc);
    const gan_cpu_strip s = {a, b, c, m, n, k, lda, ldc, transposed, add};
    simd->product->product(&s);
    for (int64_t i = 0; i < m; i++)
        for (int64_t j = 0; j < ldc; j++) {
            double sum = add ? (double)POISON : 0;
            for (int64_t p = 0; p < k; p++)
                sum += (double)a[transposed ? p * lda + i : i * lda + p] *
                       (double)b[p * strip + j % strip];
            if (j < n)
                close_to((double)c[i * ldc + j], sum, add ? 20000 : (double)k, simd->name);
            else
                assert_true(c[i * ldc + j] == POISON);
        }
    for (int i = 0; i < GUARD; i++) assert_true(c[m * ldc + i] == POISON);
    free(a), free(b), free(c);
}

static void strips_of_every_width(void **state) {
    (void)state;
    const gan_cpu_simd *simd;
    for (int set = 0; (simd = gan_cpu_simd_at(set)) != NULL; set++)
        for (int64_t n = 1; n <= simd->product->strip; n++)
            for (int64_t m = n % 3; m < 15; m += 4)
                for (int flags = 0; flags < 4; flags++)
                    check_strip(simd, m, n, n % 5 * 9, flags & 1, flags & 2);
}

static void sums_and_differences(void **state) {
    (void)state;
    enum { GROUPS = 3, PITCH = 80, STRIDE = 75, MOST = 70 };
    const gan_cpu_simd *simd;
    float *x = numbers(8 * GROUPS * STRIDE);
    const float *of[4] = {x, x + 5, x + 300, x + 77};
    for (int set = 0; (simd = gan_cpu_simd_at(set)) != NULL; set++)
        for (int64_t n = 0; n <= MOST; n += 1 + n / 20)
            for (int terms = 0; terms <= 4; terms += terms == 2 ? 2 : 1) { /* 0: a difference */
                float *y = poisoned(GROUPS * PITCH);
                if (terms == 0)
                    simd->product->difference(y, PITCH, of[0], of[1], STRIDE, GROUPS, n);
                else
                    simd->product->sum(y, PITCH, of, terms, STRIDE, GROUPS, n);
                for (int64_t g = 0; g < GROUPS; g++)
                    for (int64_t i = 0; i < PITCH; i++) {
                        float expected = terms == 0 ? of[0][g * STRIDE + i] - of[1][g * STRIDE + i]
                                                    : of[0][g * STRIDE + i];
                        if (terms == 2) expected += of[1][g * STRIDE + i];
                        if (terms == 4)
                            expected = (expected + of[1][g * STRIDE + i]) +
                                       (of[2][g * STRIDE + i] + of[3][g * STRIDE + i]);
                        if (i >= n) expected = POISON;
                        assert_true(y[g * PITCH + i] == expected);
                    }
                free(y);
            }
    free(x);
}

static void transposes(void **state) {
    (void)state;
    const gan_cpu_simd *simd;
    for (int set = 0; (simd = gan_cpu_simd_at(set)) != NULL; set++)
        for (int64_t rows = 0; rows < 40; rows += 1 + rows / 6)
            for (int64_t columns = 0; columns < 40; columns += 1 + columns / 6) {
                float *x = numbers(40 * 45), *y = poisoned(40 * 43);
                simd->product->transpose(y, 43, x, 45, rows, columns);
                for (int64_t c = 0; c < 40; c++)
                    for (int64_t r = 0; r < 43; r++)
                        assert_true(y[c * 43 + r] ==
                                    (c < columns && r < rows ? x[r * 45 + c] : POISON));
                free(x), free(y);
            }
}

static void short_rows(void **state) {
    (void)state;
    const gan_cpu_simd *simd;
    for (int set = 0; (simd = gan_cpu_simd_at(set)) != NULL; set++)
        for (int64_t n = 0; n <= 16; n++)
            for (int64_t rows = 0; rows < 50; rows += 1 + rows / 5) {
                float *x = numbers(rows * n), *sum = poisoned(rows), *max = poisoned(rows);
                if (rows * n > 3) x[3] = NAN; /* which is no maximum unless alone */
                simd->reduce->row_sums(sum, x, rows, n);
                simd->reduce->row_maxima(max, x, rows, n);
                for (int64_t r = 0; r < rows; r++) {
                    float s = 0.0f, m = -INFINITY;
                    for (int64_t i = 0; i < n; i++) {
                        s += x[r * n + i];
                        m = fmaxf(m, x[r * n + i]);
                    }
                    assert_true(sum[r] == s || (isnan(s) && isnan(sum[r])));
                    assert_true(max[r] == m);
                }
                assert_true(sum[rows] == POISON && max[rows] == POISON);
                free(x), free(sum), free(max);
            }
}

/* ---- what is built on them, by instruction sets that the device would not choose ---- */

static void run(const gan_cpu_simd *simd, const gan_kernel *kernel, gan_node *node,
                const gan_array *operands, gan_shape shape, float *out) {
    gan_device *device;
    assert_int_equal(gan_device_open(&device, "cpu", &(gan_device_options){.threads = 2}), GAN_OK);
    ((gan_cpu_device *)(void *)device)->simd = simd;
    gan_array in[2] = {operands[0], operands[1]};
    gan_call call = {.node = node, .n_in = 2, .in = in, .out = {out, GAN_F32, shape}};
    node->shape = shape;
    assert_int_equal(kernel->prepare(device, &call), GAN_OK);
    call.workspace = malloc(call.workspace_bytes + 1);
    assert_non_null(call.workspace);
    memset(call.workspace, 0xff, call.workspace_bytes); /* NaN */
    assert_int_equal(kernel->run(device, &call), GAN_OK);
    kernel->release(device, &call);
    free(call.workspace);
    gan_device_close(device);
}

static void products_by_every_set(void **state) {
    (void)state;
    enum { M = 67, N = 203, K = 611 };
    float *a = numbers(M * K), *b = numbers(N * K), *c = poisoned(M * N);
    const gan_array in[2] = {{a, GAN_F32, gan_shape2(M, K)}, {b, GAN_F32, gan_shape2(N, K)}};
    gan_node node = {.op = GAN_OP_matmul};
    node.attr.transpose.b = true;
    const gan_cpu_simd *simd;
    for (int set = 0; (simd = gan_cpu_simd_at(set)) != NULL; set++) {
        run(simd, &gan_cpu_matmul, &node, in, gan_shape2(M, N), c);
        for (int i = 0; i < M; i++)
            for (int j = 0; j < N; j++) {
                double sum = 0;
                for (int p = 0; p < K; p++) sum += (double)a[i * K + p] * (double)b[j * K + p];
                close_to((double)c[i * N + j], sum, K, simd->name);
            }
    }
    free(a), free(b), free(c);
}

/* The three kinds, against the form Σ dy·x·w that they are the faces of: each result, times the
 * operand that it is the gradient of, gives the same number. */
static void phases_by_every_set(void **state) {
    (void)state;
    const gan_shape y = gan_shape4(3, 5, 6, 72), x = gan_shape4(3, 10, 13, 40),
                    w = gan_shape4(72, 4, 4, 40);
    const gan_shape shape[3] = {y, x, w};
    static const gan_op_id op[3] = {GAN_OP_conv2d, GAN_OP_conv2d_grad_input,
                                    GAN_OP_conv2d_grad_weight};
    gan_array v[3];
    for (int i = 0; i < 3; i++)
        v[i] = (gan_array){numbers(gan_shape_size(shape[i])), GAN_F32, shape[i]};
    double form = 0, scale = 0;
    const float *yd = v[0].data, *xd = v[1].data, *wd = v[2].data;
    for (int64_t at = 0; at < 3 * 5 * 6; at++)
        for (int64_t tap = 0; tap < 16; tap++) {
            const int64_t h = at / 6 % 5 * 2 + tap / 4 - 1, c = at % 6 * 2 + tap % 4 - 1;
            if (h < 0 || h >= 10 || c < 0 || c >= 13) continue;
            for (int64_t k = 0; k < 72; k++)
                for (int64_t i = 0; i < 40; i++) {
                    const double term = (double)yd[at * 72 + k] *
                                        (double)xd[((at / 30 * 10 + h) * 13 + c) * 40 + i] *
                                        (double)wd[(k * 16 + tap) * 40 + i];
                    form += term;
                    scale += fabs(term);
                }
        }
    const gan_cpu_simd *simd;
    for (int set = 0; (simd = gan_cpu_simd_at(set)) != NULL; set++)
        for (int kind = 0; kind < 3; kind++) {
            const gan_array in[2] = {v[kind == GAN_CPU_CONV_DX ? 0 : 1],
                                     v[kind == GAN_CPU_CONV_DW ? 0 : 2]};
            gan_node node = {.op = op[kind]};
            node.attr.window = gan_window_same(2, 1);
            const int64_t n = gan_shape_size(shape[kind]);
            float *out = poisoned(n);
            run(simd, &gan_cpu_conv_by_phases[kind], &node, in, shape[kind], out);
            double product = 0;
            for (int64_t i = 0; i < n; i++)
                product += (double)out[i] * (double)((const float *)v[kind].data)[i];
            if (!(fabs(product - form) <= 1e-8 * scale))
                fail_msg("%s, kind %d: %.12g, not %.12g", simd->name, kind, product, form);
            assert_true(out[n] == POISON);
            free(out);
        }
    for (int i = 0; i < 3; i++) free(v[i].data);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strips_of_every_width),
        cmocka_unit_test(sums_and_differences),
        cmocka_unit_test(transposes),
        cmocka_unit_test(short_rows),
        cmocka_unit_test(products_by_every_set),
        cmocka_unit_test(phases_by_every_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
