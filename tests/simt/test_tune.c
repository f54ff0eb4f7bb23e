/* A device that tunes takes the fastest of cuDNN's engines, keeps what it took, and leaves what
 * follows a convolution to a launch of its own where that is faster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "cuda/conv_graph.h"
#include "cuda/device.h"
#include "ganc/ganc.h"
#include "support/scratch.h"

enum { N = 2, SIZE = 6, C = 4, K = 8 };
static const int first_that_fits = 4; /* of the stand-in's engines */

enum { VALUES = N * SIZE * SIZE * K };

/* A convolution with the sum with an array and tanh behind it, and a weight gradient, in bf16. */
typedef struct outcome {
    int launches;
    int fused, weight; /* which configurations; -1: none */
    uint16_t value[VALUES];
    simt_counts asked;
} outcome;

static int number_of(const gan_cuda_device *d, gan_cuda_conv_kind kind, bool fused) {
    for (const gan_cuda_conv_graph *g = d->conv_graphs; g; g = g->next)
        if (g->problem.kind == (int)kind && (g->problem.epilogue.n_steps > 0) == fused)
            return g->plan.plan ? g->plan.number : -1;
    return -1;
}

static gan_node *draw(gan_graph *g, gan_node *counter, gan_shape shape) {
    return gan_cast(g, gan_random_normal(g, counter, shape, 0, 1), GAN_BF16);
}

static outcome start(const char *cache, bool tune) {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_program_info info;
    const gan_window window = {1, 1, 1, 1, 1, 1};
    const simt_counts before = simt_count();
    expect_ok(
        gan_device_open(&device, "cuda", &(gan_device_options){.cache = cache, .tune = tune}));
    expect_ok(gan_store_create(&store, 1));
    expect_ok(gan_graph_create(&g, store));
    const gan_shape y_is = gan_shape4(N, SIZE, SIZE, K);
    gan_node *counter = gan_game_counter(g);
    gan_node *x = draw(g, counter, gan_shape4(N, SIZE, SIZE, C)),
             *w = draw(g, counter, gan_shape4(K, 3, 3, C)), *y = draw(g, counter, y_is);
    gan_node *sum =
        gan_add(g, gan_cast(g, gan_conv2d(g, x, w, window), GAN_F32), gan_cast(g, y, GAN_F32));
    gan_node *out = gan_output(g, gan_cast(g, gan_tanh(g, sum), GAN_BF16));
    gan_output(g, gan_conv2d_grad_weight(g, x, y, 3, 3, window));
    expect_ok(gan_compile(&program, g, device));
    gan_program_describe(program, &info);
    expect_ok(gan_program_run(program, 1));
    static outcome o;
    o = (outcome){.launches = info.launches,
                  .fused = number_of(gan_cuda(device), GAN_CUDA_CONV_Y, true),
                  .weight = number_of(gan_cuda(device), GAN_CUDA_CONV_DW, false)};
    expect_ok(gan_program_read(program, out, o.value, sizeof o.value));
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
    o.asked = simt_count();
    assert_int_equal(o.asked.handles, before.handles);
    assert_int_equal(o.asked.bytes, before.bytes);
    assert_int_equal(o.asked.streams, before.streams);
    assert_int_equal(cudaGetLastError(), cudaSuccess);
    o.asked.searches -= before.searches;
    o.asked.compiled -= before.compiled;
    return o;
}

static void takes_the_fastest_and_keeps_it(void **state) {
    (void)state;
    simt_set_engine(0, 0.3, 0.3);
    simt_set_engine(1, 0.2, 0.2);
    const outcome usual = start(scratch("cache"), false);
    assert_int_equal(usual.fused, first_that_fits);
    assert_int_equal(usual.weight, first_that_fits);
    const outcome tuned = start(scratch("cache"), true);
    assert_int_equal(tuned.fused, first_that_fits + 1);
    assert_int_equal(tuned.weight, first_that_fits + 1);
    assert_int_equal(tuned.launches, usual.launches);
    assert_memory_equal(tuned.value, usual.value, sizeof usual.value);

    /* From now on nothing is timed, whatever it would say. */
    simt_set_engine(1, 0.4, 0.4);
    const outcome again = start(scratch("cache"), true);
    assert_int_equal(again.asked.searches, 0);
    assert_int_equal(again.asked.compiled, 0);
    assert_int_equal(again.fused, first_that_fits + 1);
    assert_int_equal(again.weight, first_that_fits + 1);
    const outcome without = start(scratch("cache"), false);
    assert_int_equal(without.fused, first_that_fits);
    assert_int_equal(without.weight, first_that_fits);
    simt_set_texts(SIMT_TEXTS_REFUSED); /* an update of the driver */
    const outcome updated = start(scratch("cache"), true);
    assert_int_equal(updated.fused, first_that_fits + 1);
    assert_int_equal(updated.weight, first_that_fits + 1);
    simt_set_texts(SIMT_TEXTS_ABSENT);
    simt_set_engine(1, 0.2, 0.2);
    start(scratch("numbers"), true);
    simt_set_engine(1, 0.4, 0.4);
    const outcome by_number = start(scratch("numbers"), true);
    assert_int_equal(by_number.fused, first_that_fits + 1);
    assert_int_equal(by_number.weight, first_that_fits + 1);
}

