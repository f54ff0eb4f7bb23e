/* What is said of presets, and of runs that are looked at again, from elsewhere or with other keys.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "ganc/io.h"
#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"
#include "train/sampler.h"

#define CPU "--device", "cpu"
#define SMALL CPU, "--set", "batch=8", "--set", "sample.count=9"

static void assert_has(const char *text, const char *part) {
    if (!strstr(text, part)) fail_msg("'%s' is not in:\n%s", part, text);
}

/* The list says of each preset what it is trained on, in which batches and for how long. */
static void presets_are_listed_with_their_size(void **state) {
    gan_settings *s;
    outcome list, ring;
    char key[3][64], expected[256];
    (void)state;
    command(&list, ARGS("presets"));
    command(&ring, ARGS("presets", "ring8"));
    expect_ok(gan_settings_create(&s));
    expect_ok(gan_settings_read_memory(s, ring.out, strlen(ring.out), "ring8"));
    expect_ok(gan_settings_get(s, "data", key[0], sizeof key[0]));
    expect_ok(gan_settings_get(s, "batch", key[1], sizeof key[1]));
    expect_ok(gan_settings_get(s, "steps", key[2], sizeof key[2]));
    gan_settings_destroy(s);
    snprintf(expected, sizeof expected, "  %-13s  %5s  %6s  ", key[0], key[1], key[2]);
    const char *line = strstr(list.out, "\nring8 ");
    assert_non_null(line);
    assert_has(line, expected);
    const size_t head = strcspn(list.out, "\n"), row = (size_t)(strstr(line, key[2]) - line - 1);
    const char *steps = strstr(list.out, "STEPS");
    assert_true(steps && steps < list.out + head);
    assert_int_equal(steps + strlen("STEPS") - list.out, row + strlen(key[2])); /* right-aligned */
}

/* Each has a time that was measured, with one of the usual units. */
static void presets_say_how_long_they_take(void **state) {
    static const struct {
        const char *name;
        double seconds;
    } units[] = {{"s", 1}, {"min", 60}, {"h", 3600}, {"days", 86400}};
    outcome list;
    char *durations;
    int n = 0;
    (void)state;
    command(&list, ARGS("presets"));
    expect_ok(
        gan_file_read(&durations, NULL, GANC_TEST_SOURCE "/tools/presets/durations.txt", 1 << 16));
    for (const char *line = strchr(list.out, '\n') + 1; *line; line = strchr(line, '\n') + 1, n++) {
        char name[64], unit[8], entry[80];
        double number, seconds = 0;
        if (sscanf(line, "%63s %*s %*d %*d %lf %7s", name, &number, unit) != 3)
            fail_msg("no time in: %.80s", line);
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (!strcmp(unit, units[i].name)) seconds = number * units[i].seconds;
        snprintf(entry, sizeof entry, "%s ", name);
        const char *at = durations; /* the line that begins with the name */
        while (at && strncmp(at, entry, strlen(entry)) != 0) {
            const char *end = strchr(at, '\n');
            at = end ? end + 1 : NULL;
        }
        if (!at) fail_msg("%s: tools/durations has not measured it", name);
        const double measured = strtod(at + strlen(entry), NULL);
        if (!(fabs(seconds - measured) <= 0.06 * measured) || number < 1 || number >= 100)
            fail_msg("%s: %g %s, measured %g s", name, number, unit, measured);
    }
    assert_true(n > 80);
    free(durations);
}

static void info_and_sample_take_a_run_folder(void **state) {
    outcome one, other;
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", "--steps", "2", SMALL));
    command(&one, ARGS("info", "r", "--device", "cpu"));
    command(&other, ARGS("info", "r/checkpoint.safetensors", "--device", "cpu"));
    assert_int_equal(one.code, 0);
    assert_has(one.out, "step 2");
    assert_string_equal(one.out, other.out);
    static const char *const readers[] = {"sample",   "interpolate", "neighbours", "encode",
                                          "classify", "score",       "info"};
    for (size_t i = 0; i < sizeof readers / sizeof *readers; i++) {
        const char *const out = i < 4 ? "--out" : NULL; /* the others write no picture */
        command_refused(1,
                        "ganc: r/samples: there is no run in this folder, expected its "
                        "checkpoint.safetensors",
                        ARGS(readers[i], "r/samples", out, "x.png"));
        if (i == 6) break; /* there a name is a preset's */
        command_refused(1, "ganc: s: there is no such file or folder, expected a run's folder",
                        ARGS(readers[i], "s", out, "x.png"));
    }
    command_refused(1, "s.safetensors: there is no such file", ARGS("info", "s.safetensors"));
}

