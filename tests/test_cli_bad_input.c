/* Bad input: one clear line, the right exit code, no crash, nothing lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"

#define CPU "--device", "cpu"
#define SMALL CPU, "--set", "batch=8", "--steps", "2"

/* The thread sanitizer maps files of its own while it starts. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define NO_FILE_LIMIT 1
#endif
#endif
#ifndef NO_FILE_LIMIT
#define NO_FILE_LIMIT 0
#endif

static void refused(int code, const char *part, const char *data) {
    command_refused(code, part, ARGS("train", "mlp", "--data", data, "--out", "r", SMALL));
    assert_false(gan_file_exists(scratch("r")));
}

/* ---- data ---- */

static void images_cut_off(void **state) {
    size_t size;
    (void)state;
    tiny_images("whole", 40, 8);
    unsigned char *bytes = scratch_get("whole", &size);
    static const size_t cuts[] = {0, 1, 3, 4, 8, 15, 16, 17, 100, 16 + 40 * 64 - 1};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        scratch_put("cut", bytes, cuts[i]);
        refused(1, "cut", "cut");
    }
    bytes[2] = 0x0d; /* another element type than bytes */
    scratch_put("cut", bytes, size);
    refused(1, "cut", "cut");
    free(bytes);
}

static void images_that_are_none(void **state) {
    (void)state;
    scratch_put("text", "this is no set of images, only a text of some length", 52);
    refused(1, "text", "text");
    refused(1, "no-such-set", "no-such-set");
    refused(1, "fashion-mnist", "fashon-mnist");
}

