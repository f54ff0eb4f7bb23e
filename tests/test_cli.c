/* The command line: help, lists, arguments that are wrong, and what a run leaves in its folder. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/command.h"
#include "support/process.h"
#include "support/scratch.h"
#include "support/tiny.h"

#define SMALL "--device", "cpu", "--set", "batch=8", "--set", "sample.count=9"

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

static void every_command_helps(void **state) {
    static const char *const commands[] = {"train",    "sample",      "info",       "devices",
                                           "presets",  "interpolate", "neighbours", "theory",
                                           "classify", "encode",      "score"};
    outcome r;
    (void)state;
    command(&r, ARGS("--help"));
    assert_int_equal(r.code, 0);
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        outcome help;
        assert_has(r.out, commands[i]);
        command(&help, ARGS(commands[i], "--help"));
        assert_int_equal(help.code, 0);
        assert_has(help.out, "usage: ganc ");
        assert_has(help.out, "--help");
        assert_string_equal(help.err, "");
    }
}

static void train_help_lists_every_key(void **state) {
    outcome r;
    (void)state;
    command(&r, ARGS("train", "--help"));
    for (size_t i = 0; i < gan_settings_key_count(); i++)
        assert_has(r.out, gan_settings_key_at(i).name);
}

static void version_is_the_librarys(void **state) {
    char expected[64];
    outcome r;
    (void)state;
    snprintf(expected, sizeof expected, "ganc %s\n", gan_version());
    command(&r, ARGS("--version"));
    assert_int_equal(r.code, 0);
    assert_string_equal(r.out, expected);
}

static void lists_name_what_is_there(void **state) {
    static const char *const presets[] = {"mlp",     "gan2014", "fashion-dcgan", "dcgan32",
                                          "dcgan64", "ring8",   "grid25"};
    outcome r;
    (void)state;
    command(&r, ARGS("presets"));
    assert_int_equal(r.code, 0);
    for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) assert_has(r.out, presets[i]);
    /* A heading, and descriptions below each other. */
    const char *heading = strstr(r.out, "WHAT IT TRAINS");
    assert_true(heading && !strncmp(r.out, "PRESET ", 7));
    const size_t column = (size_t)(heading - r.out);
    for (const char *line = strchr(r.out, '\n') + 1; *line; line = strchr(line, '\n') + 1) {
        assert_true(strcspn(line, "\n") > column && line[column] != ' ');
        assert_true(line[column - 1] == ' ' && line[column - 2] == ' ');
    }
    command(&r, ARGS("devices"));
    assert_int_equal(r.code, 0);
    assert_has(r.out, "cpu (");
    assert_has(r.out, "cuda");
}

/* A preset that is printed and given as a file is the same preset. */
static void a_preset_is_a_file_to_start_from(void **state) {
    outcome preset, one, other;
    (void)state;
    command(&preset, ARGS("presets", "ring8"));
    assert_int_equal(preset.code, 0);
    scratch_put("mine.yaml", preset.out, strlen(preset.out));
    command(&one, ARGS("info", "ring8", "--device", "cpu"));
    command(&other, ARGS("info", "mine.yaml", "--device", "cpu"));
    assert_int_equal(one.code, 0);
    assert_string_equal(one.out, other.out);
}

static void info_gives_every_figure(void **state) {
    static const char *const words[] = {"parameters", "variables", "activations",
                                        "workspace",  "launches",  "moved"};
    outcome r;
    (void)state;
    command(&r, ARGS("info", "ring8", "--device", "cpu"));
    assert_int_equal(r.code, 0);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) assert_has(r.out, words[i]);
    /* 2-128-128-128-2 and 2-128-128-128-1 with biases */
    assert_has(r.out, "67203");
    command(&r, ARGS("info", "ring8", "--device", "cpu", "--plan"));
    assert_int_equal(r.code, 0);
    assert_has(r.out, "adam");
}

