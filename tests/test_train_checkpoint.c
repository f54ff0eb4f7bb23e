/* Checkpoints: what is written comes back; what is cut, changed or of another run is refused by
 * name, and leaves trainer and file as they were. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/scratch.h"
#include "support/tiny.h"
#include "train/checkpoint_header.h"

static gan_device *device;
static char file[512];

/* A checkpoint of a toy run of three steps in folder "run". */
static int setup(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}};
    if (scratch_setup(state)) return -1;
    gan_settings *s = tiny_settings("ring8", &pairs);
    tiny_run(s, "run", 3, 1, false);
    gan_settings_destroy(s);
    snprintf(file, sizeof file, "%s", scratch("run/checkpoint.safetensors"));
    return gan_device_open(&device, "cpu", NULL) != GAN_OK;
}

static int teardown(void **state) {
    gan_device_close(device);
    return scratch_teardown(state);
}

static gan_trainer *open_trainer(const tiny_pairs *pairs) {
    gan_settings *s = tiny_settings("ring8", pairs);
    gan_trainer *trainer;
    expect_ok(gan_trainer_open(&trainer, s, device, NULL));
    gan_settings_destroy(s);
    return trainer;
}

static void what_is_saved_comes_back(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}, {"steps", "3"}, {"threads", "1"}};
    gan_trainer *t = open_trainer(&pairs);
    (void)state;
    expect_ok(gan_trainer_load(t, file));
    assert_int_equal(gan_trainer_step(t), 3);
    expect_ok(gan_trainer_save(t, scratch("again")));
    assert_true(tiny_same_tensors(file, scratch("again")) > 20);
    size_t a, b;
    unsigned char *x = scratch_get("run/checkpoint.safetensors", &a), *y = scratch_get("again", &b);
    assert_int_equal(a, b);
    free(x);
    free(y);
    gan_trainer_close(t);
}

static void metadata_hold_step_version_and_settings(void **state) {
    gan_checkpoint_info info;
    gan_settings *s;
    char value[64];
    (void)state;
    expect_ok(gan_checkpoint_open(&s, &info, file));
    assert_int_equal(info.step, 3);
    assert_string_equal(info.version, gan_version());
    expect_ok(gan_settings_get(s, "model", value, sizeof value));
    assert_string_equal(value, "toy");
    expect_ok(gan_settings_get(s, "batch", value, sizeof value));
    assert_string_equal(value, "8");
    gan_settings_destroy(s);
}

static void names_are_role_group_name(void **state) {
    static const char *const names[] = {
        "weight/generator/hidden1/weight",
        "first_moment/discriminator/output/bias",
        "second_moment/generator/hidden2/weight",
        "counter/train/iteration",
    };
    gan_safetensors *f;
    (void)state;
    expect_ok(gan_safetensors_open(&f, file));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!gan_safetensors_find(f, names[i])) fail_msg("no %s", names[i]);
    for (size_t i = 0; i < gan_safetensors_count(f); i++) {
        const char *name = gan_safetensors_at(f, i)->name;
        if (!strncmp(name, "data/", 5) || !strncmp(name, "record/", 7))
            fail_msg("%s is kept", name);
    }
    gan_safetensors_close(f);
}

static void a_file_cut_anywhere_is_refused(void **state) {
    gan_settings *s;
    size_t size;
    unsigned char *bytes = scratch_get("run/checkpoint.safetensors", &size);
    (void)state;
    scratch_put("cut", bytes, size);
    free(bytes);
    expect_ok(gan_checkpoint_open(&s, NULL, scratch("cut")));
    gan_settings_destroy(s);
    for (size_t n = size; n-- > 0;) {
        assert_int_equal(truncate(scratch("cut"), (off_t)n), 0);
        expect_failure(gan_checkpoint_open(&s, NULL, scratch("cut")), GAN_ERROR_FORMAT, "cut");
        assert_null(s);
    }
}

static void put_byte(FILE *f, size_t at, int byte) {
    assert_int_equal(fseek(f, (long)at, SEEK_SET), 0);
    assert_int_equal(fputc(byte, f), byte);
    assert_int_equal(fflush(f), 0);
}

