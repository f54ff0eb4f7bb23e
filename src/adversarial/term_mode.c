/* MRGAN: an encoder shows G the way to every mode of the data (Che et al. 2017, section 2). */
#include "adversarial/term.h"

gan_node *gan_play_rebuild(gan_play *play, const gan_side *real, gan_node *x,
                           bool update_statistics) {
    gan_latent latent = {.z = gan_play_encode(play, x, update_statistics),
                         .label = real->latent.label};
    return gan_play_generator(play, &latent, false);
}

/* |x - G(E(x))|², the mean over an example's numbers and over examples. */
static gan_node *apart(gan_play *play, gan_node *back) {
    gan_graph *g = play->g;
    return gan_mean(g, gan_square(g, gan_sub(g, play->data, back)));
}

/* E_x [ distance·|x - G(E(x))|² - log D(G(E(x))) ·score ]; trains G and E. The score term is the
 * objective's G loss on reconstructions. */
static gan_node *modes(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_node *back = gan_play_rebuild(play, &play->real, play->data, true);
    gan_node *sum = gan_scale(g, apart(play, back), knob[1]);
    if (knob[2] == 0) return sum;
    gan_node *score = gan_play_score(play, &play->real, back);
    gan_node *loss = play->o->objective->g_loss(g, play->real.seen.score, score, &play->o->loss);
    return gan_add(g, sum, gan_scale(g, loss, knob[2]));
}

const gan_term gan_term_mrgan = {
    .name = "mrgan",
    .about = "G and an encoder rebuild real data (Che et al. 2017, section 2.2)",
    .knob = {{"weight", 1, 0, 1e6, "factor"},
             {"distance", 0.2, 0, 1e6, "lambda_1, of the reconstruction's error"},
             {"score", 0.4, 0, 1e6, "lambda_2, of D's opinion of it"}},
    .g = modes,
    .needs_real = true,
    .no_pairs = true,
};

/* ---- the manifold-diffusion form: two discriminators ----
 *
 * The manifold step brings G(E(x)) to the data: a discriminator of its own, D1, tells them apart.
 * The diffusion step spreads G(z) over what is there: the game's D sees G(E(x)) where it else sees
 * x, which is what `diffuses` asks for. */

/* D1's scores of x, and of G(E(x)) behind it: a discriminator like D, with weights of its own. */
static gan_node *manifold(gan_play *play, gan_node *back) {
    gan_graph *g = play->g;
    gan_node *c = play->real.condition;
    gan_node *x = gan_concat(g, 0, 2, (gan_node *[2]){play->data, back});
    if (c) c = gan_concat(g, 0, 2, (gan_node *[2]){c, c});
    play->part = "manifold";
    const gan_verdict v = gan_play_judge(play, x, NULL, c, !play->of_g && !play->ahead, 2);
    play->part = NULL;
    return v.score;
}

static gan_node *half(gan_graph *g, gan_node *score, int which) {
    const int64_t n = score ? gan_node_shape(score).dim[0] / 2 : 0;
    return score ? gan_slice(g, score, 0, which * n, n) : NULL;
}

static gan_node *manifold_d(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    gan_node *score = manifold(play, play->real.x);
    return play->o->objective->d_loss(g, half(g, score, 0), half(g, score, 1), &play->o->loss);
}

/* distance·|x - G(E(x))|² - score·log D1(G(E(x))). */
static gan_node *manifold_g(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_node *sum = gan_scale(g, apart(play, play->back), knob[1]);
    if (knob[2] == 0) return sum;
    gan_node *score = manifold(play, play->back);
    gan_node *loss =
        play->o->objective->g_loss(g, half(g, score, 0), half(g, score, 1), &play->o->loss);
    return gan_add(g, sum, gan_scale(g, loss, knob[2]));
}

const gan_term gan_term_mdgan = {
    .name = "mdgan",
    .about = "mrgan in two steps: one D takes G(E(x)) to x, the other G(z) to G(E(x)) (Che et al. "
             "2017, section 2.3)",
    .knob = {{"weight", 1, 0, 1e6, "factor"},
             {"distance", 1, 0, 1e6, "of the reconstruction's error"},
             {"score", 0.01, 0, 1e6, "lambda, of the first discriminator's opinion of it"}},
    .d = manifold_d,
    .g = manifold_g,
    .needs_real = true,
    .no_pairs = true,
    .diffuses = true,
};
