/* Spectral normalisation: the weight, its vectors, and the gradient, against the paper's formulas
 * in double. */
#include "support/networks.h"

#include "nn/spectral.h"

static gan_scope *training(const char *group, bool update_statistics, int groups) {
    return gan_scope_create(g, group,
                            &(gan_scope_settings){.training = true,
                                                  .update_statistics = update_statistics,
                                                  .groups = groups,
                                                  .counter = counter()});
}

static double norm(double *x, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * x[i];
    sum = sqrt(sum);
    for (int i = 0; i < n; i++) x[i] /= sum;
    return sum;
}

/* One power iteration in double on w (rows, columns); returns u'Wv. */
static double iterate(const float *w, int rows, int columns, double *u, double *v) {
    for (int j = 0; j < columns; j++) {
        v[j] = 0;
        for (int i = 0; i < rows; i++) v[j] += w[i * columns + j] * u[i];
    }
    norm(v, columns);
    for (int i = 0; i < rows; i++) {
        u[i] = 0;
        for (int j = 0; j < columns; j++) u[i] += w[i * columns + j] * v[j];
    }
    return norm(u, rows);
}

static void spectral_weight_is_divided_by_its_norm(void **state) {
    (void)state;
    enum { ROWS = 5, COLUMNS = 12, RUNS = 300 };
    const gan_init init = gan_init_normal(0, 1);
    gan_scope *once = training("n", true, 1), *still = training("n", false, 1);
    gan_node *w = gan_scope_weight(once, "weight", SHAPE(ROWS, 2, 2, 3), init);
    gan_node *a = gan_output(g, gan_spectral_weight(once, w, ROWS, COLUMNS));
    gan_node *b = gan_output(g, gan_spectral_weight(once, w, ROWS, COLUMNS)); /* no second step */
    gan_node *c = gan_output(g, gan_spectral_weight(still, w, ROWS, COLUMNS));
    load();
    float *weights = read_variable(GAN_WEIGHT, "n/weight"),
          *start = read_variable(GAN_STATISTIC, "n/u");
    double u[ROWS], v[COLUMNS];
    for (int i = 0; i < ROWS; i++) u[i] = start[i];
    run(1);
    const double sigma = iterate(weights, ROWS, COLUMNS, u, v);
    float *now = read_variable(GAN_STATISTIC, "n/u"), *right = read_variable(GAN_STATISTIC, "n/v");
    for (int i = 0; i < ROWS; i++) expect_near(now[i], u[i], 1e-5, 1e-4);
    for (int j = 0; j < COLUMNS; j++) expect_near(right[j], v[j], 1e-5, 1e-4);
    float *y[3] = {read_output(a), read_output(b), read_output(c)};
    for (int i = 0; i < ROWS * COLUMNS; i++)
        for (int k = 0; k < 3; k++) expect_near(y[k][i], weights[i] / sigma, 1e-5, 1e-4);
    for (int k = 0; k < 3; k++) free(y[k]);

    /* In the end the normalised weight's norm is 1. */
    run(RUNS);
    float *normalised = read_output(a);
    double top = 0;
    for (int t = 0; t < 2000; t++) top = iterate(normalised, ROWS, COLUMNS, u, v);
    expect_near(top, 1, 1e-4, 0);
    free(weights), free(start), free(now), free(right), free(normalised);
}

static void spectral_norm_reaches_all_layers(void **state) {
    (void)state;
    const gan_layer_options o = {.spectral_norm = true};
    gan_scope *s = training("n", true, 1);
    gan_layer_linear(s, "linear", F32(2, 6), 4, &o);
    gan_layer_conv2d(s, "conv", F32(2, 4, 4, 3), 5, 3, gan_window_same(1, 1), &o);
    gan_layer_conv2d_transpose(s, "up", F32(2, 4, 4, 3), 5, 4, gan_window_same(2, 1), 8, 8, &o);
    expect_ok(gan_graph_status(g));
    const struct {
        const char *name;
        int64_t size;
    } vectors[] = {{"n/linear/u", 4}, {"n/linear/v", 6}, {"n/conv/u", 5},
                   {"n/conv/v", 27},  {"n/up/u", 48},    {"n/up/v", 5}};
    for (size_t i = 0; i < COUNT(vectors); i++) {
        const gan_shape shape = gan_variable_shape(find(GAN_STATISTIC, vectors[i].name));
        assert_int_equal(gan_shape_size(shape), vectors[i].size);
    }
}

/* d/dW of <C, W / sigma> with u, v constant is (C - <C, W/sigma>·uv') / sigma (Miyato et al., eq.
 * 12). */
static void spectral_gradient_takes_its_vectors_for_constants(void **state) {
    (void)state;
    enum { ROWS = 4, COLUMNS = 6 };
    const gan_init init = gan_init_normal(0, 1);
    gan_scope *s = training("n", true, 1);
    gan_node *w = gan_scope_weight(s, "weight", SHAPE(ROWS, COLUMNS), init);
    gan_node *c = F32(ROWS, COLUMNS), *gradient;
    gan_node *loss = gan_sum(g, gan_mul(g, c, gan_spectral_weight(s, w, ROWS, COLUMNS)));
    expect_ok(gan_gradient(g, loss, 1, &w, &gradient));
    gan_output(g, gradient);
    load();
    float *coefficient = some_floats(ROWS * COLUMNS, 7),
          *weights = read_variable(GAN_WEIGHT, "n/weight");
    write_input(c, coefficient);
    run(1);
    float *u = read_variable(GAN_STATISTIC, "n/u"), *v = read_variable(GAN_STATISTIC, "n/v");
    float *got = read_output(gradient);
    double sigma = 0, product = 0;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        sigma += (double)u[i / COLUMNS] * weights[i] * v[i % COLUMNS];
    for (int i = 0; i < ROWS * COLUMNS; i++) product += coefficient[i] * weights[i] / sigma;
    for (int i = 0; i < ROWS * COLUMNS; i++)
        expect_near(got[i], (coefficient[i] - product * u[i / COLUMNS] * v[i % COLUMNS]) / sigma,
                    1e-5, 1e-4);
    free(coefficient), free(weights), free(u), free(v), free(got);
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(spectral_weight_is_divided_by_its_norm),
        TEST(spectral_norm_reaches_all_layers),
        TEST(spectral_gradient_takes_its_vectors_for_constants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
