/* What the networks of a game are shown, in double, against what the papers say they see: examples
 * packed together, classes and codes beside examples and noise, pairs (x, z), classes drawn by how
 * hard they are, and what fills in an image. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "support/scratch.h"
#include "support/toy.h"

enum { M = PLAY_BATCH, K = PLAY_CLASSES, H = 2, W = 3, C = 2 };

static test_play t;

static double *copy(const gan_node *node) {
    const int64_t n = gan_shape_size(gan_node_shape(node));
    double *x = malloc((size_t)n * sizeof *x);
    assert_non_null(x);
    memcpy(x, play_value(&t, node), (size_t)n * sizeof *x);
    return x;
}

/* ---- PacGAN (Lin et al. 2018, section 3.1): D's one input is several examples ---- */

static void points_are_packed(void **state) {
    enum { P = 3 };
    (void)state;
    gan_game_options o = toy_game("");
    o.pack = P;
    play_open(&t, &o, false);
    const gan_side *side[2] = {&t.play.real, &t.play.fake};
    for (int s = 0; s < 2; s++) {
        assert_true(gan_shape_equal(gan_node_shape(side[s]->seen.score), gan_shape2(M / P, 1)));
        double *x = copy(side[s]->x), *score = copy(side[s]->seen.score);
        for (int i = 0; i < M / P; i++) {
            double wanted;
            toy_network(&t, "discriminator", 2 * P, 1, x + 2 * P * i, &wanted);
            toy_near(score[i], wanted);
        }
        free(x), free(score);
    }
    play_close(&t);
}

/* A model of images whose D keeps what it is shown. */
static gan_node *shown;

static gan_node *keep(gan_scope *s, gan_node *x, const gan_model_options *o) {
    (void)o;
    shown = x;
    return gan_reshape(gan_scope_graph(s), x, gan_shape2(gan_node_shape(x).dim[0], -1));
}

static const gan_model keeper = {.name = "keeper", .features = keep};

/* D's input for images (M, H, W, C) with what `o` says; the number of channels of it. */
static int64_t show(gan_game_options o, const double **x, const double **condition) {
    gan_graph *g;
    t = (test_play){.o = o};
    t.o.model = &keeper;
    t.o.batch = M;
    assert_int_equal(gan_store_create(&t.store, 3), GAN_OK);
    assert_int_equal(gan_graph_create(&g, t.store), GAN_OK);
    t.play = (gan_play){.g = g,
                        .o = &t.o,
                        .counter = gan_game_counter(g),
                        .d_steps = 1,
                        .head = gan_head_find("linear")};
    gan_node *in = gan_input(g, GAN_F32, gan_shape4(M, H, W, C), "x");
    gan_node *label = o.classes ? gan_input(g, GAN_I32, gan_shape1(M), "labels") : NULL;
    gan_node *c = gan_play_condition(&t.play, label);
    gan_play_judge(&t.play, in, NULL, c, false, 1);
    if (gan_graph_status(g) != GAN_OK) fail_msg("%s", gan_last_error());
    play_value(&t, shown);
    *x = ref_input_values(t.r, in);
    if (label) *condition = ref_input_values(t.r, label);
    return gan_node_shape(shown).dim[3];
}

/* Maps lie on each other, an example's channels after those of the one before it. */
static void images_are_packed_in_channels(void **state) {
    enum { P = 2 };
    (void)state;
    const double *x;
    assert_int_equal(show((gan_game_options){.pack = P}, &x, NULL), P * C);
    const double *y = ref_value(t.r, shown);
    assert_int_equal(gan_node_shape(shown).dim[0], M / P);
    for (int m = 0; m < M; m++)
        for (int pixel = 0; pixel < H * W; pixel++)
            for (int c = 0; c < C; c++)
                assert_true(y[(m / P * H * W + pixel) * P * C + m % P * C + c] ==
                            x[(m * H * W + pixel) * C + c]);
    play_close(&t);
}

