/* The rows of the table of objectives; a family is a file. */
#ifndef GANC_ADVERSARIAL_OBJECTIVE_H
#define GANC_ADVERSARIAL_OBJECTIVE_H

#include "ganc/adversarial.h"

/* objective_logistic.c */
extern const gan_objective gan_objective_non_saturating, gan_objective_minimax,
    gan_objective_maximum_likelihood, gan_objective_relativistic;
/* objective_margin.c */
extern const gan_objective gan_objective_hinge, gan_objective_least_squares,
    gan_objective_wasserstein;
/* objective_energy.c */
extern const gan_objective gan_objective_ebgan, gan_objective_began;
/* objective_divergence.c */
extern const gan_objective gan_objective_f_kl, gan_objective_f_reverse, gan_objective_f_pearson,
    gan_objective_f_hellinger, gan_objective_f_jensen, gan_objective_f_gan;

/* exp(x), which beyond this exponent goes on as its tangent, so that neither it nor its gradient
 * overflows where D is sure. objective_logistic.c */
#define GAN_LARGEST_EXPONENT 10.0
gan_node *gan_objective_exp(gan_graph *g, gan_node *x);

/* D's loss times options->scale. objective_logistic.c */
gan_node *gan_objective_scaled(gan_graph *g, gan_node *loss, const gan_objective_options *options);

#define GAN_D_LOSS(name)                                                                           \
    static gan_node *name(gan_graph *g, gan_node *s_real, gan_node *s_fake,                        \
                          const gan_objective_options *o)
#define GAN_G_LOSS GAN_D_LOSS

#endif