/* With other keys, figures are not those of the checkpoint; with bad ones nothing is printed. */
static void info_says_whose_the_figures_are(void **state) {
    static const char note[] = "of a run like it, with what --set and --data change";
    outcome r;
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", "--steps", "2", SMALL));
    command(&r, ARGS("info", "r", CPU));
    assert_int_equal(r.code, 0);
    assert_has(r.out, "checkpoint   ring8, step 2, by ganc ");
    assert_null(strstr(r.out, note));
    command(&r, ARGS("info", "r", CPU, "--set", "batch=16"));
    assert_int_equal(r.code, 0);
    assert_has(r.out, "checkpoint   ring8, step 2, by ganc ");
    assert_has(r.out, note);
    command(&r, ARGS("info", "r", CPU, "--set", "model=mlp"));
    assert_int_equal(r.code, 1);
    assert_string_equal(r.out, "");
}

/* Every option's text begins in the same column. */
static void options_stand_below_each_other(void **state) {
    static const char *const commands[] = {"train",   "sample", "interpolate", "neighbours",
                                           "encode",  "score",  "classify",    "theory",
                                           "devices", "info",   "presets"};
    outcome r;
    (void)state;
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        command(&r, ARGS(commands[i], "--help"));
        const char *line = strstr(r.out, "\noptions:\n");
        assert_non_null(line);
        line += strlen("\noptions:\n");
        for (; *line != '\n'; line = strchr(line, '\n') + 1) {
            const size_t length = strcspn(line, "\n");
            if (length <= 25 || line[24] != ' ') {
                line += length + 1;
                assert_int_equal(strspn(line, " "), 25);
            }
            assert_true(line[24] == ' ' && line[25] != ' ');
        }
    }
}

/* ---- data that a run was trained on, from another folder ---- */

/* A set of images with labels, in a folder of the scratch folder. */
static void labelled_images(const char *folder, int classes) {
    static unsigned char labels[8 + 40] = {0, 0, 8, 1, 0, 0, 0, 40};
    static const char *const parts[] = {"train", "t10k"};
    char name[128];
    for (int i = 0; i < 40; i++) labels[8 + i] = (unsigned char)(i % classes);
    assert_int_equal(mkdir(scratch(folder), 0700), 0);
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/%s-images-idx3-ubyte", folder, parts[i]);
        tiny_images(name, 40, 12);
        snprintf(name, sizeof name, "%s/%s-labels-idx1-ubyte", folder, parts[i]);
        scratch_put(name, labels, sizeof labels);
    }
}

static void move(const char *from, const char *to) {
    char old[512];
    snprintf(old, sizeof old, "%s", scratch(from));
    assert_int_equal(rename(old, scratch(to)), 0);
}

