/* Objectives against their formulas; the game against one played by hand. */
#include "adversarial/play.h"
#include "support/networks.h"

/* ---- objectives ---- */

static double softplus(double x) { return fmax(x, 0) + log1p(exp(-fabs(x))); }
static double sigmoid(double x) { return 1 / (1 + exp(-x)); }

static void losses_follow_their_formulas(void **state) {
    (void)state;
    const float real[] = {0, 3, -3, 40, -40, 150, -150, 1e4f, -1e4f};
    const float fake[] = {-1e4f, 1e4f, 80, -80, 2, -2, 0.5f, -0.5f, 0};
    enum { M = COUNT(real) };
    const gan_objective_options options[] = {{0}, {.scale = 0.5}, {.scale = 1, .smooth = 0.1}};
    gan_node *r = F32(M, 1), *f = F32(M, 1), *d[3], *saturating[3], *heuristic[3];
    const gan_objective *minimax = gan_objective_find("minimax");
    const gan_objective *ns = gan_objective_find("non-saturating");
    for (int i = 0; i < 3; i++) {
        d[i] = gan_output(g, minimax->d_loss(g, r, f, &options[i]));
        saturating[i] = gan_output(g, minimax->g_loss(g, NULL, f, &options[i]));
        heuristic[i] = gan_output(g, ns->g_loss(g, NULL, f, &options[i]));
        gan_node *same = gan_output(g, ns->d_loss(g, r, f, &options[i]));
        assert_int_equal(gan_node_shape(same).rank, 0);
    }
    load();
    write_input(r, real);
    write_input(f, fake);
    run(1);
    for (int i = 0; i < 3; i++) {
        const double scale = options[i].scale > 0 ? options[i].scale : 1, t = 1 - options[i].smooth;
        double sum_r = 0, sum_f = 0, sum_h = 0;
        for (int k = 0; k < M; k++) {
            sum_r += t * softplus(-real[k]) + (1 - t) * softplus(real[k]);
            sum_f += softplus(fake[k]);
            sum_h += softplus(-fake[k]);
        }
        expect_near(read_scalar(d[i]), scale * (sum_r + sum_f) / M, 1e-6, 1e-5);
        expect_near(read_scalar(saturating[i]), -sum_f / M, 1e-6, 1e-5); /* no smoothing for G */
        expect_near(read_scalar(heuristic[i]), sum_h / M, 1e-6, 1e-5);
    }
}

/* Where D is sure of a fake, minimax leaves G without a gradient and the other does not. */
static void gradients_follow_their_formulas(void **state) {
    (void)state;
    const float fake[] = {-1e4f, -60, -8, -1, 0, 1, 8, 60, 1e4f};
    enum { M = COUNT(fake) };
    gan_node *f = F32(M, 1), *grad[2];
    const char *const names[] = {"minimax", "non-saturating"};
    for (int i = 0; i < 2; i++) {
        gan_node *loss =
            gan_objective_find(names[i])->g_loss(g, NULL, f, &(gan_objective_options){0});
        expect_ok(gan_gradient(g, loss, 1, &f, &grad[i]));
        gan_output(g, grad[i]);
    }
    load();
    write_input(f, fake);
    run(1);
    float *saturating = read_output(grad[0]), *heuristic = read_output(grad[1]);
    for (int k = 0; k < M; k++) {
        expect_near(saturating[k], -sigmoid(fake[k]) / M, 1e-7, 1e-5);
        expect_near(heuristic[k], -sigmoid(-fake[k]) / M, 1e-7, 1e-5);
    }
    free(saturating), free(heuristic);
}

/* ---- a game that can be played by hand: G(z) = b·z, D(x) = a·x, z always 1, x = 2 ---- */

static gan_node *one_weight(gan_scope *s, gan_node *x, double initial) {
    gan_node *w = gan_scope_weight(s, "w", gan_shape1(1), gan_init_constant(initial));
    return gan_mul(gan_scope_graph(s), x, w);
}

static gan_node *hand_generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    (void)o;
    return one_weight(s, z, 0.5);
}

/* D's only weight is that of its output. */
static gan_node *hand_features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    (void)s, (void)o;
    return x;
}

static const gan_model hand_model = {.name = "hand",
                                     .points = true,
                                     .generator = hand_generator,
                                     .features = hand_features,
                                     .output = {GAN_INIT_CONSTANT, 0.3f, 0},
                                     .output_no_bias = true};

static gan_node *ones(gan_graph *graph, gan_node *t, gan_shape shape) {
    (void)t;
    return gan_constant(graph, 1, shape);
}

static const gan_prior hand_prior = {"ones", "1", ones};

/* Step i sees 2 + i, so that the order of the steps matters. */
static gan_node *hand_real(void *user, gan_graph *graph, gan_node *t, int64_t step) {
    (void)t;
    *(int *)user += 1;
    return gan_constant(graph, 2 + (double)step, gan_shape2(4, 1));
}

