/* What a training iteration costs on a GPU, counted without one: launches and bytes of the
 * benchmark's cases, held against limits so that a change that adds launches or traffic fails.
 * Of a case given as argument (and a precision), the launches are listed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "device/program.h"
#include "support/measured.h"

/* What an iteration as bench/ measures it may cost. The ideal figures are counted by hand: the
 * kernels of the cheapest correct schedule with every chain in a product's epilogue, and the bytes
 * that they move with values stored as bf16. */
typedef struct cost_case {
    const measured_case *is;
    int ideal_launches, sums; /* sums: of these, products with a row, with a column or of the two
                                 that are tasks beside others */
    double ideal_gflop, ideal_mb, ideal_updates_mb;
    /* by precision: as found when they were last lowered; depth: with branches, the launches of
     * the longest chain */
    struct limits {
        int launches, depth;
        double mb, updates_mb;
    } f32, bf16;
} cost_case;

/* Above the ideal are, in launches: the passes of batch norm, one forward and one backward beside
 * the convolutions; gradients of what short cuts upsample; masks, maxima and their gradients of
 * maxout; in f32 what follows a convolution, since the library's engines for both round to tensor
 * float. The same values go through memory. */
/* clang-format off */
static const cost_case cases[] = {
    {&measured_cases[0], 29, 5, 2.0, 26, 61, {27, 21, 47, 57}, {28, 22, 29, 61}},
    {&measured_cases[1], 29, 5, 3.6, 48, 82, {32, 24, 108, 75}, {31, 22, 65, 83}},
    {&measured_cases[2], 42, 5, 291, 1005, 190, {56, 51, 2555, 178}, {51, 47, 1185, 180}},
    {&measured_cases[3], 286, 0, 2363, 5338, 363, {423, 338, 17520, 265}, {324, 239, 7670, 270}},
    {&measured_cases[4], 50, 5, 6893, 12181, 1579, {71, 65, 34160, 1480}, {65, 59, 15310, 1480}},
};
/* clang-format on */
enum { CASES = sizeof cases / sizeof *cases };

typedef struct compiled {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
} compiled;

/* False when this build has no device of the kind. */
static bool compile(compiled *p, const cost_case *c, gan_precision precision, const char *kind,
                    bool branches) {
    const gan_device_options planned = {.plan_only = true, .branches = branches};
    if (gan_device_open(&p->device, kind, &planned) != GAN_OK) return false;
    assert_int_equal(gan_store_create(&p->store, 1), GAN_OK);
    assert_int_equal(gan_graph_create(&p->g, p->store), GAN_OK);
    measured_build(p->g, c->is, precision);
    if (gan_compile(&p->program, p->g, p->device) != GAN_OK) fail_msg("%s", gan_last_error());
    return true;
}

static void release(compiled *p) {
    gan_program_destroy(p->program);
    gan_graph_destroy(p->g);
    gan_store_destroy(p->store);
    gan_device_close(p->device);
}

/* `target`: how far above the ideal is near enough. */
static void print_row(const cost_case *c, gan_precision precision, const char *what, double is,
                      double ideal, double target, double limit) {
    print_message("%-4s %-5s %-16s %10.1f %10.1f %8.2f %10.2f %10.1f\n", c->is->name,
                  gan_precision_name(precision), what, is, ideal, is / ideal, is / ideal / target,
                  limit);
}

/* Branches change nothing but what waits for what, and where values are. */
static int depth_of(const cost_case *c, gan_precision precision, const gan_program_info *chain) {
    compiled p;
    gan_program_info info;
    assert_true(compile(&p, c, precision, "cuda", true));
    gan_program_describe(p.program, &info);
    release(&p);
    assert_int_equal(chain->depth, chain->launches);
    assert_int_equal(info.launches, chain->launches);
    assert_int_equal(info.bytes_moved, chain->bytes_moved);
    assert_true(info.activation_bytes <= chain->activation_bytes + ((size_t)1 << 25));
    return info.depth;
}

