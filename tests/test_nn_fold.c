/* A convolution and a change of size at once: what the two steps make, in double to the last
 * digits, value and gradients of first and second order, under every rule for weights; the same
 * weights. */
#include "support/layers.h"

typedef struct layer {
    bool up;
    int size;
    int64_t height, width, in, out;
} layer;

static const layer layers[] = {
    {true, 3, 3, 4, 3, 2},  {true, 1, 2, 3, 2, 3},  {true, 5, 4, 2, 2, 2},  {true, 3, 1, 1, 4, 1},
    {false, 3, 4, 6, 3, 2}, {false, 1, 4, 2, 3, 2}, {false, 5, 6, 4, 2, 2}, {false, 3, 2, 2, 1, 4},
};
enum { LAYERS = sizeof layers / sizeof *layers, M = 2 };

static gan_node *at_once(gan_scope *s, gan_node *x, const layer *l) {
    return l->up ? gan_layer_conv2d_up(s, "c", x, l->out, l->size, NULL)
                 : gan_layer_conv2d_down(s, "c", x, l->out, l->size, NULL);
}

static gan_node *in_two_steps(gan_scope *s, gan_node *x, const layer *l) {
    const gan_window window = gan_window_same(1, l->size / 2);
    if (l->up)
        return gan_layer_conv2d(s, "c", gan_upsample(g, x, 2), l->out, l->size, window, NULL);
    return gan_average_pool(g, gan_layer_conv2d(s, "c", x, l->out, l->size, window, NULL), 2, 2,
                            gan_window_same(2, 0));
}

/* y, d(loss)/d(x and weights), and d(‖d(loss)/dx‖²)/d(x and weights). */
enum { WEIGHTS = 3, VALUES = 1 + 2 * (1 + WEIGHTS) };

static int derive(gan_node *x, gan_node *y, gan_node *value[VALUES]) {
    gan_node *wrt[1 + WEIGHTS] = {x};
    const int n = 1 + gan_group_weights(g, "n", wrt + 1, WEIGHTS);
    assert_in_range(n, 3, 1 + WEIGHTS);
    gan_node *loss = gan_sum(g, gan_sin(g, gan_shift(g, y, 0.3)));
    value[0] = y;
    expect_ok(gan_gradient(g, loss, n, wrt, value + 1));
    gan_node *penalty = gan_sum(g, gan_square(g, value[1]));
    expect_ok(gan_gradient(g, penalty, n, wrt, value + 1 + n));
    return 1 + 2 * n;
}

static void equal_in_double(const layer *l, const gan_weight_rule *rule) {
    const gan_scope_settings settings = {.training = true, .weight = rule};
    gan_node *x = F32(M, l->height, l->width, l->in), *one[VALUES], *two[VALUES];
    gan_node *y = at_once(gan_scope_create(g, "n", &settings), x, l);
    const size_t variables = gan_store_count(store);
    gan_node *z = in_two_steps(gan_scope_create(g, "n", &settings), x, l);
    assert_non_null(y);
    assert_true(gan_shape_equal(gan_node_shape(y), gan_node_shape(z)));
    assert_int_equal(gan_store_count(store), variables);
    assert_true(gan_shape_equal(gan_variable_shape(find(GAN_WEIGHT, "n/c/weight")),
                                SHAPE(l->out, l->size, l->size, l->in)));
    const int n = derive(x, y, one);
    assert_int_equal(derive(x, z, two), n);
    reference *r = ref_create(g);
    fill_reference(r, x, 29);
    ref_run(r);
    for (int i = 0; i < n; i++) {
        const double *a = ref_value(r, one[i]), *b = ref_value(r, two[i]);
        double scale = 0;
        const int64_t size = gan_shape_size(gan_node_shape(one[i]));
        assert_true(gan_shape_equal(gan_node_shape(one[i]), gan_node_shape(two[i])));
        for (int64_t e = 0; e < size; e++) scale = fmax(scale, fabs(b[e]));
        assert_true(scale > 1e-3);
        for (int64_t e = 0; e < size; e++) expect_near(a[e], b[e], 1e-12 * scale, 0);
    }
    ref_destroy(r);
}

static void one_step_is_two_steps(void **state) {
    for (size_t rule = 0; rule < gan_weight_rule_count(); rule++)
        for (int i = 0; i < LAYERS; i++) {
            close_networks(state);
            open_networks(state);
            equal_in_double(&layers[i], gan_weight_rule_at(rule));
        }
}

static void near(const gan_node *one, const gan_node *two, double tolerance) {
    float *a = read_output(one), *b = read_output(two);
    const int64_t size = gan_shape_size(gan_node_shape(one));
    double scale = 0;
    for (int64_t e = 0; e < size; e++) scale = fmax(scale, fabs((double)b[e]));
    for (int64_t e = 0; e < size; e++) expect_near(a[e], b[e], tolerance * scale, 0);
    free(a), free(b);
}

/* The device in f32, and in bf16, whose results keep 8 bits. */
static void devices_agree(void **state) {
    static const gan_precision precisions[] = {GAN_PRECISION_F32, GAN_PRECISION_BF16};
    for (int p = 0; p < 2; p++)
        for (int i = 0; i < LAYERS; i++) {
            close_networks(state);
            open_networks(state);
            const layer *l = &layers[i];
            const gan_scope_settings settings = {.training = true, .precision = precisions[p]};
            const gan_dtype type = p ? GAN_BF16 : GAN_F32;
            gan_node *x = F32(M, l->height, l->width, l->in), *one[VALUES], *two[VALUES];
            gan_node *y = at_once(gan_scope_create(g, "n", &settings), x, l);
            gan_node *z = in_two_steps(gan_scope_create(g, "n", &settings), x, l);
            assert_int_equal(gan_node_dtype(y), type);
            const int n = derive(x, gan_cast(g, y, GAN_F32), one);
            assert_int_equal(derive(x, gan_cast(g, z, GAN_F32), two), n);
            for (int k = 0; k < n; k++) gan_output(g, one[k]), gan_output(g, two[k]);
            load();
            float *in = some_floats(gan_shape_size(gan_node_shape(x)), 3);
            write_input(x, in);
            run(1);
            for (int k = 0; k < n; k++) near(one[k], two[k], p ? 0.04 : 1e-5);
            free(in);
        }
}

static void wrong_maps_are_refused(void **state) {
    gan_layer_conv2d_down(gan_scope_create(g, "n", NULL), "c", F32(1, 5, 4, 2), 2, 3, NULL);
    expect_graph_error(GAN_ERROR_SHAPE, "f32(1,5,4,2)");
    close_graph(state), open_graph(state);
    gan_layer_conv2d_up(gan_scope_create(g, "n", NULL), "c", F32(1, 4, 4, 2), 2, 4, NULL);
    expect_graph_error(GAN_ERROR_SHAPE, "filters of 4");
    close_graph(state), open_graph(state);
    gan_layer_conv2d_up(gan_scope_create(g, "n", NULL), "c", F32(4, 4), 2, 3, NULL);
    expect_graph_error(GAN_ERROR_SHAPE, "n/c");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(one_step_is_two_steps),
        TEST(devices_agree),
        TEST(wrong_maps_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