/* ---- the class beside z and beside x (Mirza and Osindero 2014, section 3.2) ---- */

static void the_class_stands_beside_the_image(void **state) {
    (void)state;
    const double *x, *class = NULL;
    const gan_game_options o = {.classes = K, .discriminator_condition = GAN_CONDITION_CONCAT};
    assert_int_equal(show(o, &x, &class), C + K);
    const double *y = ref_value(t.r, shown);
    for (int m = 0; m < M; m++)
        for (int pixel = 0; pixel < H * W; pixel++) {
            const double *of = y + (m * H * W + pixel) * (C + K);
            for (int c = 0; c < C; c++) assert_true(of[c] == x[(m * H * W + pixel) * C + c]);
            for (int k = 0; k < K; k++) assert_true(of[C + k] == (k == (int)class[m]));
        }
    play_close(&t);
}

static void the_class_stands_beside_noise_and_points(void **state) {
    (void)state;
    gan_game_options o = toy_game("");
    o.classes = K;
    o.generator_condition = o.discriminator_condition = GAN_CONDITION_CONCAT;
    play_open(&t, &o, false);
    double *z = copy(t.play.fake.latent.z);
    const gan_side *side[2] = {&t.play.real, &t.play.fake};
    for (int s = 0; s < 2; s++) {
        double *x = copy(side[s]->x), *score = copy(side[s]->seen.score);
        double *class = copy(side[s]->latent.label);
        for (int i = 0; i < M; i++) {
            double in[TOY_Z + K] = {z[TOY_Z * i], z[TOY_Z * i + 1], z[TOY_Z * i + 2]}, made[2];
            in[TOY_Z + (int)class[i]] = 1;
            if (s == 1) {
                toy_network(&t, "generator", TOY_Z + K, 2, in, made);
                toy_near(x[2 * i], made[0]), toy_near(x[2 * i + 1], made[1]);
            }
            double judged[2 + K] = {x[2 * i], x[2 * i + 1]}, wanted;
            judged[2 + (int)class[i]] = 1;
            toy_network(&t, "discriminator", 2 + K, 1, judged, &wanted);
            toy_near(score[i], wanted);
        }
        free(x), free(score), free(class);
    }
    free(z);
    play_close(&t);
}

/* [z, one-hot codes, continuous codes] (Chen et al. 2016, section 4). */
static void codes_stand_beside_noise(void **state) {
    enum { CODES = 2, VALUES = 3, CONTINUOUS = 2, ALL = TOY_Z + CODES * VALUES + CONTINUOUS };
    (void)state;
    gan_game_options o = toy_game("infogan");
    o.code_categorical = CODES, o.code_classes = VALUES, o.code_continuous = CONTINUOUS;
    play_open(&t, &o, false);
    const gan_latent *l = &t.play.fake.latent;
    double *z = copy(l->z), *category = copy(l->category), *code = copy(l->code);
    double *x = copy(t.play.fake.x);
    for (int i = 0; i < M; i++) {
        double in[ALL] = {0}, made[2];
        memcpy(in, z + i * TOY_Z, TOY_Z * sizeof *in);
        for (int k = 0; k < CODES; k++) in[TOY_Z + k * VALUES + (int)category[i * CODES + k]] = 1;
        memcpy(in + TOY_Z + CODES * VALUES, code + i * CONTINUOUS, CONTINUOUS * sizeof *in);
        toy_network(&t, "generator", ALL, 2, in, made);
        toy_near(x[2 * i], made[0]), toy_near(x[2 * i + 1], made[1]);
    }
    free(z), free(category), free(code), free(x);
    play_close(&t);
}

/* ---- BiGAN, ALI (Donahue et al. 2017, eq. 2): D on (x, E(x)) and on (G(z), z) ---- */

static double leaky(double x) { return x > 0 ? x : (double)0.2f * x; }

