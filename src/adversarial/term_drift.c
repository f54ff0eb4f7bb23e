/* What keeps scores from wandering off where the objective sees only their differences. */
#include "adversarial/term.h"

/* E s_r². */
static gan_node *drift(gan_play *play, const double *knob) {
    (void)knob;
    return gan_mean(play->g, gan_square(play->g, play->real.seen.score));
}

const gan_term gan_term_drift = {
    .name = "drift",
    .about = "E D(x)^2 on real data (Karras et al. 2018, appendix A.1)",
    .knob = {{"weight", 0.001, 0, 1e6, "epsilon"}},
    .d = drift,
};
