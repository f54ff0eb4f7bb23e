/* Data as the training graph sees them: examples, and the labels that belong to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/networks.h"
#include "support/pictures.h"
#include "support/tiny.h"
#include "train/source.h"

enum { M = 6, STEPS = 2, ROUNDS = 40 };

static gan_source source;
static gan_settings *settings;

static int open_all(void **state) {
    source = (gan_source){0};
    settings = NULL;
    return scratch_setup(state) || open_networks(state);
}

static int close_all(void **state) {
    gan_source_close(&source);
    gan_settings_destroy(settings);
    return close_networks(state) || scratch_teardown(state);
}

static void open_source(const char *data, const char *model) {
    expect_ok(gan_settings_create(&settings));
    expect_ok(gan_settings_set(settings, "data", data, NULL));
    expect_ok(gan_settings_set(settings, "model", model, NULL));
    expect_ok(gan_settings_set(settings, "batch", "6", NULL));
    expect_ok(gan_settings_set(settings, "d_steps", "2", NULL));
    expect_ok(gan_source_open(&source, settings));
}

/* A folder of pictures of one pixel row whose value says the number of the picture and its class.
 */
static int label_of(int picture) { return picture % 3; }

static void put_pictures(int count) {
    char name[64];
    for (int k = 0; k < 3; k++) {
        snprintf(name, sizeof name, "set/class%d", k);
        expect_ok(gan_file_make_directory(scratch(name)));
    }
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "set/class%d/%02d.png", label_of(i), i);
        put_plain_png(name, 1, 2, 1, (uint8_t)(5 * i));
    }
}

typedef struct nodes {
    gan_node *batch[STEPS], *labels[STEPS];
} nodes;

/* Both steps of an iteration, counted up at its end. */
static nodes build(void) {
    nodes n;
    gan_node *counter = gan_game_counter(g);
    for (int k = 0; k < STEPS; k++) {
        n.batch[k] = gan_output(g, gan_source_batch(&source, g, counter, k));
        n.labels[k] = gan_output(g, gan_source_labels(&source, g, counter, k));
    }
    gan_advance(g, counter, 1);
    expect_ok(gan_graph_status(g));
    for (int k = 0; k < STEPS; k++) {
        assert_int_equal(gan_node_dtype(n.labels[k]), GAN_I32);
        assert_true(gan_shape_equal(gan_node_shape(n.labels[k]), gan_shape1(M)));
    }
    return n;
}

static void read_labels(int32_t out[M], const gan_node *node) {
    expect_ok(gan_program_read(program, node, out, M * sizeof *out));
}

static void images_have_their_labels(void **state) {
    (void)state;
    enum { N = 24 };
    put_pictures(N);
    open_source(scratch("set"), "mlp");
    assert_int_equal(source.count, N);
    assert_int_equal(source.classes, 3);
    const uint64_t before = source.fingerprint;
    expect_ok(gan_source_use_labels(&source));
    assert_true(source.fingerprint != before);
    const nodes n = build();
    load();
    expect_ok(gan_source_place(&source, store));
    int seen[N] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        run(1);
        for (int k = 0; k < STEPS; k++) {
            int32_t labels[M];
            float *x = read_output(n.batch[k]);
            read_labels(labels, n.labels[k]);
            for (int i = 0; i < M; i++) {
                const double scale = (source.model->high - source.model->low) / 255;
                const int byte = (int)lround((x[2 * i] - source.model->low) / scale);
                assert_int_equal(byte % 5, 0);
                assert_int_equal(labels[i], label_of(byte / 5));
                seen[byte / 5]++;
            }
            free(x);
        }
    }
    /* Each comes up once an epoch. */
    for (int i = 0; i < N; i++) assert_int_equal(seen[i], ROUNDS * STEPS * M / N);
}

static void points_have_their_modes(void **state) {
    (void)state;
    open_source("ring8", "toy");
    assert_int_equal(source.classes, 8);
    expect_ok(gan_source_use_labels(&source));
    const nodes n = build();
    load();
    expect_ok(gan_source_place(&source, store));
    int seen[8] = {0};
    for (int round = 0; round < ROUNDS; round++) {
        run(1);
        for (int k = 0; k < STEPS; k++) {
            int32_t labels[M];
            float *x = read_output(n.batch[k]);
            read_labels(labels, n.labels[k]);
            for (int i = 0; i < M; i++) {
                assert_in_range(labels[i], 0, 7);
                const float *c = source.mixture->centres + 2 * labels[i];
                assert_true(hypot(x[2 * i] - c[0], x[2 * i + 1] - c[1]) < 0.1);
                seen[labels[i]]++;
            }
            free(x);
        }
    }
    for (int i = 0; i < 8; i++) assert_true(seen[i] > ROUNDS * STEPS * M / 8 / 2);
}

