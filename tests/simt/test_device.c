/* The CUDA device when something is missing or fails: one clear line, nothing lost, nothing left
 * behind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <cuda_runtime_api.h>

#include "control.h"
#include "support/scratch.h"
#include "support/tiny.h"

static simt_counts before;

static int set_up(void **state) {
    simt_reset();
    before = simt_count();
    return scratch_setup(state);
}

static int tear_down(void **state) {
    simt_reset();
    const simt_counts c = simt_count();
    const long left[] = {c.allocations - before.allocations, c.streams - before.streams,
                         c.graphs - before.graphs, c.handles - before.handles};
    if (left[0] || left[1] || left[2] || left[3]) {
        print_error(
            "left behind: %ld allocations, %ld streams and events, %ld graphs, %ld handles\n",
            left[0], left[1], left[2], left[3]);
        return 1;
    }
    return scratch_teardown(state);
}

static void expect_kind(const char *name, const char *kind) {
    gan_device *device;
    gan_device_info info;
    expect_ok(gan_device_open(&device, name, NULL));
    expect_ok(gan_device_describe(device, &info));
    assert_string_equal(info.kind, kind);
    gan_device_close(device);
}

/* What a user reads who asks for a GPU, and that the default is the CPU then. */
static void expect_absent(const char *why) {
    gan_device *device;
    char text[256];
    expect_failure(gan_device_open(&device, "cuda", NULL), GAN_ERROR_DEVICE, "device 'cuda'", why);
    gan_device_absence("cuda", text, sizeof text);
    assert_non_null(strstr(text, why));
    expect_kind(NULL, "cpu");
}

/* ---- at the start ---- */

static void the_default_is_the_gpu_that_works(void **state) {
    (void)state;
    gan_device_info info[8];
    char text[256];
    expect_kind(NULL, "cuda");
    expect_kind("auto", "cuda");
    expect_kind("cpu", "cpu");
    gan_device_absence("cuda", text, sizeof text);
    assert_string_equal(text, "");
    assert_int_equal(gan_device_list(info, 8), 2);
    assert_string_equal(info[0].kind, "cuda");
    assert_non_null(strstr(info[0].version, "compute capability 9.0"));
    assert_non_null(strstr(info[0].version, "cuBLAS"));
    assert_non_null(strstr(info[0].version, "cuDNN"));
    assert_int_equal(info[0].memory_total, (size_t)1 << 30);
}

static void no_driver(void **state) {
    (void)state;
    simt_set_driver(0);
    expect_absent("no NVIDIA driver is installed");
}

static void a_driver_too_old(void **state) {
    (void)state;
    simt_set_driver(CUDART_VERSION - 1010);
    expect_absent("update the driver");
}

static void no_device(void **state) {
    (void)state;
    simt_set_devices(0);
    expect_absent("no NVIDIA GPU can be used");
}

static void an_index_out_of_range(void **state) {
    (void)state;
    gan_device *device;
    simt_set_devices(2);
    expect_failure(gan_device_open(&device, "cuda:2", NULL), GAN_ERROR_DEVICE, "'cuda:2'",
                   "2 of this kind");
    expect_kind("cuda:1", "cuda");
}

static void an_architecture_that_the_build_lacks(void **state) {
    (void)state;
    gan_device *device;
    simt_set_architecture_known(0);
    expect_failure(gan_device_open(&device, "cuda", NULL), GAN_ERROR_DEVICE, "cuda",
                   "compute capability 9.0");
    expect_kind(NULL, "cpu");
}

/* ---- memory ---- */

static gan_settings *settings_for(int64_t steps, const tiny_pairs *pairs) {
    char text[32];
    tiny_images("data", 40, 8);
    gan_settings *s = tiny_settings(scratch("data"), pairs);
    snprintf(text, sizeof text, "%lld", (long long)steps);
    expect_ok(gan_settings_set(s, "steps", text, NULL));
    return s;
}

static void memory_that_does_not_suffice_is_said_at_the_start(void **state) {
    (void)state;
    gan_device *device;
    gan_trainer *trainer;
    struct stat found;
    gan_settings *s = settings_for(3, NULL);
    expect_ok(gan_device_open(&device, "cuda", NULL));
    simt_set_memory(simt_count().bytes + 4096);
    const gan_trainer_options options = {.folder = scratch("run")};
    expect_failure(gan_trainer_open(&trainer, s, device, &options), GAN_ERROR_MEMORY,
                   "the run needs", "MiB", "variables", "an iteration", "free of");
    assert_int_not_equal(stat(scratch("run"), &found), 0); /* nothing was begun */
    gan_device_close(device);
    gan_settings_destroy(s);
}

