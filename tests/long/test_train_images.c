/* What the presets of Fashion-MNIST that no other test trains learn, as a person would train them
 * but shorter, the mean of three seeds each: whether samples are of the class asked for, by a
 * classifier that was trained apart; how far samples as a whole are from the test images; whether
 * the nearest code has an image's class; and what is filled in against what was there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ganc/data.h"
#include "support/claim.h"
#include "support/command.h"
#include "support/scratch.h"
#include "support/tiny.h"
#include "train/checkpoint.h"
#include "train/sampler.h"

enum { SEEDS = 3, SIDE = 28 };

/* ---- by a classifier ---- */

static double agreement_of(const char *checkpoint, gan_device *device, const char *classifier) {
    gan_agreement a;
    expect_ok(gan_agreement_checkpoint(&a, checkpoint, device,
                                       &(gan_agreement_options){.classifier = classifier}));
    print_message("%.4f; the classifier %.4f\n", a.agreement, a.accuracy);
    assert_true(a.accuracy >= 0.88);
    return a.agreement;
}

/* The share of test images whose G(E(x)) is recognised as their class. (What nearest codes have
 * says little: those of an encoder that has learnt nothing have the right class for 82 %.) */
static double rebuilt_of(const char *checkpoint, gan_device *device, const char *file) {
    enum { PAIRS = 1000, COLUMNS = 44, TILE = SIDE + 2 };
    static float x[PAIRS][SIDE][SIDE];
    static int32_t seen[PAIRS];
    const char *png = scratch("pairs.png");
    gan_encoding e;
    gan_picture p;
    gan_dataset *test;
    gan_classifier *classifier;
    int right = 0;
    expect_ok(
        gan_encode_checkpoint(&e, checkpoint, png, device, &(gan_encode_options){.count = PAIRS}));
    expect_ok(gan_png_read(&p, png));
    assert_int_equal(p.width, COLUMNS * TILE + 2);
    for (int i = 0; i < PAIRS; i++) {
        const int tile = 2 * i + 1, top = 2 + tile / COLUMNS * TILE,
                  left = 2 + tile % COLUMNS * TILE;
        for (int j = 0; j < SIDE * SIDE; j++)
            x[i][j / SIDE][j % SIDE] =
                p.pixels[((top + j / SIDE) * p.width + left + j % SIDE) * p.channels];
    }
    gan_png_free(&p);
    expect_ok(
        gan_dataset_open(&test, "fashion-mnist", &(gan_dataset_options){.split = GAN_SPLIT_TEST}));
    expect_ok(gan_classifier_load(&classifier, device, file)); /* written by what came before */
    expect_ok(gan_classifier_classify(classifier, seen, x[0][0], PAIRS, 0, 255));
    for (int i = 0; i < PAIRS; i++) right += seen[i] == test->labels[i];
    gan_classifier_close(classifier);
    gan_dataset_destroy(test);
    print_message("%.4f; error %.4f, the mean image %.4f\n", right / (double)PAIRS, e.error,
                  e.error_of_mean);
    return right / (double)PAIRS;
}

/* One test, for the classifier is in the scratch folder, which is a test's own. */
static void samples_are_like_the_data(void **state) {
    (void)state;
    static const claim classes[] = {
        {"fashion-cgan", 1000, 0.8, 1},
        {"fashion-active", 1000, 0.75, 1},
    };
    static const claim rebuilt = {"fashion-bigan", 1500, 0.3, 1}; /* by chance: 0.1 */
    /* A generator that has learnt nothing is 210 away, real images 0.6. */
    static const claim distances[] = {
        {"fashion-began", 1000, 0, 120},      {"fashion-wgan-gp", 300, 0, 110},
        {"fashion-layer-norm", 300, 0, 110},  {"fashion-group-norm", 300, 0, 110},
        {"fashion-virtual", 300, 0, 100},     {"fashion-ebgan", 300, 0, 80},
        {"fashion-infogan-net", 1000, 0, 25},
    };
    /* Networks of 32 pixels, narrower where they are wide. */
#define PADDED "data=fashion-mnist", "data.size=32", "data.channels=1", "data.border=0"
    static const char *const padded[] = {PADDED, NULL};
    static const char *const growing[] = {PADDED, "growing.hold=80", "growing.fade=80", NULL};
    static const char *const narrow[] = {PADDED, "model.generator_features=16",
                                         "model.discriminator_features=16", NULL};
    static const struct {
        claim about;
        const char *const *other;
    } nets[] = {
        {{"emoji-dcgan", 300, 0, 140}, padded},
        {{"emoji-sagan", 300, 0, 140}, padded},
        {{"emoji-progressive", 600, 0, 140}, growing},
        {{"cifar-sngan", 300, 0, 140}, narrow},
        {{"cifar-resnet", 300, 0, 140}, narrow},
    };
    char classifier[512];
    gan_device *device = tiny_device(0);
    snprintf(classifier, sizeof classifier, "%s", scratch("classifier.safetensors"));
    for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
        claim_check(&classes[i], NULL, agreement_of, device, classifier);
    claim_check(&rebuilt, NULL, rebuilt_of, device, classifier);
    for (size_t i = 0; i < sizeof distances / sizeof *distances; i++)
        claim_check(&distances[i], NULL, claim_distance, device, classifier);
    snprintf(classifier, sizeof classifier, "%s", scratch("classifier32.safetensors"));
    for (size_t i = 0; i < sizeof nets / sizeof *nets; i++)
        claim_check(&nets[i].about, nets[i].other, claim_distance, device, classifier);
    gan_device_close(device);
}

