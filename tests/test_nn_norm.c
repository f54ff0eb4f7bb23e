/* The norms: values against their formulas in double, gradients against differences, classes,
 * reference batches, and what is refused. */
#include "support/layers.h"

enum { M = 4, H = 3, W = 2, C = 6, MAP = H * W, EACH = MAP * C, SIZE = M * EACH };
static const double EPS = 1e-3;

static const gan_init wide = {GAN_INIT_NORMAL, 1, 0.5f}, around = {GAN_INIT_NORMAL, 0, 1};
static const gan_norm_options learnt = {.eps = 1e-3, .gamma = &wide, .beta = &around};

static gan_scope *scope_of(gan_scope_settings settings, const char *norm) {
    settings.norm = gan_norm_find(norm);
    assert_non_null(settings.norm);
    return gan_scope_create(g, "n", &settings);
}

/* Mean and variance of those x[i] for which belongs(i, key). */
typedef bool belongs(int i, int key);
static void moments_where(const float *x, belongs *where, int key, double *mean, double *variance) {
    double sum = 0, square = 0;
    int n = 0;
    for (int i = 0; i < SIZE; i++)
        if (where(i, key)) sum += x[i], n++;
    *mean = sum / n;
    for (int i = 0; i < SIZE; i++)
        if (where(i, key)) square += (x[i] - *mean) * (x[i] - *mean);
    *variance = square / n;
}

static int row(int i) { return i / EACH; }
static int channel(int i) { return i % C; }

static bool in_example(int i, int key) { return row(i) == row(key); }
static bool in_channel(int i, int key) { return in_example(i, key) && channel(i) == channel(key); }
static bool in_batch_channel(int i, int key) { return channel(i) == channel(key); }
/* C = 6 falls into three groups of two. */
static bool in_pair(int i, int key) {
    return in_example(i, key) && channel(i) / 2 == channel(key) / 2;
}

static float *values(void) {
    float *x = some_floats(SIZE, 3);
    for (int i = 0; i < SIZE; i++) x[i] = x[i] * 2 + (float)channel(i) - (float)row(i);
    return x;
}

static void norms_follow_their_formulas(void **state) {
    const struct {
        const char *name;
        belongs *where;
    } rows[] = {{"batch", in_batch_channel},
                {"layer", in_example},
                {"instance", in_channel},
                {"group", in_pair}};
    for (size_t k = 0; k < COUNT(rows); k++) {
        close_networks(state);
        open_networks(state);
        gan_node *x = F32(M, H, W, C);
        gan_scope *s = scope_of((gan_scope_settings){.training = true}, rows[k].name);
        gan_node *y = gan_output(g, gan_layer_norm(s, "l", x, "none", &learnt));
        load();
        float *in = values();
        write_input(x, in);
        run(1);
        float *out = read_output(y), *gamma = read_variable(GAN_WEIGHT, "n/l/gamma");
        float *beta = read_variable(GAN_WEIGHT, "n/l/beta");
        for (int i = 0; i < SIZE; i++) {
            double mean, variance;
            moments_where(in, rows[k].where, i, &mean, &variance);
            const double want = (in[i] - mean) / sqrt(variance + EPS);
            expect_near(out[i], want * gamma[channel(i)] + beta[channel(i)], 1e-5, 1e-4);
        }
        free(in), free(out), free(gamma), free(beta);
    }
}

/* 64 channels: 32 groups of two; and (m, C) without a map. */
static void group_norm_takes_groups_of_channels(void **state) {
    (void)state;
    enum { N = 3, K = 64 };
    gan_node *x = F32(N, K);
    gan_node *y = gan_output(g, gan_layer_norm(scope_of((gan_scope_settings){0}, "group"), "l", x,
                                               "none", &(gan_norm_options){.eps = EPS}));
    load();
    float *in = some_floats(N * K, 4);
    write_input(x, in);
    run(1);
    float *out = read_output(y);
    for (int i = 0; i < N * K; i++) {
        const double a = in[i], b = in[i ^ 1], mean = (a + b) / 2;
        expect_near(out[i], (a - mean) / sqrt((a - mean) * (a - mean) + EPS), 1e-5, 1e-4);
    }
    free(in), free(out);
}

static void pixel_norm_has_no_weights(void **state) {
    (void)state;
    gan_node *x = F32(M, H, W, C);
    gan_scope *s = scope_of((gan_scope_settings){.training = true}, "pixel");
    gan_node *y = gan_output(g, gan_layer_norm(s, "l", x, "batch", NULL));
    assert_int_equal(gan_store_count(store), 0);
    assert_false(gan_scope_norm(s, "batch")->shifts);
    load();
    float *in = values();
    write_input(x, in);
    run(1);
    float *out = read_output(y);
    for (int i = 0; i < SIZE; i++) {
        double square = 0;
        for (int c = 0; c < C; c++) square += pow(in[i / C * C + c], 2);
        expect_near(out[i], in[i] / sqrt(square / C + 1e-8), 1e-6, 1e-5);
    }
    free(in), free(out);
}