static gan_game_options hand_game(int *calls) {
    gan_optimizer_options sgd = {.optimizer = gan_optimizer_find("momentum"), .rate = 0.1};
    gan_game_options o = {.model = &hand_model,
                          .networks = {.channels = 1, .z_dim = 1},
                          .batch = 4,
                          .d_steps = 1,
                          .objective = gan_objective_find("non-saturating"),
                          .prior = &hand_prior,
                          .generator = sgd,
                          .discriminator = sgd,
                          .real = hand_real,
                          .user = calls};
    o.generator.momentum = 0.5;
    o.discriminator.rate = 0.3;
    return o;
}

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
    return gan_play_running_sum(graph, ones(graph, t, shape), 0);
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

static void sampler_reads_weights_or_averages(void **state) {
    (void)state;
    int calls = 0;
    gan_game_options o = hand_game(&calls);
    o.average = 0.5;
    gan_game game;
    expect_ok(gan_game_build(&game, g, &o));
    gan_node *z = F32(3, 1);
    const gan_latent latent = {.z = z};
    gan_node *now = gan_output(g, gan_sampler_build(g, &o, &latent, false));
    gan_node *mean = gan_output(g, gan_sampler_build(g, &o, &latent, true));
    load();
    const float noise[] = {1, -2, 7};
    write_input(z, noise);
    run(20);
    float *w = read_variable(GAN_WEIGHT, "generator/w");
    float *average = read_variable(GAN_AVERAGE, "generator/w");
    assert_true(fabs(*w - *average) > 1e-5);
    float *x = read_output(now), *y = read_output(mean);
    for (int i = 0; i < 3; i++) {
        expect_near(x[i], *w * noise[i], 1e-7, 1e-6);
        expect_near(y[i], *average * noise[i], 1e-7, 1e-6);
    }
    free(w), free(average), free(x), free(y);
}

static gan_node *hand_labels(void *user, gan_graph *graph, gan_node *t, int64_t step) {
    (void)user, (void)step;
    return gan_random_index(graph, t, gan_shape1(4), 1); /* all of class 0 */
}

static gan_node *hand_labelled(void *user, gan_graph *graph, gan_node *t, int64_t step,
                               gan_node **classes) {
    *classes = hand_labels(user, graph, t, step);
    return gan_constant(graph, 2, gan_shape2(4, 1));
}

static void classes_are_read_off_weights_or_averages(void **state) {
    (void)state;
    int calls = 0, n = 0;
    gan_game_options o = hand_game(&calls);
    o.classes = 2;
    o.labels = hand_labels;
    o.labelled = hand_labelled;
    expect_ok(gan_terms_parse(o.terms, &n, "terms", "supervised"));
    o.n_terms = n;
    o.discriminator_average = 0.9;
    gan_game game;
    expect_ok(gan_game_build(&game, g, &o));
    gan_node *x = F32(3, 1);
    gan_node *mean = gan_output(g, gan_class_logits_build(g, &o, x));
    o.discriminator_average = 0;
    gan_node *now = gan_output(g, gan_class_logits_build(g, &o, x));
    load();
    const float given[] = {1, -2, 7};
    write_input(x, given);
    run(20);
    float *w = read_variable(GAN_WEIGHT, "discriminator/output/weight");
    float *average = read_variable(GAN_AVERAGE, "discriminator/output/weight");
    float *by_weights = read_output(now), *by_averages = read_output(mean);
    for (int k = 0; k < 2; k++) {
        assert_true(fabs(w[k] - average[k]) > 1e-5);
        for (int i = 0; i < 3; i++) {
            expect_near(by_weights[2 * i + k], w[k] * given[i], 1e-7, 1e-6);
            expect_near(by_averages[2 * i + k], average[k] * given[i], 1e-7, 1e-6);
        }
    }
    free(w), free(average), free(by_weights), free(by_averages);
}

/* In a store that nothing has declared yet, as when a checkpoint is opened. */
static void sampler_declares_what_it_reads(void **state) {
    (void)state;
    const gan_game_options o = {.model = gan_model_find("toy"),
                                .networks = {.channels = 2, .z_dim = 3}};
    gan_output(g, gan_sampler_build(g, &o, &(gan_latent){.z = F32(5, 3)}, true));
    expect_ok(gan_graph_status(g));
    find(GAN_WEIGHT, "generator/output/weight");
    find(GAN_AVERAGE, "generator/output/weight");
    load();
}

/* ---- every combination runs ---- */

static gan_node *noise_images(void *user, gan_graph *graph, gan_node *t, int64_t step) {
    (void)step;
    return gan_random_uniform(graph, t, *(const gan_shape *)user, 0, 1);
}

/* Every weight of both networks, in the order of the store; returns how many. */
static size_t read_weights(float *value[256]) {
    size_t n = 0;
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_role(v) != GAN_WEIGHT) continue;
        assert_true(n < 256);
        value[n++] = read_variable(GAN_WEIGHT, gan_variable_name(v));
    }
    return n;
}

