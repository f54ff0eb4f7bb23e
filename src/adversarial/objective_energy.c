/* Objectives of autoencoding discriminators: scores are energies, low on real data. */
#include "adversarial/objective.h"

/* E en(x) + E max(0, margin - en(G(z))). */
GAN_D_LOSS(ebgan_d) {
    gan_node *missing = gan_shift(g, gan_neg(g, s_fake), o->margin > 0 ? o->margin : 1);
    gan_node *sum = gan_add(g, gan_mean(g, s_real), gan_mean(g, gan_relu(g, missing)));
    return gan_objective_scaled(g, sum, o);
}

GAN_G_LOSS(mean_energy_g) {
    (void)s_real, (void)o;
    return gan_mean(g, s_fake);
}

/* k_t, how much D minds the fakes. */
static gan_node *began_k(gan_graph *g) {
    return gan_variable_node(g, GAN_STATISTIC, "discriminator/began/k", GAN_F32, gan_shape0(),
                             gan_init_constant(0));
}

/* R - k·F. */
GAN_D_LOSS(began_d) {
    gan_node *minded = gan_mul(g, began_k(g), gan_mean(g, s_fake));
    return gan_objective_scaled(g, gan_sub(g, gan_mean(g, s_real), minded), o);
}

/* gamma·R - F, which the balance holds at zero. */
static gan_node *began_missing(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                               const gan_objective_options *o) {
    const double gamma = o->gamma > 0 ? o->gamma : 0.5;
    return gan_sub(g, gan_scale(g, gan_mean(g, s_real), gamma), gan_mean(g, s_fake));
}

/* k += lambda·(gamma·R - F), within 0 and 1. */
static void began_after(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                        const gan_objective_options *o) {
    const double lambda = o->lambda > 0 ? o->lambda : 0.001;
    gan_node *missing = began_missing(g, s_real, s_fake, o);
    gan_node *next = gan_relu(g, gan_add(g, began_k(g), gan_scale(g, missing, lambda)));
    gan_assign(g, began_k(g), gan_minimum(g, next, gan_constant(g, 1, gan_shape0())));
}

/* M = R + |gamma·R - F|: small when D's autoencoder is good and the balance is held. */
static gan_node *began_convergence(gan_graph *g, gan_node *s_real, gan_node *s_fake,
                                   const gan_objective_options *o) {
    return gan_add(g, gan_mean(g, s_real), gan_abs(g, began_missing(g, s_real, s_fake, o)));
}

const gan_objective gan_objective_ebgan = {
    .name = "ebgan",
    .about = "energies up to a margin (Zhao et al. 2017, eqs. 1 and 2)",
    .d_loss = ebgan_d,
    .g_loss = mean_energy_g,
    .energy = 2,
    .reads = "energy",
};

const gan_objective gan_objective_began = {
    .name = "began",
    .about = "energies in balance (Berthelot et al. 2017, section 3.4)",
    .d_loss = began_d,
    .g_loss = mean_energy_g,
    .energy = 1,
    .reads = "energy",
    .after_d = began_after,
    .measure_name = "convergence", /* section 3.4.1 */
    .measure = began_convergence,
};
