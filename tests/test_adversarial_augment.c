/* Augmentations against formulas written here: where pixels go, what colours become, which choices
 * are made how often, and how ADA moves its probability. Their gradients are checked with those of
 * the other rows. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "graph/store.h"
#include "support/play.h"

enum { N = 400, H = 8, W = 6, C = 3, SIZE = H * W * C };

/* A graph with one augmentation of an input (N, H, W, C). */
typedef struct bench {
    gan_store *store;
    gan_game_options o;
    gan_play play;
    gan_node *x, *y;
    reference *r;
    const double *in, *out;
} bench;

static void set_ranges(bench *b) {
    static const int64_t sides[] = {H, W};
    static const char *const name[] = {"range/8", "range/6"};
    for (int i = 0; i < 2; i++) {
        const gan_variable *v = gan_store_find(b->store, GAN_DATA, name[i]);
        for (int64_t k = 0; v && k < sides[i]; k++) ref_variable_values(b->r, v)[k] = (double)k;
    }
}

/* No zeros in x, so that what is cut out can be told. */
static void fill(bench *b) {
    double *x = ref_input_values(b->r, b->x);
    for (int i = 0; i < N * SIZE; i++) x[i] = 0.6 + 0.3 * sin(0.7 * i + 0.01 * (i % 97));
    b->in = x;
}

static void open_bench(bench *b, const char *augment) {
    gan_graph *g;
    *b = (bench){.o = {.model = gan_model_find("dcgan"), .batch = N}};
    assert_int_equal(gan_store_create(&b->store, 3), GAN_OK);
    assert_int_equal(gan_graph_create(&g, b->store), GAN_OK);
    if (gan_augments_parse(b->o.augments, &b->o.n_augments, "augment", augment) != GAN_OK)
        fail_msg("%s", gan_last_error());
    b->play = (gan_play){.g = g, .o = &b->o, .counter = gan_game_counter(g), .d_steps = 1};
    b->x = gan_input(g, GAN_F32, gan_shape4(N, H, W, C), "x");
    b->y = gan_play_augment(&b->play, b->x);
    if (gan_graph_status(g) != GAN_OK) fail_msg("%s", gan_last_error());
    b->r = ref_create(g);
    set_ranges(b);
    fill(b);
}

static void run(bench *b) {
    ref_run_to(b->r, b->y);
    b->out = ref_value(b->r, b->y);
}

static void close_bench(bench *b) {
    ref_destroy(b->r);
    gan_graph_destroy(b->play.g);
    gan_store_destroy(b->store);
}

static double at(const double *x, int n, int h, int w, int c) {
    const bool inside = h >= 0 && h < H && w >= 0 && w < W;
    return inside ? x[((n * H + h) * W + w) * C + c] : 0;
}

/* Whether example n of `out` is that of `in` read at (h + dy, w + dx), zero outside, mirrored
 * before where `flip`. */
static bool is_moved(const bench *b, int n, int dy, int dx, bool flip) {
    for (int h = 0; h < H; h++)
        for (int w = 0; w < W; w++)
            for (int c = 0; c < C; c++) {
                const int from = flip ? W - 1 - (w + dx) : w + dx;
                if (at(b->out, n, h, w, c) != at(b->in, n, h + dy, from, c)) return false;
            }
    return true;
}

/* A share of N draws within five deviations of p. */
static void expect_share(int count, int of, double p) {
    if (!(fabs((double)count / of - p) <= 5 * sqrt(p * (1 - p) / of) + 1e-9))
        fail_msg("%d of %d, expected a share of %g", count, of, p);
}

static void flips_mirror_some(void **state) {
    static const double share[] = {0, 0.3, 1};
    static const char *const text[] = {"flip(0)", "flip(0.3)", "flip(1)"};
    (void)state;
    for (int i = 0; i < 3; i++) {
        bench b;
        int flipped = 0;
        open_bench(&b, text[i]);
        run(&b);
        for (int n = 0; n < N; n++) {
            const bool mirrored = is_moved(&b, n, 0, 0, true);
            assert_true(mirrored || is_moved(&b, n, 0, 0, false));
            flipped += mirrored;
        }
        expect_share(flipped, N, share[i]);
        close_bench(&b);
    }
}

