/* Theory made visible: games in one dimension, where every density is known.
 *
 * What the papers prove is computed here by the same graphs that train, and held against integrals
 * in double precision: the optimal discriminator and the value of the game (Goodfellow et al. 2014,
 * section 4.1), the generator's gradient that vanishes and the one that does not (section 3), what
 * minimising KL in either direction finds (Goodfellow, "NIPS 2016 tutorial", figure 14), and the
 * stages of figure 1 of the first paper.
 */
#ifndef GANC_THEORY_H
#define GANC_THEORY_H

#include <stdbool.h>
#include <stdint.h>

#include "ganc/device.h"
#include "ganc/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- densities on the line ---- */

enum { GAN_DENSITY_PARTS = 4 };

/* A mixture of Gaussians; the weights of its parts add up to 1. */
typedef struct gan_density {
    int parts;
    double weight[GAN_DENSITY_PARTS], mean[GAN_DENSITY_PARTS], deviation[GAN_DENSITY_PARTS];
} gan_density;

GAN_API gan_density gan_density_gaussian(double mean, double deviation);

/* Half of each. */
GAN_API gan_density gan_density_pair(double mean1, double deviation1, double mean2,
                                     double deviation2);

GAN_API double gan_density_at(const gan_density *p, double x);

/* log p(x), finite wherever x is. */
GAN_API double gan_density_log(const gan_density *p, double x);

/* The x below which the share `share`, in (0, 1), of p lies. */
GAN_API double gan_density_quantile(const gan_density *p, double share);

/* KL(p || q) and the Jensen-Shannon divergence, in nats, by numerical integration. */
GAN_API double gan_density_kl(const gan_density *p, const gan_density *q);
GAN_API double gan_density_jsd(const gan_density *p, const gan_density *q);

/* D*(x) = p_data(x) / (p_data(x) + p_g(x)) (2014, proposition 1). */
GAN_API double gan_optimal_discriminator(const gan_density *p_data, const gan_density *p_g,
                                         double x);

/* ---- the optimal discriminator ---- */

/* Trains a discriminator, 1-64-64-1, by the logistic loss on p_data against p_g until it is as good
 * as it gets. d[i] becomes D(x[i]) for `count` points, `value` (may be NULL) the value of the game,
 * V(D, G) = E log D(x) + E log(1 - D(G(z))), which at the optimum is 2·JSD - log 4 (2014, theorem
 * 1). */
GAN_API gan_status gan_theory_discriminator(double *d, double *value, gan_device *device,
                                            const gan_density *p_data, const gan_density *p_g,
                                            const double *x, int64_t count);

/* ---- the generator's two losses ---- */

typedef enum gan_generator_loss {
    GAN_LOSS_MINIMAX,        /* E log(1 - D(G(z))) */
    GAN_LOSS_NON_SATURATING, /* -E log D(G(z)) */
} gan_generator_loss;

/* dL/ds at the logits s[i] of D. */
GAN_API gan_status gan_theory_logit_gradients(double *gradient, gan_device *device,
                                              gan_generator_loss loss, const double *s,
                                              int64_t count);

/* dL/dt at t = shift[i] of the generator G(z) = z + t, z ~ N(0, 1), where p_data = N(0, 1) and D is
 * the optimal one for that t. */
GAN_API gan_status gan_theory_shift_gradients(double *gradient, gan_device *device,
                                              gan_generator_loss loss, const double *shift,
                                              int64_t count);

/* ---- KL in both directions ---- */

typedef struct gan_gaussian_fit {
    double mean, deviation, divergence;
} gan_gaussian_fit;

/* The Gaussian q that gradient descent from N(start, 1) finds to minimise KL(p || q), or with
 * `reverse` KL(q || p). Expectations are sums over a grid. */
GAN_API gan_status gan_theory_fit(gan_gaussian_fit *out, gan_device *device, const gan_density *p,
                                  bool reverse, double start);

/* ---- a whole game ---- */

enum { GAN_STAGE_GRID = 401, GAN_STAGE_Z = 501 };

/* A game at `step`. The grid is even over [x_low, x_high], z even over (-1, 1). */
typedef struct gan_theory_stage {
    int64_t step; /* asked for */
    double x_low, x_high;
    double p_data[GAN_STAGE_GRID];
    double p_g[GAN_STAGE_GRID]; /* of samples, smoothed by a Gaussian of `smoothing` */
    double d[GAN_STAGE_GRID];
    double smoothing;
    double z[GAN_STAGE_Z], generated[GAN_STAGE_Z]; /* x = G(z) */
    double jsd;                                    /* of p_data and p_g */
    double d_from_half;                            /* E |D(x) - 1/2| over p_data */
} gan_theory_stage;

/* Trains a GAN, z uniform in (-1, 1), on N(mean, deviation) through the steps of `count` stages,
 * which ascend. */
GAN_API gan_status gan_theory_game(gan_theory_stage *stages, int count, gan_device *device,
                                   double mean, double deviation, uint64_t seed);

/* ---- all of it, drawn ---- */

typedef struct gan_theory_report {
    double d_max_error, d_mean_error; /* |D - D*| where p_data + p_g is 1 % of its most, or more */
    double value_error;               /* the largest |V - (2·JSD - log 4)| of the games drawn */
    double shift;                     /* of p_g, at which the two gradients are: */
    double minimax_gradient, non_saturating_gradient; /* |dL/dt| */
    gan_gaussian_fit forward, reverse;                /* of a mixture of N(±2, 0.6) */
    double game_jsd, game_d_from_half;                /* in the last stage */
} gan_theory_report;

/* Computes all of the above and writes FOLDER/optimal-discriminator.png, value.png, saturation.png,
 * divergences.png, figure1.png. Makes the folder. I/O error. */
GAN_API gan_status gan_theory_draw(gan_theory_report *out, const char *folder, gan_device *device);

#ifdef __cplusplus
}
#endif
#endif
