/* How weights are scaled: values against formulas in double, gradients, and rules that do not go
 * together. */
#include "support/layers.h"

static gan_scope *scope_of(const char *rule) {
    const gan_weight_rule *weight = gan_weight_rule_find(rule);
    assert_non_null(weight);
    return gan_scope_create(g, "n", &(gan_scope_settings){.training = true, .weight = weight});
}

enum { IN = 6, OUT = 4, ROWS = 3 };

/* y = x·w', w computed from the variables by the rule. */
static void weight_norm_is_a_length_and_a_direction(void **state) {
    (void)state;
    gan_node *x = F32(ROWS, IN);
    const gan_init start = gan_init_uniform(-1, 2);
    gan_node *y =
        gan_output(g, gan_layer_linear(scope_of("weight-norm"), "l", x, OUT,
                                       &(gan_layer_options){.weight = &start, .no_bias = true}));
    load();
    float *v = read_variable(GAN_WEIGHT, "n/l/weight"),
          *gain = read_variable(GAN_WEIGHT, "n/l/gain");
    /* Starts at the expected length: E v² = 1 in U(-1, 2). */
    for (int o = 0; o < OUT; o++) expect_near(gain[o], sqrt(IN), 1e-6, 1e-6);
    float *set = some_floats(OUT, 4), *in = some_floats(ROWS * IN, 5);
    write_variable(GAN_WEIGHT, "n/l/gain", set);
    write_input(x, in);
    run(1);
    float *out = read_output(y);
    for (int r = 0; r < ROWS; r++)
        for (int o = 0; o < OUT; o++) {
            double length = 0, sum = 0;
            for (int i = 0; i < IN; i++) length += pow(v[o * IN + i], 2);
            for (int i = 0; i < IN; i++) sum += (double)in[r * IN + i] * v[o * IN + i];
            expect_near(out[r * OUT + o], set[o] * sum / sqrt(length), 1e-5, 1e-5);
        }
    free(v), free(gain), free(set), free(in), free(out);
}

/* The length is that of an output also where outputs are the last axis. */
static void transposed_convolutions_have_lengths_too(void **state) {
    (void)state;
    gan_node *x = F32(1, 1, 1, 3);
    gan_node *y =
        gan_layer_conv2d_transpose(scope_of("weight-norm"), "up", x, 2, 2, gan_window_same(2, 0), 2,
                                   2, &(gan_layer_options){.no_bias = true});
    gan_output(g, y);
    load();
    float *v = read_variable(GAN_WEIGHT, "n/up/weight"), *in = some_floats(3, 2);
    float *gain = read_variable(GAN_WEIGHT, "n/up/gain");
    assert_true(gan_shape_equal(gan_variable_shape(find(GAN_WEIGHT, "n/up/gain")), SHAPE(2)));
    write_input(x, in);
    run(1);
    float *out = read_output(y);
    for (int p = 0; p < 4; p++)
        for (int k = 0; k < 2; k++) {
            double length = 0, sum = 0;
            for (int i = k; i < 24; i += 2) length += (double)v[i] * v[i];
            for (int c = 0; c < 3; c++) sum += (double)in[c] * v[(c * 4 + p) * 2 + k];
            expect_near(out[p * 2 + k], gain[k] * sum / sqrt(length), 1e-5, 1e-5);
        }
    free(v), free(in), free(gain), free(out);
}

static void equalized_weights_are_scaled_as_they_run(void **state) {
    (void)state;
    enum { UNITS = 300 };
    gan_node *x = F32(ROWS, IN);
    const gan_layer_options o = {.no_bias = true}, one = {.no_bias = true, .equalized = 1};
    gan_scope *s = scope_of("equalized");
    gan_node *y = gan_output(g, gan_layer_linear(s, "l", x, UNITS, &o));
    gan_node *z = gan_output(g, gan_layer_linear(gan_scope_create(g, "m", NULL), "l", x, 2, &one));
    load();
    float *w = read_variable(GAN_WEIGHT, "n/l/weight"),
          *v = read_variable(GAN_WEIGHT, "m/l/weight");
    float *in = some_floats(ROWS * IN, 5);
    double square = 0;
    for (int i = 0; i < UNITS * IN; i++) square += pow(w[i], 2) / (UNITS * IN);
    expect_near(square, 1, 5 * sqrt(2. / (UNITS * IN)), 0); /* N(0, 1) */
    write_input(x, in);
    run(1);
    float *out = read_output(y), *own = read_output(z);
    for (int r = 0; r < ROWS; r++)
        for (int u = 0; u < UNITS; u++) {
            double sum = 0, other = 0;
            for (int i = 0; i < IN; i++) sum += (double)in[r * IN + i] * w[u * IN + i];
            expect_near(out[r * UNITS + u], sum * sqrt(2. / IN), 1e-5, 1e-5);
            if (u >= 2) continue;
            for (int i = 0; i < IN; i++) other += (double)in[r * IN + i] * v[u * IN + i];
            expect_near(own[r * 2 + u], other / sqrt(IN), 1e-5, 1e-5);
        }
    free(w), free(v), free(in), free(out), free(own);
}

