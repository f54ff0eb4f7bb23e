/* Scopes and layers: names, sharing, overlays, and every layer's value against its formula in
 * double. */
#include "support/networks.h"

static gan_scope *training(const char *group, bool update_statistics, int groups) {
    return gan_scope_create(g, group,
                            &(gan_scope_settings){.training = true,
                                                  .update_statistics = update_statistics,
                                                  .groups = groups,
                                                  .counter = counter()});
}

/* ---- scopes ---- */

static void variables_are_named_by_their_scope(void **state) {
    (void)state;
    gan_scope *s = gan_scope_create(g, "generator", NULL);
    assert_false(gan_scope_get(s)->training);
    assert_int_equal(gan_scope_get(s)->groups, 1);
    gan_scope *block = gan_scope_enter(gan_scope_enter(s, "block%d", 3), "a");
    assert_string_equal(gan_scope_name(block), "generator/block3/a");
    gan_layer_linear(block, "project", F32(4, 5), 7, NULL);
    gan_layer_batch_norm(block, "norm", F32(4, 7), NULL);
    const gan_variable *w = find(GAN_WEIGHT, "generator/block3/a/project/weight");
    assert_true(gan_shape_equal(gan_variable_shape(w), SHAPE(7, 5)));
    find(GAN_WEIGHT, "generator/block3/a/project/bias");
    find(GAN_WEIGHT, "generator/block3/a/norm/gamma");
    find(GAN_STATISTIC, "generator/block3/a/norm/running_variance");
    assert_int_equal(gan_store_count(store), 6);
    expect_ok(gan_graph_status(g));
}

static void a_layer_called_twice_shares_its_weights(void **state) {
    (void)state;
    gan_node *x = F32(3, 4);
    gan_scope *s = gan_scope_create(g, "n", NULL), *again = gan_scope_create(g, "n", NULL);
    gan_node *a = gan_output(g, gan_layer_linear(s, "l", x, 2, NULL));
    gan_node *b = gan_output(g, gan_layer_linear(s, "l", x, 2, NULL));
    gan_node *c = gan_output(g, gan_layer_linear(again, "l", x, 2, NULL));
    assert_int_equal(gan_store_count(store), 2);
    load();
    float *value = some_floats(12, 1);
    write_input(x, value);
    run(1);
    float *y[3] = {read_output(a), read_output(b), read_output(c)};
    assert_memory_equal(y[0], y[1], 6 * sizeof(float));
    assert_memory_equal(y[0], y[2], 6 * sizeof(float));
    for (int i = 0; i < 3; i++) free(y[i]);
    free(value);
    gan_layer_linear(s, "l", F32(3, 9), 2, NULL);
    expect_graph_error(GAN_ERROR_ARGUMENT, "n/l/weight");
}

static void an_overlay_stands_in_for_a_weight(void **state) {
    (void)state;
    gan_node *x = F32(3, 4);
    gan_scope *s = gan_scope_create(g, "n", NULL);
    const gan_layer_options plain = {.no_bias = true};
    gan_node *before = gan_output(g, gan_layer_linear(s, "l", x, 2, &plain));
    gan_node *w = gan_scope_weight(gan_scope_enter(s, "l"), "weight", SHAPE(2, 4), (gan_init){0});
    gan_scope_overlay(s, w, gan_scale(g, w, 3));
    gan_node *after = gan_output(g, gan_layer_linear(s, "l", x, 2, &plain));
    gan_scope_overlay(gan_scope_enter(s, "child"), w, gan_scale(g, w, 5)); /* the latest counts */
    gan_node *last = gan_output(g, gan_layer_linear(s, "l", x, 2, &plain));
    gan_scope *other = gan_scope_create(g, "n", NULL); /* another tree has no overlay */
    gan_node *apart = gan_output(g, gan_layer_linear(other, "l", x, 2, &plain));
    load();
    float *value = some_floats(12, 2);
    write_input(x, value);
    run(1);
    float *y[4] = {read_output(before), read_output(after), read_output(last), read_output(apart)};
    for (int i = 0; i < 6; i++) {
        assert_true(y[0][i] != 0);
        expect_near(y[1][i], 3 * y[0][i], 1e-6, 1e-5);
        expect_near(y[2][i], 5 * y[0][i], 1e-6, 1e-5);
        expect_near(y[3][i], y[0][i], 0, 0);
    }
    for (int i = 0; i < 4; i++) free(y[i]);
    free(value);
    gan_scope_overlay(s, w, F32(4, 2));
    expect_graph_error(GAN_ERROR_SHAPE, "n/l/weight");
}