/* ---- how far D overfits ---- */

enum { FEW = 500, AT_ONCE = 100 };

/* The mean of D(x) = sigmoid(score) over the first FEW images of a part. */
static double judged(gan_program *program, gan_node *images, gan_node *d_of_x, gan_split part) {
    static float x[AT_ONCE * SIDE * SIDE], value[AT_ONCE];
    gan_dataset *set;
    double sum = 0;
    expect_ok(gan_dataset_open(&set, "fashion-mnist", &(gan_dataset_options){.split = part}));
    for (int first = 0; first < FEW; first += AT_ONCE) {
        for (int i = 0; i < AT_ONCE * SIDE * SIDE; i++)
            x[i] = (float)(set->images[first * SIDE * SIDE + i] / 127.5 - 1);
        expect_ok(gan_program_write(program, images, x, sizeof x));
        expect_ok(gan_program_run(program, 1));
        expect_ok(gan_program_read(program, d_of_x, value, sizeof value));
        for (int i = 0; i < AT_ONCE; i++) sum += (double)value[i] / FEW;
    }
    gan_dataset_destroy(set);
    return sum;
}

/* What D says of the images that it was trained on, above what it says of others. */
static double gap_of(const char *path) {
    gan_checkpoint c;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
    const gan_model *model;
    gan_model_options networks;
    gan_device *device = tiny_device(0);
    expect_ok(gan_checkpoint_read(&c, path));
    expect_ok(gan_source_networks(&model, &networks, c.settings, c.state.example));
    expect_ok(gan_store_create(&store, 0));
    expect_ok(gan_graph_create(&g, store));
    gan_node *images = gan_input(g, GAN_F32, gan_shape4(AT_ONCE, SIDE, SIDE, 1), "images");
    gan_scope *scope = gan_scope_create(g, "discriminator", &(gan_scope_settings){0});
    gan_node *h = gan_model_features(model, scope, images, &networks);
    gan_node *d_of_x =
        gan_output(g, gan_sigmoid(g, gan_model_output(model, scope, "output", h, 1, &networks)));
    expect_ok(gan_compile(&program, g, device));
    expect_ok(gan_store_place(store, device));
    expect_ok(gan_checkpoint_restore(&c, store, false));
    expect_ok(gan_program_load(program));
    const double known = judged(program, images, d_of_x, GAN_SPLIT_TRAIN);
    const double other = judged(program, images, d_of_x, GAN_SPLIT_TEST);
    print_message("%.4f of those it was trained on, %.4f of others\n", known, other);
    gan_program_destroy(program);
    gan_graph_destroy(g);
    gan_store_destroy(store);
    gan_checkpoint_close(&c);
    gan_device_close(device);
    return known - other;
}

static double mean_gap(const char *preset, const char *const *other) {
    double mean = 0;
    for (int seed = 1; seed <= SEEDS; seed++) {
        print_message("%s%s, seed %d: D(x) is ", preset, other ? ", nothing changed" : "", seed);
        mean += gap_of(tiny_preset(preset, seed, 2000, other)) / SEEDS;
    }
    return mean;
}

static void augmentation_keeps_d_from_overfitting(void **state) {
    (void)state;
    static const char *const nothing[] = {"augment=", NULL};
    const double plain = mean_gap("fashion-diffaugment", nothing);
    const double fixed = mean_gap("fashion-diffaugment", NULL);
    const double adaptive = mean_gap("fashion-ada", NULL);
    print_message("gaps: %.4f plain, %.4f DiffAugment, %.4f ADA\n", plain, fixed, adaptive);
    assert_true(plain >= 0.05); /* else the comparison says nothing */
    assert_true(fixed <= 0.5 * plain && adaptive <= 0.5 * plain);
}

/* ---- completion ---- */

enum { PIXELS = SIDE * SIDE, TESTED = 320 };

static uint64_t random_now;

static double chance(void) {
    random_now = random_now * 6364136223846793005u + 1442695040888963407u;
    return (double)(random_now >> 11) / 9007199254740992.0;
}

