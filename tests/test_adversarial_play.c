/* The game against one played by hand. */
#include "adversarial/play.h"
#include "support/hand.h"
#include "support/logistic.h"
#include "support/networks.h"

static void play(bool simultaneous, bool reuse, int64_t k, bool minimax, double smooth) {
    enum { ITERATIONS = 15 };
    int calls = 0;
    gan_game_options o = hand_game(&calls);
    o.simultaneous = simultaneous;
    o.reuse_noise = reuse;
    o.d_steps = k;
    o.average = 0.8;
    o.discriminator_average = 0.3;
    o.loss.smooth = smooth;
    if (minimax) o.objective = gan_objective_find("minimax");
    gan_game game;
    expect_ok(gan_game_build(&game, g, &o));
    assert_int_equal(calls, k);
    gan_node *const outputs[] = {game.d_loss, game.g_loss, game.d_real, game.d_fake};
    for (int i = 0; i < 4; i++) gan_output(g, outputs[i]);
    double a = 0.3, b = 0.5, velocity = 0, average = 0.5, d_average = 0.3;
    load();
    for (int n = 0; n < ITERATIONS; n++) {
        double want[4] = {0}, db = 0;
        for (int i = 0; i < k; i++) {
            const double x = 2 + i, t = 1 - smooth, sr = a * x, sf = a * b;
            want[0] = softplus(sr) - t * sr + softplus(sf);
            want[2] = sigmoid(sr);
            want[3] = sigmoid(sf);
            const double da = (sigmoid(sr) - t) * x + sigmoid(sf) * b;
            if (!simultaneous || i + 1 < k) {
                a -= 0.3 * da;
                continue;
            }
            want[1] = minimax ? -softplus(a * b) : softplus(-a * b);
            db = minimax ? -sigmoid(a * b) * a : -sigmoid(-a * b) * a;
            a -= 0.3 * da;
        }
        if (!simultaneous) {
            want[1] = minimax ? -softplus(a * b) : softplus(-a * b);
            db = minimax ? -sigmoid(a * b) * a : -sigmoid(-a * b) * a;
        }
        velocity = 0.5 * velocity - 0.1 * db;
        b += velocity;
        const double decay = fmin(0.8, n / (n + 10.));
        average = decay * average + (1 - decay) * b;
        const double d_decay = fmin(0.3, n / (n + 10.));
        d_average = d_decay * d_average + (1 - d_decay) * a;
        run(1);
        for (int i = 0; i < 4; i++) expect_near(read_scalar(outputs[i]), want[i], 1e-6, 1e-4);
        float *wa = read_variable(GAN_WEIGHT, "discriminator/output/weight");
        float *wb = read_variable(GAN_WEIGHT, "generator/w");
        float *mean = read_variable(GAN_AVERAGE, "generator/w");
        float *of_d = read_variable(GAN_AVERAGE, "discriminator/output/weight");
        expect_near(*wa, a, 1e-6, 1e-4);
        expect_near(*wb, b, 1e-6, 1e-4);
        expect_near(*mean, average, 1e-6, 1e-4);
        expect_near(*of_d, d_average, 1e-6, 1e-4);
        free(wa), free(wb), free(mean), free(of_d);
    }
    int64_t done = -1;
    expect_ok(gan_variable_read(store, find(GAN_COUNTER, "train/iteration"), &done, sizeof done));
    assert_int_equal(done, ITERATIONS);
}

static void alternating_game(void **state) {
    (void)state;
    play(false, false, 1, false, 0);
}

static void alternating_game_of_three_steps(void **state) {
    (void)state;
    play(false, false, 3, false, 0.1);
}

static void alternating_game_with_the_same_noise(void **state) {
    (void)state;
    play(false, true, 2, true, 0);
}

static void simultaneous_game(void **state) {
    (void)state;
    play(true, false, 1, false, 0.2);
}