static void pairs_are_of_an_example_and_its_code(void **state) {
    enum { WIDTH = 256 };
    (void)state;
    gan_game_options o = toy_game("");
    o.encoder = true;
    play_open(&t, &o, false);
    const gan_side *side[2] = {&t.play.real, &t.play.fake};
    for (int s = 0; s < 2; s++) {
        double *x = copy(side[s]->x), *score = copy(side[s]->seen.score);
        double *z = copy(side[s]->latent.z);
        for (int i = 0; i < M; i++) {
            double both[TOY_WIDTH + WIDTH], h[WIDTH], other[TOY_Z], wanted;
            if (s == 0) { /* of a real example the code is E's, of a fake x is G's */
                toy_network(&t, "encoder", 2, TOY_Z, x + 2 * i, other);
                for (int k = 0; k < TOY_Z; k++) toy_near(z[i * TOY_Z + k], other[k]);
            } else {
                toy_network(&t, "generator", TOY_Z, 2, z + TOY_Z * i, other);
                toy_near(x[2 * i], other[0]), toy_near(x[2 * i + 1], other[1]);
            }
            toy_features(&t, "discriminator", 2, x + 2 * i, both);
            toy_linear(&t, "discriminator", "inference", TOY_Z, WIDTH, z + TOY_Z * i,
                       both + TOY_WIDTH);
            for (int k = 0; k < WIDTH; k++) both[TOY_WIDTH + k] = leaky(both[TOY_WIDTH + k]);
            toy_linear(&t, "discriminator", "pair", TOY_WIDTH + WIDTH, WIDTH, both, h);
            for (int k = 0; k < WIDTH; k++) h[k] = leaky(h[k]);
            toy_linear(&t, "discriminator", "output", WIDTH, 1, h, &wanted);
            toy_near(score[i], wanted);
        }
        free(x), free(score), free(z);
    }
    play_close(&t);
}

/* ---- active sampling: class c with (1 - a)/K + a·difficulty_c / Σ difficulty ---- */

static double *difficulty(void) {
    const gan_variable *v = gan_store_find(t.store, GAN_STATISTIC, "generator/difficulty");
    assert_non_null(v);
    return ref_variable_values(t.r, v);
}

static void open_active(double share) {
    gan_graph *g;
    t = (test_play){.o = {.classes = K, .active_classes = share}};
    assert_int_equal(gan_store_create(&t.store, 3), GAN_OK);
    assert_int_equal(gan_graph_create(&g, t.store), GAN_OK);
    t.play = (gan_play){.g = g, .o = &t.o, .counter = gan_game_counter(g), .d_steps = 1};
}

static void hard_classes_are_drawn_more_often(void **state) {
    enum { DRAWS = 20000 };
    static const double hard[K] = {0.1, 0.9, 0.25};
    static const double shares[] = {0, 0.6, 1};
    (void)state;
    for (int i = 0; i < 3; i++) {
        const double share = shares[i];
        open_active(share);
        gan_node *drawn = gan_play_active_classes(&t.play, DRAWS);
        t.r = ref_create(t.play.g);
        memcpy(difficulty(), hard, sizeof hard);
        ref_run_to(t.r, drawn);
        const double *y = ref_value(t.r, drawn);
        double count[K] = {0};
        for (int m = 0; m < DRAWS; m++) {
            double sum = 0;
            for (int k = 0; k < K; k++) {
                assert_true(y[m * K + k] == 0 || y[m * K + k] == 1);
                sum += y[m * K + k];
                count[k] += y[m * K + k];
            }
            assert_true(sum == 1);
        }
        for (int k = 0; k < K; k++) { /* five deviations */
            const double p = (1 - share) / K + share * hard[k] / (0.1 + 0.9 + 0.25);
            assert_true(fabs(count[k] / DRAWS - p) < 5 * sqrt(p * (1 - p) / DRAWS));
        }
        play_close(&t);
    }
}