static void wrong_arguments_are_usage_errors(void **state) {
    outcome r;
    (void)state;
    command(&r, (const char *const[]){NULL});
    assert_int_equal(r.code, 2);
    command_refused(2, "unknown command 'trian'; did you mean 'train'?", ARGS("trian"));
    command_refused(2, "PRESET or FILE is missing", ARGS("train"));
    command_refused(2, "did you mean 'mlp'?", ARGS("train", "mlpp"));
    command_refused(2, "did you mean 'fashion-acgan' or another that begins so?",
                    ARGS("train", "fashion"));
    command_refused(2, "'fa' is not a preset or a file; `ganc presets`", ARGS("train", "fa"));
    command_refused(2, "did you mean '--steps'?", ARGS("train", "mlp", "--stps", "3"));
    command_refused(2, "--steps needs a value", ARGS("train", "mlp", "--steps"));
    command_refused(2, "one argument too many", ARGS("train", "mlp", "more"));
    command_refused(2, "--resume takes no value", ARGS("train", "mlp", "--resume=yes"));
    command_refused(2, "steps: 'many' given", ARGS("train", "mlp", "--steps", "many"));
    command_refused(2, "seed: '-1' given", ARGS("train", "mlp", "--seed=-1"));
    command_refused(2, "did you mean 'batch'?", ARGS("train", "mlp", "--set", "btach=3"));
    command_refused(2, "key=value", ARGS("train", "mlp", "--set", "batch"));
    command_refused(2, "did you mean 'minimax'?",
                    ARGS("train", "mlp", "--set", "objective=minmax"));
    command_refused(2, "CHECKPOINT or RUN is missing", ARGS("sample", "-o", "x.png"));
    command_refused(2, "-o FILE.png is missing", ARGS("sample", "x"));
    command_refused(2, "--count: '0' given", ARGS("sample", "x", "-o", "x.png", "--count", "0"));
    command_refused(2, "--seed: 'x' given", ARGS("sample", "x", "-o", "x.png", "--seed", "x"));
    command_refused(2, "FILE.png, and of sequences FILE.txt", ARGS("sample", "x", "-o", "x.jpg"));
    command_refused(2, "a picture is written as FILE.png",
                    ARGS("interpolate", "x", "-o", "a.b/x.txt"));
    command_refused(2, "a picture is written as FILE.png", ARGS("encode", "x", "-o", "x.jpeg"));
    command_refused(2, "a picture is written as FILE.png", ARGS("neighbours", "x", "-o", "x.bmp"));
    command_refused(2, "is missing", ARGS("info"));
    command_refused(2, "needs --out", ARGS("train", "--resume"));
    assert_int_equal(scratch_count(), 0);
}

/* What has no effect is said, in the order that it is given in; what a preset sets and --set makes
 * pointless is nobody's mistake. */
static void keys_without_effect_are_refused(void **state) {
    static const char reason[] =
        "adam.beta1: '0' given, but it has no effect: optimizer is momentum";
    gan_settings *s;
    char value[64];
    (void)state;
    command_refused(2, reason,
                    ARGS("train", "ring8", "--set", "adam.beta1=0", "--set", "optimizer=momentum"));
    command_refused(2, reason,
                    ARGS("info", "ring8", "--set", "optimizer=momentum", "--set", "adam.beta1=0"));
    command_refused(2, "data ring8 are no images", ARGS("train", "ring8", "--set", "data.size=32"));
    command_done(ARGS("train", "ring8-minibatch", "--set", "optimizer=momentum", "--steps", "1",
                      "--out", "r", SMALL));
    expect_ok(gan_settings_create(&s));
    expect_ok(gan_settings_read(s, scratch("r/config.yaml")));
    expect_ok(gan_settings_get(s, "adam.beta1", value, sizeof value));
    assert_string_equal(value, "0.5"); /* the default; the preset has 0 */
    gan_settings_destroy(s);
    command_done(
        ARGS("train", "r/config.yaml", "--steps", "1", "--out", "again", "--device", "cpu"));
}