static void every_change_of_the_header_is_refused(void **state) {
    size_t size, header = 8;
    unsigned char *bytes = scratch_get("run/checkpoint.safetensors", &size);
    (void)state;
    for (int i = 0; i < 8; i++) header += (size_t)bytes[i] << (8 * i);
    assert_true(header > 1000 && header < size);
    FILE *f = fopen(file, "r+b");
    assert_non_null(f);
    for (size_t i = 0; i < header; i++) {
        for (int bit = 0; bit < 8; bit++) {
            gan_settings *s;
            put_byte(f, i, bytes[i] ^ (1 << bit));
            const gan_status status = gan_checkpoint_open(&s, NULL, file);
            if (status == GAN_OK) fail_msg("byte %zu, bit %d: accepted", i, bit);
            assert_null(s);
        }
        put_byte(f, i, bytes[i]);
    }
    fclose(f);
    free(bytes);
}

/* The header has a hash of every tensor: one flipped bit anywhere is found, in training and in
 * sampling, and the trainer's own weights stay. */
static void every_damaged_tensor_is_refused(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}};
    size_t size, header = 8;
    unsigned char *bytes = scratch_get("run/checkpoint.safetensors", &size);
    (void)state;
    for (int i = 0; i < 8; i++) header += (size_t)bytes[i] << (8 * i);
    gan_trainer *t = open_trainer(&pairs);
    expect_ok(gan_trainer_save(t, scratch("before")));
    for (size_t k = 0; k <= 97; k++) {
        const size_t i = header + (size - 1 - header) * k / 97; /* the first byte … the last */
        bytes[i] ^= 4;
        scratch_put("damaged", bytes, size);
        bytes[i] ^= 4;
        expect_failure(gan_trainer_load(t, scratch("damaged")), GAN_ERROR_FORMAT,
                       "damaged: tensor ", " is damaged");
    }
    assert_int_equal(gan_trainer_step(t), 0);
    expect_ok(gan_trainer_save(t, scratch("after")));
    tiny_same_tensors(scratch("before"), scratch("after"));
    gan_trainer_close(t);
    for (size_t i = header; i < size; i++) bytes[i] ^= 1;
    scratch_put("damaged", bytes, size);
    expect_failure(gan_sample_checkpoint(scratch("damaged"), scratch("x.png"), device, NULL),
                   GAN_ERROR_FORMAT, "tensor weight/generator/", " is damaged");
    free(bytes);
}

static void a_run_of_other_settings_is_refused(void **state) {
    static const struct {
        tiny_pairs pairs;
        const char *key, *kept;
    } other[] = {
        {{{"model", "toy"}, {"batch", "16"}}, "batch: '16' given", "'8'"},
        {{{"model", "toy"}, {"seed", "2"}}, "seed: '2' given", "'1'"},
        {{{"model", "toy"}, {"model.generator_features", "9"}}, "model.generator_features", "'8'"},
        {{{"model", "toy"}, {"generator.rate", "0.1"}}, "generator.rate", "'0.0002'"},
        {{{"model", "toy"}, {"data", "grid25"}}, "data 'grid25'", "not those"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        gan_trainer *t = open_trainer(&other[i].pairs);
        expect_failure(gan_trainer_load(t, file), GAN_ERROR_ARGUMENT, file, other[i].key,
                       other[i].kept);
        assert_int_equal(gan_trainer_step(t), 0);
        gan_trainer_close(t);
    }
}

static void free_settings_may_change(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"},          {"steps", "99"},
                                     {"log.every", "7"},        {"sample.every", "2"},
                                     {"checkpoint.every", "5"}, {"threads", "2"}};
    gan_trainer *t = open_trainer(&pairs);
    (void)state;
    expect_ok(gan_trainer_load(t, file));
    gan_trainer_close(t);
}

/* ---- files that are whole but hold other tensors ---- */

enum { MAX_TENSORS = 64, MAX_METADATA = 128 };

typedef struct rewritten {
    gan_tensor_info tensor[MAX_TENSORS];
    gan_metadata metadata[MAX_METADATA];
    size_t n_tensors, n_metadata;
    char hash[24];
} rewritten;

/* Makes the header's hash that of what the header says now. */
static void rehash(rewritten *r) {
    uint64_t h = 0;
    gan_metadata *kept = NULL;
    for (size_t i = 0; i < r->n_metadata; i++)
        if (!strcmp(r->metadata[i].key, GAN_META "header"))
            kept = &r->metadata[i];
        else
            h += gan_checkpoint_hash_entry(r->metadata[i]);
    for (size_t i = 0; i < r->n_tensors; i++) h += gan_checkpoint_hash_tensor(&r->tensor[i]);
    snprintf(r->hash, sizeof r->hash, "%016llx", (unsigned long long)h);
    assert_non_null(kept);
    kept->value = r->hash;
}

