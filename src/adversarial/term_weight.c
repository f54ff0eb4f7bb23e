/* Terms on the weights themselves. */
#include "adversarial/term.h"

/* Σ |W W' ⊙ (1 - I)|² over weights of two axes and more, W (out, everything else). */
static gan_node *orthogonality(gan_play *play, const char *group) {
    gan_graph *g = play->g;
    int n;
    gan_node **weight = gan_play_weights(play, group, &n), *sum = NULL;
    for (int i = 0; weight && i < n; i++) {
        const gan_shape s = gan_node_shape(weight[i]);
        if (s.rank < 2 || s.dim[0] < 2) continue;
        gan_node *w = gan_play_rows(g, gan_play_overlaid(play, weight[i]));
        gan_node *products = gan_square(g, gan_matmul(g, w, w, false, true));
        gan_node *lengths = gan_square(g, gan_sum_axes(g, gan_square(g, w), 2));
        gan_node *off = gan_sub(g, gan_sum(g, products), gan_sum(g, lengths));
        sum = sum ? gan_add(g, sum, off) : off;
    }
    return sum ? sum : gan_constant(g, 0, gan_shape0());
}

static gan_node *orthogonal_d(gan_play *play, const double *knob) {
    return knob[1] > 0 ? gan_scale(play->g, orthogonality(play, "discriminator"), knob[1]) : NULL;
}

static gan_node *orthogonal_g(gan_play *play, const double *knob) {
    return knob[2] > 0 ? gan_scale(play->g, orthogonality(play, "generator"), knob[2]) : NULL;
}

const gan_term gan_term_orthogonal = {
    .name = "orthogonal",
    .about = "|W W' without its diagonal|^2 (Brock et al. 2019, eq. 3)",
    .knob = {{"weight", 1e-4, 0, 1e6, "beta"},
             {"discriminator", 0, 0, 1e6, "share of D"},
             {"generator", 1, 0, 1e6, "share of G"}},
    .d = orthogonal_d,
    .g = orthogonal_g,
};
