/* One iteration of the game as nodes: D-steps, a G-step, the moving average, the counter. */
#include "graph/graph.h"

#include <math.h>

#include "base/error.h"
#include "ganc/adversarial.h"

/* What the steps of one iteration share. */
typedef struct iteration {
    gan_graph *g;
    const gan_game_options *o;
    gan_node *counter;
    int64_t d_steps;
    gan_node *fake; /* of the last D-step, gradients into G open */
} iteration;

/* A group's weights and their gradients. */
typedef struct gradients {
    int n;
    gan_node **weight, **gradient;
} gradients;

gan_node *gan_game_counter(gan_graph *g) {
    return gan_variable_node(g, GAN_COUNTER, "train/iteration", GAN_I64, gan_shape0(),
                             gan_init_constant(0));
}

/* One pass of a network in training. */
static gan_scope *pass(const iteration *it, const char *group, bool update_statistics, int groups) {
    return gan_scope_create(it->g, group,
                            &(gan_scope_settings){.training = true,
                                                  .update_statistics = update_statistics,
                                                  .groups = groups,
                                                  .counter = it->counter,
                                                  .precision = it->o->precision});
}

static gan_node *generate(const iteration *it, bool update_statistics) {
    const gan_game_options *o = it->o;
    gan_node *z = o->prior->draw(it->g, it->counter, gan_shape2(o->batch, o->networks.z_dim));
    gan_scope *scope = pass(it, "generator", update_statistics, 1);
    gan_node *fake = o->model->generator(scope, z, &o->networks);
    return fake ? gan_named(gan_cast(it->g, fake, GAN_F32), "fake") : NULL;
}

static gan_node *score(const iteration *it, gan_node *x, bool update_statistics, int groups) {
    gan_scope *scope = pass(it, "discriminator", update_statistics, groups);
    return gan_model_logits(it->o->model, scope, x, &it->o->networks);
}

static gan_status differentiate(gradients *out, gan_graph *g, const char *group, gan_node *loss) {
    GAN_TRY(gan_graph_status(g));
    out->n = gan_group_weights(g, group, NULL, 0);
    out->weight = gan_graph_alloc(g, 2 * (size_t)out->n * sizeof(gan_node *) + 1);
    if (!out->weight) return gan_graph_status(g);
    out->gradient = out->weight + out->n;
    gan_group_weights(g, group, out->weight, out->n);
    return gan_gradient(g, loss, out->n, out->weight, out->gradient);
}

static void update(const iteration *it, const char *group, const gradients *d,
                   int64_t per_iteration, int64_t offset, const gan_optimizer_options *options) {
    options->optimizer->update(it->g, group, d->n, d->weight, d->gradient, it->counter,
                               per_iteration, offset, options);
}

/* D's loss on m real and m fake examples joined, and its gradient. The fakes are constants here. */
static gan_status d_step(iteration *it, int64_t step, bool g_learns_from_fakes, gan_game *out,
                         gradients *d) {
    gan_graph *g = it->g;
    const gan_game_options *o = it->o;
    const int64_t m = o->batch;
    gan_node *real = o->real(o->user, g, it->counter, step);
    it->fake = generate(it, g_learns_from_fakes);
    gan_node *both[2] = {real, gan_stop_gradient(g, it->fake)};
    GAN_TRY(gan_graph_status(g));
    if (!gan_shape_equal(gan_node_shape(real), gan_node_shape(it->fake))) {
        char wanted[GAN_SHAPE_TEXT], given[GAN_SHAPE_TEXT];
        return gan_fail(GAN_ERROR_SHAPE, "game: the real batch is %s, but %s generates %s",
                        gan_shape_text(given, gan_node_dtype(real), gan_node_shape(real)),
                        o->model->name,
                        gan_shape_text(wanted, gan_node_dtype(it->fake), gan_node_shape(it->fake)));
    }
    gan_node *s = score(it, gan_concat(g, 0, 2, both), true, 2);
    gan_node *s_real = gan_slice(g, s, 0, 0, m), *s_fake = gan_slice(g, s, 0, m, m);
    out->d_real = gan_named(gan_mean(g, gan_sigmoid(g, s_real)), "d_real");
    out->d_fake = gan_named(gan_mean(g, gan_sigmoid(g, s_fake)), "d_fake");
    out->d_loss = gan_named(o->objective->d_loss(g, s_real, s_fake, &o->loss), "d_loss");
    return differentiate(d, g, "discriminator", out->d_loss);
}

