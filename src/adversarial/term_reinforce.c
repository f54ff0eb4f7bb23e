/* The gradient of symbols that are drawn, by the score function. */
#include "adversarial/term.h"

static gan_node *baseline(gan_play *play) {
    return gan_variable_node(play->g, GAN_STATISTIC, "generator/reinforce/baseline", GAN_F32,
                             gan_shape0(), gan_init_constant(0));
}

/* log(sigma(s)) of each fake: the reward that makes this the non-saturating game. */
static gan_node *reward(gan_play *play) {
    gan_graph *g = play->g;
    gan_node *s = gan_stop_gradient(g, play->fake.seen.score);
    return gan_neg(g, gan_softplus(g, gan_neg(g, s)));
}

/* log p(x) (m, 1), the sum of a sequence's log softmax(logits)_x. */
static gan_node *log_probability(gan_play *play) {
    gan_graph *g = play->g;
    gan_node *l = play->fake.logits;
    if (!l || !play->fake.x) return NULL;
    const gan_shape s = gan_node_shape(l);
    gan_node *rows = gan_reshape(g, l, gan_shape2(s.dim[0] * s.dim[1], s.dim[2]));
    gan_node *x = gan_reshape(g, gan_stop_gradient(g, play->fake.x), gan_node_shape(rows));
    gan_node *chosen = gan_sum_axes(g, gan_mul(g, x, rows), 1u << 1);
    gan_node *log_p = gan_sub(g, chosen, gan_play_logsumexp(g, rows));
    return gan_sum_axes(g, gan_reshape(g, log_p, gan_shape2(s.dim[0], s.dim[1])), 1u << 1);
}

/* -E (reward - baseline)·log p(x). D's scores of a pack are those of all its examples. */
static gan_node *reinforce(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    gan_node *advantage = gan_sub(g, reward(play), baseline(play));
    return gan_neg(g, gan_mean(g, gan_mul(g, advantage, log_probability(play))));
}

/* The baseline follows the rewards that D's own fakes would get. */
static void after_d(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_node *decay = gan_constant(g, knob[1], gan_shape0());
    gan_moving_average(g, baseline(play), gan_mean(g, reward(play)), decay);
}

const gan_term gan_term_reinforce = {
    .name = "reinforce",
    .about = "-E (log sigma(s) - baseline) log p(x) for G (Williams 1992, section 3)",
    .knob = {{"weight", 1, 0, 1e6, "factor"},
             {"decay", 0.9, 0, 0.999999, "of the baseline, a moving average of rewards"}},
    .g = reinforce,
    .after_d = after_d,
    .needs_symbols = true,
};
