/* What is done against collapse and non-convergence, as numbers: what a buffer of fakes holds, when
 * D is held back, how long a clipped gradient is, what unrolled updates equal, and what they cost.
 */
#include "support/networks.h"

#include "adversarial/play.h"
#include "graph/store.h"
#include "support/play.h"

enum { M = 4 };

static gan_node *noise(void *user, gan_graph *graph, gan_node *t, int64_t step) {
    (void)user, (void)step;
    return gan_random_normal(graph, t, gan_shape2(32, 2), 1, 0.5);
}

static gan_game_options toy(const char *optimizer) {
    return (gan_game_options){.model = gan_model_find("toy"),
                              .networks = play_toy(16),
                              .batch = 32,
                              .objective = gan_objective_find("non-saturating"),
                              .prior = gan_prior_find("normal"),
                              .generator = gan_optimizer_defaults(optimizer),
                              .discriminator = gan_optimizer_defaults(optimizer),
                              .real = noise};
}

/* All weights of a network in one list, with their number. */
static double *read_group(const char *group, size_t *n) {
    double *all = NULL;
    *n = 0;
    for (size_t i = 0; i < gan_store_count(store); i++) {
        const gan_variable *v = gan_store_at(store, i);
        if (gan_variable_role(v) != GAN_WEIGHT || strncmp(v->name, group, strlen(group)) != 0)
            continue;
        const size_t more = (size_t)gan_shape_size(v->shape);
        float *x = read_variable(GAN_WEIGHT, v->name);
        all = realloc(all, (*n + more) * sizeof *all);
        assert_non_null(all);
        for (size_t k = 0; k < more; k++) all[*n + k] = (double)x[k];
        *n += more;
        free(x);
    }
    return all;
}

static double distance(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum);
}

/* ---- replay ---- */

/* The latest batch first; only fresh fakes until it is full; then the share asked for. */
static void replay_holds_the_latest_batches(void **state) {
    enum { KEPT = 3, ITERATIONS = 400 };
    (void)state;
    const gan_game_options o = {.batch = M, .replay = KEPT, .replay_share = 0.3};
    gan_play play = {.g = g, .o = &o, .counter = gan_game_counter(g), .d_steps = 1};
    gan_node *fake = F32(M, 2), *shown = gan_output(g, gan_play_replay(&play, fake));
    gan_advance(g, play.counter, 1);
    load();
    float was[KEPT * M][2] = {{0}};
    int old = 0;
    for (int t = 0; t < ITERATIONS; t++) {
        float fresh[M][2];
        for (int i = 0; i < M; i++) fresh[i][0] = (float)(t + 1), fresh[i][1] = (float)i;
        write_input(fake, &fresh[0][0]);
        run(1);
        float *seen = read_output(shown);
        for (int i = 0; i < M; i++) {
            bool found = !memcmp(seen + 2 * i, fresh[i], sizeof fresh[i]);
            old += !found;
            for (int k = 0; k < KEPT * M && !found && t >= KEPT; k++)
                found = !memcmp(seen + 2 * i, was[k], sizeof was[k]);
            if (!found) fail_msg("iteration %d shows %g, %g", t, seen[2 * i], seen[2 * i + 1]);
        }
        free(seen);
        memmove(was[M], was[0], (KEPT - 1) * sizeof fresh);
        memcpy(was[0], fresh, sizeof fresh);
        float *buffer = read_variable(GAN_STATISTIC, "discriminator/replay");
        assert_memory_equal(buffer, was, sizeof was);
        free(buffer);
    }
    const double draws = M * (ITERATIONS - KEPT);
    expect_near(old / draws, 0.3, 4.5 * sqrt(0.3 * 0.7 / draws), 0);
}

/* ---- noisy labels ---- */

/* Wasserstein's loss of real scores 1 and fake scores 0 is -1, and +1 where they are exchanged. */
static void noisy_labels_exchange_a_share(void **state) {
    enum { N = 20000 };
    (void)state;
    const double share = 0.2;
    const gan_game_options o = {.objective = gan_objective_find("wasserstein"),
                                .noisy_labels = share};
    gan_play play = {.g = g, .o = &o, .counter = gan_game_counter(g), .d_steps = 1};
    play.real.seen.score = gan_constant(g, 1, gan_shape2(N, 1));
    play.fake.seen.score = gan_constant(g, 0, gan_shape2(N, 1));
    gan_node *loss = gan_output(g, gan_play_d_loss(&play));
    run(1);
    expect_near((1 + read_scalar(loss)) / 2, share, 4.5 * sqrt(share * (1 - share) / N), 0);
}