static void noise_does_not_choose(void **state) {
    (void)state;
    simt_set_engine(0, 0.300, 0.300);
    simt_set_engine(1, 0.299, 0.299);
    const outcome tuned = start(scratch("cache"), true);
    assert_int_equal(tuned.fused, first_that_fits);
    assert_int_equal(tuned.weight, first_that_fits);
}

/* By the stand-in's clock a launch takes 0.002 ms; a pass over the result and the other operand,
 * which is f32, counts as two copies of the result. */
static void parts_what_is_slow_together(void **state) {
    (void)state;
    simt_set_engine(0, 0.02, 0.03);
    simt_set_engine(1, 0.02, 0.03);
    const outcome usual = start(scratch("cache"), false), tuned = start(scratch("cache"), true),
                  again = start(scratch("cache"), true);
    assert_int_equal(usual.fused, first_that_fits);
    assert_int_equal(tuned.fused, -1);
    assert_int_equal(tuned.launches, usual.launches + 1);
    assert_memory_equal(again.value, tuned.value, sizeof again.value);
    assert_int_equal(again.fused, -1);
    assert_int_equal(again.launches, tuned.launches);
    assert_int_equal(again.asked.searches, 0);

    simt_set_engine(0, 0.02, 0.0227); /* less than a pass, more than a copy */
    simt_set_engine(1, 0.02, 0.0227);
    assert_int_equal(start(scratch("other"), true).launches, usual.launches);
    simt_set_engine(0, 0.02, 0.0257);
    simt_set_engine(1, 0.02, 0.0257);
    assert_int_equal(start(scratch("another"), true).launches, usual.launches + 1);
}

/* What could not be timed is taken as it comes; and so it stays. */
static void stays_with_what_it_began_with(void **state) {
    (void)state;
    simt_set_engine(0, 0.3, 0.3);
    simt_set_engine(1, 0.2, 0.2);
    gan_device *device;
    const gan_device_options options = {.cache = scratch("cache"), .tune = true};
    const long before = simt_count().allocations;
    expect_ok(gan_device_open(&device, "cuda", &options));
    const long opening = simt_count().allocations - before;
    gan_device_close(device);
    int others = 0;
    for (long i = 0; i < 6; i++) { /* each of the first allocations after it */
        char folder[32];
        snprintf(folder, sizeof folder, "cache%ld", i);
        simt_fail_allocation(opening + i);
        const outcome poor = start(scratch(folder), true);
        simt_fail_allocation(-1);
        const outcome rich = start(scratch(folder), true);
        others += poor.fused == first_that_fits || poor.weight == first_that_fits;
        assert_int_equal(rich.fused, poor.fused);
        assert_int_equal(rich.weight, poor.weight);
        assert_int_equal(rich.asked.searches, 0);
    }
    assert_true(others > 0);
}

static void wants_a_place_to_keep_it(void **state) {
    (void)state;
    gan_device *device;
    expect_failure(gan_device_open(&device, "cuda", &(gan_device_options){.tune = true}),
                   GAN_ERROR_ARGUMENT, "cuda:0", "tune", "folder");
    scratch_put("file", "x", 1);
    expect_failure(gan_device_open(&device, "cuda",
                                   &(gan_device_options){.tune = true, .cache = scratch("file")}),
                   GAN_ERROR_IO, "cuda:0", "tune", "file");
    assert_int_equal(simt_count().handles, 0);
}

static int tear_down(void **state) {
    simt_reset();
    return scratch_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(takes_the_fastest_and_keeps_it), TEST(noise_does_not_choose),
        TEST(parts_what_is_slow_together),    TEST(stays_with_what_it_began_with),
        TEST(wants_a_place_to_keep_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
