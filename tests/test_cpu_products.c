/* The ways in which the CPU computes products and convolutions, each on the same shapes, beyond a
 * tile and a chunk too, against loops in double; with and without an epilogue, and whatever the
 * number of threads. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "cpu/conv.h"
#include "cpu/kernels.h"

enum { THREADS = 3, GUARD = 16 };
static const uint32_t POISON = 0x7fc12345u; /* a NaN */
static gan_device *devices[THREADS];

static int open_devices(void **state) {
    (void)state;
    for (int i = 0; i < THREADS; i++)
        if (gan_device_open(&devices[i], "cpu", &(gan_device_options){.threads = i + 1}) != GAN_OK)
            return -1;
    return 0;
}

static int close_devices(void **state) {
    (void)state;
    for (int i = 0; i < THREADS; i++) gan_device_close(devices[i]);
    return 0;
}

/* ---- arrays ---- */

static void *bytes_for(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    assert_non_null(p);
    return p;
}

static gan_array random_array(gan_shape shape) {
    static uint32_t seed = 1;
    const int64_t n = gan_shape_size(shape);
    float *p = bytes_for((size_t)n * sizeof *p);
    for (int64_t i = 0; i < n; i++) {
        seed = seed * 1664525u + 1013904223u;
        p[i] = (float)(seed >> 8) / (float)(1 << 23) - 1.0f;
    }
    return (gan_array){p, GAN_F32, shape};
}

static double *zeros(gan_shape shape) {
    double *p = calloc((size_t)gan_shape_size(shape) + 1, sizeof *p);
    assert_non_null(p);
    return p;
}

static void poison(void *p, size_t words) {
    for (size_t i = 0; i < words; i++) memcpy((char *)p + 4 * i, &POISON, 4);
}

static bool poisoned(const void *p, size_t words) {
    for (size_t i = 0; i < words; i++)
        if (memcmp((const char *)p + 4 * i, &POISON, 4) != 0) return false;
    return true;
}

/* ---- a kernel, run as the device would run it ---- */

/* leaky_relu(result + bias), bias a third operand that lies along the last axis. */
static gan_pointwise_program bias_and_slope = {
    .n_inputs = 2,
    .n_steps = 2,
    .step = {{GAN_FN_add, {0, 1}, 0.0f}, {GAN_FN_leaky_relu, {2, 0}, 0.2f}}};

static void follow(double *y, gan_shape shape, const gan_array *bias) {
    const int64_t n = gan_shape_size(shape), last = shape.dim[shape.rank - 1];
    for (int64_t i = 0; i < n; i++) {
        y[i] += ((const float *)bias->data)[i % last];
        if (y[i] < 0) y[i] *= (double)0.2f;
    }
}

static gan_array bias_for(gan_shape shape) {
    for (int i = 0; i + 1 < shape.rank; i++) shape.dim[i] = 1;
    return random_array(shape);
}

/* Runs it twice on every device. terms: how many products an element sums. */
static void check(const gan_kernel *kernel, gan_node *node, int n_in, const gan_array *operands,
                  gan_shape shape, const double *expected, int64_t terms) {
    const size_t n = (size_t)gan_shape_size(shape);
    const double tolerance = 2e-6 * sqrt((double)terms + 1);
    float *out[THREADS];
    node->shape = shape;
    for (int d = 0; d < THREADS; d++) {
        gan_array in[3];
        for (int i = 0; i < n_in; i++) in[i] = (gan_array){NULL, GAN_F32, operands[i].shape};
        gan_call call = {.node = node, .n_in = n_in, .in = in, .out = {NULL, GAN_F32, shape}};
        assert_int_equal(kernel->prepare(devices[d], &call), GAN_OK);
        for (int i = 0; i < n_in; i++) in[i].data = operands[i].data;
        call.workspace = bytes_for(call.workspace_bytes + 4 * GUARD);
        poison(call.workspace, call.workspace_bytes / 4 + GUARD);
        out[d] = call.out.data = bytes_for((n + GUARD) * sizeof(float));
        for (int run = 0; run < 2; run++) {
            poison(out[d], n + GUARD);
            assert_int_equal(kernel->run(devices[d], &call), GAN_OK);
            for (size_t i = 0; i < n; i++)
                if (!(fabs((double)out[d][i] - expected[i]) <= tolerance * (1 + fabs(expected[i]))))
                    fail_msg("element %zu of %zu is %.9g, not %.9g; %d threads", i, n,
                             (double)out[d][i], expected[i], d + 1);
        }
        assert_true(poisoned(out[d] + n, GUARD));
        assert_true(poisoned((char *)call.workspace + call.workspace_bytes, GUARD));
        if (kernel->release != NULL) kernel->release(devices[d], &call);
        free(call.workspace);
        if (d > 0) assert_memory_equal(out[0], out[d], n * sizeof(float));
    }
    for (int d = 0; d < THREADS; d++) free(out[d]);
}