/* ---- averages ---- */

static void lecam_averages_scores(void **state) {
    (void)state;
    gan_game_options o = {0};
    expect_ok(gan_terms_parse(o.terms, &o.n_terms, "terms", "lecam(1, decay=0.8)"));
    gan_play play = {.g = g, .o = &o, .counter = gan_game_counter(g), .d_steps = 1};
    play.real.seen.score = F32(M, 1), play.fake.seen.score = F32(M, 1);
    o.terms[0].term->after_d(&play, o.terms[0].knob);
    load();
    double a[2] = {0, 0};
    for (int t = 0; t < 6; t++) {
        float score[2][M];
        for (int k = 0; k < 2; k++) {
            double mean = 0;
            for (int i = 0; i < M; i++) {
                score[k][i] = (float)(t * (k ? -2 : 1) + i);
                mean += (double)score[k][i] / M;
            }
            a[k] = 0.8 * a[k] + 0.2 * mean;
        }
        write_input(play.real.seen.score, score[0]);
        write_input(play.fake.seen.score, score[1]);
        run(1);
        float *real = read_variable(GAN_STATISTIC, "discriminator/lecam/real");
        float *fake = read_variable(GAN_STATISTIC, "discriminator/lecam/fake");
        expect_near(*real, a[0], 1e-6, 1e-5);
        expect_near(*fake, a[1], 1e-6, 1e-5);
        free(real), free(fake);
    }
}

/* D's weights enter when a D-step is done, G's as that step found them. */
static void history_is_the_mean_of_the_run(void **state) {
    static const char *const names[] = {"discriminator/hidden2/weight", "generator/hidden2/weight"};
    enum { SIZE = 16 * 16, ITERATIONS = 5 };
    (void)state;
    gan_game_options o = toy("adam");
    gan_game game;
    expect_ok(gan_terms_parse(o.terms, &o.n_terms, "terms", "historical-averaging"));
    o.discriminator.rate = o.generator.rate = 0.01;
    expect_ok(gan_game_build(&game, g, &o));
    load();
    double sum[2][SIZE] = {{0}};
    for (int t = 0; t < ITERATIONS; t++)
        for (int k = 1; k >= 0; k--) {
            if (k == 0) run(1);
            float *w = read_variable(GAN_WEIGHT, names[k]);
            for (int i = 0; i < SIZE; i++) sum[k][i] += (double)w[i] / ITERATIONS;
            free(w);
        }
    for (int k = 0; k < 2; k++) {
        char name[64];
        snprintf(name, sizeof name, "history/%s", names[k]);
        float *mean = read_variable(GAN_STATISTIC, name);
        for (int i = 0; i < SIZE; i++) expect_near(mean[i], sum[k][i], 1e-6, 1e-4);
        free(mean);
    }
}

/* ---- updates that are bounded ---- */

/* Where D's loss is not above the threshold its weights stay as they are, to the bit. */
static void a_leading_discriminator_waits(void **state) {
    static const char *const optimizers[] = {"adam", "momentum"};
    for (int i = 0; i < 2; i++) {
        close_networks(state);
        open_networks(state);
        gan_game_options o = toy(optimizers[i]);
        gan_game game;
        o.discriminator.rate = i ? 0.1 : 0.005;
        o.generator.rate = i ? 0.02 : 0.001;
        o.d_lead = 1.25;
        expect_ok(gan_game_build(&game, g, &o));
        gan_output(g, game.d_loss);
        load();
        size_t n;
        double *before = read_group("discriminator/", &n);
        int held = 0, moved = 0;
        for (int t = 0; t < 150; t++) {
            run(1);
            double *after = read_group("discriminator/", &n);
            const bool same = !memcmp(before, after, n * sizeof *before);
            assert_int_equal(same, !(read_scalar(game.d_loss) > (float)o.d_lead));
            held += same, moved += !same;
            free(before);
            before = after;
        }
        free(before);
        if (held < 5 || moved < 5) fail_msg("%s: %d held, %d not", optimizers[i], held, moved);
    }
}

