/* Objectives that take D's output for a number and not for a probability. */
#include "adversarial/objective.h"

/* E relu(1 - s_r) + E relu(1 + s_f). */
GAN_D_LOSS(hinge_d) {
    gan_node *real = gan_mean(g, gan_relu(g, gan_shift(g, gan_neg(g, s_real), 1)));
    gan_node *fake = gan_mean(g, gan_relu(g, gan_shift(g, s_fake, 1)));
    return gan_objective_scaled(g, gan_add(g, real, fake), o);
}

/* -E s_f. */
GAN_G_LOSS(negative_mean_g) {
    (void)s_real, (void)o;
    return gan_neg(g, gan_mean(g, s_fake));
}

/* E s_r. */
GAN_G_LOSS(mean_e) {
    (void)s_fake, (void)o;
    return gan_mean(g, s_real);
}

/* E s_f - E s_r. */
GAN_D_LOSS(wasserstein_d) {
    return gan_objective_scaled(g, gan_sub(g, gan_mean(g, s_fake), gan_mean(g, s_real)), o);
}

/* ½ E (s - target)². */
static gan_node *half_square(gan_graph *g, gan_node *s, double target) {
    gan_node *off = target == 0 ? s : gan_shift(g, s, -target);
    return gan_scale(g, gan_mean(g, gan_square(g, off)), 0.5);
}

GAN_D_LOSS(least_squares_d) {
    gan_node *real = half_square(g, s_real, 1 - o->smooth);
    return gan_objective_scaled(g, gan_add(g, real, half_square(g, s_fake, 0)), o);
}

GAN_G_LOSS(least_squares_g) {
    (void)s_real, (void)o;
    return half_square(g, s_fake, 1);
}

/* ½ E s_r²: real pairs at the target of fakes. */
GAN_G_LOSS(least_squares_e) {
    (void)s_fake, (void)o;
    return half_square(g, s_real, 0);
}

const gan_objective gan_objective_hinge = {
    .name = "hinge",
    .about = "E relu(1 - s) + E relu(1 + s') (Miyato et al. 2018, eqs. 16 and 17)",
    .d_loss = hinge_d,
    .g_loss = negative_mean_g,
    .reads = "score",
    .e_loss = mean_e,
};

const gan_objective gan_objective_wasserstein = {
    .name = "wasserstein",
    .about = "E s' - E s; wants clip.weights or a penalty (Arjovsky et al. 2017, algorithm 1)",
    .d_loss = wasserstein_d,
    .g_loss = negative_mean_g,
    .reads = "score",
    .e_loss = mean_e,
};

const gan_objective gan_objective_least_squares = {
    .name = "least-squares",
    .about = "1/2 E (s - 1)^2 + 1/2 E s'^2 (Mao et al. 2017, eq. 9)",
    .d_loss = least_squares_d,
    .g_loss = least_squares_g,
    .reads = "score",
    .e_loss = least_squares_e,
    .target = true,
};
