/* The generator's two losses: what they give back where the discriminator is sure. */
#include <math.h>
#include <stdlib.h>

#include "train/theory.h"

/* Of every logit; log(1 - sigma(s)) = -softplus(s), -log sigma(s) = softplus(-s). */
static gan_node *losses(gan_graph *g, gan_generator_loss loss, gan_node *s) {
    return loss == GAN_LOSS_MINIMAX ? gan_neg(g, gan_softplus(g, s))
                                    : gan_softplus(g, gan_neg(g, s));
}

/* Compiles `look`, writes what the device needs, runs it once. */
static gan_status look(gan_theory *t, gan_device *device, const gan_node *output, double *gradient,
                       const char *const *name, const double *const *value, const int64_t *size,
                       int n, int64_t count) {
    GAN_TRY(gan_compile(&t->looking, t->look, device));
    GAN_TRY(gan_store_place(t->store, device));
    for (int i = 0; i < n; i++) GAN_TRY(gan_theory_write(t, name[i], value[i], size[i]));
    GAN_TRY(gan_program_run(t->looking, 1));
    return gan_theory_read(t, output, gradient, count);
}

gan_status gan_theory_logit_gradients(double *gradient, gan_device *device, gan_generator_loss loss,
                                      const double *s, int64_t count) {
    gan_theory t;
    GAN_TRY(gan_theory_open(&t, 1));
    gan_graph *g = t.look;
    gan_node *at = gan_theory_numbers(g, "theory/logits", count), *grad;
    gan_status status = gan_gradient(g, gan_sum(g, losses(g, loss, at)), 1, &at, &grad);
    if (status == GAN_OK)
        status = look(&t, device, gan_output(g, grad), gradient, (const char *[]){"theory/logits"},
                      (const double *[]){s}, &count, 1, count);
    gan_theory_close(&t);
    return status;
}

/* ---- the shift ---- */

/* Noise is a grid with the weights of its density: tails far out are what decides here. */
enum { NOISE = 2401, NOISE_REACH = 12 };

/* log p_data(x) - log p_g(x) for N(0, 1) and N(shift, 1); D does not follow the shift by gradients.
 */
static gan_node *optimal_logits(gan_graph *g, gan_node *x, gan_node *shift) {
    gan_node *from = gan_sub(g, x, gan_stop_gradient(g, shift));
    return gan_scale(g, gan_sub(g, gan_square(g, from), gan_square(g, x)), 0.5);
}

static gan_node *shift_gradients(gan_graph *g, gan_generator_loss loss, int64_t count) {
    gan_node *shift = gan_theory_numbers(g, "theory/shift", count), *gradient;
    gan_node *z = gan_transpose(g, gan_theory_numbers(g, "theory/noise", NOISE));
    gan_node *weight = gan_transpose(g, gan_theory_numbers(g, "theory/weight", NOISE));
    gan_node *x = gan_add(g, z, shift); /* (count, NOISE) */
    gan_node *all = losses(g, loss, optimal_logits(g, x, shift));
    gan_node *sum = gan_sum(g, gan_mul(g, all, weight));
    if (gan_gradient(g, sum, 1, &shift, &gradient) != GAN_OK) return NULL;
    return gan_output(g, gradient);
}

gan_status gan_theory_shift_gradients(double *gradient, gan_device *device, gan_generator_loss loss,
                                      const double *shift, int64_t count) {
    const gan_density normal = gan_density_gaussian(0, 1);
    const double step = 2.0 * NOISE_REACH / (NOISE - 1);
    double z[NOISE], weight[NOISE];
    gan_theory t;
    for (int i = 0; i < NOISE; i++) {
        z[i] = step * i - NOISE_REACH;
        weight[i] = step * gan_density_at(&normal, z[i]);
    }
    GAN_TRY(gan_theory_open(&t, 1));
    gan_node *output = shift_gradients(t.look, loss, count);
    const gan_status status =
        look(&t, device, output, gradient,
             (const char *[]){"theory/shift", "theory/noise", "theory/weight"},
             (const double *[]){shift, z, weight}, (int64_t[]){count, NOISE, NOISE}, 3, count);
    gan_theory_close(&t);
    return status;
}
