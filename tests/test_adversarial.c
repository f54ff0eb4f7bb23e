/* Every combination of network and objective runs; what cannot is refused. */
#include "support/hand.h"
#include "support/networks.h"

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
        TEST(all_games_run),
        TEST(bad_options_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