/* A tenth of the way to the mean of 1 - sigma(s) over the class's fakes and what was there. */
static void difficulty_is_how_surely_fakes_are_told(void **state) {
    (void)state;
    open_active(0.5);
    gan_graph *g = t.play.g;
    gan_node *label = gan_input(g, GAN_I32, gan_shape1(M), "labels");
    gan_node *score = gan_input(g, GAN_F32, gan_shape2(M, 1), "scores");
    t.play.fake.condition = gan_play_condition(&t.play, label);
    t.play.fake.seen.score = score;
    gan_play_learn_classes(&t.play);
    t.r = ref_create(g);
    double wanted[K] = {0.1, 0.9, 0.25};
    memcpy(difficulty(), wanted, sizeof wanted);
    for (int step = 0; step < 4; step++) {
        double sum[K], n[K];
        for (int k = 0; k < K; k++) sum[k] = wanted[k], n[k] = 1;
        for (int m = 0; m < M; m++) {
            const int class = (m + step) % 2 * 2; /* none of the second */
            const double s = 1.5 * m - 3 + step;
            ref_input_values(t.r, label)[m] = class;
            ref_input_values(t.r, score)[m] = s;
            sum[class] += 1 - 1 / (1 + exp(-s)), n[class]++;
        }
        for (int k = 0; k < K; k++) wanted[k] = 0.9 * wanted[k] + 0.1 * sum[k] / n[k];
        ref_run(t.r);
        for (int k = 0; k < K; k++) toy_near(difficulty()[k], wanted[k]);
    }
    toy_near(wanted[1], 0.9);
    play_close(&t);
}

/* ---- completion: the mean of |x - G| where G fills in; the rest is as it was ---- */

static void reconstruction_is_of_what_was_hidden(void **state) {
    enum { SIDE = 8, COLOURS = 2, PIXELS = M * SIDE * SIDE };
    (void)state;
    gan_game_options o = {.model = gan_model_find("completion"),
                          .networks = {.height = SIDE,
                                       .width = SIDE,
                                       .channels = COLOURS,
                                       .z_dim = 3,
                                       .generator_features = 3,
                                       .discriminator_features = 3},
                          .objective = gan_objective_find("non-saturating")};
    assert_int_equal(gan_terms_parse(o.terms, &o.n_terms, "terms", "reconstruction"), GAN_OK);
    play_open(&t, &o, true);
    gan_node *term = t.o.terms[0].term->g(&t.play, t.o.terms[0].knob);
    const double got = *play_value(&t, term);
    const double *x = ref_value(t.r, t.play.whole), *made = ref_value(t.r, t.play.fake.x);
    const double *context = ref_value(t.r, t.play.fake.latent.context);
    double sum = 0;
    int hidden = 0;
    for (int p = 0; p < PIXELS; p++)
        for (int c = 0; c < COLOURS; c++) {
            const double off = fabs(x[p * COLOURS + c] - made[p * COLOURS + c]);
            const double *seen = context + p * (COLOURS + 1);
            assert_true(seen[c] == (seen[COLOURS] == 1 ? x[p * COLOURS + c] : 0));
            if (seen[COLOURS] == 1)
                assert_true(off == 0);
            else
                sum += off, hidden++;
        }
    assert_true(hidden > PIXELS / 4 && hidden < COLOURS * PIXELS);
    toy_near(got, sum / hidden);
    play_close(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(points_are_packed),
        cmocka_unit_test(images_are_packed_in_channels),
        cmocka_unit_test(the_class_stands_beside_the_image),
        cmocka_unit_test(the_class_stands_beside_noise_and_points),
        cmocka_unit_test(codes_stand_beside_noise),
        cmocka_unit_test(pairs_are_of_an_example_and_its_code),
        cmocka_unit_test(hard_classes_are_drawn_more_often),
        cmocka_unit_test(difficulty_is_how_surely_fakes_are_told),
        cmocka_unit_test(reconstruction_is_of_what_was_hidden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