/* A plain safetensors file like ours, of zeros, after `change`. */
static void rewrite(const char *name, void (*change)(rewritten *)) {
    gan_safetensors *f;
    gan_safetensors_writer *w;
    rewritten r = {0};
    expect_ok(gan_safetensors_open(&f, file));
    r.n_tensors = gan_safetensors_count(f);
    r.n_metadata = gan_safetensors_metadata_count(f);
    assert_true(r.n_tensors < MAX_TENSORS && r.n_metadata < MAX_METADATA);
    for (size_t i = 0; i < r.n_tensors; i++) r.tensor[i] = *gan_safetensors_at(f, i);
    for (size_t i = 0; i < r.n_metadata; i++) r.metadata[i] = gan_safetensors_metadata_at(f, i);
    change(&r);
    expect_ok(
        gan_safetensors_create(&w, scratch(name), r.tensor, r.n_tensors, r.metadata, r.n_metadata));
    for (size_t i = 0; i < r.n_tensors; i++) {
        const size_t bytes =
            (size_t)gan_shape_size(r.tensor[i].shape) * gan_dtype_size(r.tensor[i].dtype);
        void *zeros = calloc(bytes + 1, 1);
        assert_non_null(zeros);
        expect_ok(gan_safetensors_write(w, r.tensor[i].name, zeros, bytes));
        free(zeros);
    }
    expect_ok(gan_safetensors_finish(w));
    gan_safetensors_close(f);
}

static void another_shape(rewritten *r) { r->tensor[2].shape.dim[0]++; }
static void another_dtype(rewritten *r) { r->tensor[2].dtype = GAN_I32; }
static void one_missing(rewritten *r) { r->n_tensors--; }
static void one_too_many(rewritten *r) {
    r->tensor[r->n_tensors++] = (gan_tensor_info){"weight/generator/extra", GAN_F32, gan_shape1(3)};
}
static void no_metadata(rewritten *r) { r->n_metadata = 0; }

static void other_tensors_are_refused(void **state) {
    void (*const change[])(rewritten *) = {another_shape, another_dtype, one_missing, one_too_many};
    gan_settings *s;
    (void)state;
    for (size_t i = 0; i < sizeof change / sizeof *change; i++) {
        rewrite("other", change[i]);
        expect_failure(gan_checkpoint_open(&s, NULL, scratch("other")), GAN_ERROR_FORMAT,
                       "changed");
    }
    rewrite("other", no_metadata);
    expect_failure(gan_checkpoint_open(&s, NULL, scratch("other")), GAN_ERROR_FORMAT,
                   "not a checkpoint");
}

static void set_key(rewritten *r, const char *key, const char *value) {
    for (size_t i = 0; i < r->n_metadata; i++)
        if (!strcmp(r->metadata[i].key, key)) r->metadata[i].value = value;
}

static void shape_rehashed(rewritten *r) { another_shape(r), rehash(r); }
static void dtype_rehashed(rewritten *r) { another_dtype(r), rehash(r); }
static void missing_rehashed(rewritten *r) { one_missing(r), rehash(r); }
static void extra_rehashed(rewritten *r) { one_too_many(r), rehash(r); }
static void format_rehashed(rewritten *r) {
    set_key(r, "ganc.format", "ganc checkpoint 9"), rehash(r);
}
static void step_rehashed(rewritten *r) { set_key(r, "ganc.step", "-3"), rehash(r); }
static void log_rehashed(rewritten *r) { set_key(r, "ganc.log", "3 0x1p0"), rehash(r); }
/* As written before tensors had hashes. */
static void unhashed_rehashed(rewritten *r) {
    size_t kept = 0;
    for (size_t i = 0; i < r->n_metadata; i++)
        if (strcmp(r->metadata[i].key, "ganc.tensors")) r->metadata[kept++] = r->metadata[i];
    assert_int_equal(kept + 1, r->n_metadata);
    r->n_metadata = kept;
    rehash(r);
}
static void batch_rehashed(rewritten *r) { set_key(r, "setting.batch", "many"), rehash(r); }

