/* Terms that remember: averages of D's scores and of weights. */
#include "adversarial/term.h"
#include "graph/graph.h"

/* ---- LeCam ---- */

static gan_node *mean_score(gan_graph *g, const char *name) {
    return gan_variable_node(g, GAN_STATISTIC, name, GAN_F32, gan_shape0(), gan_init_constant(0));
}

static const char of_real[] = "discriminator/lecam/real", of_fake[] = "discriminator/lecam/fake";

/* E relu(s_r - a_f)² + E relu(a_r - s_f)², a the moving averages of D's scores. */
static gan_node *lecam(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    gan_node *real = gan_sub(g, play->real.seen.score, mean_score(g, of_fake));
    gan_node *fake = gan_sub(g, mean_score(g, of_real), play->fake.seen.score);
    return gan_add(g, gan_mean(g, gan_square(g, gan_relu(g, real))),
                   gan_mean(g, gan_square(g, gan_relu(g, fake))));
}

static void lecam_after(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_node *decay = gan_constant(g, knob[1], gan_shape0());
    gan_moving_average(g, mean_score(g, of_real), gan_mean(g, play->real.seen.score), decay);
    gan_moving_average(g, mean_score(g, of_fake), gan_mean(g, play->fake.seen.score), decay);
}

const gan_term gan_term_lecam = {
    .name = "lecam",
    .about = "scores near the other side's moving average (Tseng et al. 2021, eq. 3)",
    .knob = {{"weight", 0.3, 0, 1e6, "lambda"}, {"decay", 0.99, 0, 0.999999, "of the averages"}},
    .d = lecam,
    .after_d = lecam_after,
};

/* ---- historical averaging ---- */

/* The mean of `weight` over the D-steps so far. */
static gan_node *mean_weight(gan_play *play, const gan_node *weight) {
    const gan_variable *v = weight->attr.variable.variable;
    const char *name = gan_arena_printf(play->g->memory, "history/%s", v->name);
    return gan_variable_node(play->g, GAN_STATISTIC, name, v->dtype, v->shape,
                             gan_init_constant(0));
}

/* |theta - (1/t) Σ theta_i|² over the weights of a network. */
static gan_node *distance(gan_play *play, const char *group) {
    gan_graph *g = play->g;
    int n;
    gan_node **weight = gan_play_weights(play, group, &n), *sum = NULL;
    for (int i = 0; weight && i < n; i++) {
        gan_node *now = gan_play_overlaid(play, weight[i]);
        gan_node *off = gan_sub(g, now, mean_weight(play, weight[i]));
        gan_node *square = gan_sum(g, gan_square(g, off));
        sum = sum ? gan_add(g, sum, square) : square;
    }
    return sum;
}

/* Before the first update there is no history, and no distance. */
static gan_node *since_start(gan_play *play, gan_node *x) {
    gan_graph *g = play->g;
    return gan_mul(g, x, gan_minimum(g, gan_play_time(play), gan_constant(g, 1, gan_shape0())));
}

static gan_node *historical_d(gan_play *play, const double *knob) {
    (void)knob;
    return since_start(play, distance(play, "discriminator"));
}

static gan_node *historical_g(gan_play *play, const double *knob) {
    (void)knob;
    return since_start(play, distance(play, "generator"));
}

/* The t-th iteration (from 0) enters with the share 1 / (t + 1). */
static void historical_after(gan_play *play, const double *knob) {
    (void)knob;
    if (play->step != play->d_steps - 1) return;
    gan_graph *g = play->g;
    gan_node *t = gan_play_time(play), *decay = gan_div(g, t, gan_shift(g, t, 1));
    const char *const groups[] = {"discriminator", "generator"};
    for (int k = 0; k < 2; k++) {
        int n;
        gan_node **weight = gan_play_weights(play, groups[k], &n);
        for (int i = 0; weight && i < n; i++)
            gan_moving_average(g, mean_weight(play, weight[i]), weight[i], decay);
    }
}

const gan_term gan_term_historical = {
    .name = "historical-averaging",
    .about = "weights near their mean over the run (Salimans et al. 2016, section 3.3)",
    .knob = {{"weight", 1, 0, 1e6, "factor"}},
    .d = historical_d,
    .g = historical_g,
    .after_d = historical_after,
};