static void what_nothing_teaches_is_refused(void **state) {
    (void)state;
    command_refused(
        1, "nothing holds the generator to the class",
        ARGS("train", "ring8", "--out", "r", "--set", "generator.condition=concat", SMALL));
    command_refused(
        1, "discriminator.condition: concat given, so the discriminator is told the class",
        ARGS("train", "ring8", "--out", "r", "--set", "discriminator.condition=concat", SMALL));
    command_refused(1, "head: projection given",
                    ARGS("train", "ring8", "--out", "r", "--set", "head=projection", SMALL));
    command_refused(1, "generator.objective is 0 and no term teaches the generator",
                    ARGS("train", "ring8", "--out", "r", "--set", "generator.objective=0", "--set",
                         "terms=r1", SMALL));
    command_refused(1, "nothing teaches the discriminator classes",
                    ARGS("train", "ring8", "--out", "r", "--set", "head=classes", SMALL));
    command_refused(1, "ict given, but nothing teaches the discriminator classes",
                    ARGS("train", "ring8", "--out", "r", "--set", "terms=ict, ac-gan", "--set",
                         "discriminator.average=0.9", "--set", "generator.condition=concat",
                         SMALL));
    command_refused(1, "code.categorical: 1 given, but nothing reads the codes off",
                    ARGS("train", "ring8", "--out", "r", "--set", "code.categorical=1", SMALL));
    command_refused(1, "code.continuous: 2 given, but nothing reads the codes off",
                    ARGS("train", "ring8", "--out", "r", "--set", "code.continuous=2", SMALL));
    assert_int_equal(scratch_count(), 0);
    command_done(ARGS("train", "ring8", "--out", "r", "--steps", "1", SMALL, "--set",
                      "generator.condition=concat", "--set", "head=projection"));
    command_done(ARGS("train", "ring8", "--out", "s", "--steps", "1", SMALL, "--set",
                      "code.continuous=2", "--set", "terms=infogan"));
}

/* ---- a run ---- */

static bool there(const char *name) { return gan_file_exists(scratch(name)); }

static void a_run_of_points_leaves_its_folder(void **state) {
    outcome r;
    size_t size;
    (void)state;
    command(&r,
            ARGS("train", "ring8", "--out", "r", "--steps", "25", "--set", "log.every=10", SMALL));
    if (r.code) fail_msg("%s", r.err);
    assert_has(r.err, "training on cpu (");
    assert_string_equal(r.out, "");
    assert_true(there("r/config.yaml") && there("r/checkpoint.safetensors") &&
                there("r/samples/step-25.png"));
    char *log = (char *)scratch_get("r/log.jsonl", &size);
    static const char *const fields[] = {"{\"step\":10,\"images\":80,\"seconds\":",
                                         "\"images_per_second\":",
                                         "\"d_loss\":",
                                         "\"g_loss\":",
                                         "\"d_real\":",
                                         "\"d_fake\":",
                                         "\"modes\":",
                                         "\"high_quality\":",
                                         "{\"step\":20,",
                                         "{\"step\":25,\"images\":200,"};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) assert_has(log, fields[i]);
    free(log);
    assert_has(r.err, "\nganc: step 25 of 25 after ");
    command(&r,
            ARGS("train", "ring8", "--out", "one", "--steps", "1", SMALL, "--set", "threads=1"));
    assert_has(r.err, ", 1 thread)");
    command_done(ARGS("sample", "r", "-o", "s.png", "--device", "cpu"));
    gan_picture picture;
    expect_ok(gan_png_read(&picture, scratch("s.png")));
    assert_int_equal(picture.width, 640);
    gan_png_free(&picture);
}

static void unknown_data_name_what_is_known(void **state) {
    (void)state;
    command_refused(1, "ring8, grid25, ",
                    ARGS("train", "ring8", "--data", "/nope", "--out", "r", "--device", "cpu"));
    command_refused(1, "did you mean 'ring8'?",
                    ARGS("train", "ring8", "--data", "rign8", "--out", "r", "--device", "cpu"));
    expect_ok(gan_png_write_grid(
        scratch("x.png"),
        &(gan_images){
            .pixels = "x", .dtype = GAN_U8, .count = 1, .height = 1, .width = 1, .channels = 1},
        1));
    command_refused(1, "x.png: is a single PNG picture, expected a set of them",
                    ARGS("train", "mlp", "--data", "x.png", "--out", "r", "--device", "cpu"));
    assert_int_equal(unlink(scratch("x.png")), 0);
    assert_int_equal(scratch_count(), 0);
}

static void assert_same_file(const char *one, const char *other, bool same) {
    size_t a, b;
    unsigned char *x = scratch_get(one, &a), *y = scratch_get(other, &b);
    assert_int_equal(a == b && !memcmp(x, y, a), same);
    free(x);
    free(y);
}