static void sequences_are_one_hot(void **state) {
    (void)state;
    open_source("brackets", "sequence");
    const gan_grammar *r = source.grammar;
    assert_non_null(r);
    assert_int_equal(source.networks.height, r->length);
    assert_int_equal(source.networks.channels, r->symbols);
    gan_node *counter = gan_game_counter(g);
    gan_node *x = gan_output(g, gan_source_batch(&source, g, counter, 0));
    gan_advance(g, counter, 1);
    assert_true(gan_shape_equal(gan_node_shape(x), gan_shape3(M, r->length, r->symbols)));
    load();
    expect_ok(gan_source_place(&source, store));
    int32_t first[M * 16] = {0}, symbols[M * 16];
    for (int round = 0; round < 3; round++) {
        run(1);
        float *value = read_output(x);
        for (int64_t i = 0; i < M * r->length; i++) {
            int64_t ones = 0;
            for (int64_t k = 0; k < r->symbols; k++) {
                const float v = value[i * r->symbols + k];
                assert_true(v == 0 || v == 1);
                if (v > 0) symbols[i] = (int32_t)k, ones++;
            }
            assert_int_equal(ones, 1);
        }
        assert_true(gan_grammar_violations(r, symbols, M) == 0);
        assert_true(memcmp(first, symbols, sizeof first) != 0);
        memcpy(first, symbols, sizeof first);
        free(value);
    }
}

/* Whether labels are used changes nothing about the examples, and without use none are there. */
static void not_used_not_there(void **state) {
    (void)state;
    put_pictures(24);
    open_source(scratch("set"), "mlp");
    gan_node *counter = gan_game_counter(g);
    gan_source_batch(&source, g, counter, 0);
    expect_ok(gan_graph_status(g));
    assert_null(gan_store_find(store, GAN_DATA, "data/labels"));
    assert_null(gan_source_labels(&source, g, counter, 0));
    expect_graph_error(GAN_ERROR_ARGUMENT, "labels were not said to be used");
}

static void examples_come_first(void **state) {
    (void)state;
    open_source("ring8", "toy");
    expect_ok(gan_source_use_labels(&source));
    gan_node *counter = gan_game_counter(g);
    gan_source_batch(&source, g, counter, 0);
    assert_null(gan_source_labels(&source, g, counter, 1));
    expect_graph_error(GAN_ERROR_ARGUMENT, "labels of step 1, whose examples are not there yet");
}

/* data.count takes the first examples, and no more than there are. */
static void a_part_of_the_data(void **state) {
    (void)state;
    open_source("brackets", "sequence");
    const uint64_t all = source.fingerprint;
    gan_source_close(&source);
    expect_ok(gan_settings_set(settings, "data.count", "50", NULL));
    expect_ok(gan_source_open(&source, settings));
    assert_int_equal(source.count, 50);
    assert_true(source.fingerprint != all);
    gan_source_close(&source);
    expect_ok(gan_settings_set(settings, "data.count", "16385", NULL));
    expect_failure(gan_source_open(&source, settings), GAN_ERROR_ARGUMENT,
                   "data.count: 16385 given, but data 'brackets' have 16384 examples");
    expect_ok(gan_settings_set(settings, "data", "ring8", NULL));
    expect_ok(gan_settings_set(settings, "model", "toy", NULL));
    expect_failure(gan_source_open(&source, settings), GAN_ERROR_ARGUMENT, "made on the fly");
    expect_ok(gan_settings_set(settings, "data.count", "0", NULL));
    expect_ok(gan_settings_set(settings, "model", "mlp", NULL));
    expect_failure(gan_source_open(&source, settings), GAN_ERROR_ARGUMENT,
                   "model: 'mlp' makes images, but data 'ring8' are points");
    expect_ok(gan_settings_set(settings, "data", "reber", NULL));
    expect_failure(gan_source_open(&source, settings), GAN_ERROR_ARGUMENT,
                   "model: 'mlp' makes images, but data 'reber' are sequences");
}

