/* What draws samples and tells classes reads weights or their averages. */
#include "support/hand.h"
#include "support/networks.h"

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

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(sampler_reads_weights_or_averages),
        TEST(classes_are_read_off_weights_or_averages),
        TEST(sampler_declares_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