static void data_are_found_from_any_folder(void **state) {
    static const char missing[] = "/set', are not there; where they are now is said by --data";
    outcome r;
    (void)state;
    labelled_images("set", 2);
    static const char mine[] = "data: ./set\nbatch: 8\nsteps: 2\nsample.count: 9\n";
    scratch_put("mine.yaml", mine, sizeof mine - 1);
    command_done(ARGS("train", "mine.yaml", "--out", "r", CPU));
    command(&r, ARGS("train", "mine.yaml", "--out", "r", "--resume", CPU));
    assert_int_equal(r.code, 0);
    assert_null(strstr(r.err, "data stays")); /* the same by its other name */
    /* The run goes elsewhere, its data stay where they are. */
    assert_int_equal(mkdir(scratch("elsewhere"), 0700), 0);
    move("r", "elsewhere/r");
    command_from("elsewhere");
    command_done(ARGS("neighbours", "r", "-o", "near.png", "--count", "2", CPU));
    command_done(ARGS("train", "--resume", "--out", "r", "--steps", "3", CPU));
    command_from(".");
    /* Now they go, too. */
    move("set", "moved");
    command_refused(1, missing, ARGS("neighbours", "elsewhere/r", "-o", "x.png", CPU));
    command_refused(1, missing, ARGS("score", "elsewhere/r", CPU));
    command_refused(1, missing, ARGS("train", "--resume", "--out", "elsewhere/r", CPU));
    command_refused(1, "--data takes its path", ARGS("info", "elsewhere/r", CPU));
    command_done(ARGS("sample", "elsewhere/r", "-o", "s.png", CPU)); /* needs none */
    command_done(ARGS("neighbours", "elsewhere/r", "-o", "n.png", "--data", "moved", CPU));
    command_done(ARGS("info", "elsewhere/r", "--data", "moved", CPU));
    command_done(
        ARGS("train", "--resume", "--out", "elsewhere/r", "--data", "moved", "--steps", "4", CPU));
    command_done(ARGS("neighbours", "elsewhere/r", "-o", "n.png", "--count", "2", CPU));
    command(&r, ARGS("neighbours", "elsewhere/r", "-o", "n.png", "--data", "nowhere", CPU));
    assert_int_equal(r.code, 1);
    assert_has(r.err, "'nowhere' is no data set");
}

/* ---- a class a row ---- */

/* Whatever the count, no class misses, each has a whole row, and none is cut off but by the end. */
static void pictures_have_whole_classes(void **state) {
    (void)state;
    for (int64_t classes = 2; classes <= 12; classes++)
        for (int64_t count = classes; count < 300; count++) {
            const gan_sampler s = {.classes = classes};
            const int64_t columns = gan_sampler_columns(&s, count);
            assert_true(columns >= 1 && columns <= 18 && count / columns >= classes);
            for (int64_t i = 0; i < count; i++)
                assert_int_equal(gan_sampler_class(&s, i, count), i / columns % classes);
        }
    const gan_sampler plain = {0};
    assert_int_equal(gan_sampler_columns(&plain, 50), 8);
    const gan_sampler ten = {.classes = 10};
    assert_int_equal(gan_sampler_columns(&ten, 100), 10);
    assert_int_equal(gan_sampler_columns(&ten, 50), 5);
    assert_int_equal(gan_sampler_columns(&ten, 64), 6);
}

static void assert_grid(const char *name, int64_t rows, int64_t columns) {
    gan_picture picture;
    expect_ok(gan_png_read(&picture, scratch(name)));
    assert_int_equal(picture.height, rows * (12 + 2) + 2);
    assert_int_equal(picture.width, columns * (12 + 2) + 2);
    gan_png_free(&picture);
}

static void samples_show_every_class_or_say_why_not(void **state) {
    (void)state;
    labelled_images("set", 5);
    command_done(ARGS("train", "mlp", "--data", "set", "--out", "r", "--steps", "1", SMALL, "--set",
                      "generator.condition=concat", "--set", "discriminator.condition=concat"));
    assert_grid("r/samples/step-1.png", 9, 1); /* 9 of 5 classes: SMALL */
    command_done(ARGS("sample", "r", "-o", "s.png", "--count", "12", CPU));
    assert_grid("s.png", 6, 2);
    command_done(ARGS("sample", "r", "-o", "s.png", "--count", "5", CPU));
    assert_grid("s.png", 5, 1);
    command_refused(1, "4 samples given, but they are of 5 classes, a row each: 5 or more expected",
                    ARGS("sample", "r", "-o", "s.png", "--count", "4", CPU));
    command_done(ARGS("sample", "r", "-o", "s.png", "--count", "4", "--class", "2", CPU));
    assert_grid("s.png", 2, 2);
    command_refused(1, "4 samples given", ARGS("classify", "r", "--count", "4", CPU));
}

/* ---- a run has one configuration ---- */