/* Files that somebody made on purpose: each message names the file and what is wrong with it. */
static void well_formed_but_other_files_are_refused(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}};
    static const struct {
        void (*change)(rewritten *);
        const char *part, *expected;
    } other[] = {
        {shape_rehashed, "tensor ", " expected"},
        {dtype_rehashed, " is i32(", " expected"},
        {missing_rehashed, " is missing", " expected"},
        {extra_rehashed, "weight/generator/extra", "no part of this model"},
        {format_rehashed, "'ganc checkpoint 9' given", " expected"},
        {step_rehashed, "ganc.step", "'-3'"},
        {log_rehashed, "ganc.log", "damaged"},
        {batch_rehashed, "batch: 'many' given", " expected"},
    };
    gan_trainer *t = open_trainer(&pairs);
    (void)state;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++) {
        rewrite("other", other[i].change);
        const gan_status status = gan_trainer_load(t, scratch("other"));
        expect_failure(status, status, "other: ", other[i].part, other[i].expected);
        assert_int_not_equal(status, GAN_OK);
        assert_int_equal(gan_trainer_step(t), 0);
    }
    gan_trainer_close(t);
}

/* The header is right but the counter inside says otherwise. */
static void a_step_that_the_counter_contradicts_is_refused(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}};
    gan_trainer *t = open_trainer(&pairs);
    (void)state;
    rewrite("zeros", unhashed_rehashed);
    expect_failure(gan_trainer_load(t, scratch("zeros")), GAN_ERROR_FORMAT, "step 3",
                   "counter is at 0");
    gan_trainer_close(t);
}

/* ---- writing ---- */

static void a_full_disk_leaves_the_old_checkpoint(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"}};
    gan_trainer *t = open_trainer(&pairs);
    size_t a, b;
    (void)state;
    expect_ok(gan_trainer_load(t, file));
    unsigned char *before = scratch_get("run/checkpoint.safetensors", &a);
    limit_file_size(4096);
    expect_failure(gan_trainer_save(t, file), GAN_ERROR_IO, file);
    lift_file_limit();
    unsigned char *after = scratch_get("run/checkpoint.safetensors", &b);
    assert_int_equal(a, b);
    assert_memory_equal(before, after, a);
    free(before);
    free(after);
    gan_trainer_close(t);
}

static void numbers_that_are_not_finite_are_not_saved(void **state) {
    static const tiny_pairs pairs = {{"model", "toy"},
                                     {"generator.rate", "1e30"},
                                     {"discriminator.rate", "1e30"},
                                     {"optimizer", "momentum"},
                                     {"log.every", "1"},
                                     {"checkpoint.every", "1"},
                                     {"steps", "50"}};
    gan_settings *s = tiny_settings("ring8", &pairs), *kept;
    gan_trainer *t;
    gan_checkpoint_info info;
    char text[32];
    (void)state;
    const gan_trainer_options options = {.folder = scratch("diverges")};
    expect_ok(gan_trainer_open(&t, s, device, &options));
    expect_failure(gan_trainer_run(t, NULL), GAN_ERROR_NOT_FINITE, "step ");
    char message[1024];
    snprintf(message, sizeof message, "%s", gan_last_error());
    gan_trainer_close(t);
    expect_ok(gan_checkpoint_open(&kept, &info, scratch("diverges/checkpoint.safetensors")));
    snprintf(text, sizeof text, "holds step %lld", (long long)info.step);
    if (!strstr(message, text)) fail_msg("'%s' expected in: %s", text, message);
    gan_settings_destroy(kept);
    gan_settings_destroy(s);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(what_is_saved_comes_back),
        TEST(metadata_hold_step_version_and_settings),
        TEST(names_are_role_group_name),
        TEST(a_file_cut_anywhere_is_refused),
        TEST(every_change_of_the_header_is_refused),
        TEST(every_damaged_tensor_is_refused),
        TEST(a_run_of_other_settings_is_refused),
        TEST(free_settings_may_change),
        TEST(other_tensors_are_refused),
        TEST(well_formed_but_other_files_are_refused),
        TEST(a_step_that_the_counter_contradicts_is_refused),
        TEST(a_full_disk_leaves_the_old_checkpoint),
        TEST(numbers_that_are_not_finite_are_not_saved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
