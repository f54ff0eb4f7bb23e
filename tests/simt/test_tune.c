/* A device that tunes takes the fastest of cuDNN's engines, keeps what it took, and leaves what
 * follows a convolution to a launch of its own where that is faster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "cuda/conv_graph.h"
#include "cuda/device.h"
#include "ganc/ganc.h"
#include "support/scratch.h"

enum { N = 2, SIZE = 6, C = 4, K = 8 };
static const int first_that_fits = 4; /* of the stand-in's engines */

/* A convolution with tanh behind it and a weight gradient, in bf16. */
typedef struct outcome {
    int launches;
    int fused, weight; /* which configurations; -1: none */
    simt_counts asked;
} outcome;

static int number_of(const gan_cuda_device *d, gan_cuda_conv_kind kind, bool fused) {
    for (const gan_cuda_conv_graph *g = d->conv_graphs; g; g = g->next)
        if (g->problem.kind == (int)kind && (g->problem.epilogue.n_steps > 0) == fused)
            return g->plan.plan ? g->plan.number : -1;
    return -1;
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
    const gan_init init = gan_init_constant(0);
    gan_node *x = gan_variable_node(g, GAN_WEIGHT, "v/x", GAN_BF16, gan_shape4(N, SIZE, SIZE, C),
                                    init),
             *w = gan_variable_node(g, GAN_WEIGHT, "v/w", GAN_BF16, gan_shape4(K, 3, 3, C), init),
             *y = gan_variable_node(g, GAN_WEIGHT, "v/y", GAN_BF16, gan_shape4(N, SIZE, SIZE, K),
                                    init);
    gan_output(g, gan_tanh(g, gan_conv2d(g, x, w, window)));
    gan_output(g, gan_conv2d_grad_weight(g, x, y, 3, 3, window));
    expect_ok(gan_compile(&program, g, device));
    gan_program_describe(program, &info);
    expect_ok(gan_program_run(program, 1));
    outcome o = {.launches = info.launches,
                 .fused = number_of(gan_cuda(device), GAN_CUDA_CONV_Y, true),
                 .weight = number_of(gan_cuda(device), GAN_CUDA_CONV_DW, false)};
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
    o.asked = simt_count();
    assert_int_equal(o.asked.handles, before.handles);
    assert_int_equal(o.asked.bytes, before.bytes);
    assert_int_equal(o.asked.streams, before.streams);
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

    /* From now on nothing is timed, whatever it would say. */
    simt_set_engine(1, 0.4, 0.4);
    const outcome again = start(scratch("cache"), true);
    assert_int_equal(again.asked.searches, 0);
    assert_int_equal(again.asked.compiled, 0);
    const outcome without = start(scratch("cache"), false);
    assert_int_equal(without.fused, first_that_fits);
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

static void parts_what_is_slow_together(void **state) {
    (void)state;
    simt_set_engine(0, 0.2, 0.3);
    simt_set_engine(1, 0.2, 0.3);
    const outcome usual = start(scratch("cache"), false), tuned = start(scratch("cache"), true),
                  again = start(scratch("cache"), true);
    assert_int_equal(usual.fused, first_that_fits);
    assert_int_equal(tuned.fused, -1);
    assert_int_equal(tuned.launches, usual.launches + 1);
    assert_int_equal(again.fused, -1);
    assert_int_equal(again.launches, tuned.launches);
    assert_int_equal(again.asked.searches, 0);

    simt_set_engine(0, 0.2, 0.203); /* less than a pass and its launch */
    simt_set_engine(1, 0.2, 0.203);
    assert_int_equal(start(scratch("other"), true).launches, usual.launches);
}

static void does_without_memory_to_try(void **state) {
    (void)state;
    simt_set_engine(0, 0.3, 0.3);
    simt_set_engine(1, 0.2, 0.2);
    gan_device *device;
    const gan_device_options options = {.cache = scratch("cache"), .tune = true};
    const long before = simt_count().allocations;
    expect_ok(gan_device_open(&device, "cuda", &options));
    const long opening = simt_count().allocations - before;
    gan_device_close(device);
    simt_fail_allocation(opening); /* the first after it */
    const outcome poor = start(scratch("cache"), true);
    assert_true(poor.fused == first_that_fits || poor.weight == first_that_fits);
    const outcome rich = start(scratch("cache"), true);
    assert_int_equal(rich.fused, first_that_fits + 1);
    assert_int_equal(rich.weight, first_that_fits + 1);
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
        TEST(parts_what_is_slow_together),    TEST(does_without_memory_to_try),
        TEST(wants_a_place_to_keep_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