/* ---- products ---- */

static void check_matmul(int64_t m, int64_t n, int64_t k, bool ta, bool tb, bool epilogue) {
    const gan_shape shape = gan_shape2(m, n);
    gan_array in[3] = {random_array(ta ? gan_shape2(k, m) : gan_shape2(m, k)),
                       random_array(tb ? gan_shape2(n, k) : gan_shape2(k, n)), bias_for(shape)};
    const float *a = in[0].data, *b = in[1].data;
    double *y = zeros(shape);
    for (int64_t i = 0; i < m; i++)
        for (int64_t l = 0; l < k; l++)
            for (int64_t j = 0; j < n; j++)
                y[i * n + j] +=
                    (double)a[ta ? l * m + i : i * k + l] * b[tb ? j * k + l : l * n + j];
    if (epilogue) follow(y, shape, &in[2]);
    gan_node node = {.op = GAN_OP_matmul, .program = epilogue ? &bias_and_slope : NULL};
    node.attr.transpose.a = ta, node.attr.transpose.b = tb;
    check(&gan_cpu_matmul, &node, epilogue ? 3 : 2, in, shape, y, k);
    for (int i = 0; i < 3; i++) free(in[i].data);
    free(y);
}

static void products_beyond_tiles_and_chunks(void **state) {
    (void)state;
    static const int64_t size[][3] = {{1, 1, 1},       {0, 3, 2},       {3, 5, 0},
                                      {129, 257, 101}, {300, 520, 140}, {33, 40, 9001},
                                      {1, 300, 7000},  {400, 90, 700},  {17, 16, 1500},
                                      {200, 1, 31},    {64, 130, 4100}, {128, 785, 120}};
    for (size_t i = 0; i < sizeof size / sizeof *size; i++)
        for (int t = 0; t < 8; t++)
            check_matmul(size[i][0], size[i][1], size[i][2], t & 1, t & 2, t & 4);
}

/* ---- convolutions ---- */

typedef struct conv_case {
    int64_t n, h, w, c, k, r, s;
    gan_window window;
} conv_case;

static void check_conv(const conv_case *z, bool epilogue) {
    const gan_window *g = &z->window;
    const int64_t p = (z->h + g->top + g->bottom - z->r) / g->stride_h + 1;
    const int64_t q = (z->w + g->left + g->right - z->s) / g->stride_w + 1;
    const gan_shape shape[3] = {
        gan_shape4(z->n, p, q, z->k), gan_shape4(z->n, z->h, z->w, z->c),
        gan_shape4(z->k, z->r, z->s, z->c)}; /* of y, x, w: the results of the three kinds */
    const gan_array y = random_array(shape[0]), x = random_array(shape[1]),
                    w = random_array(shape[2]);
    const float *yd = y.data, *xd = x.data, *wd = w.data;
    double *expected[3] = {zeros(shape[0]), zeros(shape[1]), zeros(shape[2])};
    for (int64_t at = 0; at < z->n * p * q; at++)
        for (int64_t tap = 0; tap < z->r * z->s; tap++) {
            const int64_t h = at / q % p * g->stride_h + tap / z->s - g->top;
            const int64_t v = at % q * g->stride_w + tap % z->s - g->left;
            if (h < 0 || h >= z->h || v < 0 || v >= z->w) continue;
            for (int64_t k = 0; k < z->k; k++)
                for (int64_t c = 0; c < z->c; c++) {
                    const int64_t yi = at * z->k + k,
                                  xi = ((at / (p * q) * z->h + h) * z->w + v) * z->c + c;
                    const int64_t wi = (k * z->r * z->s + tap) * z->c + c;
                    expected[0][yi] += (double)xd[xi] * wd[wi];
                    expected[1][xi] += (double)yd[yi] * wd[wi];
                    expected[2][wi] += (double)yd[yi] * xd[xi];
                }
        }
    static const gan_op_id op[3] = {GAN_OP_conv2d, GAN_OP_conv2d_grad_input,
                                    GAN_OP_conv2d_grad_weight};
    const gan_kernel *own[3] = {&gan_cpu_conv2d, &gan_cpu_conv2d_grad_input,
                                &gan_cpu_conv2d_grad_weight};
    const int64_t terms[3] = {z->r * z->s * z->c, z->r * z->s * z->k, z->n * p * q};
    for (int kind = 0; kind < 3; kind++) {
        const bool follows = epilogue && kind != GAN_CPU_CONV_DW;
        const gan_array bias = bias_for(shape[kind]);
        const gan_array in[3] = {kind == GAN_CPU_CONV_DX ? y : x, kind == GAN_CPU_CONV_DW ? y : w,
                                 bias};
        if (follows) follow(expected[kind], shape[kind], &bias);
        gan_node node = {.op = op[kind], .program = follows ? &bias_and_slope : NULL};
        node.attr.window = *g;
        const gan_kernel *ways[4] = {own[kind], &gan_cpu_conv_by_windows[kind],
                                     &gan_cpu_conv_by_taps[kind], &gan_cpu_conv_by_phases[kind]};
        for (int way = 0; way < 4; way++)
            check(ways[way], &node, follows ? 3 : 2, in, shape[kind], expected[kind], terms[kind]);
        free(bias.data);
        free(expected[kind]);
    }
    free(y.data), free(x.data), free(w.data);
}