/* ---- linear layers ---- */

static void linear_is_xw_plus_b(void **state) {
    (void)state;
    enum { M = 3, IN = 10, OUT = 4 };
    const gan_init init = gan_init_normal(0, 1), bias = gan_init_uniform(-1, 1);
    gan_node *x = F32(M, 5, 2);
    gan_scope *s = gan_scope_create(g, "n", NULL);
    gan_node *y = gan_output(
        g, gan_layer_linear(s, "l", x, OUT, &(gan_layer_options){.weight = &init, .bias = &bias}));
    load();
    float *in = some_floats(M * IN, 3);
    write_input(x, in);
    run(1);
    float *w = read_variable(GAN_WEIGHT, "n/l/weight"), *b = read_variable(GAN_WEIGHT, "n/l/bias");
    float *out = read_output(y);
    for (int i = 0; i < M; i++)
        for (int o = 0; o < OUT; o++) {
            double sum = b[o];
            for (int k = 0; k < IN; k++) sum += (double)in[i * IN + k] * w[o * IN + k];
            expect_near(out[i * OUT + o], sum, 1e-5, 1e-5);
        }
    free(in), free(w), free(b), free(out);
}

static void maxout_takes_the_largest_piece(void **state) {
    (void)state;
    enum { M = 3, IN = 6, UNITS = 4, PIECES = 5 };
    const gan_init init = gan_init_normal(0, 1), bias = gan_init_uniform(-1, 1);
    gan_node *x = F32(M, IN);
    gan_scope *s = gan_scope_create(g, "n", NULL);
    const gan_layer_options o = {.weight = &init, .bias = &bias};
    gan_node *y = gan_output(g, gan_layer_maxout(s, "m", x, UNITS, PIECES, &o));
    assert_true(gan_shape_equal(gan_node_shape(y), SHAPE(M, UNITS)));
    load();
    float *in = some_floats(M * IN, 4);
    write_input(x, in);
    run(1);
    float *w = read_variable(GAN_WEIGHT, "n/m/weight"), *b = read_variable(GAN_WEIGHT, "n/m/bias");
    float *out = read_output(y);
    for (int i = 0; i < M; i++)
        for (int u = 0; u < UNITS; u++) {
            double best = -INFINITY;
            for (int p = u * PIECES; p < (u + 1) * PIECES; p++) {
                double sum = b[p];
                for (int k = 0; k < IN; k++) sum += (double)in[i * IN + k] * w[p * IN + k];
                best = fmax(best, sum);
            }
            expect_near(out[i * UNITS + u], best, 1e-5, 1e-5);
        }
    free(in), free(w), free(b), free(out);
}

/* The transposed convolution scatters each input pixel through the filter. */
static void transposed_convolution_scatters(void **state) {
    (void)state;
    enum { P = 3, Q = 2, C = 2, K = 3, H = 6, W = 4, R = 4 };
    gan_node *x = F32(1, P, Q, C);
    gan_scope *s = gan_scope_create(g, "n", NULL);
    const gan_init init = gan_init_normal(0, 1);
    gan_node *y = gan_output(
        g, gan_layer_conv2d_transpose(s, "up", x, K, R, gan_window_same(2, 1), H, W,
                                      &(gan_layer_options){.weight = &init, .no_bias = true}));
    assert_true(gan_shape_equal(gan_node_shape(y), SHAPE(1, H, W, K)));
    load();
    float *in = some_floats(P * Q * C, 5);
    write_input(x, in);
    run(1);
    float *w = read_variable(GAN_WEIGHT, "n/up/weight"), *out = read_output(y);
    double want[H][W][K] = {0};
    for (int p = 0; p < P; p++)
        for (int q = 0; q < Q; q++)
            for (int r = 0; r < R; r++)
                for (int t = 0; t < R; t++) {
                    const int h = 2 * p - 1 + r, v = 2 * q - 1 + t;
                    if (h < 0 || v < 0 || h >= H || v >= W) continue;
                    for (int c = 0; c < C; c++)
                        for (int k = 0; k < K; k++)
                            want[h][v][k] +=
                                (double)in[(p * Q + q) * C + c] * w[((c * R + r) * R + t) * K + k];
                }
    for (int i = 0; i < H * W * K; i++) expect_near(out[i], (&want[0][0][0])[i], 1e-5, 1e-5);
    free(in), free(w), free(out);
}

