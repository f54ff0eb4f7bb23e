/* Consistency: D, and G, are to say much the same of examples, or noises, that differ little. */
#include "adversarial/term.h"

/* Another view of x: images mirrored and moved by up to an eighth, others moved by noise. */
static gan_node *view(gan_play *play, gan_node *x, double size) {
    const double share[GAN_KNOBS] = {size}, half[GAN_KNOBS] = {0.5};
    if (gan_node_shape(x).rank == 4)
        return gan_augment_find("translation")
            ->apply(play, gan_augment_find("flip")->apply(play, x, half), share);
    gan_node *noise = gan_random_normal(play->g, play->counter, gan_node_shape(x), 0, size);
    return gan_add(play->g, x, noise);
}

/* E |D(x) - D(T(x))|², over all logits where D has several. */
static gan_node *change(gan_play *play, const gan_side *side, double size) {
    gan_graph *g = play->g;
    if (!side->x) return NULL;
    gan_node *z = play->o->encoder ? side->latent.z : NULL, *x = view(play, side->x, size);
    gan_node *logits = gan_play_judge(play, x, z, side->condition, false, 1).logits;
    gan_node *off = gan_square(g, gan_sub(g, side->seen.logits, logits));
    return gan_mean(g, gan_sum_axes(g, off, 2));
}

#define SIZE                                                                                       \
    { "size", 0.125, 0, 1, "of the move: share of an image's sides, else deviation of noise" }

static gan_node *consistency(gan_play *play, const double *knob) {
    return change(play, &play->real, knob[1]);
}

const gan_term gan_term_cr = {
    .name = "cr",
    .about = "E (D(x) - D(T(x)))^2 on real data (Zhang et al. 2020, eq. 3)",
    .knob = {{"weight", 10, 0, 1e6, "lambda"}, SIZE},
    .d = consistency,
};

static gan_node *balanced(gan_play *play, const double *knob) {
    gan_node *fake = change(play, &play->fake, knob[1]);
    return gan_add(play->g, change(play, &play->real, knob[1]), gan_scale(play->g, fake, knob[2]));
}

const gan_term gan_term_bcr = {
    .name = "bcr",
    .about = "the same on real data and on fakes (Zhao et al. 2021, section 3.1)",
    .knob = {{"weight", 10, 0, 1e6, "lambda of real data"},
             SIZE,
             {"fake", 1, 0, 1e6, "that of fakes over that of real data"}},
    .d = balanced,
};

/* The noise z + N(0, size²), all else as it is. */
static gan_latent nearby(gan_play *play, double size) {
    gan_graph *g = play->g;
    gan_latent latent = play->fake.latent;
    gan_node *noise = gan_random_normal(g, play->counter, gan_node_shape(latent.z), 0, size);
    latent.z = gan_add(g, latent.z, noise);
    return latent;
}

/* D: E (D(G(z)) - D(G(z')))². */
static gan_node *latent_d(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    gan_side side = play->fake;
    side.latent = nearby(play, knob[1]);
    gan_node *x = gan_stop_gradient(g, gan_play_generator(play, &side.latent, false));
    gan_node *other = gan_play_score(play, &side, x);
    return gan_mean(g, gan_square(g, gan_sub(g, play->fake.seen.score, other)));
}

/* G: -E |G(z) - G(z')|², the mean over an example's numbers. */
static gan_node *latent_g(gan_play *play, const double *knob) {
    gan_graph *g = play->g;
    const gan_latent latent = nearby(play, knob[1]);
    gan_node *other = gan_play_generator(play, &latent, false);
    gan_node *apart = gan_mean(g, gan_square(g, gan_sub(g, play->fake.x, other)));
    return gan_scale(g, apart, -knob[2]);
}

const gan_term gan_term_zcr = {
    .name = "zcr",
    .about = "D steady and G not in small changes of z (Zhao et al. 2021, section 3.2)",
    .knob = {{"weight", 5, 0, 1e6, "lambda of D"},
             {"size", 0.07, 0, 10, "deviation of the change"},
             {"generator", 0.1, 0, 1e6, "lambda of G over that of D"}},
    .d = latent_d,
    .g = latent_g,
    .needs_latent = true,
};
