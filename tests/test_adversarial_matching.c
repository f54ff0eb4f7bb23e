/* The values of what G matches and of what other networks beside D say, in double, against their
 * papers' formulas over networks by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "graph/graph.h"
#include "support/scratch.h"
#include "support/toy.h"

enum { M = PLAY_BATCH };

static test_play t;
static const double *real, *fake;

static void features_of(const double *x, double h[TOY_WIDTH]) {
    toy_features(&t, "discriminator", 2, x, h);
}

static void feature_matching(void **state) {
    (void)state;
    const gan_game_options o = toy_game("feature-matching");
    const double value = toy_term(&t, &o, true, &real, &fake);
    double apart[TOY_WIDTH] = {0}, sum = 0;
    for (int k = 0; k < M; k++) {
        double r[TOY_WIDTH], f[TOY_WIDTH];
        features_of(real + 2 * k, r);
        features_of(fake + 2 * k, f);
        for (int i = 0; i < TOY_WIDTH; i++) apart[i] += (r[i] - f[i]) / M;
    }
    for (int i = 0; i < TOY_WIDTH; i++) sum += apart[i] * apart[i];
    toy_near(value, sum);
    play_close(&t);
}

/* The mean over pairs i != j of cos²; of features, and of an autoencoding D's code. */
static void pulling_away(void **state) {
    (void)state;
    for (int energy = 0; energy < 2; energy++) {
        gan_game_options o = toy_game("pulling-away");
        if (energy) o.objective = gan_objective_find("ebgan");
        const int width = energy ? TOY_Z : TOY_WIDTH;
        const double value = toy_term(&t, &o, true, &real, &fake);
        double s[M][TOY_WIDTH], sum = 0;
        for (int k = 0; k < M; k++) {
            double h[TOY_WIDTH];
            features_of(fake + 2 * k, h);
            memcpy(s[k], h, sizeof h);
            if (energy) toy_linear(&t, "discriminator", "code", TOY_WIDTH, TOY_Z, h, s[k]);
        }
        for (int i = 0; i < M; i++)
            for (int j = 0; j < M; j++) {
                double ij = 0, ii = 0, jj = 0;
                for (int k = 0; k < width; k++)
                    ij += s[i][k] * s[j][k], ii += s[i][k] * s[i][k], jj += s[j][k] * s[j][k];
                if (i != j) sum += ij * ij / (ii * jj);
            }
        toy_near(value, sum / (M * (M - 1)));
        play_close(&t);
    }
}

/* ebgan: the energy is the mean square of x - decoder(code). */
static void an_energy_is_a_reconstruction_error(void **state) {
    (void)state;
    const gan_game_options o = {.model = gan_model_find("toy"),
                                .networks = play_toy(TOY_WIDTH),
                                .objective = gan_objective_find("ebgan")};
    play_open(&t, &o, false);
    const double *energy = play_value(&t, t.play.real.seen.score);
    const double *x = ref_value(t.r, t.play.real.x);
    for (int k = 0; k < M; k++) {
        double h[TOY_WIDTH], code[TOY_Z], back[2];
        features_of(x + 2 * k, h);
        toy_linear(&t, "discriminator", "code", TOY_WIDTH, TOY_Z, h, code);
        toy_network(&t, "discriminator/decoder", TOY_Z, 2, code, back);
        toy_near(energy[k], (pow(x[2 * k] - back[0], 2) + pow(x[2 * k + 1] - back[1], 2)) / 2);
    }
    play_close(&t);
}

/* With the logistic loss D's sum is the cross-entropy over n generators and the data; G's is
 * -log of the data's share. */
static void mad_gan(void **state) {
    (void)state;
    enum { N = 3 };
    gan_game_options o = toy_game("mad-gan");
    o.generators = N;
    for (int k = 0; k < 2; k++) {
        const bool g_step = k == 1;
        play_open(&t, &o, g_step);
        const double loss = *play_value(&t, t.loss);
        const double *x[2] = {ref_value(t.r, t.play.real.x), ref_value(t.r, t.play.fake.x)};
        double sum = 0;
        for (int side = g_step; side < 2; side++)
            for (int i = 0; i < M; i++) {
                double l[N + 1], z = 0;
                toy_network(&t, "discriminator", 2, N + 1, x[side] + 2 * i, l);
                for (int j = 0; j <= N; j++) z += exp(l[j]);
                const int wanted = side && !g_step ? i / (M / N) : N;
                sum -= log(exp(l[wanted]) / z) / M;
            }
        toy_near(loss, sum);
        play_close(&t);
    }
}

/* E [ l1·|x - G(E(x))|² - l2·log D(G(E(x))) ], |.|² the mean over an example's numbers. */
static void mrgan(void **state) {
    (void)state;
    const gan_game_options o = toy_game("mrgan(1, distance=0.3, score=0.7)");
    const double value = toy_term(&t, &o, true, &real, &fake);
    double sum = 0;
    for (int k = 0; k < M; k++) {
        double z[TOY_Z], back[2];
        toy_network(&t, "encoder", 2, TOY_Z, real + 2 * k, z);
        toy_network(&t, "generator", TOY_Z, 2, z, back);
        const double square =
            (pow(real[2 * k] - back[0], 2) + pow(real[2 * k + 1] - back[1], 2)) / 2;
        sum += (0.3 * square - 0.7 * log(1 / (1 + exp(-toy_score(&t, back))))) / M;
    }
    toy_near(value, sum);
    play_close(&t);
}

/* Manifold: D1 on x and G(E(x)), and what G makes of its opinion; diffusion: D on G(E(x)) and G(z).
 */
static void mdgan(void **state) {
    (void)state;
    const gan_game_options o = toy_game("mdgan(0.9, distance=0.3, score=0.7)");
    static const char *const manifold = "discriminator/manifold";
    for (int step = 0; step < 2; step++) {
        const bool g_step = step == 1;
        play_open(&t, &o, g_step);
        const double loss = *play_value(&t, t.loss);
        const double *x = ref_value(t.r, t.play.data), *made = ref_value(t.r, t.play.fake.x);
        const double *shown = ref_value(t.r, t.play.real.x);
        double sum = 0;
        for (int k = 0; k < M; k++) {
            double z[TOY_Z], back[2], s_data, s_back;
            toy_network(&t, "encoder", 2, TOY_Z, x + 2 * k, z);
            toy_network(&t, "generator", TOY_Z, 2, z, back);
            toy_network(&t, manifold, 2, 1, x + 2 * k, &s_data);
            toy_network(&t, manifold, 2, 1, back, &s_back);
            toy_near(shown[2 * k], back[0]), toy_near(shown[2 * k + 1], back[1]);
            const double of_made = 1 / (1 + exp(-toy_score(&t, made + 2 * k)));
            const double of_back = 1 / (1 + exp(-toy_score(&t, back)));
            const double first = 1 / (1 + exp(-s_data)), second = 1 / (1 + exp(-s_back));
            const double square = (pow(x[2 * k] - back[0], 2) + pow(x[2 * k + 1] - back[1], 2)) / 2;
            if (g_step)
                sum += (-log(of_made) + 0.9 * (0.3 * square - 0.7 * log(second))) / M;
            else
                sum -= (log(of_back) + log(1 - of_made) + 0.9 * (log(first) + log(1 - second))) / M;
        }
        toy_near(loss, sum);
        play_close(&t);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test(f)
    const struct CMUnitTest tests[] = {
        TEST(feature_matching), TEST(pulling_away), TEST(an_energy_is_a_reconstruction_error),
        TEST(mad_gan),          TEST(mrgan),        TEST(mdgan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
