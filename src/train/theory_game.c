/* A GAN on the line, looked at while it is trained: the paper's figure 1 (2014). */
#include <math.h>
#include <stdlib.h>

#include "ganc/adversarial.h"
#include "train/theory.h"

enum { BATCH = 512, D_STEPS = 5 };

static const double g_rate = 2e-3, d_rate = 1e-2;

/* ---- networks: smooth, so that densities are ---- */

static gan_node *generator(gan_scope *s, gan_node *z, const gan_model_options *o) {
    gan_graph *g = gan_scope_graph(s);
    gan_node *h = gan_tanh(g, gan_layer_linear(s, "hidden1", z, o->generator_features, NULL));
    h = gan_tanh(g, gan_layer_linear(s, "hidden2", h, o->generator_features, NULL));
    return gan_layer_linear(s, "output", h, o->channels, NULL);
}

static gan_node *features(gan_scope *s, gan_node *x, const gan_model_options *o) {
    gan_graph *g = gan_scope_graph(s);
    gan_node *h = gan_tanh(g, gan_layer_linear(s, "hidden1", x, o->discriminator_features, NULL));
    return gan_tanh(g, gan_layer_linear(s, "hidden2", h, o->discriminator_features, NULL));
}

static const gan_model line = {
    .name = "line",
    .about = "points on the line: G 1-32-32-1, D 1-32-32-1, tanh",
    .points = true,
    .low = -1,
    .high = 1,
    .initial = {.channels = 1, .z_dim = 1, .generator_features = 32, .discriminator_features = 32},
    .generator = generator,
    .features = features,
};

/* ---- the game ---- */

typedef struct target {
    double mean, deviation;
} target;

static gan_node *real(void *user, gan_graph *g, gan_node *counter, int64_t step) {
    const target *t = user;
    (void)step;
    return gan_random_normal(g, counter, gan_shape2(BATCH, 1), t->mean, t->deviation);
}

static gan_game_options options(target *to, int64_t steps) {
    gan_optimizer_options d = gan_optimizer_defaults("adam"), g = d;
    d.rate = d_rate;
    g.rate = g_rate;
    d.linear = g.linear = steps;
    d.beta1 = g.beta1 = 0; /* both chase a moving target */
    return (gan_game_options){
        .model = &line,
        .networks = line.initial,
        .batch = BATCH,
        .d_steps = D_STEPS,
        .objective = gan_objective_find("non-saturating"),
        .loss = {.scale = 1},
        .prior = gan_prior_find("uniform"),
        .generator = g,
        .discriminator = d,
        .real = real,
        .user = to,
    };
}

/* ---- a stage's numbers ---- */

static double grid(const gan_theory_stage *s, int i) {
    return s->x_low + (s->x_high - s->x_low) * i / (GAN_STAGE_GRID - 1);
}

static double jsd_term(double p, double q) { return p > 0 ? 0.5 * p * log(2 * p / (p + q)) : 0; }

/* What follows from generated[], d[] and the target. */
static void complete(gan_theory_stage *s, const target *to) {
    const gan_density p_data = gan_density_gaussian(to->mean, to->deviation);
    const double step = (s->x_high - s->x_low) / (GAN_STAGE_GRID - 1);
    s->jsd = s->d_from_half = 0;
    for (int i = 0; i < GAN_STAGE_GRID; i++) {
        const double x = grid(s, i);
        double sum = 0;
        for (int j = 0; j < GAN_STAGE_Z; j++) {
            const gan_density near = gan_density_gaussian(s->generated[j], s->smoothing);
            sum += gan_density_at(&near, x);
        }
        s->p_data[i] = gan_density_at(&p_data, x);
        s->p_g[i] = sum / GAN_STAGE_Z;
        s->jsd += step * (jsd_term(s->p_data[i], s->p_g[i]) + jsd_term(s->p_g[i], s->p_data[i]));
        s->d_from_half += step * s->p_data[i] * fabs(s->d[i] - 0.5);
    }
}

/* ---- the run ---- */

static gan_status stage(gan_theory_stage *s, gan_theory *t, const gan_node *generated,
                        const gan_node *d, int64_t more, const target *to) {
    if (more > 0) GAN_TRY(gan_program_run(t->training, more));
    GAN_TRY(gan_program_run(t->looking, 1));
    GAN_TRY(gan_theory_read(t, generated, s->generated, GAN_STAGE_Z));
    GAN_TRY(gan_theory_read(t, d, s->d, GAN_STAGE_GRID));
    complete(s, to);
    return GAN_OK;
}

static void lay_out(gan_theory_stage *s, const target *to) {
    s->x_low = fmin(0, to->mean) - 4 * to->deviation;
    s->x_high = fmax(0, to->mean) + 4 * to->deviation;
    s->smoothing = 0.1 * to->deviation;
    for (int j = 0; j < GAN_STAGE_Z; j++) s->z[j] = (2.0 * (j + 0.5) / GAN_STAGE_Z - 1);
}

static gan_status run(gan_theory_stage *stages, int count, gan_theory *t, gan_device *device,
                      target *to) {
    const gan_game_options game = options(to, stages[count - 1].step);
    gan_game built;
    GAN_TRY(gan_game_build(&built, t->train, &game));
    gan_graph *g = t->look;
    const gan_latent latent = {.z = gan_theory_numbers(g, "theory/z", GAN_STAGE_Z)};
    gan_node *x = gan_theory_numbers(g, "theory/x", GAN_STAGE_GRID);
    gan_node *generated = gan_output(g, gan_sampler_build(g, &game, &latent, false));
    gan_scope *scope = gan_scope_create(g, "discriminator", NULL);
    gan_node *d = gan_output(g, gan_sigmoid(g, gan_model_logits(&line, scope, x, &line.initial)));
    GAN_TRY(gan_theory_compile(t, device));
    double at[GAN_STAGE_GRID];
    for (int i = 0; i < GAN_STAGE_GRID; i++) at[i] = grid(stages, i);
    GAN_TRY(gan_theory_write(t, "theory/z", stages->z, GAN_STAGE_Z));
    GAN_TRY(gan_theory_write(t, "theory/x", at, GAN_STAGE_GRID));
    for (int i = 0; i < count; i++) {
        const int64_t done = i ? stages[i - 1].step : 0;
        GAN_TRY(stage(&stages[i], t, generated, d, stages[i].step - done, to));
    }
    return GAN_OK;
}

gan_status gan_theory_game(gan_theory_stage *stages, int count, gan_device *device, double mean,
                           double deviation, uint64_t seed) {
    target to = {mean, deviation};
    gan_theory t;
    for (int i = 0; i < count; i++) {
        if (stages[i].step < (i ? stages[i - 1].step : 0))
            return gan_fail(GAN_ERROR_ARGUMENT, "stage %d: step %lld does not follow", i,
                            (long long)stages[i].step);
        lay_out(&stages[i], &to);
    }
    if (count < 1 || stages[count - 1].step < 1)
        return gan_fail(GAN_ERROR_ARGUMENT, "a game of no steps");
    GAN_TRY(gan_theory_open(&t, seed));
    const gan_status status = run(stages, count, &t, device, &to);
    gan_theory_close(&t);
    return status;
}