static void weights_are_kept_in_a_box(void **state) {
    (void)state;
    gan_game_options o = toy("adam");
    gan_game game;
    o.objective = gan_objective_find("wasserstein");
    o.discriminator.rate = 0.01;
    o.clip_weights = 0.05;
    expect_ok(gan_game_build(&game, g, &o));
    run(20);
    for (int k = 0; k < 2; k++) {
        size_t n;
        double *w = read_group(k ? "generator/" : "discriminator/", &n), most = 0;
        for (size_t i = 0; i < n; i++) most = fmax(most, fabs(w[i]));
        free(w);
        if (k)
            assert_true(most > 0.1); /* G is free */
        else
            expect_near(most, (double)0.05f, 0, 0);
    }
}

/* A step of plain gradient descent has the length rate·clip. */
static void gradients_are_cut_to_a_length(void **state) {
    (void)state;
    gan_game_options o = toy("momentum");
    gan_game game;
    o.generator = o.discriminator =
        (gan_optimizer_options){.optimizer = gan_optimizer_find("momentum"), .rate = 0.5};
    o.clip_gradient = 0.01;
    expect_ok(gan_game_build(&game, g, &o));
    load();
    for (int k = 0; k < 2; k++) {
        const char *group = k ? "generator/" : "discriminator/";
        size_t n;
        double *before = read_group(group, &n);
        run(1);
        double *after = read_group(group, &n);
        expect_near(distance(before, after, n), 0.5 * 0.01, 0, 1e-3);
        free(before), free(after);
    }
}

/* ---- unrolled updates ---- */

static double *moment_of(test_play *t, gan_role role, const char *name) {
    return ref_variable_values(t->r, gan_store_find(t->store, role, name));
}

/* One update of D by hand: the gradient at its present weights, the moments of `moments`. */
static void update_by_hand(test_play *t, const gan_gradients *d, test_play *moments, int k) {
    const gan_optimizer_options *o = &moments->o.discriminator;
    const bool adam = !strcmp(o->optimizer->name, "adam");
    const int n = 3 + 1 + k + 1; /* the reference's counter is 3, and D's step of then is done */
    double *gradient[64];
    for (int i = 0; i < d->n; i++) {
        const size_t bytes = (size_t)gan_shape_size(d->gradient[i]->shape) * sizeof(double);
        gradient[i] = malloc(bytes);
        assert_non_null(gradient[i]);
        memcpy(gradient[i], play_value(t, d->gradient[i]), bytes);
    }
    for (int i = 0; i < d->n; i++) {
        const gan_variable *v = d->weight[i]->attr.variable.variable;
        double *w = ref_variable_values(t->r, v);
        double *m = moment_of(moments, GAN_FIRST_MOMENT, v->name);
        double *s = adam ? moment_of(moments, GAN_SECOND_MOMENT, v->name) : NULL;
        for (int64_t j = 0; j < gan_shape_size(v->shape); j++) {
            const double x = gradient[i][j];
            if (!adam) {
                w[j] += m[j] = o->momentum * m[j] - o->rate * x;
                continue;
            }
            m[j] = o->beta1 * m[j] + (1 - o->beta1) * x;
            s[j] = o->beta2 * s[j] + (1 - o->beta2) * x * x;
            w[j] -= o->rate * (m[j] / (1 - pow(o->beta1, n))) /
                    (sqrt(s[j] / (1 - pow(o->beta2, n))) + 1e-8);
        }
        free(gradient[i]);
    }
}

static void unrolled_is(int unroll, const char *optimizer, double clip, const char *terms) {
    gan_game_options o = {.model = gan_model_find("toy"),
                          .networks = play_toy(5),
                          .objective = gan_objective_find("non-saturating")};
    o.discriminator = gan_optimizer_defaults(optimizer);
    o.discriminator.rate = 0.05, o.discriminator.decay = 1, o.discriminator.momentum_epochs = 0;
    expect_ok(gan_terms_parse(o.terms, &o.n_terms, "terms", terms));
    o.clip_weights = clip;
    o.unroll = unroll;
    test_play ahead, hand;
    play_open(&ahead, &o, true);
    const double got = *play_value(&ahead, ahead.loss);
    o.unroll = 0;
    play_open(&hand, &o, true);
    gan_gradients d;
    hand.play.of_g = false;
    gan_node *loss = gan_play_d_loss(&hand.play);
    hand.play.of_g = true;
    expect_ok(gan_play_differentiate(&d, &hand.play, "discriminator", loss));
    const double plain = *play_value(&hand, hand.loss);
    for (int k = 0; k < unroll; k++) {
        update_by_hand(&hand, &d, &ahead, k);
        for (int i = 0; i < d.n && clip > 0; i++) {
            const gan_variable *v = d.weight[i]->attr.variable.variable;
            double *w = ref_variable_values(hand.r, v);
            for (int64_t j = 0; j < gan_shape_size(v->shape); j++)
                w[j] = fmin(clip, fmax(-clip, w[j]));
        }
    }
    const double want = *play_value(&hand, hand.loss);
    expect_near(got, want, 1e-8 + 1e-4 * fabs(plain - want), 0);
    if (!(fabs(plain - want) > 2e-5))
        fail_msg("%d by %s: G's loss is %g as before", unroll, optimizer, want);
    play_close(&ahead), play_close(&hand);
}

