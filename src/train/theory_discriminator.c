/* A discriminator trained to its optimum. Real and fake are not drawn: expectations are sums over a
 * grid, so that what is left is what D cannot learn. */
#include <math.h>

#include "ganc/nn.h"
#include "train/theory.h"

enum { POINTS = 801, WIDTH = 64, STEPS = 3000 };

static const double rate = 0.01, reach = 6; /* deviations */

static gan_node *logits(gan_graph *g, gan_node *x) {
    gan_scope *s = gan_scope_create(g, "discriminator", NULL);
    gan_node *h = gan_tanh(g, gan_layer_linear(s, "hidden1", x, WIDTH, NULL));
    h = gan_tanh(g, gan_layer_linear(s, "hidden2", h, WIDTH, NULL));
    return gan_layer_linear(s, "output", h, 1, NULL);
}

/* -V(D, G) = -E log D(x) - E log(1 - D(G(z))), by the densities' weights. */
static gan_node *loss(gan_graph *g) {
    gan_node *s = logits(g, gan_theory_numbers(g, "theory/x", POINTS));
    gan_node *real = gan_theory_numbers(g, "theory/real", POINTS);
    gan_node *fake = gan_theory_numbers(g, "theory/fake", POINTS);
    return gan_sum(g, gan_add(g, gan_mul(g, real, gan_softplus(g, gan_neg(g, s))),
                              gan_mul(g, fake, gan_softplus(g, s))));
}

static gan_status write_grid(gan_theory *t, const gan_density *p_data, const gan_density *p_g) {
    double x[POINTS], real[POINTS], fake[POINTS], low = INFINITY, high = -INFINITY;
    for (int i = 0; i < 2 * GAN_DENSITY_PARTS; i++) {
        const gan_density *p = i % 2 ? p_data : p_g;
        if (i / 2 >= p->parts) continue;
        low = fmin(low, p->mean[i / 2] - reach * p->deviation[i / 2]);
        high = fmax(high, p->mean[i / 2] + reach * p->deviation[i / 2]);
    }
    const double step = (high - low) / (POINTS - 1);
    for (int i = 0; i < POINTS; i++) {
        x[i] = low + step * i;
        real[i] = step * gan_density_at(p_data, x[i]);
        fake[i] = step * gan_density_at(p_g, x[i]);
    }
    GAN_TRY(gan_theory_write(t, "theory/x", x, POINTS));
    GAN_TRY(gan_theory_write(t, "theory/real", real, POINTS));
    return gan_theory_write(t, "theory/fake", fake, POINTS);
}

static gan_status run(gan_theory *t, double *d, double *value, gan_device *device,
                      const gan_density *p_data, const gan_density *p_g, const double *x,
                      int64_t count) {
    gan_theory_descend(t->train, "discriminator", loss(t->train), rate, STEPS);
    gan_node *at = gan_theory_numbers(t->look, "theory/at", count);
    gan_node *d_at = gan_output(t->look, gan_sigmoid(t->look, logits(t->look, at)));
    gan_node *v = gan_output(t->look, gan_neg(t->look, loss(t->look)));
    GAN_TRY(gan_theory_compile(t, device));
    GAN_TRY(write_grid(t, p_data, p_g));
    GAN_TRY(gan_theory_write(t, "theory/at", x, count));
    GAN_TRY(gan_program_run(t->training, STEPS));
    GAN_TRY(gan_program_run(t->looking, 1));
    if (value) GAN_TRY(gan_theory_read(t, v, value, 1));
    return gan_theory_read(t, d_at, d, count);
}

gan_status gan_theory_discriminator(double *d, double *value, gan_device *device,
                                    const gan_density *p_data, const gan_density *p_g,
                                    const double *x, int64_t count) {
    gan_theory t;
    GAN_TRY(gan_theory_open(&t, 1));
    const gan_status status = run(&t, d, value, device, p_data, p_g, x, count);
    gan_theory_close(&t);
    return status;
}