/* Half of the masks hide a rectangle, half scattered pixels. */
static void hide(float *context, const uint8_t *image) {
    const bool block = chance() < 0.5;
    const double share = 0.25 + 0.7 * chance();
    const int h = 7 + (int)(14 * chance()), w = 7 + (int)(14 * chance());
    const int top = (int)((SIDE - h) * chance()), left = (int)((SIDE - w) * chance());
    for (int i = 0; i < PIXELS; i++) {
        const int y = i / SIDE, x = i % SIDE;
        const bool inside = y >= top && y < top + h && x >= left && x < left + w;
        const bool hidden = block ? inside : chance() < share;
        context[2 * i] = hidden ? 0 : (float)(image[i] / 127.5 - 1);
        context[2 * i + 1] = hidden ? 0 : 1;
    }
}

static void put(gan_store *store, const char *name, const float *x, size_t bytes) {
    const gan_variable *v = gan_store_find(store, GAN_STATISTIC, name);
    assert_non_null(v);
    expect_ok(gan_variable_write(store, v, x, bytes));
}

/* The mean (x - G)² of the pixels that are hidden from G in test images, and that of the mean image
 * in G's place; pixels in [0, 1]. */
static void fill_in(double *error, double *of_mean, const char *path, const gan_dataset *test) {
    static float whole[GAN_CONTEXTS][PIXELS], context[GAN_CONTEXTS][PIXELS][2];
    static float made[GAN_CONTEXTS * GAN_CONTEXTS][PIXELS];
    gan_checkpoint c;
    gan_store *store;
    gan_sampler sampler;
    gan_game_options game;
    gan_schedule schedule;
    const gan_model *model;
    gan_model_options networks;
    gan_device *device = tiny_device(0);
    double mean[PIXELS] = {0}, hidden = 0;
    for (int64_t i = 0; i < test->count * PIXELS; i++)
        mean[i % PIXELS] += test->images[i] / 255.0 / (double)test->count;
    expect_ok(gan_checkpoint_read(&c, path));
    expect_ok(gan_source_networks(&model, &networks, c.settings, c.state.example));
    expect_ok(gan_settings_game(&game, c.settings, model, &networks, 0, 0));
    expect_ok(gan_schedule_make(&schedule, c.settings, &game));
    expect_ok(gan_store_create(&store, 5));
    /* A row is about one example: itself, what is known of it, and completions. */
    const int64_t count = GAN_CONTEXTS * GAN_CONTEXTS;
    expect_ok(gan_sampler_open(&sampler, store, device, &game, &schedule, 1, count, 5));
    expect_ok(gan_store_place(store, device));
    expect_ok(gan_checkpoint_restore(&c, store, false));
    *error = *of_mean = 0;
    random_now = 1;
    for (int64_t first = 0; first < TESTED; first += GAN_CONTEXTS) {
        for (int64_t i = 0; i < GAN_CONTEXTS; i++) {
            const uint8_t *image = test->images + (first + i) * PIXELS;
            for (int j = 0; j < PIXELS; j++) whole[i][j] = (float)(image[j] / 127.5 - 1);
            hide(context[i][0], image);
        }
        put(store, "generator/whole", whole[0], sizeof whole);
        put(store, "generator/context", context[0][0], sizeof context);
        expect_ok(gan_sampler_draw(&sampler, made[0], count));
        for (int64_t i = 0; i < GAN_CONTEXTS; i++)
            for (int j = 0; j < PIXELS; j++) {
                const double x = (double)whole[i][j], g = (double)made[i * GAN_CONTEXTS + 2][j];
                if (context[i][j][1] > 0) {
                    assert_true(g >= x && g <= x); /* what is known is kept */
                    continue;
                }
                const double off = (x - g) / 2, other = (x + 1) / 2 - mean[j];
                *error += off * off;
                *of_mean += other * other;
                hidden++;
            }
    }
    *error /= hidden;
    *of_mean /= hidden;
    gan_sampler_close(&sampler);
    gan_store_destroy(store);
    gan_checkpoint_close(&c);
    gan_device_close(device);
}

static void what_is_hidden_is_filled_in(void **state) {
    (void)state;
    gan_dataset *test;
    double mean = 0, of_mean;
    expect_ok(
        gan_dataset_open(&test, "fashion-mnist", &(gan_dataset_options){.split = GAN_SPLIT_TEST}));
    for (int seed = 1; seed <= SEEDS; seed++) {
        double error;
        fill_in(&error, &of_mean, tiny_preset("fashion-completion", seed, 500, NULL), test);
        print_message("fashion-completion, seed %d: error %.4f, the mean image %.4f\n", seed, error,
                      of_mean);
        mean += error / SEEDS;
    }
    if (!(mean < 0.5 * of_mean)) fail_msg("error %.4f, the mean image %.4f", mean, of_mean);
    gan_dataset_destroy(test);
}

int main(void) {
    if (tiny_without_fashion()) return 77;
#define TEST(name) cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_is_hidden_is_filled_in),
        TEST(augmentation_keeps_d_from_overfitting),
        TEST(samples_are_like_the_data),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
