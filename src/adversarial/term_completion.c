/* What G fills in is to be what was there. */
#include "adversarial/term.h"

/* Σ |x - G| / Σ 1 over the unknown numbers of a batch. */
static gan_node *reconstruction(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    const int64_t c = gan_node_shape(play->whole).dim[3];
    gan_node *known = gan_slice(g, play->fake.latent.context, 3, c, 1);
    gan_node *unknown = gan_sum(g, gan_shift(g, gan_neg(g, known), 1));
    gan_node *off = gan_sum(g, gan_abs(g, gan_sub(g, play->whole, play->fake.x)));
    return gan_div(g, off, gan_shift(g, gan_scale(g, unknown, (double)c), 1e-12));
}

const gan_term gan_term_reconstruction = {
    .name = "reconstruction",
    .about = "mean |x - G| over the pixels that G fills in (Isola et al. 2017, eq. 3)",
    .knob = {{"weight", 10, 0, 1e6, "factor"}},
    .g = reconstruction,
    .needs_context = true,
};
