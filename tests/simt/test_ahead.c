/* The host is not in the way: while it reads scalars, writes lines and pictures, the device has its
 * next iterations; and wherever a run ends, what is kept is a state that was looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control.h"
#include "support/scratch.h"
#include "support/tiny.h"
#include "train/trainer.h"

/* A run on the CUDA device in the scratch folder NAME. */
typedef struct run {
    gan_device *device;
    gan_trainer *trainer;
    gan_settings *settings;
} run;

static void open_run(run *r, const tiny_pairs *pairs, const char *name, bool resume) {
    char data[512], folder[512];
    if (!resume) tiny_images("images", 40, 8);
    snprintf(data, sizeof data, "%s", scratch("images"));
    snprintf(folder, sizeof folder, "%s", scratch(name));
    r->settings = tiny_settings(data, pairs);
    expect_ok(gan_device_open(&r->device, "cuda", NULL));
    expect_ok(gan_trainer_open(&r->trainer, r->settings, r->device,
                               &(gan_trainer_options){.folder = folder, .resume = resume}));
}

static void close_run(run *r) {
    gan_trainer_close(r->trainer);
    gan_device_close(r->device);
    gan_settings_destroy(r->settings);
}

static const char *file_of(const char *name, const char *file) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", name, file);
    return scratch(path);
}

static void same_checkpoints(const char *one, const char *other) {
    char a[512];
    snprintf(a, sizeof a, "%s", file_of(one, "checkpoint.safetensors"));
    assert_true(tiny_same_tensors(a, file_of(other, "checkpoint.safetensors")) > 10);
}

static int lines_of(const char *name) {
    char path[128];
    size_t size;
    int lines = 0;
    snprintf(path, sizeof path, "%s/log.jsonl", name);
    char *log = (char *)scratch_get(path, &size);
    for (size_t i = 0; i < size; i++) lines += log[i] == '\n';
    free(log);
    return lines;
}

/* ---- the device works on ---- */

typedef struct watch {
    int64_t first_step, last_step;
    simt_counts first, last;
} watch;

static void look(void *context, const gan_progress *p) {
    watch *w = context;
    if (p->step < 40 || p->step > 120) return;
    if (!w->first_step) {
        w->first_step = p->step;
        w->first = simt_count();
    }
    w->last_step = p->step;
    w->last = simt_count();
}

/* Runs 160 steps with a picture every 10; returns what was counted between steps 40 and 120. */
static watch observe(const char *name, const char *log_every, const char *checkpoint_every) {
    const tiny_pairs pairs = {{"model", "mlp"},
                              {"steps", "160"},
                              {"sample.every", "10"},
                              {"log.every", log_every},
                              {"checkpoint.every", checkpoint_every}};
    run r;
    watch w = {0};
    open_run(&r, &pairs, name, false);
    const gan_trainer_callbacks callbacks = {.context = &w, .progress = look};
    expect_ok(gan_trainer_run(r.trainer, &callbacks));
    close_run(&r);
    assert_true(w.first_step >= 40 && w.last_step >= w.first_step + 40);
    assert_true(w.last.graph_launches > w.first.graph_launches);
    assert_true(w.last.synchronizations > w.first.synchronizations);
    return w;
}

static void the_device_rests_for_checkpoints_only(void **state) {
    (void)state;
    const watch never = observe("never", "1", "0");
    assert_int_equal(never.last.rests - never.first.rests, 0);
    assert_true(gan_file_exists(file_of("never", "samples/step-50.png")));
    assert_true(gan_file_exists(file_of("never", "samples/step-160.png")));
    assert_int_equal(lines_of("never"), 160);
    const watch often = observe("often", "1", "20");
    assert_true(often.last.rests - often.first.rests >= 3);
    same_checkpoints("never", "often");
}

static double waits_a_step(const watch *w) {
    return (double)(w->last.synchronizations - w->first.synchronizations) /
           (double)(w->last_step - w->first_step);
}

/* A line every step adds no wait to those for the stretches, of which there are as many as steps at
 * most, on a machine that is busy. */