static void data_without_labels(void **state) {
    (void)state;
    open_source("reber", "sequence");
    assert_int_equal(source.classes, 0);
    expect_failure(gan_source_use_labels(&source), GAN_ERROR_ARGUMENT,
                   "data 'reber' have no labels");
}

static void fingerprints_tell_labels_apart(void **state) {
    (void)state;
    uint64_t plain[2], labelled[2];
    for (int other = 0; other < 2; other++) {
        char name[64];
        snprintf(name, sizeof name, "set%d/b", other);
        expect_ok(gan_file_make_directory(scratch(name)));
        snprintf(name, sizeof name, "set%d/a", other);
        expect_ok(gan_file_make_directory(scratch(name)));
        for (int i = 0; i < 8; i++) { /* the same pictures; one in another class */
            snprintf(name, sizeof name, "set%d/%c/%d.png", other, i < 4 + other ? 'a' : 'b', i);
            put_plain_png(name, 2, 2, 1, (uint8_t)i);
        }
        snprintf(name, sizeof name, "set%d", other);
        open_source(scratch(name), "mlp");
        plain[other] = source.fingerprint;
        expect_ok(gan_source_use_labels(&source));
        labelled[other] = source.fingerprint;
        expect_ok(gan_source_use_labels(&source)); /* once more changes nothing */
        assert_true(source.fingerprint == labelled[other]);
        gan_source_close(&source);
        gan_settings_destroy(settings);
        settings = NULL;
    }
    assert_true(plain[0] == plain[1]);
    assert_true(labelled[0] != labelled[1]);
}

static void keys_reach_the_set(void **state) {
    (void)state;
    expect_ok(gan_file_make_directory(scratch("set")));
    for (int i = 0; i < 6; i++) {
        char name[64];
        snprintf(name, sizeof name, "set/%d.png", i);
        put_plain_png(name, 4, 16, 3, 90);
    }
    static const struct {
        const char *fit;
        int border; /* of 8 x 12 pixels, those at 200 */
    } rows[] = {{"pad", 12 * 4}, {"resize", 0}, {"contain", 12 * 5}, {"stretch", 0}};
    for (size_t i = 0; i < 4; i++) {
        expect_ok(gan_settings_create(&settings));
        expect_ok(gan_settings_set(settings, "data", scratch("set"), NULL));
        expect_ok(gan_settings_set(settings, "batch", "6", NULL));
        expect_ok(gan_settings_set(settings, "data.size", "8", NULL));
        expect_ok(gan_settings_set(settings, "data.width", "12", NULL));
        expect_ok(gan_settings_set(settings, "data.border", "200", NULL));
        expect_ok(gan_settings_set(settings, "data.fit", rows[i].fit, NULL));
        expect_ok(gan_source_open(&source, settings));
        assert_int_equal(source.networks.height, 8);
        assert_int_equal(source.networks.width, 12);
        assert_int_equal(source.networks.channels, 3);
        int border = 0;
        for (int k = 0; k < 96; k++) border += source.set->images[3 * k] == 200;
        assert_int_equal(border, rows[i].border);
        gan_source_close(&source);
        gan_settings_destroy(settings);
        settings = NULL;
    }
    expect_ok(gan_settings_create(&settings));
    expect_ok(gan_settings_set(settings, "data", scratch("set"), NULL));
    expect_ok(gan_settings_set(settings, "data.width", "12", NULL));
    expect_failure(gan_source_open(&source, settings), GAN_ERROR_ARGUMENT,
                   "image width 12 without a size");
    expect_ok(gan_settings_set(settings, "data", "rebber", NULL));
    expect_failure(gan_source_open(&source, settings), GAN_ERROR_ARGUMENT, "did you mean 'reber'");
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_all, close_all)
    const struct CMUnitTest tests[] = {
        TEST(images_have_their_labels),
        TEST(points_have_their_modes),
        TEST(sequences_are_one_hot),
        TEST(not_used_not_there),
        TEST(examples_come_first),
        TEST(a_part_of_the_data),
        TEST(data_without_labels),
        TEST(fingerprints_tell_labels_apart),
        TEST(keys_reach_the_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