static void gzip_cut_off(void **state) {
    size_t size, packed_size;
    (void)state;
    tiny_images("whole", 40, 8);
    unsigned char *bytes = scratch_get("whole", &size);
    gzFile file = gzopen(scratch("packed.gz"), "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    unsigned char *packed = scratch_get("packed.gz", &packed_size);
    for (size_t i = 1; i < 5; i++) {
        scratch_put("cut.gz", packed, packed_size * i / 5);
        refused(1, "cut.gz", "cut.gz");
    }
    scratch_put("cut.gz", packed, packed_size - 1);
    refused(1, "cut.gz", "cut.gz");
    command_done(ARGS("train", "mlp", "--data", "packed.gz", "--out", "r", SMALL));
    free(packed);
    free(bytes);
}

static void labels_of_another_count(void **state) {
    static const unsigned char labels[] = {0, 0, 8, 1, 0, 0, 0, 3, 1, 2, 3};
    (void)state;
    tiny_images("train-images-idx3-ubyte", 40, 8);
    scratch_put("train-labels-idx1-ubyte", labels, sizeof labels);
    refused(1, "labels", "train-images-idx3-ubyte");
}

static void an_empty_set_and_a_small_one(void **state) {
    (void)state;
    tiny_images("empty", 0, 8);
    refused(1, "empty", "empty");
    tiny_images("seven", 7, 8);
    refused(1, "batch: 8 given, but data 'seven' have 7 examples", "seven");
}

static void a_model_that_does_not_fit_the_data(void **state) {
    (void)state;
    tiny_images("set", 40, 9);
    command_refused(
        1, "9x9",
        ARGS("train", "dcgan32", "--data", "set", "--out", "r", "--set", "data.size=0", SMALL));
    command_refused(1, "model: 'mlp' makes images",
                    ARGS("train", "mlp", "--data", "ring8", "--out", "r", SMALL));
    command_refused(1, "model: 'toy' makes points",
                    ARGS("train", "ring8", "--data", "set", "--out", "r", SMALL));
    command_refused(1, "model.marginals",
                    ARGS("train", "mlp", "--data", "set", "--out", "r", "--set",
                         "model.marginals=true", SMALL));
    assert_false(gan_file_exists(scratch("r")));
}

/* ---- configuration files ---- */

static void configuration_files(void **state) {
    static const struct {
        const char *text, *part;
    } bad[] = {
        {"model: mlp\nbtach: 3\n", "mine.yaml:2: unknown key 'btach'; did you mean 'batch'?"},
        {"batch: many\n", "mine.yaml:1: batch: 'many' given"},
        {"objective: minmax\n", "did you mean 'minimax'?"},
        {"batch: [1\n", "mine.yaml"},
        {"batch: 3\nbatch: 4\n", "mine.yaml:2"},
        {"\x01\x02", "mine.yaml"},
        {"", "mine.yaml: holds no key; expected lines of the form KEY: VALUE"},
        {"# nothing\n", "mine.yaml: holds no key"},
        {"generator: {}\n", "mine.yaml: holds no key"},
        {"just text\n", "mine.yaml:1: expected lines of the form KEY: VALUE"},
        {"optimizer:\n  adam:\n    beta1: 0.5\n",
         "mine.yaml:3: unknown key 'optimizer.adam.beta1': 'optimizer' takes one value"},
        {"terms:\n  r1: 10\n", "mine.yaml:2: unknown key 'terms.r1': 'terms' takes one value"},
        {"terms: r1(10\n", "terms: r1: the closing ) is missing"},
        {"model: toy\ndata: ring8\nreplay.share: 0.3\n",
         "mine.yaml:3: replay.share: '0.3' given, but it has no effect: replay is 0"},
        {"\x89PNG\r\n", "mine.yaml:1: not valid YAML"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        scratch_put("mine.yaml", bad[i].text, strlen(bad[i].text));
        command_refused(1, bad[i].part, ARGS("train", "mine.yaml", "--out", "r", CPU));
    }
    command_refused(2, "'.' is a folder, expected a preset or a YAML file",
                    ARGS("train", ".", "--out", "r", CPU));
    assert_false(gan_file_exists(scratch("r")));
}

/* ---- folders ---- */

static void folders_that_cannot_be_written(void **state) {
    (void)state;
    scratch_put("file", "x", 1);
    command_refused(1, "file", ARGS("train", "ring8", "--out", "file", SMALL));
    command_refused(1, "file/r", ARGS("train", "ring8", "--out", "file/r", SMALL));
    command_refused(1, "/proc/r", ARGS("train", "ring8", "--out", "/proc/r", SMALL));
    command_refused(1, "/dev/full", ARGS("train", "ring8", "--out", "/dev/full", SMALL));
    command_refused(2, "--out", ARGS("train", "ring8", "--out", "", SMALL));
    size_t size;
    unsigned char *bytes = scratch_get("file", &size);
    assert_int_equal(size, 1);
    free(bytes);
}

static void a_folder_in_use(void **state) {
    (void)state;
    assert_int_equal(mkdir(scratch("r"), 0700), 0);
    command_refused(1, "nothing to resume",
                    ARGS("train", "ring8", "--out", "r", "--resume", SMALL));
    scratch_put("r/precious", "x", 1);
    command_refused(1, "not empty", ARGS("train", "ring8", "--out", "r", SMALL));
    command_refused(1, "--resume", ARGS("train", "ring8", "--out", "r", SMALL));
    assert_true(gan_file_exists(scratch("r/precious")));
}

/* No file can grow beyond some bytes, as on a full disk: config, log, picture or checkpoint fail in
 * turn. */
static void a_full_disk(void **state) {
    (void)state;
    if (NO_FILE_LIMIT) skip();
    command_done(ARGS("train", "ring8", "--out", "good", SMALL));
#ifdef __clang__ /* its OpenMP runtime needs a shared file of 1024 bytes to start at all */
    static const size_t limits[] = {2000, 20000};
#else
    static const size_t limits[] = {0, 100, 2000, 20000};
#endif
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        outcome r;
        char out[32];
        snprintf(out, sizeof out, "full-%zu", i);
        limit_file_size(limits[i]);
        command(&r, ARGS("train", "ring8", "--out", out, SMALL));
        lift_file_limit();
        assert_int_equal(r.code, 1);
        assert_non_null(strstr(r.err, out));
        /* With room again: the same start, or going on where there is a checkpoint by now. */
        char checkpoint[64];
        snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", out);
        if (gan_file_exists(scratch(checkpoint))) {
            command_done(ARGS("train", "--resume", "--out", out, CPU));
        } else {
            command_refused(1, "nothing to resume, start without --resume",
                            ARGS("train", "--resume", "ring8", "--out", out, SMALL));
            command_done(ARGS("train", "ring8", "--out", out, SMALL));
        }
    }
}

/* Whatever else lies there is somebody's: a configuration written by hand, lines of a log. */
static void only_what_a_start_leaves_is_written_over(void **state) {
    static const char *const others[][2] = {{"r/config.yaml", "model: toy\n"},
                                            {"r/log.jsonl", "{\"step\":1}\n"},
                                            {"r/samples/mine.png", "x"}};
    size_t size;
    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(mkdir(scratch("r"), 0700) || mkdir(scratch("r/samples"), 0700), 0);
        scratch_put(others[i][0], others[i][1], strlen(others[i][1]));
        command_refused(1, "and has no checkpoint to go on from",
                        ARGS("train", "ring8", "--out", "r", SMALL));
        unsigned char *bytes = scratch_get(others[i][0], &size);
        assert_int_equal(size, strlen(others[i][1]));
        assert_memory_equal(bytes, others[i][1], size);
        free(bytes);
        assert_int_equal(scratch_teardown(state) || scratch_setup(state), 0);
    }
    /* A start with other settings after one that failed before its checkpoint. */
    command_done(ARGS("train", "ring8", "--out", "r", SMALL));
    assert_int_equal(unlink(scratch("r/checkpoint.safetensors")), 0);
    command_refused(1, "and has no checkpoint to go on from",
                    ARGS("train", "ring8", "--out", "r", SMALL));
    assert_int_equal(mkdir(scratch("s"), 0700), 0);
    unsigned char *config = scratch_get("r/config.yaml", &size);
    scratch_put("s/config.yaml", config, size);
    scratch_put("s/log.jsonl", "", 0);
    scratch_put("s/checkpoint.safetensors.tmp", "x", 1);
    free(config);
    command_done(ARGS("train", "ring8", "--out", "s", "--steps", "3", "--set", "batch=9", CPU));
    command_refused(1, "it holds a run; continue it with --resume",
                    ARGS("train", "ring8", "--out", "s", SMALL));
}

