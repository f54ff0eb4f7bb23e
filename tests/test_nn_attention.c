/* Attention, non-local blocks, and layers over a batch: values against their formulas in double,
 * gradients of both orders against differences. */
#include "support/layers.h"

static gan_scope *training(int groups, int64_t reference_rows) {
    return gan_scope_create(
        g, "n",
        &(gan_scope_settings){.training = true, .groups = groups, .reference = reference_rows});
}

/* ---- softmax ---- */

static void softmax_is_stable(void **state) {
    (void)state;
    enum { N = 5 };
    const float in[] = {1, 2, -1, 0.5f, 3, 1000, 999, 998, -1000, 1000};
    gan_node *x = F32(2, N), *y = gan_output(g, gan_softmax(g, x));
    load();
    write_input(x, in);
    run(1);
    float *out = read_output(y);
    for (int r = 0; r < 2; r++) {
        double sum = 0;
        for (int i = 0; i < N; i++) sum += exp((double)in[r * N + i] - (r ? 1000 : 0));
        for (int i = 0; i < N; i++)
            expect_near(out[r * N + i], exp((double)in[r * N + i] - (r ? 1000 : 0)) / sum, 1e-7,
                        1e-5);
    }
    free(out);
}

/* ---- non-local blocks, written out ---- */

enum { M = 2, H = 4, W = 2, C = 6, K = 3, N = H * W, POOLED = N / 4 };

/* w (out, in) of a 1x1 convolution at one place. */
static double at(const float *w, const float *b, const double *x, int in, int o) {
    double sum = b ? b[o] : 0;
    for (int i = 0; i < in; i++) sum += (double)w[o * in + i] * x[i];
    return sum;
}

/* Channels of `n` places, pooled 2x2 to POOLED of them. */
static void pool(double *out, const double *in, int channels) {
    for (int p = 0; p < H / 2; p++)
        for (int q = 0; q < W / 2; q++)
            for (int c = 0; c < channels; c++) {
                double best = -INFINITY;
                for (int k = 0; k < 4; k++)
                    best = fmax(best, in[((2 * p + k / 2) * W + 2 * q + k % 2) * channels + c]);
                out[(p * (W / 2) + q) * channels + c] = best;
            }
}

typedef struct formula {
    const float *theta, *phi, *g, *output;                     /* weights */
    const float *theta_bias, *phi_bias, *g_bias, *output_bias; /* NULL: none */
    const float *pair_theta, *pair_phi;                        /* of concatenation */
    int keys, values, places;                                  /* places: after pooling */
    double factor;
} formula;

static void nonlocal(const formula *f, const char *pairs, const float *x, double *y) {
    double t[N * C], p[N * C], v[N * C], pooled_p[N * C], pooled_v[N * C], in[C];
    const bool embeds = strcmp(pairs, "gaussian") != 0;
    const int keys = embeds ? f->keys : C;
    for (int i = 0; i < N; i++) {
        for (int c = 0; c < C; c++) in[c] = x[i * C + c];
        for (int k = 0; k < keys; k++) {
            t[i * keys + k] = embeds ? at(f->theta, f->theta_bias, in, C, k) : in[k];
            p[i * keys + k] = embeds ? at(f->phi, f->phi_bias, in, C, k) : in[k];
        }
        for (int k = 0; k < f->values; k++) v[i * f->values + k] = at(f->g, f->g_bias, in, C, k);
    }
    if (f->places == N) {
        memcpy(pooled_p, p, sizeof p);
        memcpy(pooled_v, v, sizeof v);
    } else {
        pool(pooled_p, p, keys);
        pool(pooled_v, v, f->values);
    }
    for (int i = 0; i < N; i++) {
        double weight[N], sum = 0, mean[C] = {0};
        for (int j = 0; j < f->places; j++) {
            double product = 0, pair = 0;
            for (int k = 0; k < keys; k++) product += t[i * keys + k] * pooled_p[j * keys + k];
            if (!strcmp(pairs, "concatenation"))
                for (int k = 0; k < keys; k++)
                    pair += f->pair_theta[k] * t[i * keys + k] +
                            f->pair_phi[k] * pooled_p[j * keys + k];
            weight[j] = !strcmp(pairs, "dot-product")     ? product / f->places
                        : !strcmp(pairs, "concatenation") ? fmax(pair, 0) / f->places
                                                          : exp(product);
            sum += weight[j];
        }
        const bool softmax = strstr(pairs, "gaussian") != NULL;
        for (int j = 0; j < f->places; j++)
            for (int k = 0; k < f->values; k++)
                mean[k] += weight[j] / (softmax ? sum : 1) * pooled_v[j * f->values + k];
        for (int c = 0; c < C; c++)
            y[i * C + c] =
                x[i * C + c] + f->factor * at(f->output, f->output_bias, mean, f->values, c);
    }
}