/* G's loss and gradient through D, whose statistics it leaves alone. */
static gan_status g_step(iteration *it, bool fresh, gan_game *out, gradients *d) {
    gan_graph *g = it->g;
    const gan_game_options *o = it->o;
    gan_node *fake = fresh ? generate(it, true) : it->fake, *s_real = NULL;
    if (o->objective->needs_real)
        s_real = score(it, o->real(o->user, g, it->counter, it->d_steps - 1), false, 1);
    gan_node *s_fake = score(it, fake, false, 1);
    out->g_loss = gan_named(o->objective->g_loss(g, s_real, s_fake, &o->loss), "g_loss");
    return differentiate(d, g, "generator", out->g_loss);
}

/* average moves by 1 - min(decay, n / (n + 10)) towards the weights after n updates. */
static void average(const iteration *it) {
    gan_graph *g = it->g;
    gan_node *n = gan_reshape(g, gan_cast(g, it->counter, GAN_F32), gan_shape0());
    gan_node *decay = gan_div(g, n, gan_shift(g, n, 10));
    decay = gan_minimum(g, decay, gan_constant(g, it->o->average, gan_shape0()));
    gan_moving_average(g, gan_flat_variables(g, GAN_AVERAGE, "generator"),
                       gan_flat_variables(g, GAN_WEIGHT, "generator"), decay);
}

/* ---- what the options may be ---- */

static gan_status check_optimizer(const char *whose, const gan_optimizer_options *o) {
    if (!o->optimizer) return gan_fail(GAN_ERROR_ARGUMENT, "game: %s has no optimizer", whose);
    if (!(o->rate > 0 && isfinite(o->rate)))
        return gan_fail(GAN_ERROR_ARGUMENT, "game: %s.rate is %g, expected above 0", whose,
                        o->rate);
    return GAN_OK;
}

static gan_status check(const gan_game_options *o) {
    const gan_model_options *n = &o->networks;
    if (!o->model || !o->objective || !o->prior || !o->real)
        return gan_fail(GAN_ERROR_ARGUMENT, "game: %s is missing",
                        !o->model       ? "model"
                        : !o->objective ? "objective"
                        : !o->prior     ? "prior"
                                        : "the callback for real examples");
    const struct {
        const char *name;
        int64_t value;
    } positive[] = {{"batch", o->batch},
                    {"d_steps", o->d_steps ? o->d_steps : 1},
                    {"z_dim", n->z_dim},
                    {"channels", n->channels},
                    {"height", o->model->points ? 1 : n->height},
                    {"width", o->model->points ? 1 : n->width}};
    for (size_t i = 0; i < sizeof positive / sizeof *positive; i++)
        if (positive[i].value < 1)
            return gan_fail(GAN_ERROR_ARGUMENT, "game: %s is %lld, expected at least 1",
                            positive[i].name, (long long)positive[i].value);
    if (!(o->loss.smooth >= 0 && o->loss.smooth < 1))
        return gan_fail(GAN_ERROR_ARGUMENT, "game: smooth is %g, expected 0 or more, below 1",
                        o->loss.smooth);
    if (!(o->average >= 0 && o->average < 1))
        return gan_fail(GAN_ERROR_ARGUMENT, "game: average is %g, expected 0 or more, below 1",
                        o->average);
    if (o->simultaneous && o->reuse_noise)
        return gan_fail(
            GAN_ERROR_ARGUMENT,
            "game: reuse_noise belongs to alternating steps; simultaneous ones always do");
    GAN_TRY(check_optimizer("generator", &o->generator));
    return check_optimizer("discriminator", &o->discriminator);
}

gan_status gan_game_build(gan_game *out, gan_graph *g, const gan_game_options *options) {
    *out = (gan_game){0};
    GAN_TRY(gan_graph_status(g));
    GAN_TRY(check(options));
    const gan_game_options *o = options;
    iteration it = {.g = g, .o = o, .counter = gan_game_counter(g), .d_steps = o->d_steps};
    if (it.d_steps < 1) it.d_steps = 1;
    gradients d = {0}, d_of_g = {0};
    for (int64_t i = 0; i < it.d_steps; i++) {
        const bool last = i + 1 == it.d_steps;
        GAN_TRY(d_step(&it, i, last && (o->simultaneous || o->reuse_noise), out, &d));
        /* Simultaneous: G's gradient is taken before D moves. */
        if (last && o->simultaneous) GAN_TRY(g_step(&it, false, out, &d_of_g));
        update(&it, "discriminator", &d, it.d_steps, i, &o->discriminator);
    }
    if (!o->simultaneous) GAN_TRY(g_step(&it, !o->reuse_noise, out, &d_of_g));
    update(&it, "generator", &d_of_g, 1, 0, &o->generator);
    if (o->average > 0) average(&it);
    gan_advance(g, it.counter, 1);
    out->counter = it.counter;
    return gan_graph_status(g);
}