/* A quarter of 8 rows and of 6 columns, rounded: by -2 … 2, each as often. */
static void translations_move_by_whole_pixels(void **state) {
    (void)state;
    bench b;
    int rows[5] = {0}, columns[5] = {0};
    open_bench(&b, "translation(0.25)");
    run(&b);
    for (int n = 0; n < N; n++) {
        int found = 0;
        for (int dy = -3; dy <= 3; dy++)
            for (int dx = -3; dx <= 3; dx++) {
                if (!is_moved(&b, n, dy, dx, false)) continue;
                assert_true(abs(dy) <= 2 && abs(dx) <= 2);
                rows[dy + 2]++, columns[dx + 2]++, found++;
            }
        assert_int_equal(found, 1);
    }
    for (int i = 0; i < 5; i++) expect_share(rows[i], N, 0.2), expect_share(columns[i], N, 0.2);
    close_bench(&b);
}

/* Half of 8 rows and of 6 columns: 4 x 3, cut at the edges; rows centred in 0 … 8, columns in 0 …
 * 5. */
static void cutout_cuts_a_rectangle(void **state) {
    (void)state;
    bench b;
    int rows[H] = {0}, columns[W] = {0};
    open_bench(&b, "cutout(0.5)");
    run(&b);
    for (int n = 0; n < N; n++) {
        bool row[H] = {0}, column[W] = {0};
        for (int h = 0; h < H; h++)
            for (int w = 0; w < W; w++)
                if (at(b.out, n, h, w, 0) == 0) row[h] = column[w] = true;
        for (int h = 0; h < H; h++)
            for (int w = 0; w < W; w++)
                for (int c = 0; c < C; c++)
                    assert_true(at(b.out, n, h, w, c) ==
                                (row[h] && column[w] ? 0 : at(b.in, n, h, w, c)));
        int tall = 0, wide = 0;
        for (int h = 0; h < H; h++) tall += row[h], rows[h] += row[h];
        for (int w = 0; w < W; w++) wide += column[w], columns[w] += column[w];
        assert_true(tall >= 2 && tall <= 4 && wide >= 2 && wide <= 3);
    }
    for (int h = 0; h < H; h++) { /* how many of the nine places cover it */
        int covering = 0;
        for (int centre = 0; centre <= H; centre++) covering += h >= centre - 2 && h < centre + 2;
        expect_share(rows[h], N, covering / 9.0);
    }
    for (int w = 0; w < W; w++) {
        int covering = 0;
        for (int centre = 0; centre < W; centre++) covering += abs(w - centre) <= 1;
        expect_share(columns[w], N, covering / 6.0);
    }
    close_bench(&b);
}

/* y = m + k·(x - m), the same m and k for the values given; answers k. */
static double factor_about(const double *x, const double *y, int count, double m) {
    double xx = 0, xy = 0;
    for (int i = 0; i < count; i++) xx += (x[i] - m) * (x[i] - m), xy += (x[i] - m) * (y[i] - m);
    for (int i = 0; i < count; i++) assert_true(fabs(m + xy / xx * (x[i] - m) - y[i]) < 1e-6);
    return xy / xx;
}

static double mean_of(const double *x, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += x[i];
    return sum / count;
}

/* Numbers uniform in (low, high]: within, mean and deviation within five of their own. */
static void expect_uniform(const double *u, double low, double high) {
    double mean = 0, square = 0;
    for (int n = 0; n < N; n++) {
        assert_true(u[n] >= low - 1e-6 && u[n] <= high + 1e-6);
        mean += u[n] / N;
        square += u[n] * u[n] / N;
    }
    const double deviation = (high - low) / sqrt(12);
    assert_true(fabs(mean - (low + high) / 2) < 5 * deviation / sqrt(N));
    assert_true(fabs(sqrt(square - mean * mean) - deviation) < 0.15 * deviation);
}

