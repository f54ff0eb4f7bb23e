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
