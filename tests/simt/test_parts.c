/* Results in parts, brought together by the last block, and batch norm with what follows it: as the
 * CPU computes them, run after run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <math.h>
#include <stdlib.h>

#include <cmocka.h>

#include "ganc/ganc.h"
#include "support/scratch.h"

enum { OUTPUTS = 7, ROWS = 6000, CHANNELS = 20 };

typedef int builder(gan_graph *g, gan_node *counter, gan_node *out[OUTPUTS]); /* how many */

static int parts(gan_graph *g, gan_node *counter, gan_node *out[OUTPUTS]) {
    gan_node *x = gan_random_normal(g, counter, gan_shape2(ROWS, CHANNELS), 3, 2);
    gan_node *dy = gan_random_normal(g, counter, gan_shape2(ROWS, CHANNELS), 0, 1);
    gan_node *gamma = gan_random_normal(g, counter, gan_shape1(CHANNELS), 1, 1);
    gan_node *beta = gan_random_normal(g, counter, gan_shape1(CHANNELS), 0, 1);
    for (int groups = 1; groups <= 2; groups++) {
        gan_node *moments = gan_moments(g, x, groups), *both[2];
        gan_node *y = gan_relu(g, gan_batch_norm(g, x, moments, gamma, beta, 1e-5));
        expect_ok(
            gan_gradient(g, gan_sum(g, gan_mul(g, y, dy)), 2, (gan_node *[]){x, gamma}, both));
        out[2 * groups - 2] = moments;
        out[2 * groups - 1] = gan_add(g, y, both[0]);
    }
    out[4] = gan_sum_axes(g, gan_exp(g, dy), 1u << 0);
    out[5] = gan_max_axes(g, x, GAN_ALL_AXES);
    out[6] = gan_sum_axes(g, gan_square(g, x), GAN_ALL_AXES);
    return 7;
}

/* More tiles of rows, more products, than a grid has places for along these axes. */
static int many_tiles(gan_graph *g, gan_node *counter, gan_node *out[OUTPUTS]) {
    const int64_t rows = 32 * 65536, batch = 65536;
    gan_node *w = gan_random_normal(g, counter, gan_shape2(1, 1), 1, 1);
    gan_node *x = gan_random_uniform(g, counter, gan_shape2(rows, 1), -1, 1);
    out[0] = gan_relu(g, gan_add(g, gan_matmul(g, x, w, false, false), w));
    gan_node *y = gan_random_uniform(g, counter, gan_shape3(batch, 1, 2), -1, 1);
    gan_node *v = gan_random_uniform(g, counter, gan_shape3(batch, 2, 1), -1, 1);
    out[1] = gan_relu(g, gan_add(g, gan_matmul(g, y, v, false, false), w));
    return 2;
}

static int evaluate(const char *kind, builder *build, float *value[OUTPUTS],
                    int64_t size[OUTPUTS]) {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_node *out[OUTPUTS];
    expect_ok(gan_device_open(&device, kind, NULL));
    expect_ok(gan_store_create(&store, 1));
    expect_ok(gan_graph_create(&g, store));
    gan_node *counter = gan_game_counter(g);
    const int n = build(g, counter, out);
    for (int i = 0; i < n; i++) out[i] = gan_output(g, out[i]);
    expect_ok(gan_compile(&program, g, device));
    expect_ok(gan_program_run(program, 3)); /* counters are as they were */
    for (int i = 0; i < n; i++) {
        size[i] = gan_shape_size(gan_node_shape(out[i]));
        const size_t bytes = (size_t)size[i] * sizeof(float);
        value[i] = malloc(bytes);
        assert_non_null(value[i]);
        expect_ok(gan_program_read(program, out[i], value[i], bytes));
    }
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
    return n;
}

static void check(builder *build) {
    float *got[OUTPUTS], *wanted[OUTPUTS];
    int64_t size[OUTPUTS];
    const int n = evaluate("cuda", build, got, size);
    evaluate("cpu", build, wanted, size);
    for (int i = 0; i < n; i++) {
        for (int64_t k = 0; k < size[i]; k++) {
            const double a = (double)got[i][k], b = (double)wanted[i][k];
            if (!(fabs(a - b) <= 2e-5 * (1 + fabs(b))))
                fail_msg("output %d, element %lld: %g, expected %g", i, (long long)k, a, b);
        }
        free(got[i]);
        free(wanted[i]);
    }
}

static void parts_make_the_whole(void **state) {
    (void)state;
    check(parts);
}

static void products_fit_the_grid(void **state) {
    (void)state;
    check(many_tiles);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(parts_make_the_whole),
                                       cmocka_unit_test(products_fit_the_grid)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