static void colours_change_as_the_paper_has_it(void **state) {
    (void)state;
    bench b;
    double u[N];
    open_bench(&b, "colour(0.5, 0, 0)"); /* pixels from -1 to 1, so half the range is 1 */
    run(&b);
    for (int n = 0; n < N; n++) {
        u[n] = b.out[n * SIZE] - b.in[n * SIZE];
        for (int i = 0; i < SIZE; i++)
            assert_true(fabs(b.out[n * SIZE + i] - b.in[n * SIZE + i] - u[n]) < 1e-6);
    }
    expect_uniform(u, -0.5, 0.5);
    close_bench(&b);

    open_bench(&b, "colour(0, 1, 0)"); /* about the grey of each pixel */
    run(&b);
    for (int n = 0; n < N; n++)
        for (int p = 0; p < H * W; p++) {
            const double *x = b.in + n * SIZE + p * C, *y = b.out + n * SIZE + p * C;
            const double k = factor_about(x, y, C, mean_of(x, C));
            assert_true(p == 0 || fabs(k - u[n]) < 1e-4);
            if (p == 0) u[n] = k;
        }
    expect_uniform(u, 0, 2);
    close_bench(&b);

    open_bench(&b, "colour(0, 0, 0.5)"); /* about the mean of each image */
    run(&b);
    for (int n = 0; n < N; n++) {
        const double *x = b.in + n * SIZE;
        u[n] = factor_about(x, b.out + n * SIZE, SIZE, mean_of(x, SIZE));
    }
    expect_uniform(u, 0.5, 1.5);
    close_bench(&b);
}