static void the_settings_choose_before_the_network(void **state) {
    (void)state;
    gan_scope *own = gan_scope_create(g, "n", NULL);
    assert_ptr_equal(gan_scope_norm(own, "batch"), gan_norm_find("batch"));
    assert_ptr_equal(gan_scope_norm(scope_of((gan_scope_settings){0}, "layer"), "batch"),
                     gan_norm_find("layer"));
    gan_node *x = F32(M, H, W, C);
    assert_ptr_equal(gan_layer_norm(own, "l", x, "none", NULL), x);
    assert_int_equal(gan_norm_count(), 7);
    assert_null(gan_norm_at(7));
    assert_null(gan_norm_find("no norm"));
    gan_layer_norm(own, "l", x, "no norm", NULL);
    expect_graph_error(GAN_ERROR_ARGUMENT, "no norm");
}

/* ---- virtual batch norm ---- */

static void moments_of_rows(const float *x, int first, int rows, int c, double *mean,
                            double *variance) {
    *mean = *variance = 0;
    const int n = rows * MAP;
    for (int i = first * MAP; i < (first + rows) * MAP; i++) *mean += (double)x[i * C + c] / n;
    for (int i = first * MAP; i < (first + rows) * MAP; i++)
        *variance += pow(x[i * C + c] - *mean, 2) / n;
}

/* E[x] and E[x²] are mixed n : 1, as the paper's section 3.5 has it. */
static double virtual_value(const float *x, int n, int i) {
    const int c = channel(i), example = row(i);
    double m[2], v[2];
    moments_of_rows(x, 0, n, c, &m[0], &v[0]);
    if (example < n) return (x[i] - m[0]) / sqrt(v[0] + EPS);
    moments_of_rows(x, example, 1, c, &m[1], &v[1]);
    const double a = n / (n + 1.), b = 1 / (n + 1.);
    const double mean = a * m[0] + b * m[1];
    const double square = a * (v[0] + m[0] * m[0]) + b * (v[1] + m[1] * m[1]);
    return (x[i] - mean) / sqrt(square - mean * mean + EPS);
}

static void virtual_norm_mixes_reference_and_example(void **state) {
    (void)state;
    enum { REFERENCE = 2 };
    const gan_scope_settings pass = {
        .training = true, .update_statistics = true, .reference = REFERENCE, .groups = 2};
    gan_node *x = F32(M, H, W, C), *late = F32(M, H, W, C);
    const gan_norm_options o = {.eps = EPS};
    gan_node *y = gan_output(g, gan_layer_norm(scope_of(pass, "virtual"), "l", x, "none", &o));
    gan_scope *evaluation = scope_of((gan_scope_settings){0}, "virtual");
    gan_node *e = gan_output(g, gan_layer_norm(evaluation, "l", late, "none", &o));
    load();
    float *in = values(), *later = some_floats(SIZE, 8);
    /* What evaluation sees follows the same reference batch. */
    memcpy(later, in, REFERENCE * EACH * sizeof(float));
    write_input(x, in);
    write_input(late, later);
    run(1);
    float *out = read_output(y), *after = read_output(e);
    for (int i = 0; i < SIZE; i++) {
        expect_near(out[i], virtual_value(in, REFERENCE, i), 1e-5, 1e-4);
        if (row(i) >= REFERENCE)
            expect_near(after[i], virtual_value(later, REFERENCE, i), 1e-5, 1e-4);
    }
    float *count = read_variable(GAN_STATISTIC, "n/l/reference_count");
    assert_true(*count == REFERENCE);
    free(in), free(later), free(out), free(after), free(count);
}

static void virtual_norm_needs_its_reference(void **state) {
    const gan_scope_settings without = {.training = true};
    gan_layer_norm(scope_of(without, "virtual"), "l", F32(M, C), "none", NULL);
    expect_graph_error(GAN_ERROR_ARGUMENT, "0 of them");
    close_graph(state);
    open_graph(state);
    const gan_scope_settings all = {.training = true, .reference = M};
    gan_layer_norm(scope_of(all, "virtual"), "l", F32(M, C), "none", NULL);
    expect_graph_error(GAN_ERROR_ARGUMENT, "4 of them");
    close_graph(state);
    open_graph(state);
    gan_layer_norm(scope_of(all, "batch"), "l", F32(M, C), "none", NULL);
    expect_graph_error(GAN_ERROR_ARGUMENT, "reference batch");
}

/* ---- classes ---- */