static void randomise(const char *name, uint64_t seed) {
    const gan_variable *v = find(GAN_WEIGHT, name);
    float *value = some_floats(gan_shape_size(gan_variable_shape(v)), seed);
    write_variable(GAN_WEIGHT, name, value);
    free(value);
}

static void expect_block(const formula *f, const char *pairs, gan_node *x, gan_node *y) {
    float *in = some_floats(M * N * C, 3);
    double want[N * C];
    for (int i = 0; i < M * N * C; i++) in[i] *= 0.7f;
    write_input(x, in);
    run(1);
    float *out = read_output(y);
    for (int m = 0; m < M; m++) {
        nonlocal(f, pairs, in + m * N * C, want);
        for (int i = 0; i < N * C; i++) expect_near(out[m * N * C + i], want[i], 1e-4, 1e-4);
    }
    free(in), free(out);
}

static void blocks_follow_their_formulas(void **state) {
    assert_int_equal(gan_pairwise_count(), 4);
    assert_null(gan_pairwise_find("nothing"));
    assert_null(gan_pairwise_at(4));
    for (size_t i = 0; i < 2 * gan_pairwise_count(); i++) {
        const gan_pairwise *pairs = gan_pairwise_at(i / 2);
        const bool pooled = i % 2, concatenation = !strcmp(pairs->name, "concatenation");
        close_networks(state);
        open_networks(state);
        gan_node *x = F32(M, H, W, C);
        gan_node *y =
            gan_output(g, gan_layer_nonlocal(training(1, 0), "l", x, pairs, pooled, NULL));
        load();
        randomise("n/l/output/weight", 1);
        randomise("n/l/output/bias", 2);
        float *weight[8] = {
            pairs->embeds ? read_variable(GAN_WEIGHT, "n/l/theta/weight") : NULL,
            pairs->embeds ? read_variable(GAN_WEIGHT, "n/l/phi/weight") : NULL,
            read_variable(GAN_WEIGHT, "n/l/g/weight"),
            read_variable(GAN_WEIGHT, "n/l/output/weight"),
            read_variable(GAN_WEIGHT, "n/l/output/bias"),
            concatenation ? read_variable(GAN_WEIGHT, "n/l/pair_theta/weight") : NULL,
            concatenation ? read_variable(GAN_WEIGHT, "n/l/pair_phi/weight") : NULL,
        };
        const formula f = {.theta = weight[0],
                           .phi = weight[1],
                           .g = weight[2],
                           .output = weight[3],
                           .output_bias = weight[4],
                           .pair_theta = weight[5],
                           .pair_phi = weight[6],
                           .keys = K,
                           .values = K,
                           .places = pooled ? POOLED : N,
                           .factor = 1};
        expect_block(&f, pairs->name, x, y);
        for (int k = 0; k < 7; k++) free(weight[k]);
    }
}

static void attention_follows_its_formula(void **state) {
    (void)state;
    gan_node *x = F32(M, H, W, C);
    gan_node *y = gan_output(g, gan_layer_attention(training(1, 0), "l", x, false));
    load();
    float *start = read_variable(GAN_WEIGHT, "n/l/factor");
    assert_true(*start == 0);
    write_variable(GAN_WEIGHT, "n/l/factor", &(float){0.6f});
    float *theta = read_variable(GAN_WEIGHT, "n/l/theta/weight"),
          *phi = read_variable(GAN_WEIGHT, "n/l/phi/weight"),
          *value = read_variable(GAN_WEIGHT, "n/l/g/weight"),
          *output = read_variable(GAN_WEIGHT, "n/l/output/weight");
    assert_true(gan_shape_equal(gan_variable_shape(find(GAN_WEIGHT, "n/l/theta/weight")),
                                SHAPE(1, 1, 1, C))); /* C/8, at least one */
    assert_int_equal(gan_store_count(store), 5);
    const formula f = {.theta = theta,
                       .phi = phi,
                       .g = value,
                       .output = output,
                       .keys = 1,
                       .values = C / 2,
                       .places = POOLED,
                       .factor = 0.6f};
    expect_block(&f, "embedded-gaussian", x, y);
    free(start), free(theta), free(phi), free(value), free(output);
}