static void a_scope_normalises_spectrally(void **state) {
    (void)state;
    gan_layer_linear(scope_of("spectral"), "l", F32(ROWS, IN), OUT, NULL);
    gan_layer_linear(scope_of("spectral"), "l", F32(ROWS, IN), OUT,
                     &(gan_layer_options){.spectral_norm = true}); /* the same rule twice is one */
    expect_ok(gan_graph_status(g));
    find(GAN_STATISTIC, "n/l/u");
    find(GAN_STATISTIC, "n/l/v");
    assert_int_equal(gan_store_count(store), 4);
}

static void two_rules_are_refused(void **state) {
    gan_layer_linear(scope_of("weight-norm"), "l", F32(ROWS, IN), OUT,
                     &(gan_layer_options){.spectral_norm = true});
    expect_graph_error(GAN_ERROR_ARGUMENT, "weight-norm asked for");
    close_graph(state);
    open_graph(state);
    gan_layer_linear(scope_of("spectral"), "l", F32(ROWS, IN), OUT,
                     &(gan_layer_options){.equalized = 1});
    expect_graph_error(GAN_ERROR_ARGUMENT, "spectral asked for");
    close_graph(state);
    open_graph(state);
    gan_layer_linear(scope_of("plain"), "l", F32(ROWS, IN), OUT,
                     &(gan_layer_options){.equalized = 1, .spectral_norm = true});
    expect_graph_error(GAN_ERROR_ARGUMENT, "equalized asked for");
    assert_null(gan_weight_rule_find("no rule"));
    assert_null(gan_weight_rule_at(gan_weight_rule_count()));
}

static void rules_have_two_derivatives(void **state) {
    for (size_t i = 0; i < gan_weight_rule_count(); i++) {
        close_networks(state);
        open_networks(state);
        gan_node *x = F32(2, 4, 4, 3);
        const char *name = gan_weight_rule_at(i)->name;
        gan_scope *s = scope_of(name);
        gan_node *y = gan_layer_conv2d(s, "c", x, 2, 3, gan_window_same(1, 1), NULL);
        y = gan_layer_linear(s, "l", gan_tanh(g, y), 2, NULL);
        assert_int_equal(layer_disagrees(x, y, "n", name, 1e-4), 0);
    }
}

/* Layer by layer the largest of many uniform numbers is near the limit, and none is above it. */
static void biases_start_spread(void **state) {
    (void)state;
    enum { UNITS = 400, C = 2, AREA = 9 };
    const double spread = 3;
    const gan_init own = gan_init_constant(7);
    gan_scope *s = gan_scope_create(g, "n", &(gan_scope_settings){.bias = spread});
    gan_node *maps = F32(1, 4, 4, C);
    gan_layer_linear(s, "linear", F32(ROWS, IN), UNITS, NULL);
    gan_layer_conv2d(s, "conv", maps, UNITS, 3, gan_window_same(1, 1), NULL);
    gan_layer_conv2d_up(s, "up", maps, UNITS, 3, NULL);
    gan_layer_conv2d_down(s, "down", maps, UNITS, 3, NULL);
    gan_layer_conv2d_transpose(s, "transpose", maps, UNITS, 3, gan_window_same(1, 1), 4, 4, NULL);
    gan_layer_linear(s, "own", F32(ROWS, IN), UNITS, &(gan_layer_options){.bias = &own});
    gan_layer_linear(scope_of("plain"), "zero", F32(ROWS, IN), UNITS, NULL);
    load();
    static const struct {
        const char *name;
        double inputs; /* 0: all are `value` */
        float value;
    } row[] = {
        {"n/linear/bias", IN, 0},     {"n/conv/bias", C * AREA, 0},      {"n/up/bias", C * AREA, 0},
        {"n/down/bias", C * AREA, 0}, {"n/transpose/bias", C * AREA, 0}, {"n/own/bias", 0, 7},
        {"n/zero/bias", 0, 0}};
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        float *bias = read_variable(GAN_WEIGHT, row[i].name), low = INFINITY, high = -INFINITY;
        for (int u = 0; u < UNITS; u++) low = fminf(low, bias[u]), high = fmaxf(high, bias[u]);
        free(bias);
        const double limit = row[i].inputs > 0 ? spread / sqrt(row[i].inputs) : 0;
        expect_near(low, row[i].value - limit, 0.05 * limit, 0);
        expect_near(high, row[i].value + limit, 0.05 * limit, 0);
        assert_true(low >= row[i].value - limit && high <= row[i].value + limit);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(weight_norm_is_a_length_and_a_direction),
        TEST(transposed_convolutions_have_lengths_too),
        TEST(equalized_weights_are_scaled_as_they_run),
        TEST(a_scope_normalises_spectrally),
        TEST(two_rules_are_refused),
        TEST(rules_have_two_derivatives),
        TEST(biases_start_spread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
