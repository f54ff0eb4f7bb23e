/* InfoGAN: the codes that G was given are to be read off its samples. */
#include <math.h>

#include "adversarial/term.h"

/* E Σ_j -log Q(c_j | G(z, c)), c categorical. */
static gan_node *categorical(gan_play *play, gan_node *h) {
    const gan_game_options *o = play->o;
    gan_graph *g = play->g;
    const int64_t n = o->code_categorical, k = o->code_classes;
    gan_node *logits = gan_play_output(play, "categorical", h, n * k);
    logits = gan_reshape(g, logits, gan_shape2(-1, k));
    gan_node *c = gan_reshape(g, play->fake.latent.category, gan_shape1(-1));
    return gan_scale(g, gan_softmax_loss(g, logits, c), (double)n);
}

/* E Σ_j ½ log(2π) + ½ v_j + ½ (c_j - m_j)² / exp(v_j): a Gaussian of mean m and log-variance v. */
static gan_node *continuous(gan_play *play, gan_node *h) {
    gan_graph *g = play->g;
    const int64_t n = play->o->code_continuous;
    gan_node *q = gan_play_output(play, "continuous", h, 2 * n);
    gan_node *mean = gan_slice(g, q, 1, 0, n), *v = gan_slice(g, q, 1, n, n);
    gan_node *off = gan_square(g, gan_sub(g, play->fake.latent.code, mean));
    gan_node *both = gan_add(g, v, gan_mul(g, off, gan_exp(g, gan_neg(g, v))));
    gan_node *each = gan_shift(g, gan_scale(g, both, 0.5), 0.5 * log(2 * 3.14159265358979323846));
    return gan_scale(g, gan_mean(g, each), (double)n);
}

/* The same for D, which shares its features with Q, and for G. */
static gan_node *information(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_node *h = gan_play_output(play, "codes", play->fake.seen.features, 128), *sum = NULL;
    h = gan_leaky_relu(g, h, 0.1);
    if (play->o->code_categorical) sum = categorical(play, h);
    if (!play->o->code_continuous || knob[1] == 0) return sum;
    gan_node *c = gan_scale(g, continuous(play, h), knob[1]);
    return sum ? gan_add(g, sum, c) : c;
}

const gan_term gan_term_infogan = {
    .name = "infogan",
    .about = "the codes are to be read off the samples (Chen et al. 2016, eq. 6)",
    .knob = {{"weight", 1, 0, 1e6, "lambda"},
             {"continuous", 0.1, 0, 1e6, "factor of the continuous codes"}},
    .d = information,
    .g = information,
    .needs_codes = true,
};