static void blocks_start_as_the_identity(void **state) {
    gan_node *x = F32(M, 3, 5, C); /* does not halve: not pooled */
    gan_scope *s = training(1, 0);
    gan_node *y[2] = {gan_output(g, gan_layer_attention(s, "a", x, true)),
                      gan_output(g, gan_layer_nonlocal(s, "b", x, gan_pairwise_at(2), true, NULL))};
    load();
    find(GAN_STATISTIC, "n/a/theta/u");
    float *in = some_floats(M * 15 * C, 3);
    write_input(x, in);
    run(1);
    for (int k = 0; k < 2; k++) {
        float *out = read_output(y[k]);
        assert_memory_equal(out, in, M * 15 * C * sizeof(float));
        free(out);
    }
    free(in);
    close_networks(state);
    open_networks(state);
    gan_layer_attention(training(1, 0), "c", F32(M, C), false);
    expect_graph_error(GAN_ERROR_SHAPE, "n/c");
}

static void blocks_have_two_derivatives(void **state) {
    for (size_t i = 0; i <= gan_pairwise_count(); i++) {
        const gan_pairwise *pairs = gan_pairwise_at(i);
        close_networks(state);
        open_networks(state);
        gan_node *x = F32(2, 2, 4, 4);
        gan_node *y = pairs ? gan_layer_nonlocal(training(1, 0), "l", x, pairs, true, NULL)
                            : gan_layer_attention(training(1, 0), "l", x, false);
        /* Small steps: maxima and rectifiers have kinks. */
        const char *title = pairs ? pairs->name : "attention";
        assert_int_equal(layer_disagrees(x, y, "n", title, 1e-6), 0);
    }
}

/* ---- minibatch discrimination ---- */

enum { ROWS = 7, A = 6, KERNELS = 3, DIMS = 2 };

/* The group that a row of [1 reference; two groups of 3] is in. */
static int group_of(int row) { return row < 1 ? 0 : 1 + (row - 1) / 3; }

/* The sum over the others of its group, or their mean; a row by itself has none. */
static void discrimination_is(bool mean) {
    gan_node *x = F32(ROWS, 3, 2);
    const gan_init bias = gan_init_normal(0, 1);
    gan_node *y = gan_output(
        g, gan_layer_minibatch_discrimination(training(2, 1), "l", x, KERNELS, DIMS, mean,
                                              &(gan_layer_options){.bias = &bias}));
    assert_true(gan_shape_equal(gan_node_shape(y), SHAPE(ROWS, A + KERNELS)));
    load();
    float *in = some_floats(ROWS * A, 3), *t = read_variable(GAN_WEIGHT, "n/l/tensor/weight");
    float *b = read_variable(GAN_WEIGHT, "n/l/bias");
    write_input(x, in);
    run(1);
    float *out = read_output(y);
    for (int i = 0; i < ROWS; i++) {
        for (int a = 0; a < A; a++) assert_true(out[i * (A + KERNELS) + a] == in[i * A + a]);
        for (int k = 0; k < KERNELS; k++) {
            double sum = 0;
            int others = 0;
            for (int j = 0; j < ROWS; j++) {
                if (j == i || group_of(j) != group_of(i)) continue;
                double distance = 0;
                for (int d = 0; d < DIMS; d++) {
                    double difference = 0;
                    for (int a = 0; a < A; a++)
                        difference +=
                            (double)t[(k * DIMS + d) * A + a] * (in[i * A + a] - in[j * A + a]);
                    distance += fabs(difference);
                }
                sum += exp(-distance);
                others++;
            }
            if (mean && others) sum /= others;
            expect_near(out[i * (A + KERNELS) + A + k], sum + b[k], 1e-5, 1e-5);
        }
    }
    free(in), free(t), free(b), free(out);
}

static void discrimination_sums_over_the_group(void **state) {
    (void)state;
    discrimination_is(false);
}

