/* The whole CUDA device trains: as the CPU does within tolerance, resumed as uninterrupted bit for
 * bit, and whether one iteration is captured or sixteen are. */
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
#include "device/program.h"
#include "support/scratch.h"
#include "support/tiny.h"
#include "train/trainer.h"

typedef struct network {
    const char *name;
    int64_t pixels; /* a side */
    tiny_pairs pairs;
} network;

static const network mlp = {"mlp", 8, {{"model", "mlp"}, {"log.every", "1"}}};
static const network first_paper = {"2014",
                                    8,
                                    {{"model", "maxout"},
                                     {"optimizer", "momentum"},
                                     {"schedule", "simultaneous"},
                                     {"loss_scale", "0.5"},
                                     {"generator.rate", "0.1"},
                                     {"discriminator.rate", "0.1"},
                                     {"z.distribution", "unit-uniform"},
                                     {"log.every", "1"}}};
static const network dcgan = {"dcgan",
                              28,
                              {{"model", "dcgan"},
                               {"log.every", "1"},
                               {"model.generator_features", "4"},
                               {"model.discriminator_features", "4"},
                               {"batch", "4"},
                               {"generator.average", "0.9"}}};

static gan_settings *settings_of(const network *n) {
    char data[32];
    snprintf(data, sizeof data, "images-%d", (int)n->pixels);
    tiny_images(data, 40, n->pixels);
    return tiny_settings(scratch(data), &n->pairs);
}

static void train(const char *kind, const gan_settings *settings, const char *name, int64_t steps,
                  bool resume) {
    char text[32], folder[512];
    gan_settings *s;
    gan_device *device;
    gan_trainer *trainer;
    snprintf(text, sizeof text, "%lld", (long long)steps);
    snprintf(folder, sizeof folder, "%s", scratch(name));
    expect_ok(gan_settings_copy(&s, settings));
    expect_ok(gan_settings_set(s, "steps", text, NULL));
    expect_ok(gan_device_open(&device, kind, NULL));
    const gan_trainer_options options = {.folder = folder, .resume = resume};
    expect_ok(gan_trainer_open(&trainer, s, device, &options));
    expect_ok(gan_trainer_run(trainer, NULL));
    gan_trainer_close(trainer);
    gan_device_close(device);
    gan_settings_destroy(s);
}

static const char *file_of(const char *name, const char *file) {
    char path[128];
    snprintf(path, sizeof path, "%s/%s", name, file);
    return scratch(path);
}

/* ---- the same as on the CPU ---- */

static const char *const logged[] = {"\"d_loss\":", "\"g_loss\":", "\"d_real\":", "\"d_fake\":"};

static char *log_of(const char *name) {
    char path[128];
    size_t size;
    snprintf(path, sizeof path, "%s/log.jsonl", name);
    char *raw = (char *)scratch_get(path, &size), *text = calloc(size + 1, 1);
    assert_non_null(text);
    memcpy(text, raw, size);
    free(raw);
    return text;
}

/* Every number that two logs hold; returns how many lines they have. */
static int compare_logs(const char *one, const char *other, double within) {
    char *a = log_of(one), *b = log_of(other);
    int lines = 0;
    double worst = 0;
    const char *p = a, *q = b;
    while ((p = strstr(p, "{\"step\":")) && (q = strstr(q, "{\"step\":"))) {
        for (size_t i = 0; i < sizeof logged / sizeof *logged; i++) {
            const char *x = strstr(p, logged[i]), *y = strstr(q, logged[i]);
            assert_non_null(x);
            assert_non_null(y);
            const double got = atof(x + strlen(logged[i])), wanted = atof(y + strlen(logged[i]));
            const double error = fabs(got - wanted) / (1 + fabs(wanted));
            if (!(error <= within))
                fail_msg("line %d, %s %.7g, expected %.7g", lines, logged[i], got, wanted);
            if (error > worst) worst = error;
        }
        lines++;
        p++, q++;
    }
    assert_true(!p && !strstr(q + (*q != 0), "{\"step\":"));
    print_message("logs agree to %.2g\n", worst);
    free(a);
    free(b);
    return lines;
}