static void convolutions_by_every_way(void **state) {
    (void)state;
    static const conv_case cases[] = {
        {1, 1, 1, 1, 1, 1, 1, {1, 1, 0, 0, 0, 0}},
        {0, 8, 8, 16, 32, 4, 4, {2, 2, 1, 1, 1, 1}},
        {3, 8, 8, 1, 8, 4, 4, {2, 2, 1, 1, 1, 1}},
        {2, 8, 8, 3, 64, 4, 4, {2, 2, 1, 1, 1, 1}},
        {5, 4, 4, 32, 1, 4, 4, {1, 1, 0, 0, 0, 0}},
        {3, 1, 1, 100, 32, 4, 4, {1, 1, 3, 3, 3, 3}},
        {6, 5, 6, 32, 48, 1, 1, {1, 1, 0, 0, 0, 0}},
        {2, 9, 5, 17, 19, 2, 3, {2, 1, 0, 1, 2, 0}},
        {2, 7, 7, 16, 16, 3, 3, {3, 3, 2, 1, 0, 2}},
        {33, 4, 4, 64, 130, 4, 4, {2, 2, 1, 1, 1, 1}},
        {40, 8, 8, 32, 64, 4, 4, {2, 2, 1, 1, 1, 1}},
        {16, 14, 14, 16, 128, 4, 4, {2, 2, 1, 1, 1, 1}},
        {8, 16, 16, 64, 3, 3, 3, {1, 1, 1, 1, 1, 1}},
        {2, 5, 5, 20, 24, 5, 5, {2, 2, 2, 1, 1, 2}},
        {4, 8, 8, 64, 192, 3, 3, {1, 1, 1, 1, 1, 1}},
        {2, 3, 3, 2, 3, 2, 2, {2, 2, 3, 0, 0, 3}},
        {16, 28, 28, 1, 64, 4, 4, {2, 2, 1, 1, 1, 1}},
        {1, 40, 40, 8, 300, 3, 3, {1, 1, 0, 0, 0, 0}},
        {2, 11, 9, 20, 70, 4, 4, {2, 2, 1, 1, 1, 1}}, /* odd sizes, channels beside strips */
        {3, 10, 13, 70, 20, 4, 4, {2, 2, 0, 3, 2, 1}},
        {1, 4, 5, 5, 3, 4, 4, {2, 2, 3, 2, 0, 5}},
        {2, 6, 300, 17, 33, 4, 4, {2, 2, 2, 1, 1, 0}}, /* a row of more tiles than a task's */
        {37, 8, 8, 33, 288, 4, 4, {2, 2, 1, 1, 1, 1}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int epilogue = 0; epilogue < 2; epilogue++) check_conv(&cases[i], epilogue);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_beyond_tiles_and_chunks),
        cmocka_unit_test(convolutions_by_every_way),
    };
    return cmocka_run_group_tests(tests, open_devices, close_devices);
}
