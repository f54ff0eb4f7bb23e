/* Terms on D's hidden features. */
#include "adversarial/term.h"

/* |E f(x) - E f(G(z))|², f D's last hidden layer. */
static gan_node *feature_matching(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    gan_node *real = gan_play_rows(g, play->real.seen.features);
    gan_node *fake = gan_play_rows(g, play->fake.seen.features);
    gan_node *difference = gan_sub(g, gan_mean_axes(g, real, 1), gan_mean_axes(g, fake, 1));
    return gan_sum(g, gan_square(g, difference));
}

const gan_term gan_term_feature_matching = {
    .name = "feature-matching",
    .about = "|E f(x) - E f(G(z))|^2 on D's features, for G (Salimans et al. 2016, section 3.1)",
    .knob = {{"weight", 1, 0, 1e6, "factor"}},
    .g = feature_matching,
    .needs_real = true,
};

/* What D's encoder makes of the fakes: its code where D is an autoencoder, else its features. */
static gan_node *representation(gan_play *play) {
    gan_node *features = play->fake.seen.features;
    if (play->o->objective->energy)
        features = gan_play_output(play, "code", features, play->o->networks.z_dim);
    return gan_play_rows(play->g, features);
}

/* 1/(m(m-1)) Σ_{i≠j} cos²(S_i, S_j). */
static gan_node *pulling_away(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    gan_node *s = representation(play);
    const double m = (double)gan_node_shape(s).dim[0];
    gan_node *squares = gan_sum_axes(g, gan_square(g, s), 2);
    gan_node *unit = gan_mul(g, s, gan_rsqrt(g, gan_shift(g, squares, 1e-12)));
    gan_node *cosines = gan_square(g, gan_matmul(g, unit, unit, false, true));
    gan_node *own = gan_square(g, gan_sum_axes(g, gan_square(g, unit), 2));
    return gan_scale(g, gan_sub(g, gan_sum(g, cosines), gan_sum(g, own)), 1 / (m * (m - 1)));
}

const gan_term gan_term_pulling_away = {
    .name = "pulling-away",
    .about = "fakes whose features point away from each other (Zhao et al. 2017, eq. 4)",
    .knob = {{"weight", 0.1, 0, 1e6, "factor"}},
    .g = pulling_away,
};
