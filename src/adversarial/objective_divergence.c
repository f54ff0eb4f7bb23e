/* f-GAN (Nowozin et al. 2016): D maximises E T(x) - E f*(T(G(z))), T = g_f(s), table 6 of the paper
 * giving the activation g_f and the conjugate f*. G minimises -E g_f(s_f), the paper's counterpart
 * (section 3.2) of the non-saturating heuristic: it has the same fixed points, and a gradient where
 * D is sure; with options->conjugate the bound itself, -E f*(T(G(z))) (eq. 4). Each row has T(s)
 * and f*(T(s)), both written in s, where they have no logarithm of a difference. */
#include "adversarial/objective.h"

typedef gan_node *(*function)(gan_graph *g, gan_node *s);

static gan_node *d_loss(gan_graph *g, gan_node *s_real, gan_node *s_fake, function t,
                        function conjugate) {
    return gan_sub(g, gan_mean(g, conjugate(g, s_fake)), gan_mean(g, t(g, s_real)));
}

static gan_node *g_loss(gan_graph *g, gan_node *s_fake, function t) {
    return gan_neg(g, gan_mean(g, t(g, s_fake)));
}

/* KL: T = s, f*(T) = exp(s - 1). */
static gan_node *kl_t(gan_graph *g, gan_node *s) {
    (void)g;
    return s;
}
static gan_node *kl_c(gan_graph *g, gan_node *s) {
    return gan_objective_exp(g, gan_shift(g, s, -1));
}

/* Reverse KL: T = -exp(-s), f*(T) = -1 - log(-T) = s - 1. */
static gan_node *reverse_t(gan_graph *g, gan_node *s) {
    return gan_neg(g, gan_objective_exp(g, gan_neg(g, s)));
}
static gan_node *reverse_c(gan_graph *g, gan_node *s) { return gan_shift(g, s, -1); }

/* Pearson chi²: T = s, f*(T) = T²/4 + T. */
static gan_node *pearson_c(gan_graph *g, gan_node *s) {
    return gan_add(g, gan_scale(g, gan_square(g, s), 0.25), s);
}

/* Squared Hellinger: T = 1 - exp(-s), f*(T) = T/(1 - T) = exp(s) - 1. */
static gan_node *hellinger_t(gan_graph *g, gan_node *s) { return gan_shift(g, reverse_t(g, s), 1); }
static gan_node *hellinger_c(gan_graph *g, gan_node *s) {
    return gan_shift(g, gan_objective_exp(g, s), -1);
}

/* Jensen-Shannon: T = log 2 - softplus(-s), f*(T) = -log(2 - exp T) = softplus(s) - log 2. */
#define LOG2 0.6931471805599453
static gan_node *jensen_t(gan_graph *g, gan_node *s) {
    return gan_shift(g, gan_neg(g, gan_softplus(g, gan_neg(g, s))), LOG2);
}
static gan_node *jensen_c(gan_graph *g, gan_node *s) {
    return gan_shift(g, gan_softplus(g, s), -LOG2);
}

/* GAN: T = -softplus(-s), f*(T) = -log(1 - exp T) = softplus(s). */
static gan_node *gan_t(gan_graph *g, gan_node *s) {
    return gan_neg(g, gan_softplus(g, gan_neg(g, s)));
}

#define ROW(row, title, text, t, star, read)                                                       \
    GAN_D_LOSS(row##_d) { return gan_objective_scaled(g, d_loss(g, s_real, s_fake, t, star), o); } \
    GAN_G_LOSS(row##_g) {                                                                          \
        (void)s_real;                                                                              \
        return g_loss(g, s_fake, o->conjugate ? star : t);                                         \
    }                                                                                              \
    GAN_G_LOSS(row##_e) {                                                                          \
        (void)s_fake, (void)o;                                                                     \
        return gan_mean(g, t(g, s_real));                                                          \
    }                                                                                              \
    const gan_objective gan_objective_##row = {.name = title,                                      \
                                               .about = text " (Nowozin et al. 2016, table 6)",    \
                                               .d_loss = row##_d,                                  \
                                               .g_loss = row##_g,                                  \
                                               .e_loss = row##_e,                                  \
                                               .conjugate = true,                                  \
                                               .reads = read}

/* Where T is best, s is log p/q (reverse KL, Jensen-Shannon, GAN), 1 + log p/q (KL), ½ log p/q
 * (Hellinger), 2 p/q - 2 (Pearson). */
ROW(f_kl, "f-kl", "f-GAN of the Kullback-Leibler divergence", kl_t, kl_c, "score");
ROW(f_reverse, "f-reverse-kl", "f-GAN of the reverse KL divergence", reverse_t, reverse_c, NULL);
ROW(f_pearson, "f-pearson", "f-GAN of Pearson's chi squared", kl_t, pearson_c, "score");
ROW(f_hellinger, "f-hellinger", "f-GAN of the squared Hellinger distance", hellinger_t, hellinger_c,
    "score");
ROW(f_jensen, "f-js", "f-GAN of the Jensen-Shannon divergence", jensen_t, jensen_c, NULL);
ROW(f_gan, "f-gan", "f-GAN of the divergence of the first paper", gan_t, gan_softplus, NULL);