static void convolution_has_its_filter_and_bias(void **state) {
    (void)state;
    gan_scope *s = gan_scope_create(g, "n", NULL);
    gan_node *y = gan_layer_conv2d(s, "c", F32(2, 8, 6, 3), 5, 4, gan_window_same(2, 1), NULL);
    assert_true(gan_shape_equal(gan_node_shape(y), SHAPE(2, 4, 3, 5)));
    const gan_variable *w = find(GAN_WEIGHT, "n/c/weight");
    assert_true(gan_shape_equal(gan_variable_shape(w), SHAPE(5, 4, 4, 3)));
    assert_true(gan_shape_equal(gan_variable_shape(find(GAN_WEIGHT, "n/c/bias")), SHAPE(5)));
}

/* ---- batch norm ---- */

static void moments_of(const float *x, int rows, int channels, int c, double *mean,
                       double *variance) {
    *mean = *variance = 0;
    for (int i = 0; i < rows; i++) *mean += x[i * channels + c];
    *mean /= rows;
    for (int i = 0; i < rows; i++) *variance += pow(x[i * channels + c] - *mean, 2);
    *variance /= rows;
}

static void batch_norm_follows_its_formulas(void **state) {
    (void)state;
    enum { ROWS = 6, C = 3, GROUPS = 2, RUNS = 4 };
    const double momentum = 0.2, eps = 1e-3;
    const gan_init gamma = gan_init_normal(1, .5), beta = gan_init_normal(0, 1);
    const gan_norm_options o = {momentum, eps, &gamma, &beta};
    gan_node *x = F32(2 * GROUPS, 3, C); /* groups of 2·3 rows */
    gan_node *y = gan_output(g, gan_layer_batch_norm(training("n", true, GROUPS), "bn", x, &o));
    gan_node *e = gan_output(g, gan_layer_batch_norm(gan_scope_create(g, "n", NULL), "bn", x, &o));
    gan_node *still = gan_output(g, gan_layer_batch_norm(training("n", false, 1), "bn", x, &o));
    load();
    float *scale = read_variable(GAN_WEIGHT, "n/bn/gamma");
    float *shift = read_variable(GAN_WEIGHT, "n/bn/beta");
    double running[C][2];
    for (int c = 0; c < C; c++) running[c][0] = 0, running[c][1] = 1;
    for (int t = 0; t < RUNS; t++) {
        float *in = some_floats(GROUPS * ROWS * C, (uint64_t)(10 + t));
        for (int i = 0; i < GROUPS * ROWS * C; i++)
            in[i] = in[i] * 2 + (float)(i % C) + (i > ROWS * C);
        write_input(x, in);
        run(1);
        float *out = read_output(y), *evaluated = read_output(e), *whole = read_output(still);
        for (int c = 0; c < C; c++) {
            double mean, variance;
            for (int group = 0; group < GROUPS; group++) {
                const int at = group * ROWS * C;
                moments_of(in + at, ROWS, C, c, &mean, &variance);
                running[c][0] += momentum * (mean - running[c][0]);
                running[c][1] += momentum * (variance * ROWS / (ROWS - 1) - running[c][1]);
                for (int i = 0; i < ROWS; i++)
                    expect_near(out[at + i * C + c],
                                (in[at + i * C + c] - mean) / sqrt(variance + eps) * scale[c] +
                                    shift[c],
                                1e-5, 1e-4);
            }
            moments_of(in, GROUPS * ROWS, C, c, &mean, &variance);
            for (int i = 0; i < GROUPS * ROWS; i++) {
                const double v = in[i * C + c];
                expect_near(whole[i * C + c],
                            (v - mean) / sqrt(variance + eps) * scale[c] + shift[c], 1e-5, 1e-4);
                expect_near(evaluated[i * C + c],
                            (v - running[c][0]) / sqrt(running[c][1] + eps) * scale[c] + shift[c],
                            1e-5, 1e-4);
            }
        }
        free(in), free(out), free(evaluated), free(whole);
    }
    float *mean = read_variable(GAN_STATISTIC, "n/bn/running_mean");
    float *variance = read_variable(GAN_STATISTIC, "n/bn/running_variance");
    for (int c = 0; c < C; c++) {
        expect_near(mean[c], running[c][0], 1e-6, 1e-5);
        expect_near(variance[c], running[c][1], 1e-6, 1e-5);
    }
    free(mean), free(variance), free(scale), free(shift);
}

/* ---- dropout ---- */