static void expect_all_moved(float **before, size_t n) {
    float *after[256];
    assert_int_equal(read_weights(after), n);
    size_t k = 0;
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_role(v) != GAN_WEIGHT) continue;
        /* Of a growing network only the colours of the level that it has reached are learnt. */
        const bool sleeps = strstr(gan_variable_name(v), "_rgb/") != NULL;
        if (!sleeps && memcmp(before[k], after[k], floats_of(gan_variable_shape(v))) == 0)
            fail_msg("%s has not moved", gan_variable_name(v));
        free(before[k]);
        free(after[k++]);
    }
}

static void all_games_run(void **state) {
    enum {
        M = 6
    }; /* 32 wide: with less, the maxout nets of 2014 have gradients below a rounding */
    for (size_t i = 0; i < gan_model_count(); i++)
        for (size_t j = 0; j < gan_objective_count(); j++)
            for (int kind = 0; kind < 4; kind++) {
                /* Every model by the first two objectives, every objective on points. */
                if (j > 1 && !gan_model_at(i)->points) continue;
                close_networks(state);
                open_networks(state);
                const gan_model *model = gan_model_at(i);
                gan_model_options n = model->initial;
                n.generator_features = n.discriminator_features = 32;
                n.spectral_norm = kind & 1;
                if (!model->points) n.height = n.width = 16;
                gan_shape shape = gan_model_shape(model, &n, M);
                gan_game_options o = {
                    .model = model,
                    .networks = n,
                    .batch = M,
                    .d_steps = 1 + kind % 2,
                    .simultaneous = kind >= 2,
                    .objective = gan_objective_at(j),
                    .prior = gan_prior_at((size_t)kind % gan_prior_count()),
                    .generator = gan_optimizer_defaults(kind || j > 1 ? "adam" : "momentum"),
                    .discriminator = gan_optimizer_defaults("adam"),
                    .average = 0.99,
                    .real = noise_images,
                    .user = &shape};
                gan_game game;
                expect_ok(gan_game_build(&game, g, &o));
                gan_output(g, game.d_loss);
                gan_output(g, game.g_loss);
                gan_output(g, game.d_fake);
                load();
                float *before[256];
                const size_t n_weights = read_weights(before);
                run(3);
                expect_all_moved(before, n_weights);
                assert_true(isfinite(read_scalar(game.d_loss)));
                assert_true(isfinite(read_scalar(game.g_loss)));
                const double d_fake = read_scalar(game.d_fake);
                const bool probable = !o.objective->reads;
                assert_true(isfinite(d_fake) && (!probable || (d_fake >= 0 && d_fake <= 1)));
            }
}

/* ---- bad options ---- */

static void bad_options_are_named(void **state) {
    int calls = 0;
    const gan_game_options good = hand_game(&calls);
    gan_game game;
#define REFUSED(field, value, text)                                                                \
    do {                                                                                           \
        gan_game_options bad = good;                                                               \
        bad.field = value;                                                                         \
        expect_failure(gan_game_build(&game, g, &bad), GAN_ERROR_ARGUMENT, text);                  \
    } while (0)
    REFUSED(batch, 0, "batch is 0");
    REFUSED(d_steps, -1, "d_steps is -1");
    REFUSED(networks.z_dim, 0, "z.dim is 0");
    REFUSED(networks.channels, -3, "channels");
    REFUSED(model, gan_model_find("mlp"), "height");
    REFUSED(loss.smooth, 1.5, "label_smoothing is 1.5");
    REFUSED(average, 1, "generator.average is 1");
    REFUSED(generator.rate, 0, "generator.rate is 0");
    REFUSED(discriminator.rate, NAN, "discriminator.rate is nan");
    REFUSED(discriminator.optimizer, NULL, "discriminator has no optimizer");
    REFUSED(objective, NULL, "objective");
    REFUSED(real, NULL, "real");
    gan_game_options bad = good;
    bad.simultaneous = bad.reuse_noise = true;
    expect_failure(gan_game_build(&game, g, &bad), GAN_ERROR_ARGUMENT, "reuse_noise");
    bad = good;
    bad.batch = 5; /* the callback gives 4 */
    expect_failure(gan_game_build(&game, g, &bad), GAN_ERROR_SHAPE, "f32(4,1)", "f32(5,1)");
    (void)state;
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(losses_follow_their_formulas),
        TEST(gradients_follow_their_formulas),
        TEST(alternating_game),
        TEST(alternating_game_of_three_steps),
        TEST(alternating_game_with_the_same_noise),
        TEST(what_is_read_off_scores),
        TEST(simultaneous_game),
        TEST(simultaneous_game_of_two_steps),
        TEST(generator_batch_is_of_its_step_alone),
        TEST(generator_batch_is_of_its_step_alone),
        TEST(sampler_reads_weights_or_averages),
        TEST(classes_are_read_off_weights_or_averages),
        TEST(sampler_declares_what_it_reads),
        TEST(all_games_run),
        TEST(bad_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
