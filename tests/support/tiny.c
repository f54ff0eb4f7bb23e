#include "support/tiny.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/command.h"
#include "support/scratch.h"

static void put32(unsigned char *to, int64_t value) {
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(value >> (24 - 8 * i));
}

void tiny_images(const char *name, int64_t count, int64_t size) {
    const size_t bytes = 16 + (size_t)(count * size * size);
    unsigned char *file = calloc(bytes, 1);
    assert_non_null(file);
    put32(file, 0x803);
    put32(file + 4, count);
    put32(file + 8, size);
    put32(file + 12, size);
    for (int64_t i = 0; i < count; i++) {
        const int64_t bar = i % size, shade = 160 + i % 96;
        unsigned char *image = file + 16 + i * size * size;
        for (int64_t j = 0; j < size; j++)
            image[i % 2 ? bar * size + j : j * size + bar] = (unsigned char)shade;
    }
    scratch_put(name, file, bytes);
    free(file);
}

gan_settings *tiny_settings(const char *data, const tiny_pairs *pairs) {
    static const char *const base[][2] = {
        {"name", "tiny"},      {"batch", "8"},        {"model.generator_features", "8"},
        {"z.dim", "6"},        {"log.every", "3"},    {"model.discriminator_features", "8"},
        {"sample.count", "5"}, {"sample.every", "0"}, {"checkpoint.every", "0"},
    };
    gan_settings *s;
    expect_ok(gan_settings_create(&s));
    expect_ok(gan_settings_set(s, "data", data, NULL));
    for (size_t i = 0; i < sizeof base / sizeof *base; i++)
        expect_ok(gan_settings_set(s, base[i][0], base[i][1], NULL));
    for (size_t i = 0; pairs && i < TINY_PAIRS && (*pairs)[i][0]; i++)
        expect_ok(gan_settings_set(s, (*pairs)[i][0], (*pairs)[i][1], NULL));
    return s;
}

void tiny_run(const gan_settings *settings, const char *name, int64_t steps, int threads,
              bool resume) {
    char text[32], folder[512];
    gan_settings *s;
    gan_device *device;
    gan_trainer *trainer;
    snprintf(text, sizeof text, "%lld", (long long)steps);
    snprintf(folder, sizeof folder, "%s", scratch(name));
    expect_ok(gan_settings_copy(&s, settings));
    expect_ok(gan_settings_set(s, "steps", text, NULL));
    expect_ok(gan_device_open(&device, "cpu", &(gan_device_options){.threads = threads}));
    const gan_trainer_options options = {.folder = folder, .resume = resume};
    expect_ok(gan_trainer_open(&trainer, s, device, &options));
    expect_ok(gan_trainer_run(trainer, NULL));
    assert_int_equal(gan_trainer_step(trainer), steps);
    gan_trainer_close(trainer);
    gan_device_close(device);
    gan_settings_destroy(s);
}

static void *bytes_of(gan_safetensors *file, const gan_tensor_info *t, size_t bytes) {
    void *p = malloc(bytes + 1);
    assert_non_null(p);
    expect_ok(gan_safetensors_read(file, t, p, bytes));
    return p;
}

size_t tiny_same_tensors(const char *one, const char *other) {
    gan_safetensors *a, *b;
    expect_ok(gan_safetensors_open(&a, one));
    expect_ok(gan_safetensors_open(&b, other));
    const size_t n = gan_safetensors_count(a);
    assert_int_equal(gan_safetensors_count(b), n);
    for (size_t i = 0; i < n; i++) {
        const gan_tensor_info *t = gan_safetensors_at(a, i), *u = gan_safetensors_find(b, t->name);
        assert_non_null(u);
        assert_true(t->dtype == u->dtype && gan_shape_equal(t->shape, u->shape));
        const size_t bytes = (size_t)gan_shape_size(t->shape) * gan_dtype_size(t->dtype);
        void *x = bytes_of(a, t, bytes), *y = bytes_of(b, u, bytes);
        if (memcmp(x, y, bytes)) fail_msg("%s differs between %s and %s", t->name, one, other);
        free(x);
        free(y);
    }
    gan_safetensors_close(a);
    gan_safetensors_close(b);
    return n;
}

const char *tiny_checkpoint(const char *name) {
    char path[128];
    snprintf(path, sizeof path, "%s/checkpoint.safetensors", name);
    return scratch(path);
}

const char *tiny_preset(const char *preset, int seed, int steps, const char *const *other) {
    char name[64], number[16], set[32];
    snprintf(name, sizeof name, "%s-%d%s", preset, seed, other ? "-other" : "");
    snprintf(number, sizeof number, "%d", seed);
    snprintf(set, sizeof set, "steps=%d", steps);
    enum { FIXED = 14 };
    const char *arguments[FIXED + 2 * TINY_PAIRS + 1] = {"train",    preset,
                                                         "--out",    name,
                                                         "--seed",   number,
                                                         "--device", "cpu",
                                                         "--set",    "sample.every=0",
                                                         "--set",    "checkpoint.every=0",
                                                         "--set",    set};
    for (int i = 0; other && other[i]; i++) {
        assert_true(i < TINY_PAIRS);
        arguments[FIXED + 2 * i] = "--set";
        arguments[FIXED + 2 * i + 1] = other[i];
    }
    command_done(arguments);
    return tiny_checkpoint(name);
}

gan_device *tiny_device(int threads) {
    gan_device *device;
    expect_ok(gan_device_open(&device, "cpu", &(gan_device_options){.threads = threads}));
    return device;
}

bool tiny_without_fashion(void) {
    gan_dataset *set;
    if (gan_dataset_open(&set, "fashion-mnist", NULL) != GAN_OK) {
        printf("skipped: %s\n", gan_last_error());
        return true;
    }
    gan_dataset_destroy(set);
    return false;
}