/* x + N(0, deviation²), in iteration t of `steps` the deviation's (1 - t/steps), then nothing. */
static void noise_falls_in_a_line(void **state) {
    static const struct {
        const char *text;
        double t, deviation;
    } rows[] = {{"noise(0.5)", 1e6, 0.5},
                {"noise(0.5, steps=40)", 0, 0.5},
                {"noise(0.5, steps=40)", 30, 0.125},
                {"noise(0.5, steps=40)", 40, 0},
                {"noise(0.5, steps=40)", 90, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bench b;
        open_bench(&b, rows[i].text);
        ref_variable_values(b.r, gan_store_find(b.store, GAN_COUNTER, "train/iteration"))[0] =
            rows[i].t;
        run(&b);
        double mean = 0, square = 0, next = 0; /* the last: neighbours have nothing in common */
        for (int k = 0; k < N * SIZE; k++) {
            const double n = b.out[k] - b.in[k];
            mean += n / (N * SIZE), square += n * n / (N * SIZE);
            if (k > 0) next += n * (b.out[k - 1] - b.in[k - 1]) / (N * SIZE);
        }
        const double s = rows[i].deviation, within = 5 / sqrt(N * SIZE);
        assert_true(fabs(mean) <= within * s);
        assert_true(fabs(sqrt(square) - s) <= within * s);
        assert_true(fabs(next) <= within * s * s);
        close_bench(&b);
    }
}

static void at_zero_strength_nothing_changes(void **state) {
    (void)state;
    bench b;
    open_bench(&b, "flip(0), translation(0), cutout(0), colour(0, 0, 0), noise(0)");
    run(&b);
    for (int i = 0; i < N * SIZE; i++) assert_true(b.out[i] == b.in[i]);
    close_bench(&b);
}

/* ---- ADA ---- */

static double *number(bench *b, const char *name) {
    const gan_variable *v = gan_store_find(b->store, GAN_STATISTIC, name);
    assert_non_null(v);
    return ref_variable_values(b->r, v);
}

static void ada_changes_a_share(void **state) {
    static const double share[] = {0, 0.4, 1};
    (void)state;
    for (int i = 0; i < 3; i++) {
        bench b;
        int flipped = 0;
        open_bench(&b, "flip(1), ada");
        *number(&b, "discriminator/ada/p") = share[i];
        run(&b);
        for (int n = 0; n < N; n++) {
            const bool mirrored = is_moved(&b, n, 0, 0, true);
            assert_true(mirrored || is_moved(&b, n, 0, 0, false));
            flipped += mirrored;
        }
        expect_share(flipped, N, share[i]);
        close_bench(&b);
    }
}

/* Every second D-step of N examples, by 2N/10000 in the direction of E sign(s) - 0.6. */
static void ada_moves_its_probability(void **state) {
    (void)state;
    bench b;
    open_bench(&b, "flip, ada(0.6, 10000, 2)");
    gan_graph *g = b.play.g;
    ref_destroy(b.r); /* it has the size of the graph so far */
    b.play.real.seen.score = gan_input(g, GAN_F32, gan_shape2(N, 1), "score");
    b.o.augments[1].augment->after_d(&b.play, b.o.augments[1].knob);
    assert_int_equal(gan_graph_status(g), GAN_OK);
    b.r = ref_create(g);
    double p = 0.99, *kept = number(&b, "discriminator/ada/p");
    *kept = p;
    /* How many of the N scores are above 0 in each step: the mean sign is 2·(count/N) - 1. */
    static const int above[] = {N, N, N, 0, N, N, N * 8 / 10 + 1, N * 8 / 10 + 1, N / 2, N};
    for (int i = 0; i < 10; i++) {
        double *s = ref_input_values(b.r, b.play.real.seen.score);
        for (int n = 0; n < N; n++) s[n] = n < above[i] ? 0.1 + n : -0.2;
        ref_run(b.r);
        if (i % 2) {
            const double signs = (double)(above[i] + above[i - 1]) / N - 1;
            p += (signs > 0.6 ? 1 : -1) * 2.0 * N / 10000;
            p = p > 1 ? 1 : p < 0 ? 0 : p;
        }
        assert_true(fabs(*kept - p) < 1e-7);
    }
    close_bench(&b);
}

static gan_node *no_data(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    (void)user, (void)g, (void)step;
    return counter;
}

static void ada_needs_others_and_logits(void **state) {
    (void)state;
    const gan_head *head;
    gan_game_options o = {.model = gan_model_find("dcgan"),
                          .networks = {.height = H, .width = W, .channels = C, .z_dim = 2},
                          .batch = N,
                          .objective = gan_objective_find("non-saturating"),
                          .prior = gan_prior_find("normal"),
                          .generator = gan_optimizer_defaults("adam"),
                          .discriminator = gan_optimizer_defaults("adam")};
    o.real = no_data;
    assert_int_equal(gan_augments_parse(o.augments, &o.n_augments, "augment", "ada"), GAN_OK);
    assert_int_equal(gan_game_check(&o, &head), GAN_ERROR_ARGUMENT);
    assert_non_null(strstr(gan_last_error(), "there is no other"));
    assert_int_equal(gan_augments_parse(o.augments, &o.n_augments, "augment", "ada, flip"), GAN_OK);
    assert_int_equal(gan_game_check(&o, &head), GAN_OK);
    o.objective = gan_objective_find("began");
    assert_int_equal(gan_game_check(&o, &head), GAN_ERROR_ARGUMENT);
    assert_non_null(strstr(gan_last_error(), "energies"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flips_mirror_some),
        cmocka_unit_test(translations_move_by_whole_pixels),
        cmocka_unit_test(cutout_cuts_a_rectangle),
        cmocka_unit_test(colours_change_as_the_paper_has_it),
        cmocka_unit_test(noise_falls_in_a_line),
        cmocka_unit_test(at_zero_strength_nothing_changes),
        cmocka_unit_test(ada_changes_a_share),
        cmocka_unit_test(ada_moves_its_probability),
        cmocka_unit_test(ada_needs_others_and_logits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
