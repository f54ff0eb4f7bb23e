/* Programmatic dependent launch: the same bits as without it; kernels of ours may begin early, what
 * libraries launch may not, nor launches whose blocks wait for each other (the harness ends the
 * program where one may that does not wait); and devices that cannot do it refuse it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "games.h"
#include "support/scratch.h"

enum { UNROLL = 3 };
static bool brief; /* for the race detector: each game once, alone */

static void same_bits(const game *n, gan_precision precision, int cooperative, gan_direct direct) {
    const gan_device_options plain = {.cooperative = cooperative, .direct = direct},
                             early = {.cooperative = cooperative, .direct = direct, .pdl = true};
    const int unroll = brief ? 1 : UNROLL;
    size_t size = 0, got_size;
    simt_counts then = simt_count(), now;
    unsigned char *wanted = brief ? NULL : train(n, precision, &plain, unroll, "fwd", 0, &size);
    assert_int_equal(simt_count().early, then.early);
    then = simt_count();
    unsigned char *got = train(n, precision, &early, unroll, "rev", 0, &got_size);
    now = simt_count();
    const long kernels = now.kernels - then.kernels, some = now.early - then.early;
    print_message("%s: of %ld kernels %ld may begin early, %ld are cooperative\n", n->model,
                  kernels, some, now.cooperative - then.cooperative);
    if (wanted && (got_size != size || memcmp(got, wanted, size) != 0))
        fail_msg("%s: other bits", n->model);
    assert_true(3 * some > kernels);
    free(wanted);
    free(got);
}

static void bits_are_the_same(void **state) {
    const game *n = *state;
    const bool f32 = n->spectral_norm || n->term;
    if (brief) {
        same_bits(n, f32 ? GAN_PRECISION_F32 : GAN_PRECISION_BF16, 0, GAN_DIRECT_RULE);
        return;
    }
    for (int cooperative = -1; cooperative < 1; cooperative++) {
        same_bits(n, GAN_PRECISION_F32, cooperative, GAN_DIRECT_RULE);
        same_bits(n, GAN_PRECISION_BF16, cooperative, GAN_DIRECT_RULE);
    }
    if (strcmp(n->model, "dcgan") == 0) /* convolutions by our own kernels, too */
        same_bits(n, GAN_PRECISION_BF16, 0, GAN_DIRECT_ALWAYS);
}

/* ---- calls with nothing to do ---- */

/* y = x + x of no elements, before a product that begins when the launch ahead has ended. */
static void nothing_begins_for_nothing(void **state) {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *p;
    const float one[4] = {1, 2, 3, 4};
    float got[4];
    (void)state;
    expect_ok(gan_device_open(&device, "cuda", &(gan_device_options){.pdl = true}));
    expect_ok(gan_store_create(&store, 1));
    expect_ok(gan_graph_create(&g, store));
    gan_node *x = gan_input(g, GAN_F32, gan_shape2(2, 2), "x"),
             *none = gan_input(g, GAN_F32, gan_shape2(0, 2), "none"),
             *first = gan_matmul(g, x, x, false, false), *empty = gan_add(g, none, none),
             *second = gan_matmul(g, first, x, false, false);
    gan_output(g, first);
    gan_output(g, empty);
    gan_output(g, second);
    gan_output(g, gan_sub(g, none, none)); /* at the end, too */
    expect_ok(gan_compile(&p, g, device));
    expect_ok(gan_program_write(p, x, one, sizeof one));
    expect_ok(gan_program_run(p, 1));
    expect_ok(gan_program_read(p, second, got, sizeof got));
    const float wanted[4] = {37, 54, 81, 118};
    assert_memory_equal(got, wanted, sizeof got);
    gan_program_destroy(p);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_device_close(device);
}

/* ---- devices that cannot ---- */

/* By its name and by none, in place of which the CPU would be taken. */
static void refused(bool branches, const char *why) {
    static const char *const names[] = {"cuda", "auto", NULL};
    for (int i = 0; i < 3; i++) {
        gan_device *device = NULL;
        const gan_status status = gan_device_open(
            &device, names[i], &(gan_device_options){.pdl = true, .branches = branches});
        assert_int_equal(status, GAN_ERROR_ARGUMENT);
        assert_non_null(strstr(gan_last_error(), why));
        assert_null(device);
    }
}

static void is_refused(void **state) {
    (void)state;
    refused(true, "pdl and branches");
    simt_set_code(80); /* which a newer device runs, too */
    refused(false, "compute capability 9.0 or newer");
    simt_reset();
}

int main(int argc, char **argv) {
    brief = argc > 1 && strcmp(argv[1], "--brief") == 0;
    struct CMUnitTest tests[GAMES + 2];
    int n = 0;
    for (int i = 0; i < GAMES; i++)
        tests[n++] = (struct CMUnitTest){"bits_are_the_same", bits_are_the_same, NULL, NULL,
                                         (void *)(uintptr_t)&games[i]};
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(nothing_begins_for_nothing);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(is_refused);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
