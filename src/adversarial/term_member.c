/* MAD-GAN: D also tells which generator a fake comes from. */
#include "adversarial/term.h"

/* What the head "members" leaves out of a fake's score: -log of its own member's share among the
 * n. With the logistic loss D's sum is then the cross-entropy over all n + 1. */
static gan_node *which(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    const int64_t n = play->o->generators;
    gan_node *logits = gan_slice(g, play->fake.seen.logits, 1, 0, n), *own = NULL;
    const int64_t m = gan_node_shape(logits).dim[0];
    for (int64_t i = 0; i < n; i++) {
        const int64_t first = i * m / n, count = (i + 1) * m / n - first;
        gan_node *mine = gan_slice(g, gan_slice(g, logits, 0, first, count), 1, i, 1);
        gan_node *sum = gan_sum(g, mine);
        own = own ? gan_add(g, own, sum) : sum;
    }
    gan_node *all = gan_sum(g, gan_play_logsumexp(g, logits));
    return gan_scale(g, gan_sub(g, all, own), 1. / (double)m);
}

const gan_term gan_term_mad_gan = {
    .name = "mad-gan",
    .about = "D tells which of the generators made a fake (Ghosh et al. 2018, section 3.1)",
    .knob = {{"weight", 1, 0, 1e6, "factor"}},
    .d = which,
    .head = "members",
};