static void simultaneous_game_of_two_steps(void **state) {
    (void)state;
    play(true, false, 2, true, 0);
}

/* What a game reports of D: the score a·x, a·b itself, or its sigmoid where that is a probability;
 * BEGAN's loss begins as the energy of real examples. */
static void what_is_read_off_scores(void **state) {
    static const char *const probable[] = {"non-saturating", "minimax", "maximum-likelihood",
                                           "f-reverse-kl",   "f-js",    "f-gan"};
    for (size_t j = 0; j < gan_objective_count(); j++) {
        const gan_objective *objective = gan_objective_at(j);
        int calls = 0;
        bool is_probable = false;
        close_networks(state);
        open_networks(state);
        for (size_t i = 0; i < sizeof probable / sizeof *probable; i++)
            is_probable = is_probable || !strcmp(objective->name, probable[i]);
        gan_game_options o = hand_game(&calls);
        o.objective = objective;
        gan_game game;
        expect_ok(gan_game_build(&game, g, &o));
        gan_output(g, game.d_real), gan_output(g, game.d_fake), gan_output(g, game.d_loss);
        load();
        run(1);
        const double real = read_scalar(game.d_real), fake = read_scalar(game.d_fake);
        if (objective->energy) {
            assert_string_equal(objective->reads, "energy");
            assert_true(real > 0 && fake > 0 && fabs(real - fake) > 0.1);
            if (objective->energy == 1) expect_near(real, read_scalar(game.d_loss), 1e-6, 1e-5);
            continue;
        }
        if (is_probable)
            assert_null(objective->reads);
        else
            assert_string_equal(objective->reads, "score");
        expect_near(real, is_probable ? sigmoid(0.6) : 0.6, 1e-6, 1e-5);
        expect_near(fake, is_probable ? sigmoid(0.15) : 0.15, 1e-6, 1e-5);
    }
}

/* 1, 2, 3 …, so that losses tell how many there are. */
static gan_node *rising(gan_graph *graph, gan_node *t, gan_shape shape) {
    return gan_play_running_sum(graph, hand_ones(graph, t, shape), 0);
}

static const gan_prior rising_prior = {"rising", "1, 2, 3", rising};

static void generator_batch_is_of_its_step_alone(void **state) {
    enum { M = 4, MORE = 7, ITERATIONS = 10 };
    (void)state;
    int calls = 0;
    gan_game_options o = hand_game(&calls);
    o.prior = &rising_prior;
    o.generator_batch = MORE;
    o.generator.rate = 0.01;
    o.discriminator.rate = 0.03;
    gan_game game;
    expect_ok(gan_game_build(&game, g, &o));
    gan_output(g, game.d_loss);
    gan_output(g, game.g_loss);
    double a = 0.3, b = 0.5, velocity = 0;
    load();
    for (int n = 0; n < ITERATIONS; n++) {
        double d_loss = softplus(-2 * a), g_loss = 0, da = -2 * sigmoid(-2 * a), db = 0;
        for (int z = 1; z <= M; z++) {
            d_loss += softplus(a * b * z) / M;
            da += sigmoid(a * b * z) * b * z / M;
        }
        a -= 0.03 * da;
        for (int z = 1; z <= MORE; z++) {
            g_loss += softplus(-a * b * z) / MORE;
            db -= sigmoid(-a * b * z) * a * z / MORE;
        }
        velocity = 0.5 * velocity - 0.01 * db;
        b += velocity;
        run(1);
        expect_near(read_scalar(game.d_loss), d_loss, 1e-6, 1e-4);
        expect_near(read_scalar(game.g_loss), g_loss, 1e-6, 1e-4);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(alternating_game),
        TEST(alternating_game_of_three_steps),
        TEST(alternating_game_with_the_same_noise),
        TEST(simultaneous_game),
        TEST(simultaneous_game_of_two_steps),
        TEST(what_is_read_off_scores),
        TEST(generator_batch_is_of_its_step_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