static float *floats_of(gan_safetensors *file, const gan_tensor_info *t) {
    const size_t bytes = (size_t)gan_shape_size(t->shape) * sizeof(float);
    float *x = malloc(bytes + 1);
    assert_non_null(x);
    expect_ok(gan_safetensors_read(file, t, x, bytes));
    return x;
}

/* |a - b| of every f32 tensor of two checkpoints, in proportion to |b|, which counts as 1e-3 an
 * element at least. */
static void compare_checkpoints(const char *one, const char *other, double within) {
    gan_safetensors *a, *b;
    double worst = 0;
    expect_ok(gan_safetensors_open(&a, file_of(one, "checkpoint.safetensors")));
    expect_ok(gan_safetensors_open(&b, file_of(other, "checkpoint.safetensors")));
    assert_int_equal(gan_safetensors_count(a), gan_safetensors_count(b));
    for (size_t i = 0; i < gan_safetensors_count(a); i++) {
        const gan_tensor_info *t = gan_safetensors_at(a, i), *u = gan_safetensors_find(b, t->name);
        assert_non_null(u);
        if (t->dtype != GAN_F32) continue;
        float *x = floats_of(a, t), *y = floats_of(b, u);
        double difference = 0, size = 0;
        for (int64_t k = 0; k < gan_shape_size(t->shape); k++) {
            difference += pow((double)x[k] - (double)y[k], 2);
            size += pow(fmax(fabs((double)y[k]), 1e-3), 2);
        }
        const double error = size > 0 ? sqrt(difference / size) : 0;
        if (!(error <= within)) fail_msg("%s differs by %.3g of its size", t->name, error);
        if (error > worst) worst = error;
        free(x);
        free(y);
    }
    print_message("tensors agree to %.2g\n", worst);
    gan_safetensors_close(a);
    gan_safetensors_close(b);
}

enum { STEPS = 50 };

/* The device in `precision`, the CPU in f32. */
static void trains_in(const char *precision, const network *n, double losses, double tensors) {
    gan_settings *s = settings_of(n);
    train("cpu", s, "cpu", STEPS, false);
    expect_ok(gan_settings_set(s, "precision", precision, NULL));
    train("cuda", s, "cuda", STEPS, false);
    assert_int_equal(compare_logs("cuda", "cpu", losses), STEPS);
    compare_checkpoints("cuda", "cpu", tensors);
    gan_settings_destroy(s);
}

static void trains_as_the_cpu(const network *n, double losses, double tensors) {
    trains_in("f32", n, losses, tensors);
}

static void mlp_trains_as_on_the_cpu(void **state) {
    (void)state;
    trains_as_the_cpu(&mlp, 1e-5, 1e-4);
}

static void the_first_paper_trains_as_on_the_cpu(void **state) {
    (void)state;
    trains_as_the_cpu(&first_paper, 1e-5, 1e-4);
}

static void dcgan_trains_as_on_the_cpu(void **state) {
    (void)state;
    trains_as_the_cpu(&dcgan, 1e-4, 1e-3);
}

/* 8 bits instead of 24: losses differ by far less than they move in 50 steps; of the tensors,
 * moments of the gradients that reach the first layer of a generator the most. */
static void mlp_trains_in_bf16(void **state) {
    (void)state;
    trains_in("bf16", &mlp, 0.05, 0.05);
}

static void the_first_paper_trains_in_bf16(void **state) {
    (void)state;
    trains_in("bf16", &first_paper, 0.05, 0.05);
}

static void dcgan_trains_in_bf16(void **state) {
    (void)state;
    trains_in("bf16", &dcgan, 0.05, 0.3);
}

/* The harness multiplies f32 as f32. */
static void mlp_trains_in_tf32(void **state) {
    (void)state;
    trains_in("tf32", &mlp, 1e-5, 1e-4);
}

/* ---- the same as itself ---- */

static void same_checkpoints(const char *one, const char *other) {
    char a[512];
    snprintf(a, sizeof a, "%s", file_of(one, "checkpoint.safetensors"));
    assert_true(tiny_same_tensors(a, file_of(other, "checkpoint.safetensors")) > 10);
}