static void lines_make_nobody_wait(void **state) {
    (void)state;
    const watch all = observe("all", "1", "0"), few = observe("few", "1000", "0");
    assert_int_equal(lines_of("all"), 160);
    assert_int_equal(lines_of("few"), 1);
    assert_true(waits_a_step(&few) < 1.03);
    assert_true(waits_a_step(&all) < 1.03);
    same_checkpoints("all", "few");
}

/* ---- ends, with iterations under way ---- */

static bool stop_at_call(void *context) {
    int *calls = context;
    return --*calls == 0;
}

static void a_stop_loses_nothing(void **state) {
    (void)state;
    static const tiny_pairs pairs = {{"model", "mlp"},
                                     {"steps", "40"},
                                     {"log.every", "1"},
                                     {"sample.every", "6"},
                                     {"checkpoint.every", "0"}};
    run r;
    open_run(&r, &pairs, "whole", false);
    expect_ok(gan_trainer_run(r.trainer, NULL));
    close_run(&r);
    for (int call = 1; call <= 5; call++) {
        char name[32];
        int calls = call;
        snprintf(name, sizeof name, "stopped-%d", call);
        open_run(&r, &pairs, name, false);
        const gan_trainer_callbacks callbacks = {.context = &calls, .stop = stop_at_call};
        expect_failure(gan_trainer_run(r.trainer, &callbacks), GAN_ERROR_INTERRUPTED, "of 40");
        const int64_t step = gan_trainer_step(r.trainer);
        assert_true(call == 1 ? step == 0 : step > 0 && step < 40);
        assert_int_equal(lines_of(name), step);
        close_run(&r);
        open_run(&r, &pairs, name, true);
        expect_ok(gan_trainer_run(r.trainer, NULL));
        close_run(&r);
        same_checkpoints("whole", name);
        assert_int_equal(lines_of(name), 40);
    }
}

/* The device is beyond the step at which the host sees that a loss is no number. */
static void what_diverges_is_not_kept(void **state) {
    (void)state;
    static const tiny_pairs pairs = {
        {"model", "mlp"}, {"steps", "400"}, {"sample.every", "0"}, {"checkpoint.every", "0"}};
    run r;
    float wrong[64];
    const gan_variable *bias = NULL;
    gan_settings *kept;
    gan_checkpoint_info info;
    int calls = 4;
    open_run(&r, &pairs, "wild", false);
    const gan_trainer_callbacks callbacks = {.context = &calls, .stop = stop_at_call};
    expect_failure(gan_trainer_run(r.trainer, &callbacks), GAN_ERROR_INTERRUPTED, "stopped");
    const int64_t good = gan_trainer_step(r.trainer);
    assert_true(good > 0);
    for (size_t i = 0; !bias; i++) {
        const gan_variable *v = gan_store_at(r.trainer->store, i);
        if (gan_variable_role(v) == GAN_WEIGHT && gan_shape_size(gan_variable_shape(v)) <= 64)
            bias = v;
    }
    for (int i = 0; i < 64; i++) wrong[i] = NAN;
    expect_ok(gan_variable_write(r.trainer->store, bias, wrong,
                                 (size_t)gan_shape_size(gan_variable_shape(bias)) * sizeof *wrong));
    expect_failure(gan_trainer_run(r.trainer, NULL), GAN_ERROR_NOT_FINITE, "the checkpoint holds");
    assert_true(r.trainer->queued > gan_trainer_step(r.trainer));
    expect_failure(gan_trainer_save(r.trainer, scratch("beyond")), GAN_ERROR_ARGUMENT, "beyond");
    assert_false(gan_file_exists(scratch("beyond")));
    close_run(&r);
    expect_ok(gan_checkpoint_open(&kept, &info, file_of("wild", "checkpoint.safetensors")));
    assert_int_equal(info.step, good);
    gan_settings_destroy(kept);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_device_rests_for_checkpoints_only),
        TEST(lines_make_nobody_wait),
        TEST(a_stop_loses_nothing),
        TEST(what_diverges_is_not_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