/* A run that has a checkpoint keeps it when the disk fills up. */
static void a_disk_that_fills_up(void **state) {
    outcome r;
    size_t a, b;
    (void)state;
    if (NO_FILE_LIMIT) skip();
    command_done(ARGS("train", "ring8", "--out", "r", SMALL));
    unsigned char *before = scratch_get("r/checkpoint.safetensors", &a);
    limit_file_size(200000); /* enough for the picture */
    command(&r, ARGS("train", "--out", "r", "--resume", "--steps", "4", CPU));
    lift_file_limit();
    assert_int_equal(r.code, 1);
    assert_non_null(strstr(r.err, "r/checkpoint.safetensors: "));
    unsigned char *after = scratch_get("r/checkpoint.safetensors", &b);
    assert_int_equal(a, b);
    assert_memory_equal(before, after, a);
    command_done(ARGS("train", "--out", "r", "--resume", "--steps", "4", CPU));
    free(before);
    free(after);
}

static void pictures_that_cannot_be_written(void **state) {
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", SMALL));
    scratch_put("file", "x", 1);
    command_refused(1, "file/x.png",
                    ARGS("sample", "r/checkpoint.safetensors", "-o", "file/x.png", CPU));
    command_refused(1, "none/x.png",
                    ARGS("sample", "r/checkpoint.safetensors", "-o", "none/x.png", CPU));
    command_refused(1, "/dev/full",
                    ARGS("sample", "r/checkpoint.safetensors", "-o", "/dev/full", CPU));
}

/* ---- checkpoints: the reader's own tests cut at every byte; here is what the command makes of it
 * ---- */

