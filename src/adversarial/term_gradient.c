/* Penalties on the gradient of D with respect to its input, by second-order differentiation. */
#include "adversarial/term.h"

#define GRADIENT_EPS 1e-12 /* under the root, so that its derivative is finite at zero */

/* d(sum of scores)/dx at x, as rows (m, everything). */
static gan_node *gradient_at(gan_play *play, const gan_side *side, gan_node *x) {
    gan_graph *g = play->g;
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

static gan_node *wgan_gp(gan_play *play, const double *knob) {
    gan_node *x = between(play, play->real.x, play->fake.x);
    return penalty(play->g, gradient_at(play, &play->real, x), knob[1]);
}

const gan_term gan_term_wgan_gp = {
    .name = "wgan-gp",
    .about = "E (|grad D(x)| - 1)^2 between real and fake (Gulrajani et al. 2017, eq. 3)",
    .knob = {{"weight", 10, 0, 1e6, "lambda"}, {"target", 1, 0, 1e6, "the slope asked for"}},
    .d = wgan_gp,
};

static gan_node *r1(gan_play *play, const double *knob) {
    (void)knob;
    gan_node *at_real = penalty(play->g, gradient_at(play, &play->real, play->real.x), 0);
    return gan_scale(play->g, at_real, 0.5);
}

const gan_term gan_term_r1 = {
    .name = "r1",
    .about = "E |grad D(x)|^2 / 2 on real data (Mescheder et al. 2018, eq. 9)",
    .knob = {{"weight", 10, 0, 1e6, "gamma"},
             {"every", 1, 1, 1024, "iterations from one to the next, at so many times the weight"}},
    .d = r1,
    .lazy = true,
};