static void a_run_of_images_is_sampled_alike(void **state) {
    (void)state;
    tiny_images("images-idx3-ubyte", 40, 8);
    command_done(
        ARGS("train", "mlp", "--data", "images-idx3-ubyte", "--out", "r", "--steps", "3", SMALL));
    assert_true(unlink(scratch("images-idx3-ubyte")) == 0); /* a generator needs no data */
    command_done(ARGS("sample", "r/checkpoint.safetensors", "-o", "a.png", "--device", "cpu"));
    command_done(ARGS("sample", "r/checkpoint.safetensors", "-o", "b.png", "--seed", "5",
                      "--device", "cpu"));
    command_done(ARGS("sample", "r/checkpoint.safetensors", "-o", "c.png", "--seed", "5",
                      "--device", "cpu"));
    assert_same_file("r/samples/step-3.png", "a.png", true);
    assert_same_file("b.png", "c.png", true);
    assert_same_file("a.png", "b.png", false);
    command_done(ARGS("sample", "r/checkpoint.safetensors", "-o", "many.png", "--count", "300",
                      "--device", "cpu"));
    gan_picture picture;
    expect_ok(gan_png_read(&picture, scratch("many.png")));
    assert_true(picture.height * picture.width >= 300 * 64);
    gan_png_free(&picture);
}

/* A conditional run is classified; what does not go together is said. */
static void classes_and_codes_are_examined(void **state) {
    outcome r;
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "plain", "--steps", "1", SMALL));
    command_done(ARGS("train", "ring8", "--out", "run", "--steps", "3", SMALL, "--set",
                      "generator.condition=concat", "--set", "discriminator.condition=concat"));
    command_refused(1, "class 8 given, expected 0 to 7",
                    ARGS("sample", "run", "-o", "x.png", "--class", "8", "--device", "cpu"));
    command(&r, ARGS("classify", "run", "--count", "80", "--device", "cpu"));
    assert_int_equal(r.code, 0);
    assert_has(r.out, "of 80 samples are of the class asked for");
    assert_has(r.out, "class 7: ");
    assert_string_equal(r.err, ""); /* of points no classifier is trained */
    command_refused(1, "its discriminator tells no class",
                    ARGS("classify", "plain", "--self", "--device", "cpu"));
    command_refused(1, "its generator takes no class (generator.condition)",
                    ARGS("classify", "plain", "--device", "cpu"));
    command_refused(1, "this generator takes no class (generator.condition)",
                    ARGS("sample", "plain", "-o", "x.png", "--class", "1", "--device", "cpu"));
    command(&r, ARGS("classify", "run", "--alone"));
    assert_int_equal(r.code, 2);
    assert_has(r.err, "--alone goes with --self");
    command(&r, ARGS("classify", "run", "--self", "--count", "3"));
    assert_int_equal(r.code, 2);
    command(&r, ARGS("encode", "run"));
    assert_int_equal(r.code, 2);
    assert_has(r.err, "-o FILE.png is missing");
    command(&r, ARGS("encode", "run", "-o", "pairs.png", "--device", "cpu"));
    assert_int_equal(r.code, 1);
    assert_has(r.err, "with an encoder");
}

static void resume_needs_no_preset(void **state) {
    gan_settings *s;
    gan_checkpoint_info info;
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", "--steps", "5", SMALL));
    command_done(ARGS("train", "--out", "r", "--steps", "8", "--resume", "--device", "cpu"));
    expect_ok(gan_checkpoint_open(&s, &info, scratch("r/checkpoint.safetensors")));
    assert_int_equal(info.step, 8);
    gan_settings_destroy(s);
    outcome r;
    command(&r, ARGS("train", "--out", "r", "--resume", "--device", "cpu"));
    assert_has(r.err, "the run is at step 8 of 8");
    command(&r, ARGS("train", "ring8", "--out", "idle", "--steps", "3", "--set", "rate.linear=2",
                     SMALL));
    assert_has(r.err, "from step 2 on nothing is learnt");
    command_refused(1, "batch: '9' given",
                    ARGS("train", "--out", "r", "--resume", "--set", "batch=9", "--device", "cpu"));
    command_refused(1, "steps: 3 given",
                    ARGS("train", "--out", "r", "--resume", "--steps", "3", "--device", "cpu"));
}