static void checkpoints_cut_or_changed(void **state) {
    size_t size;
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", SMALL));
    unsigned char *bytes = scratch_get("r/checkpoint.safetensors", &size);
    for (size_t i = 0; i <= 8; i++) {
        scratch_put("r/checkpoint.safetensors", bytes, i < 8 ? size * i / 8 : size - 1);
        command_refused(1, "r/checkpoint.safetensors",
                        ARGS("train", "--out", "r", "--resume", "--steps", "4", CPU));
        command_refused(1, "r/checkpoint.safetensors",
                        ARGS("sample", "r/checkpoint.safetensors", "-o", "x.png", CPU));
        command_refused(1, "r/checkpoint.safetensors",
                        ARGS("info", "r/checkpoint.safetensors", CPU));
    }
    bytes[40] ^= 1;
    scratch_put("r/checkpoint.safetensors", bytes, size);
    command_refused(1, "r/checkpoint.safetensors",
                    ARGS("train", "--out", "r", "--resume", "--steps", "4", CPU));
    assert_false(gan_file_exists(scratch("x.png")));
    command_refused(1, "none", ARGS("sample", "none", "-o", "x.png", CPU));
    command_refused(1, "none/x.png: cannot write", ARGS("sample", "r", "-o", "none/x.png", CPU));
    command_refused(1, "r", ARGS("sample", "r", "-o", "x.png", CPU));
    free(bytes);
}

/* ---- devices, memory, numbers ---- */

static void a_device_that_is_absent(void **state) {
    char reason[512];
    (void)state;
    command_refused(2, "tpu", ARGS("train", "ring8", "--out", "r", "--device", "tpu"));
    command_done(ARGS("train", "ring8", "--out", "s", "--steps", "1", "--device", "cpu"));
    command_refused(2, "device 'gpu': expected cpu, cuda or cuda:N",
                    ARGS("sample", "s", "-o", "x.png", "--device", "gpu"));
    command_refused(1, "cuda:99", ARGS("train", "ring8", "--out", "r", "--device", "cuda:99"));
    gan_device_absence("cuda", reason, sizeof reason);
    if (reason[0])
        command_refused(1, "cuda", ARGS("train", "ring8", "--out", "r", "--device", "cuda"));
    assert_false(gan_file_exists(scratch("r")));
}

static void more_memory_than_there_is(void **state) {
    (void)state;
    command_refused(1, "MiB",
                    ARGS("train", "ring8", "--out", "r", CPU, "--set", "batch=1048576", "--set",
                         "model.generator_features=65536"));
    assert_false(gan_file_exists(scratch("r")));
}

static void a_loss_that_is_not_finite(void **state) {
    outcome r;
    gan_settings *s;
    gan_checkpoint_info info;
    char kept[128];
    (void)state;
    command(&r, ARGS("train", "ring8", "--out", "r", CPU, "--set", "batch=8", "--steps", "50",
                     "--set", "checkpoint.every=1", "--set", "generator.rate=1e30", "--set",
                     "discriminator.rate=1e30"));
    assert_int_equal(r.code, 1);
    assert_non_null(strstr(r.err, "step "));
    assert_non_null(strstr(r.err, "_loss is "));
    expect_ok(gan_checkpoint_open(&s, &info, scratch("r/checkpoint.safetensors")));
    gan_settings_destroy(s);
    snprintf(kept, sizeof kept, "the checkpoint holds step %lld; a new run with smaller rates",
             (long long)info.step);
    if (!strstr(r.err, kept)) fail_msg("'%s' is not in: %s", kept, r.err);
    command_done(ARGS("sample", "r/checkpoint.safetensors", "-o", "x.png", CPU));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(images_cut_off),
        TEST(images_that_are_none),
        TEST(gzip_cut_off),
        TEST(labels_of_another_count),
        TEST(an_empty_set_and_a_small_one),
        TEST(a_model_that_does_not_fit_the_data),
        TEST(configuration_files),
        TEST(folders_that_cannot_be_written),
        TEST(a_folder_in_use),
        TEST(a_full_disk),
        TEST(only_what_a_start_leaves_is_written_over),
        TEST(a_disk_that_fills_up),
        TEST(pictures_that_cannot_be_written),
        TEST(checkpoints_cut_or_changed),
        TEST(a_device_that_is_absent),
        TEST(more_memory_than_there_is),
        TEST(a_loss_that_is_not_finite),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
