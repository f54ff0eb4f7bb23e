/* Plans of the benchmark's cases by cuDNN itself, for GPUs that are not there: every convolution
 * that tensor cores may compute has one, and what follows it is part of it where a plan without a
 * device counts on that. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "machine.h"
#include "support/measured.h"
#include "support/scratch.h"

static const gpu gpus[] = {
    {"NVIDIA A100", 800, 108, 1410000, 1593000, 166912, 2048, 40, 80},
    {"NVIDIA RTX A6000", 860, 84, 1800000, 8001000, 101376, 1536, 6, 48},
    {"NVIDIA L40S", 890, 142, 2520000, 9001000, 101376, 1536, 96, 48},
    {"NVIDIA H200", 900, 132, 1980000, 3201000, 232448, 2048, 60, 141},
    {"NVIDIA B200", 1000, 148, 1965000, 3996000, 232448, 2048, 126, 180},
    {"NVIDIA RTX PRO 6000", 1200, 188, 2617000, 14001000, 101376, 1536, 128, 96},
};
enum { GPUS = sizeof gpus / sizeof *gpus, H200 = 3 };

typedef struct question {
    const gpu *gpu;
    const char *name; /* of a case, or */
    const char *preset;
    gan_precision precision;
    char title[64];
} question;

static const question kept = {&gpus[H200], "b", NULL, GAN_PRECISION_BF16, ""};

static const measured_case *find_case(const char *name) {
    for (int i = 0; i < MEASURED; i++)
        if (strcmp(measured_cases[i].name, name) == 0) return &measured_cases[i];
    fail_msg("no case %s", name);
    return NULL;
}

static gan_program_info plan_case(const question *q, gan_device *device) {
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    gan_program_info info;
    expect_ok(gan_store_create(&store, 1));
    expect_ok(gan_graph_create(&g, store));
    measured_build(g, find_case(q->name), q->precision);
    expect_ok(gan_compile(&program, g, device));
    gan_program_describe(program, &info);
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    return info;
}

static gan_program_info plan_preset(const question *q, gan_device *device) {
    char path[512];
    gan_settings *settings;
    gan_trainer *trainer;
    gan_program_info info;
    snprintf(path, sizeof path, GANC_TEST_SOURCE "/tools/presets/%s.yaml", q->preset);
    expect_ok(gan_settings_create(&settings));
    expect_ok(gan_settings_read(settings, path));
    expect_ok(gan_settings_set(settings, "precision", gan_precision_name(q->precision), "test"));
    expect_ok(gan_trainer_open(&trainer, settings, device, &(gan_trainer_options){.plan = true}));
    gan_trainer_describe(trainer, &info);
    gan_trainer_close(trainer);
    gan_settings_destroy(settings);
    return info;
}

static gan_program_info plan(const question *q, const gan_device_options *options) {
    gan_device *device;
    expect_ok(gan_device_open(&device, "cuda", options));
    const gan_program_info info = q->preset ? plan_preset(q, device) : plan_case(q, device);
    gan_device_close(device);
    return info;
}

static void plans_are_what_is_counted_on(void **state) {
    const question *q = *state;
    const gan_program_info expected = plan(q, &(gan_device_options){.plan_only = true});
    gpu_take(q->gpu);
    const gan_program_info got = plan(q, NULL);
    gpu_give_back();
    print_message("%-20s %-18s %-5s %4d plans, %3d of them compiled, %3d of these for an earlier "
                  "generation; launches %d, expected %d\n",
                  q->gpu->name, q->preset ? q->preset : q->name, gan_precision_name(q->precision),
                  gpu_said.plans, gpu_said.compiled, gpu_said.elder, got.launches,
                  expected.launches);
    if (q->precision == GAN_PRECISION_F32) {
        assert_int_equal(gpu_said.plans, 0);
        assert_true(gpu_said.algorithms > 0);
    } else {
        assert_true(gpu_said.plans > 0);
        /* presets draw their samples in f32 */
        if (q->name) assert_int_equal(gpu_said.algorithms, 0);
    }
    assert_int_equal(got.launches, expected.launches);
    assert_int_equal(got.bytes_moved, expected.bytes_moved);
}

/* The second start asks nothing, and takes the kernels of the first. */
static void plans_are_kept(void **state) {
    const question *q = &kept;
    assert_int_equal(scratch_setup(state), 0);
    char folder[512];
    snprintf(folder, sizeof folder, "%s", scratch("cache"));
    const gan_device_options options = {.cache = folder};
    gpu_take(q->gpu);
    const gan_program_info first = plan(q, &options);
    const gpu_answers once = gpu_said;
    const gan_program_info second = plan(q, &options);
    gpu_give_back();
    print_message("%d plans; kept, %d were restored\n", once.plans, gpu_said.restored);
    assert_true(once.plans > 0 && once.restored == 0);
    assert_int_equal(gpu_said.searches, once.searches);
    assert_int_equal(gpu_said.plans, once.plans);
    assert_int_equal(gpu_said.restored, once.plans);
    assert_int_equal(first.launches, second.launches);
    assert_int_equal(scratch_teardown(state), 0);
}

static struct CMUnitTest test_of(question *q) {
    return (struct CMUnitTest){
        .name = q->gpu->name, .test_func = plans_are_what_is_counted_on, .initial_state = q};
}

/* test_cudnn DRIVER CUDNN [PRESET …]: of the benchmark's cases, or of these on an H200. */
int main(int argc, char **argv) {
    enum { MOST = 64 };
    struct CMUnitTest tests[MOST];
    question asked[MOST];
    int n = 0;
    if (argc < 3 || argc > MOST) return 2;
    if (!gpu_open(argv[1], argv[2])) return 77;
    for (int i = 3; i < argc; i++)
        asked[n++] = (question){&gpus[H200], NULL, argv[i], GAN_PRECISION_BF16, ""};
    if (n == 0) {
        for (int i = 0; i < GPUS; i++)
            asked[n++] = (question){&gpus[i], "b", NULL, GAN_PRECISION_BF16, ""};
        asked[n++] = (question){&gpus[H200], "c", NULL, GAN_PRECISION_BF16, ""};
        asked[n++] = (question){&gpus[H200], "d", NULL, GAN_PRECISION_BF16, ""};
        asked[n++] = (question){&gpus[H200], "b", NULL, GAN_PRECISION_TF32, ""};
        asked[n++] = (question){&gpus[H200], "c", NULL, GAN_PRECISION_F32, ""};
    }
    for (int i = 0; i < n; i++) tests[i] = test_of(&asked[i]);
    if (argc == 3) tests[n++] = (struct CMUnitTest)cmocka_unit_test(plans_are_kept);
    return _cmocka_run_group_tests("cudnn", tests, (size_t)n, NULL, NULL);
}