/* Whichever allocation fails, though the figures promised that it would not. */
static void memory_that_is_gone_meanwhile(void **state) {
    (void)state;
    gan_settings *s = settings_for(1, NULL);
    int failures = 0;
    for (long n = 0;; n++) {
        gan_device *device = NULL;
        gan_trainer *trainer = NULL;
        simt_fail_allocation(n);
        gan_status status = gan_device_open(&device, "cuda", NULL);
        if (status == GAN_OK) status = gan_trainer_open(&trainer, s, device, NULL);
        if (status == GAN_OK) status = gan_trainer_run(trainer, NULL);
        if (status != GAN_OK) {
            expect_failure(status, GAN_ERROR_MEMORY, "out of memory");
            failures++;
        }
        gan_trainer_close(trainer);
        gan_device_close(device);
        assert_int_equal(simt_count().allocations, before.allocations);
        if (status == GAN_OK) break;
    }
    simt_fail_allocation(-1);
    assert_true(failures > 3);
    gan_settings_destroy(s);
}

/* ---- in the middle ---- */

static void a_fault_in_mid_run_keeps_the_last_checkpoint(void **state) {
    (void)state;
    const tiny_pairs pairs = {{"checkpoint.every", "2"}, {"log.every", "1"}};
    gan_device *device;
    gan_trainer *trainer;
    gan_settings *s = settings_for(6, &pairs), *kept;
    gan_checkpoint_info info;
    char folder[512], path[600];
    snprintf(folder, sizeof folder, "%s", scratch("run"));
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", folder);

    /* how many launches a run has up to step 4 */
    gan_settings *four = settings_for(4, &pairs);
    expect_ok(gan_device_open(&device, "cuda", NULL));
    const long launched = simt_count().kernels;
    expect_ok(gan_trainer_open(&trainer, four, device, NULL));
    expect_ok(gan_trainer_run(trainer, NULL));
    gan_trainer_close(trainer);
    const long launches = simt_count().kernels - launched;
    assert_true(launches > 20);

    const gan_trainer_options options = {.folder = folder};
    expect_ok(gan_trainer_open(&trainer, s, device, &options));
    simt_fail_launch(launches + 3);
    expect_failure(gan_trainer_run(trainer, NULL), GAN_ERROR_DEVICE, "cuda",
                   "illegal memory access");
    gan_trainer_close(trainer);
    gan_device_close(device);
    simt_reset(); /* another process; the faulty one's memory went with it */
    before = simt_count();

    expect_ok(gan_checkpoint_open(&kept, &info, path));
    assert_int_equal(info.step, 4);
    gan_settings_destroy(kept);

    expect_ok(gan_device_open(&device, "cuda", NULL));
    const gan_trainer_options again = {.folder = folder, .resume = true};
    expect_ok(gan_trainer_open(&trainer, s, device, &again));
    expect_ok(gan_trainer_run(trainer, NULL));
    assert_int_equal(gan_trainer_step(trainer), 6);
    gan_trainer_close(trainer);
    gan_device_close(device);
    gan_settings_destroy(four);
    gan_settings_destroy(s);
}

/* ---- two of them ---- */

static void two_devices_train_side_by_side(void **state) {
    (void)state;
    gan_device *device[2];
    gan_trainer *trainer[2];
    gan_settings *s = settings_for(5, NULL);
    simt_set_devices(2);
    for (int i = 0; i < 2; i++) {
        expect_ok(gan_device_open(&device[i], i ? "cuda:1" : "cuda:0", NULL));
        expect_ok(gan_trainer_open(&trainer[i], s, device[i], NULL));
    }
    for (int i = 0; i < 2; i++) expect_ok(gan_trainer_run(trainer[i], NULL));
    for (int i = 0; i < 2; i++) expect_ok(gan_trainer_save(trainer[i], scratch(i ? "1" : "0")));
    tiny_same_tensors(scratch("0"), scratch("1"));
    for (int i = 0; i < 2; i++) {
        gan_trainer_close(trainer[i]);
        gan_device_close(device[i]);
    }
    gan_settings_destroy(s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_default_is_the_gpu_that_works),
        TEST(no_driver),
        TEST(a_driver_too_old),
        TEST(no_device),
        TEST(an_index_out_of_range),
        TEST(an_architecture_that_the_build_lacks),
        TEST(memory_that_does_not_suffice_is_said_at_the_start),
        TEST(memory_that_is_gone_meanwhile),
        TEST(a_fault_in_mid_run_keeps_the_last_checkpoint),
        TEST(two_devices_train_side_by_side),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
