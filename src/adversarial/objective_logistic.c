/* Objectives of the logistic D of the first paper: D(x) = sigma(s). */
#include "adversarial/objective.h"

gan_node *gan_objective_scaled(gan_graph *g, gan_node *loss, const gan_objective_options *o) {
    return o->scale > 0 && o->scale != 1 ? gan_scale(g, loss, o->scale) : loss;
}

/* scale · (E softplus(-s_r) + E softplus(s_f)), with the real target at 1 - smooth. */
GAN_D_LOSS(logistic_d) {
    gan_node *real = gan_logits_loss(g, s_real, 1 - o->smooth);
    return gan_objective_scaled(g, gan_add(g, real, gan_logits_loss(g, s_fake, 0)), o);
}

/* E log(1 - sigma(s_f)) = -E softplus(s_f). */
GAN_G_LOSS(minimax_g) {
    (void)s_real, (void)o;
    return gan_neg(g, gan_logits_loss(g, s_fake, 0));
}

/* -E log sigma(s_f) = E softplus(-s_f). */
GAN_G_LOSS(non_saturating_g) {
    (void)s_real, (void)o;
    return gan_logits_loss(g, s_fake, 1);
}

/* E log sigma(s_r), the part of the zero-sum game that an encoder has. */
GAN_G_LOSS(minimax_e) {
    (void)s_fake, (void)o;
    return gan_neg(g, gan_logits_loss(g, s_real, 1));
}

/* -E log(1 - sigma(s_r)): the label turned round. */
GAN_G_LOSS(non_saturating_e) {
    (void)s_fake, (void)o;
    return gan_logits_loss(g, s_real, 0);
}

gan_node *gan_objective_exp(gan_graph *g, gan_node *x) {
    gan_node *below = gan_minimum(g, x, gan_constant(g, GAN_LARGEST_EXPONENT, gan_node_shape(x)));
    gan_node *beyond = gan_relu(g, gan_shift(g, x, -GAN_LARGEST_EXPONENT));
    return gan_mul(g, gan_exp(g, below), gan_shift(g, beyond, 1));
}

/* -½ E exp(sigma⁻¹(D)) = -½ E exp(s_f). */
GAN_G_LOSS(maximum_likelihood_g) {
    (void)s_real, (void)o;
    return gan_scale(g, gan_mean(g, gan_objective_exp(g, s_fake)), -0.5);
}

/* E softplus(-(s_a - E s_b)) with a target t: t·softplus(-u) + (1 - t)·softplus(u). */
static gan_node *against_mean(gan_graph *g, gan_node *a, gan_node *b, double target) {
    return gan_logits_loss(g, gan_sub(g, a, gan_mean(g, b)), target);
}

GAN_D_LOSS(relativistic_d) {
    gan_node *real = against_mean(g, s_real, s_fake, 1 - o->smooth);
    return gan_objective_scaled(g, gan_add(g, real, against_mean(g, s_fake, s_real, 0)), o);
}

GAN_G_LOSS(relativistic_g) {
    gan_node *fake = against_mean(g, s_fake, s_real, 1);
    return gan_objective_scaled(g, gan_add(g, fake, against_mean(g, s_real, s_fake, 0)), o);
}

const gan_objective gan_objective_non_saturating = {
    .name = "non-saturating",
    .about = "G maximises E log D(G(z)) (Goodfellow et al. 2014, section 3)",
    .d_loss = logistic_d,
    .g_loss = non_saturating_g,
    .e_loss = non_saturating_e,
    .target = true,
};

const gan_objective gan_objective_minimax = {
    .name = "minimax",
    .about = "G minimises E log(1 - D(G(z))), the zero-sum game (Goodfellow et al. 2014, eq. 1)",
    .d_loss = logistic_d,
    .g_loss = minimax_g,
    .e_loss = minimax_e,
    .target = true,
};

const gan_objective gan_objective_maximum_likelihood = {
    .name = "maximum-likelihood",
    .about = "G minimises -1/2 E exp(logit D(G(z))) (Goodfellow 2016, section 3.2.4)",
    .d_loss = logistic_d,
    .g_loss = maximum_likelihood_g,
    .target = true,
};

const gan_objective gan_objective_relativistic = {
    .name = "relativistic",
    .about = "real against the mean fake, fake against the mean real (Jolicoeur-Martineau 2019, "
             "section 4.2)",
    .d_loss = relativistic_d,
    .g_loss = relativistic_g,
    .reads = "score", /* only differences count */
    .needs_real = true,
    .target = true,
};