static void assert_kept(const char *key, const char *expected) {
    gan_settings *file, *checkpoint;
    gan_checkpoint_info info;
    char value[256];
    expect_ok(gan_settings_create(&file));
    expect_ok(gan_settings_read(file, scratch("r/config.yaml")));
    expect_ok(gan_checkpoint_open(&checkpoint, &info, scratch("r/checkpoint.safetensors")));
    assert_int_equal(info.step, 2);
    expect_ok(gan_settings_get(file, key, value, sizeof value));
    assert_string_equal(value, expected);
    expect_ok(gan_settings_get(checkpoint, key, value, sizeof value));
    assert_string_equal(value, expected);
    gan_settings_destroy(file);
    gan_settings_destroy(checkpoint);
}

/* Even where nothing is left to train, and so no checkpoint falls due. */
static void what_resume_changes_is_in_the_checkpoint_too(void **state) {
    (void)state;
    command_done(ARGS("train", "ring8", "--out", "r", "--steps", "2", SMALL));
    command_done(
        ARGS("train", "--resume", "--out", "r", "--set", "description=the second try", CPU));
    assert_kept("description", "the second try");
    command_done(ARGS("train", "--resume", "--out", "r", CPU));
    assert_kept("description", "the second try");
}

/* Another preset beside --resume is one line, whatever else differs, too. */
static void another_preset_does_not_go_on(void **state) {
    outcome r;
    (void)state;
    command(&r, ARGS("train", "ring8", "--out", "r", "--steps", "2", SMALL));
    assert_int_equal(r.code, 0);
    assert_has(r.err, "ganc: r/samples/step-2.png shows samples");
    command_refused(1, "r/checkpoint.safetensors: model: 'dcgan' given, but this run has 'toy'",
                    ARGS("train", "fashion-dcgan", "--out", "r", "--resume", CPU));
    command_refused(1, "none/checkpoint.safetensors: no such file; nothing to resume",
                    ARGS("train", "--out", "none", "--resume", CPU));
}

/* ---- what takes a while is announced when it begins, not before bad input is refused ---- */

static void bad_input_is_refused_before_anything_is_announced(void **state) {
    outcome r;
    (void)state;
    labelled_images("set", 2);
    tiny_images("small", 40, 8);
    tiny_images("unlabelled", 40, 12);
    command_done(ARGS("train", "mlp", "--data", "set", "--out", "r", "--steps", "1", SMALL, "--set",
                      "generator.condition=concat", "--set", "discriminator.condition=concat"));
    scratch_put("cut.safetensors", "cut", 3);
    static const char *const commands[] = {"score", "classify"};
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
        const char *const c = commands[i];
        command_refused(1, "nothing-there: there is no such file or folder",
                        ARGS(c, "nothing-there", CPU));
        command_refused(1, "cut.safetensors: ", ARGS(c, "cut.safetensors", CPU));
        command_refused(1, "'nowhere' is no data set", ARGS(c, "r", "--data", "nowhere", CPU));
        command_refused(1, "8x8x1", ARGS(c, "r", "--data", "small", CPU));
        command_refused(1, "without labels", ARGS(c, "r", "--data", "unlabelled", CPU));
        command_refused(1, "none/c.st: cannot write",
                        ARGS(c, "r", "--classifier", "none/c.st", CPU));
        command_refused(1,
                        "cut.safetensors: ", ARGS(c, "r", "--classifier", "cut.safetensors", CPU));
        command(&r, ARGS(c, "r", "--count", "10", "--classifier", i ? "b.st" : "a.st", CPU));
        if (r.code) fail_msg("%s", r.err);
        assert_has(r.err, "ganc: training a classifier on the data");
        command(&r, ARGS(c, "r", "--count", "10", "--classifier", "a.st", CPU));
        assert_int_equal(r.code, 0);
        assert_string_equal(r.err, ""); /* it is there */
    }
    command_refused(1, "tells no class", ARGS("classify", "r", "--self", "--alone", CPU));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, scratch_setup, scratch_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(presets_are_listed_with_their_size),
        TEST(presets_say_how_long_they_take),
        TEST(info_and_sample_take_a_run_folder),
        TEST(info_says_whose_the_figures_are),
        TEST(options_stand_below_each_other),
        TEST(data_are_found_from_any_folder),
        TEST(pictures_have_whole_classes),
        TEST(samples_show_every_class_or_say_why_not),
        TEST(what_resume_changes_is_in_the_checkpoint_too),
        TEST(another_preset_does_not_go_on),
        TEST(bad_input_is_refused_before_anything_is_announced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