/* G's loss after K updates of D by hand; terms on D's weights see the weights in the making. */
static void unrolling_is_updates_then_the_loss(void **state) {
    (void)state;
    unrolled_is(1, "adam", 0, "");
    unrolled_is(10, "adam", 0, "");
    unrolled_is(2, "momentum", 0, "");
    unrolled_is(2, "adam", 0.6, "");
    unrolled_is(2, "adam", 0, "orthogonal(30, 1, 0)");
    unrolled_is(3, "adam", 0, "r1(3), r2(3)"); /* updates before are constants to D's slope at x */
}

/* ---- cost ---- */

static gan_node *images(void *user, gan_graph *graph, gan_node *t, int64_t step) {
    (void)user, (void)step;
    return gan_random_uniform(graph, t, gan_shape4(32, 32, 32, 3), -1, 1);
}

static double flops(const char *terms, int64_t d_steps, int64_t unroll) {
    gan_game_options o = toy("adam");
    gan_device *planned;
    gan_store *own;
    gan_graph *graph;
    gan_program *p;
    gan_game game;
    gan_program_info info;
    o.model = gan_model_find("dcgan");
    o.networks = (gan_model_options){.height = 32, .width = 32, .channels = 3, .z_dim = 100};
    o.real = images;
    o.d_steps = d_steps;
    o.unroll = unroll;
    expect_ok(gan_terms_parse(o.terms, &o.n_terms, "terms", terms));
    expect_ok(gan_device_open(&planned, "cpu", &(gan_device_options){.plan_only = true}));
    expect_ok(gan_store_create(&own, 1));
    expect_ok(gan_graph_create(&graph, own));
    expect_ok(gan_game_build(&game, graph, &o));
    expect_ok(gan_compile(&p, graph, planned));
    gan_program_describe(p, &info);
    gan_program_destroy(p);
    gan_graph_destroy(graph);
    gan_store_destroy(own);
    gan_device_close(planned);
    return (double)info.flops;
}

static double d_step(const char *terms) { return flops(terms, 2, 0) - flops(terms, 1, 0); }

static void penalties_cost_little_more_than_a_step(void **state) {
    (void)state;
    const double plain = d_step(""), gp = d_step("wgan-gp") / plain;
    const double dragan = d_step("dragan") / plain;
    print_message("D-steps: wgan-gp %.2f, dragan %.2f of a plain one\n", gp, dragan);
    assert_true(gp > 1 && gp <= 2.2);
    assert_true(dragan > 1 && dragan <= 2.2);
}

static void unrolling_costs_the_same_each_step(void **state) {
    (void)state;
    static const char *const terms[] = {"", "r1(1)", "wgan-gp(1)"};
    for (size_t i = 0; i < sizeof terms / sizeof *terms; i++) {
        double f[5];
        for (int k = 0; k < 5; k++) f[k] = flops(terms[i], 1, k);
        for (int k = 2; k < 5; k++) expect_near(f[k] - f[k - 1], f[2] - f[1], 0, 0.05);
        print_message("%s: each unrolled step: %.2f of an iteration\n", terms[i],
                      (f[2] - f[1]) / f[0]);
        assert_true(f[1] > f[0]);
    }
}

int main(void) {
#define TEST(f) cmocka_unit_test_setup_teardown(f, open_networks, close_networks)
    const struct CMUnitTest tests[] = {
        TEST(replay_holds_the_latest_batches),
        TEST(noisy_labels_exchange_a_share),
        TEST(lecam_averages_scores),
        TEST(history_is_the_mean_of_the_run),
        TEST(a_leading_discriminator_waits),
        TEST(weights_are_kept_in_a_box),
        TEST(gradients_are_cut_to_a_length),
        TEST(unrolling_is_updates_then_the_loss),
        TEST(penalties_cost_little_more_than_a_step),
        TEST(unrolling_costs_the_same_each_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