static void check(const cost_case *c, gan_precision precision, const struct limits *most) {
    compiled p;
    gan_program_info info;
    if (!compile(&p, c, precision, "cuda", false)) {
        print_message("%s: skipped, %s\n", c->is->name, gan_last_error());
        skip();
    }
    gan_program_describe(p.program, &info);
    release(&p);
    const int depth = depth_of(c, precision, &info);
    const double updates = (double)info.bytes_updates * 1e-6, gflop = (double)info.flops * 1e-9;
    const double mb = (double)info.bytes_moved * 1e-6 - updates;
    const double most_gflop = 1.02 * c->ideal_gflop;
    const double near_launches = c->is->spectral_norm ? 1.2 : 1.3, near_mb = 1.25;
    print_row(c, precision, "launches", info.launches, c->ideal_launches, near_launches,
              most->launches);
    print_row(c, precision, "depth", depth, c->ideal_launches, near_launches, most->depth);
    print_row(c, precision, "MB", mb, c->ideal_mb, near_mb, most->mb);
    print_row(c, precision, "MB of updates", updates, c->ideal_updates_mb, near_mb,
              most->updates_mb);
    print_row(c, precision, "MB in all", mb + updates, c->ideal_mb + c->ideal_updates_mb, near_mb,
              most->mb + most->updates_mb);
    print_row(c, precision, "GFLOP", gflop, c->ideal_gflop, 1, most_gflop);
    assert_true(info.launches <= most->launches);
    assert_true(depth <= most->depth);
    assert_true(mb <= most->mb);
    assert_true(updates <= most->updates_mb);
    assert_true(gflop <= most_gflop);
    /* No product, update or batch that the schedule does not need. */
    if (!c->is->spectral_norm) assert_int_equal(info.launches_least + c->sums, c->ideal_launches);
}

static void costs_no_more_than_it_did(void **state) {
    const cost_case *c = *state;
    check(c, GAN_PRECISION_F32, &c->f32);
    check(c, GAN_PRECISION_BF16, &c->bf16);
}

static void nothing_runs_on_a_planned_device(void **state) {
    (void)state;
    compiled p;
    assert_true(compile(&p, &cases[0], GAN_PRECISION_F32, "cpu", false));
    assert_int_equal(gan_program_load(p.program), GAN_ERROR_DEVICE);
    assert_int_equal(gan_program_run(p.program, 1), GAN_ERROR_DEVICE);
    assert_int_equal(gan_store_place(p.store, p.device), GAN_ERROR_DEVICE);
    release(&p);
}

static int list(const char *name, gan_precision precision) {
    for (int i = 0; i < CASES; i++) {
        compiled p;
        if (strcmp(cases[i].is->name, name) != 0 ||
            !compile(&p, &cases[i], precision, "cuda", true))
            continue;
        gan_program_print(p.program, stdout);
        release(&p);
        return 0;
    }
    return 1;
}

int main(int argc, char **argv) {
    gan_precision precision = GAN_PRECISION_BF16;
    if (argc > 2 && !gan_precision_find(&precision, argv[2])) return 2;
    if (argc > 1) return list(argv[1], precision);
    struct CMUnitTest tests[CASES + 1] = {cmocka_unit_test(nothing_runs_on_a_planned_device)};
    for (int i = 0; i < CASES; i++)
        tests[1 + i] = (struct CMUnitTest){.name = cases[i].is->name,
                                           .test_func = costs_no_more_than_it_did,
                                           .initial_state = (void *)(uintptr_t)&cases[i]};
    print_message("%-4s %-5s %-16s %10s %10s %8s %10s %10s\n", "case", "", "", "is", "ideal",
                  "ratio", "of target", "limit");
    return cmocka_run_group_tests_name("cost", tests, NULL, NULL);
}