/* A preset beside --resume is only compared: how far the run goes is its own affair. */
static void resume_with_a_preset_keeps_the_runs_own(void **state) {
    gan_settings *s;
    gan_checkpoint_info info;
    outcome r;
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", "--steps", "5", SMALL));
    command(&r, ARGS("train", "ring8", "--out", "r", "--resume", SMALL));
    assert_int_equal(r.code, 0);
    assert_has(r.err, "ganc: steps stays at 5, as the run in r has it; ring8 has 8000, --set "
                      "steps=8000 takes that\n");
    command_done(ARGS("train", "ring8", "--out", "r", "--resume", "--steps", "8", SMALL));
    expect_ok(gan_checkpoint_open(&s, &info, scratch("r/checkpoint.safetensors")));
    assert_int_equal(info.step, 8);
    gan_settings_destroy(s);
    command_refused(1, "batch: '256' given",
                    ARGS("train", "ring8", "--out", "r", "--resume", "--steps", "9", "--set",
                         "sample.count=9", "--device", "cpu"));
}

/* ---- Ctrl-C ---- */

static void wait_for(const char *name) {
    const struct timespec pause = {0, 20000000};
    for (int i = 0; i < 1500 && !there(name); i++) nanosleep(&pause, NULL);
    assert_true(there(name));
}

static void a_signal_stops_with_a_checkpoint(void **state) {
    static const int signals[] = {SIGINT, SIGTERM};
    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *folder = i ? "b" : "a";
        char checkpoint[64];
        struct timespec begin, end;
        gan_settings *s;
        gan_checkpoint_info info;
        snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint.safetensors", folder);
        const pid_t process = command_start(ARGS("train", "ring8", "--out", folder, "--steps",
                                                 "100000000", "--set", "threads=1", SMALL));
        wait_for(checkpoint);
        nanosleep(&(struct timespec){0, 500000000}, NULL);
        clock_gettime(CLOCK_MONOTONIC, &begin);
        assert_int_equal(kill(process, signals[i]), 0);
        assert_int_equal(process_wait(process), 130);
        clock_gettime(CLOCK_MONOTONIC, &end);
        /* About a quarter of a second on a machine that does nothing else. */
        assert_true(end.tv_sec - begin.tv_sec <= 20);
        expect_ok(gan_checkpoint_open(&s, &info, scratch(checkpoint)));
        assert_true(info.step > 0);
        gan_settings_destroy(s);
    }
}

/* The second run of a folder is refused while the first goes on, not after it was killed. */
static void a_folder_has_one_run_at_a_time(void **state) {
    static const char *const taken = "another run is training into this folder";
    (void)state;
    const pid_t process = command_start(
        ARGS("train", "ring8", "--out", "a", "--steps", "100000000", "--set", "threads=1", SMALL));
    wait_for("a/checkpoint.safetensors");
    command_refused(1, taken, ARGS("train", "ring8", "--out", "a", "--steps", "3", SMALL));
    command_refused(1, taken, ARGS("train", "--resume", "--out", "a", "--device", "cpu"));
    process_kill(process);
    command_refused(1, "the folder is not empty",
                    ARGS("train", "ring8", "--out", "a", "--steps", "3", SMALL));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(every_command_helps),
        TEST(train_help_lists_every_key),
        TEST(version_is_the_librarys),
        TEST(lists_name_what_is_there),
        TEST(a_preset_is_a_file_to_start_from),
        TEST(info_gives_every_figure),
        TEST(wrong_arguments_are_usage_errors),
        TEST(keys_without_effect_are_refused),
        TEST(what_nothing_teaches_is_refused),
        TEST(a_run_of_points_leaves_its_folder),
        TEST(unknown_data_name_what_is_known),
        TEST(a_run_of_images_is_sampled_alike),
        TEST(classes_and_codes_are_examined),
        TEST(resume_needs_no_preset),
        TEST(resume_with_a_preset_keeps_the_runs_own),
        TEST(a_signal_stops_with_a_checkpoint),
        TEST(a_folder_has_one_run_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
