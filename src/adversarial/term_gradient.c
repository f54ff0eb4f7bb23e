/* Penalties on the gradient of D with respect to its input, by second-order differentiation. */
#include "adversarial/term.h"

#define GRADIENT_EPS 1e-12 /* under the root, so that its derivative is finite at zero */

/* x as a node of its own: D's slope there is not that by way of earlier unrolled updates, which saw
 * the same x and are constants to it. */
static gan_node *once_more(gan_graph *g, gan_node *x) {
    return x ? gan_reshape(g, gan_reshape(g, x, gan_shape1(-1)), gan_node_shape(x)) : NULL;
}

/* d(sum of scores)/dx at x, as rows (m, everything). */
static gan_node *gradient_at(gan_play *play, const gan_side *side, gan_node *x) {
    gan_graph *g = play->g;
    if (play->n_overlay > 0) x = once_more(g, x);
    gan_node *dx = NULL, *score = gan_sum(g, gan_play_score(play, side, x));
    if (!score || gan_gradient(g, score, 1, &x, &dx) != GAN_OK) return NULL;
    return gan_play_rows(g, dx);
}

/* E (‖d‖ - target)² over rows d. */
static gan_node *penalty(gan_graph *g, gan_node *d, double target) {
    gan_node *squares = gan_sum_axes(g, gan_square(g, d), 2);
    if (target == 0) return gan_mean(g, squares);
    gan_node *norm = gan_sqrt(g, gan_shift(g, squares, GRADIENT_EPS));
    return gan_mean(g, gan_square(g, gan_shift(g, norm, -target)));
}

/* A uniform number an example, shaped to go with x. */
static gan_node *per_example(gan_play *play, gan_node *x) {
    gan_shape s = gan_node_shape(x);
    for (int i = 1; i < s.rank; i++) s.dim[i] = 1;
    return gan_random_uniform(play->g, play->counter, s, 0, 1);
}

/* x + u·(y - x). */
static gan_node *between(gan_play *play, gan_node *x, gan_node *y) {
    gan_graph *g = play->g;
    if (!x || !y) return NULL;
    return gan_add(g, x, gan_mul(g, per_example(play, x), gan_sub(g, y, x)));
}

#define WEIGHT(initial, about)                                                                     \
    { "weight", initial, 0, 1e6, about }
#define EVERY                                                                                      \
    { "every", 1, 1, 1024, "iterations from one to the next, at so many times the weight" }

static gan_node *at_interpolates(gan_play *play, double target) {
    gan_node *x = between(play, play->real.x, play->fake.x);
    return penalty(play->g, gradient_at(play, &play->real, x), target);
}

static gan_node *wgan_gp(gan_play *play, const double *knob) {
    return at_interpolates(play, knob[2]);
}

const gan_term gan_term_wgan_gp = {
    .name = "wgan-gp",
    .about = "E (|grad D(x)| - 1)^2 between real and fake (Gulrajani et al. 2017, eq. 3)",
    .knob = {WEIGHT(10, "lambda"), EVERY, {"target", 1, 1e-6, 1e6, "the slope asked for"}},
    .d = wgan_gp,
    .lazy = true,
};

/* E relu(‖d‖ - 1)²: only slopes above 1 are punished. */
static gan_node *one_sided(gan_play *play, const double *knob) {
    (void)knob;
    gan_graph *g = play->g;
    gan_node *x = between(play, play->real.x, play->fake.x);
    gan_node *squares = gan_sum_axes(g, gan_square(g, gradient_at(play, &play->real, x)), 2);
    gan_node *norm = gan_sqrt(g, gan_shift(g, squares, GRADIENT_EPS));
    return gan_mean(g, gan_square(g, gan_relu(g, gan_shift(g, norm, -1))));
}

const gan_term gan_term_one_sided_gp = {
    .name = "one-sided-gp",
    .about = "E relu(|grad D(x)| - 1)^2 between real and fake (Petzka et al. 2018, eq. 8)",
    .knob = {WEIGHT(10, "lambda"), EVERY},
    .d = one_sided,
    .lazy = true,
};

static gan_node *zero_centred(gan_play *play, const double *knob) {
    (void)knob;
    return at_interpolates(play, 0);
}

const gan_term gan_term_zero_centred_gp = {
    .name = "zero-centred-gp",
    .about = "E |grad D(x)|^2 between real and fake (Thanh-Tung et al. 2019, eq. 6)",
    .knob = {WEIGHT(10, "lambda"), EVERY},
    .d = zero_centred,
    .lazy = true,
};

/* x + scale·std·u, std that of all numbers of the batch, u uniform in [0, 1) for each number. */
static gan_node *around(gan_play *play, gan_node *x, double scale) {
    gan_graph *g = play->g;
    gan_node *off = gan_sub(g, x, gan_mean(g, x));
    gan_node *deviation = gan_sqrt(g, gan_mean(g, gan_square(g, off)));
    gan_node *u = gan_random_uniform(g, play->counter, gan_node_shape(x), 0, scale);
    return gan_add(g, x, gan_mul(g, u, deviation));
}

static gan_node *dragan(gan_play *play, const double *knob) {
    gan_node *x = around(play, play->real.x, knob[2]);
    return penalty(play->g, gradient_at(play, &play->real, x), 1);
}

const gan_term gan_term_dragan = {
    .name = "dragan",
    .about = "E (|grad D(x)| - 1)^2 around real data (Kodali et al. 2017, eq. 6)",
    .knob = {WEIGHT(10, "lambda"),
             EVERY,
             {"scale", 0.5, 0, 1e3, "of the noise, in deviations of the batch"}},
    .d = dragan,
    .lazy = true,
};

static gan_node *half_square(gan_play *play, const gan_side *side) {
    return gan_scale(play->g, penalty(play->g, gradient_at(play, side, side->x), 0), 0.5);
}

static gan_node *r1(gan_play *play, const double *knob) {
    (void)knob;
    return half_square(play, &play->real);
}

static gan_node *r2(gan_play *play, const double *knob) {
    (void)knob;
    return half_square(play, &play->fake);
}

const gan_term gan_term_r1 = {
    .name = "r1",
    .about = "E |grad D(x)|^2 / 2 on real data (Mescheder et al. 2018, eq. 9)",
    .knob = {WEIGHT(10, "gamma"), EVERY},
    .d = r1,
    .lazy = true,
};

const gan_term gan_term_r2 = {
    .name = "r2",
    .about = "E |grad D(x)|^2 / 2 on fakes (Mescheder et al. 2018, eq. 10)",
    .knob = {WEIGHT(10, "gamma"), EVERY},
    .d = r2,
    .lazy = true,
};