static void classes_have_gains_and_biases(void **state) {
    enum { CLASSES = 3 };
    const int label[M] = {2, 0, 2, 1};
    const char *const names[] = {"batch", "layer"};
    for (size_t k = 0; k < COUNT(names) + 1; k++) { /* last: batch in evaluation */
        close_networks(state);
        open_networks(state);
        gan_node *x = F32(M, H, W, C), *classes = F32(M, CLASSES);
        const bool evaluation = k == COUNT(names);
        gan_scope *s = scope_of((gan_scope_settings){.training = !evaluation,
                                                     .condition = classes,
                                                     .condition_norm = true},
                                names[k % COUNT(names)]);
        gan_node *y = gan_output(g, gan_layer_norm(s, "l", x, "none", &learnt));
        load();
        float *in = values(), one_hot[M * CLASSES] = {0};
        for (int i = 0; i < M; i++) one_hot[i * CLASSES + label[i]] = 1;
        write_input(x, in);
        write_input(classes, one_hot);
        run(1);
        float *out = read_output(y), *gamma = read_variable(GAN_WEIGHT, "n/l/gamma");
        float *beta = read_variable(GAN_WEIGHT, "n/l/beta");
        assert_true(
            gan_shape_equal(gan_variable_shape(find(GAN_WEIGHT, "n/l/gamma")), SHAPE(CLASSES, C)));
        for (int i = 0; i < SIZE; i++) {
            double mean = 0, variance = 1;
            if (!evaluation)
                moments_where(in, k ? in_example : in_batch_channel, i, &mean, &variance);
            const int at = label[row(i)] * C + channel(i);
            const double want = (in[i] - mean) / sqrt(variance + EPS) * gamma[at] + beta[at];
            expect_near(out[i], want, 1e-5, 1e-4);
        }
        free(in), free(out), free(gamma), free(beta);
    }
}

static void classes_start_as_one_and_zero(void **state) {
    (void)state;
    gan_scope *s =
        scope_of((gan_scope_settings){.condition = F32(2, 3), .condition_norm = true}, "layer");
    gan_output(g, gan_layer_norm(s, "l", F32(2, C), "none", NULL));
    load();
    float *gamma = read_variable(GAN_WEIGHT, "n/l/gamma"),
          *beta = read_variable(GAN_WEIGHT, "n/l/beta");
    for (int i = 0; i < 3 * C; i++) assert_true(gamma[i] == 1 && beta[i] == 0);
    free(gamma), free(beta);
}

static void a_condition_has_the_rows_of_its_batch(void **state) {
    gan_layer_norm(
        scope_of((gan_scope_settings){.condition = F32(5, 3), .condition_norm = true}, "batch"),
        "l", F32(M, C), "none", NULL);
    expect_graph_error(GAN_ERROR_SHAPE, "(4,classes)");
    close_graph(state);
    open_graph(state);
    gan_layer_norm(scope_of((gan_scope_settings){.condition_norm = true}, "layer"), "l", F32(M, C),
                   "none", NULL);
    expect_graph_error(GAN_ERROR_SHAPE, "none");
}

static void maps_are_needed_where_they_are(void **state) {
    gan_layer_norm(scope_of((gan_scope_settings){0}, "instance"), "l", F32(M, C), "none", NULL);
    expect_graph_error(GAN_ERROR_SHAPE, "instance norm");
    close_graph(state);
    open_graph(state);
    gan_layer_norm(scope_of((gan_scope_settings){0}, "group"), "l", F32(M, 1), "none", NULL);
    expect_graph_error(GAN_ERROR_SHAPE, "1 groups");
}

/* ---- gradients ---- */

static void norms_have_two_derivatives(void **state) {
    for (size_t i = 0; i < gan_norm_count(); i++)
        for (int conditional = 0; conditional < 2; conditional++) {
            const gan_norm *norm = gan_norm_at(i);
            if (conditional && !norm->shifts) continue;
            close_networks(state);
            open_networks(state);
            gan_node *x = F32(5, 3, 2, 4);
            gan_node *label =
                gan_variable_node(g, GAN_DATA, "d/label", GAN_F32, gan_shape2(5, 2), (gan_init){0});
            gan_scope_settings settings = {.training = true, .norm = norm};
            if (!strcmp(norm->name, "virtual")) settings.reference = 2;
            if (conditional) settings.condition = label, settings.condition_norm = true;
            gan_scope *s = gan_scope_create(g, "n", &settings);
            gan_node *y = gan_layer_norm(s, "l", x, "none", NULL);
            assert_int_equal(layer_disagrees(x, y, "n", norm->name, 1e-4), 0);
        }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(norms_follow_their_formulas),
        TEST(group_norm_takes_groups_of_channels),
        TEST(pixel_norm_has_no_weights),
        TEST(the_settings_choose_before_the_network),
        TEST(virtual_norm_mixes_reference_and_example),
        TEST(virtual_norm_needs_its_reference),
        TEST(classes_have_gains_and_biases),
        TEST(classes_start_as_one_and_zero),
        TEST(a_condition_has_the_rows_of_its_batch),
        TEST(maps_are_needed_where_they_are),
        TEST(norms_have_two_derivatives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