static void a_resumed_run_is_the_uninterrupted_one(const network *n, const char *precision,
                                                   int64_t steps, int64_t stop) {
    gan_settings *s = settings_of(n);
    expect_ok(gan_settings_set(s, "precision", precision, NULL));
    train("cuda", s, "whole", steps, false);
    train("cuda", s, "parts", stop, false);
    train("cuda", s, "parts", steps, true);
    same_checkpoints("whole", "parts");
    gan_settings_destroy(s);
}

static void resume_changes_no_bit(void **state) {
    (void)state;
    a_resumed_run_is_the_uninterrupted_one(&mlp, "f32", 40, 19);
}

static void resume_changes_no_bit_of_dcgan(void **state) {
    (void)state;
    a_resumed_run_is_the_uninterrupted_one(&dcgan, "f32", 7, 3);
}

static void resume_changes_no_bit_in_bf16(void **state) {
    (void)state;
    a_resumed_run_is_the_uninterrupted_one(&mlp, "bf16", 40, 19);
}

static void resume_changes_no_bit_of_dcgan_in_bf16(void **state) {
    (void)state;
    a_resumed_run_is_the_uninterrupted_one(&dcgan, "bf16", 7, 3);
}

static void resume_changes_no_bit_in_tf32(void **state) {
    (void)state;
    a_resumed_run_is_the_uninterrupted_one(&mlp, "tf32", 40, 19);
}

enum { ITERATIONS = 35 };

/* Without the trainer's loop, which decides by the clock; returns how many graphs were launched. */
static long iterate(const gan_settings *s, int64_t at_once, const char *name) {
    gan_device *device;
    gan_trainer *trainer;
    expect_ok(gan_device_open(&device, "cuda", NULL));
    expect_ok(gan_trainer_open(&trainer, s, device, NULL));
    const long before = simt_count().graph_launches;
    for (int64_t i = 0; i < ITERATIONS; i += at_once)
        expect_ok(gan_program_run(trainer->kind[0].program, at_once));
    expect_ok(gan_device_synchronize(device));
    const long launches = simt_count().graph_launches - before;
    assert_true((trainer->kind[0].program->record_many != NULL) == (at_once >= 16));
    expect_ok(gan_trainer_save(trainer, scratch(name)));
    gan_trainer_close(trainer);
    gan_device_close(device);
    return launches;
}

static void one_captured_iteration_or_sixteen(void **state) {
    (void)state;
    static const network *const networks[] = {&mlp, &first_paper, &dcgan};
    for (int i = 0; i < 3; i++) {
        gan_settings *s = settings_of(networks[i]);
        assert_int_equal(iterate(s, 1, "one by one"), ITERATIONS);
        assert_int_equal(iterate(s, ITERATIONS, "together"), ITERATIONS / 16 + ITERATIONS % 16);
        assert_true(tiny_same_tensors(scratch("one by one"), scratch("together")) > 10);
        gan_settings_destroy(s);
    }
}

static void the_order_of_threads_changes_no_bit(void **state) {
    (void)state;
    static const char *const orders[] = {"fwd", "rev", "rand"};
    gan_settings *s = settings_of(&first_paper);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(setenv("SIMT_ORDER", orders[i], 1), 0);
        train("cuda", s, orders[i], 10, false);
    }
    same_checkpoints("fwd", "rev");
    same_checkpoints("fwd", "rand");
    gan_settings_destroy(s);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(mlp_trains_as_on_the_cpu),
        TEST(the_first_paper_trains_as_on_the_cpu),
        TEST(dcgan_trains_as_on_the_cpu),
        TEST(mlp_trains_in_bf16),
        TEST(the_first_paper_trains_in_bf16),
        TEST(dcgan_trains_in_bf16),
        TEST(mlp_trains_in_tf32),
        TEST(resume_changes_no_bit),
        TEST(resume_changes_no_bit_of_dcgan),
        TEST(resume_changes_no_bit_in_bf16),
        TEST(resume_changes_no_bit_of_dcgan_in_bf16),
        TEST(resume_changes_no_bit_in_tf32),
        TEST(one_captured_iteration_or_sixteen),
        TEST(the_order_of_threads_changes_no_bit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