static void dropout_keeps_the_share_asked_for(void **state) {
    (void)state;
    enum { N = 20000 };
    const double keep = 0.8;
    gan_node *x = F32(N);
    gan_scope *s = training("n", true, 1);
    gan_node *y = gan_output(g, gan_layer_dropout(s, x, keep));
    gan_node *z = gan_output(g, gan_layer_dropout(s, x, keep));
    gan_node *evaluated = gan_layer_dropout(gan_scope_create(g, "n", NULL), x, keep);
    assert_ptr_equal(evaluated, x);
    assert_ptr_equal(gan_layer_dropout(s, x, 1), x);
    gan_advance(g, counter(), 1);
    load();
    float *in = some_floats(N, 6);
    write_input(x, in);
    float *previous = NULL;
    for (int t = 0; t < 3; t++) {
        run(1);
        float *out = read_output(y), *other = read_output(z);
        int kept = 0, kept_both = 0, kept_again = 0;
        for (int i = 0; i < N; i++) {
            if (out[i] != 0) expect_near(out[i], in[i] / keep, 0, 1e-6);
            kept += out[i] != 0;
            kept_both += out[i] != 0 && other[i] != 0;
            kept_again += previous && out[i] != 0 && previous[i] != 0;
        }
        const double p2 = keep * keep;
        expect_near(kept, N * keep, 4.5 * sqrt(N * keep * (1 - keep)), 0);
        expect_near(kept_both, N * p2, 4.5 * sqrt(N * p2 * (1 - p2)),
                    0); /* calls are independent */
        if (previous)
            expect_near(kept_again, N * p2, 4.5 * sqrt(N * p2 * (1 - p2)), 0); /* so are runs */
        free(previous);
        free(other);
        previous = out;
    }
    free(previous), free(in);
}

static void dropout_refuses_what_it_cannot_do(void **state) {
    (void)state;
    gan_layer_dropout(training("n", true, 1), F32(4), 0);
    expect_graph_error(GAN_ERROR_ARGUMENT, "keep 0");
    close_graph(state);
    open_graph(state);
    gan_layer_dropout(gan_scope_create(g, "n", &(gan_scope_settings){.training = true}), F32(4),
                      .5);
    expect_graph_error(GAN_ERROR_ARGUMENT, "no counter");
}

/* ---- tables and helpers ---- */

static void activations_are_what_they_are_called(void **state) {
    (void)state;
    const float in[] = {-30, -1.5f, -0.25f, 0, 0.5f, 2, 30};
    enum { N = COUNT(in) };
    gan_node *x = F32(N), *y[8];
    const char *const names[] = {"relu", "leaky_relu", "tanh", "sigmoid", "linear"};
    assert_int_equal(gan_activation_count(), COUNT(names));
    for (size_t k = 0; k < COUNT(names); k++) {
        const gan_activation *a = gan_activation_find(names[k]);
        assert_non_null(a);
        y[k] = gan_output(g, gan_scale(g, a->apply(g, x, 0.1), 1));
    }
    assert_null(gan_activation_find("nothing"));
    assert_null(gan_activation_at(COUNT(names)));
    load();
    write_input(x, in);
    run(1);
    for (size_t k = 0; k < COUNT(names); k++) {
        float *out = read_output(y[k]);
        for (int i = 0; i < N; i++) {
            const double v = in[i];
            const double want[] = {v > 0 ? v : 0, v > 0 ? v : .1 * v, tanh(v), 1 / (1 + exp(-v)),
                                   v};
            expect_near(out[i], want[k], 1e-6, 1e-5);
        }
        free(out);
    }
}

static void initial_values_have_their_limits(void **state) {
    (void)state;
    const gan_init xavier = gan_init_xavier(100, 50), he = gan_init_he(100, 0.2);
    assert_int_equal(xavier.kind, GAN_INIT_UNIFORM);
    expect_near(xavier.b, 0.2, 1e-7, 0);
    expect_near(xavier.a, -0.2, 1e-7, 0);
    expect_near(he.b, sqrt(6 / 104.), 1e-7, 0);
    assert_int_equal(gan_init_constant(2).kind, GAN_INIT_CONSTANT);
    assert_int_equal(gan_init_normal(0, 1).kind, GAN_INIT_NORMAL);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(variables_are_named_by_their_scope),
        TEST(a_layer_called_twice_shares_its_weights),
        TEST(an_overlay_stands_in_for_a_weight),
        TEST(linear_is_xw_plus_b),
        TEST(maxout_takes_the_largest_piece),
        TEST(transposed_convolution_scatters),
        TEST(convolution_has_its_filter_and_bias),
        TEST(batch_norm_follows_its_formulas),
        TEST(dropout_keeps_the_share_asked_for),
        TEST(dropout_refuses_what_it_cannot_do),
        TEST(activations_are_what_they_are_called),
        TEST(initial_values_have_their_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