static void discrimination_averages_over_the_group(void **state) {
    (void)state;
    discrimination_is(true);
}

static void deviation_is_of_the_group(void **state) {
    (void)state;
    enum { PIXELS = 4, CHANNELS = 2, EACH = PIXELS * CHANNELS };
    gan_node *x = F32(ROWS, 2, 2, CHANNELS);
    gan_node *y = gan_output(g, gan_layer_minibatch_std(training(2, 1), x, 0));
    gan_node *part = F32(8, 3); /* one group, four at a time */
    gan_node *z = gan_output(g, gan_layer_minibatch_std(training(1, 0), part, 4));
    assert_true(gan_shape_equal(gan_node_shape(y), SHAPE(ROWS, 2, 2, CHANNELS + 1)));
    load();
    float *in = some_floats(ROWS * EACH, 3), *flat = some_floats(24, 4);
    write_input(x, in);
    write_input(part, flat);
    run(1);
    float *out = read_output(y), *columns = read_output(z);
    for (int i = 0; i < ROWS; i++) {
        double total = 0;
        for (int e = 0; e < EACH; e++) {
            double mean = 0, square = 0;
            int n = 0;
            for (int j = 0; j < ROWS; j++)
                if (group_of(j) == group_of(i)) mean += in[j * EACH + e], n++;
            mean /= n;
            for (int j = 0; j < ROWS; j++)
                if (group_of(j) == group_of(i)) square += pow(in[j * EACH + e] - mean, 2) / n;
            total += sqrt(square + 1e-8) / EACH;
        }
        for (int p = 0; p < PIXELS; p++) {
            const float *pixel = out + (i * PIXELS + p) * (CHANNELS + 1);
            for (int c = 0; c < CHANNELS; c++)
                assert_true(pixel[c] == in[i * EACH + p * CHANNELS + c]);
            expect_near(pixel[CHANNELS], total, 1e-6, 1e-5);
        }
    }
    for (int i = 0; i < 8; i++) {
        double total = 0;
        for (int e = 0; e < 3; e++) {
            double mean = 0, square = 0;
            for (int j = i / 4 * 4; j < i / 4 * 4 + 4; j++) mean += flat[j * 3 + e] / 4;
            for (int j = i / 4 * 4; j < i / 4 * 4 + 4; j++)
                square += pow(flat[j * 3 + e] - mean, 2) / 4;
            total += sqrt(square + 1e-8) / 3;
        }
        expect_near(columns[i * 4 + 3], total, 1e-6, 1e-5);
    }
    free(in), free(flat), free(out), free(columns);
}

static void layers_over_a_batch_have_two_derivatives(void **state) {
    gan_node *x = F32(ROWS, 3, 2);
    gan_node *y =
        gan_layer_minibatch_discrimination(training(2, 1), "l", x, KERNELS, DIMS, false, NULL);
    assert_int_equal(layer_disagrees(x, y, "n", "minibatch discrimination", 1e-6), 0);
    close_networks(state);
    open_networks(state);
    x = F32(6, 3, 2);
    y = gan_layer_minibatch_std(training(2, 0), x, 0);
    assert_int_equal(layer_disagrees(x, y, "n", "minibatch deviation", 1e-5), 0);
}

static void unequal_groups_are_refused(void **state) {
    gan_layer_minibatch_std(training(3, 0), F32(ROWS, 2), 0);
    expect_graph_error(GAN_ERROR_SHAPE, "3 groups");
    close_graph(state);
    open_graph(state);
    gan_layer_minibatch_std(training(1, 0), F32(ROWS, 2), 3);
    expect_graph_error(GAN_ERROR_SHAPE, "3 at a time");
    close_graph(state);
    open_graph(state);
    gan_layer_minibatch_discrimination(training(1, 0), "l", F32(ROWS, 2), 0, 5, false, NULL);
    expect_graph_error(GAN_ERROR_ARGUMENT, "0 kernels");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(softmax_is_stable),
        TEST(blocks_follow_their_formulas),
        TEST(attention_follows_its_formula),
        TEST(blocks_start_as_the_identity),
        TEST(blocks_have_two_derivatives),
        TEST(discrimination_sums_over_the_group),
        TEST(discrimination_averages_over_the_group),
        TEST(deviation_is_of_the_group),
        TEST(layers_over_a_batch_have_two_derivatives),
        TEST(unequal_groups_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
