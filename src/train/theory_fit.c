/* One Gaussian fitted to a mixture by gradient descent, under KL in either direction. */
#include <math.h>
#include <stdlib.h>

#include "train/theory.h"

enum { GRID = 2001, STEPS = 3000 };

static const double rate = 0.02, reach = 10, log_root_2pi = 0.91893853320467274178;

static gan_node *parameter(gan_graph *g, const char *name, double start) {
    return gan_variable_node(g, GAN_WEIGHT, name, GAN_F32, gan_shape2(1, 1),
                             (gan_init){GAN_INIT_CONSTANT, (float)start, 0});
}

/* The divergence as a sum over the grid: p's numbers are data, q's are nodes. */
static gan_node *divergence(gan_graph *g, bool reverse, double start) {
    gan_node *mean = parameter(g, "fit/mean", start);
    gan_node *log_deviation = parameter(g, "fit/log_deviation", 0);
    gan_node *x = gan_theory_numbers(g, "theory/x", GRID);
    gan_node *log_p = gan_theory_numbers(g, "theory/log_p", GRID);
    gan_node *weight = gan_theory_numbers(g, "theory/weight", GRID); /* step, or p·step */
    gan_node *u = gan_mul(g, gan_sub(g, x, mean), gan_exp(g, gan_neg(g, log_deviation)));
    gan_node *log_q = gan_shift(g, gan_sub(g, gan_scale(g, gan_square(g, u), -0.5), log_deviation),
                                -log_root_2pi);
    if (!reverse) return gan_sum(g, gan_mul(g, weight, gan_sub(g, log_p, log_q)));
    return gan_sum(g, gan_mul(g, gan_mul(g, weight, gan_exp(g, log_q)), gan_sub(g, log_q, log_p)));
}

static gan_status write_grid(gan_theory *t, const gan_density *p, bool reverse) {
    double x[GRID], log_p[GRID], weight[GRID];
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < p->parts; i++) {
        low = fmin(low, p->mean[i] - reach * p->deviation[i]);
        high = fmax(high, p->mean[i] + reach * p->deviation[i]);
    }
    const double step = (high - low) / (GRID - 1);
    for (int i = 0; i < GRID; i++) {
        x[i] = low + step * i;
        log_p[i] = gan_density_log(p, x[i]);
        weight[i] = reverse ? step : step * exp(log_p[i]);
    }
    GAN_TRY(gan_theory_write(t, "theory/x", x, GRID));
    GAN_TRY(gan_theory_write(t, "theory/log_p", log_p, GRID));
    return gan_theory_write(t, "theory/weight", weight, GRID);
}

static gan_status run(gan_gaussian_fit *out, gan_theory *t, gan_device *device,
                      const gan_density *p, bool reverse, double start) {
    double log_deviation;
    gan_theory_descend(t->train, "fit", divergence(t->train, reverse, start), rate, STEPS);
    gan_graph *g = t->look;
    gan_node *kl = gan_output(g, divergence(g, reverse, start));
    gan_node *mean = gan_output(g, gan_scale(g, parameter(g, "fit/mean", start), 1));
    gan_node *deviation = gan_output(g, gan_scale(g, parameter(g, "fit/log_deviation", 0), 1));
    GAN_TRY(gan_theory_compile(t, device));
    GAN_TRY(write_grid(t, p, reverse));
    GAN_TRY(gan_program_run(t->training, STEPS));
    GAN_TRY(gan_program_run(t->looking, 1));
    GAN_TRY(gan_theory_read(t, kl, &out->divergence, 1));
    GAN_TRY(gan_theory_read(t, mean, &out->mean, 1));
    GAN_TRY(gan_theory_read(t, deviation, &log_deviation, 1));
    out->deviation = exp(log_deviation);
    return GAN_OK;
}

gan_status gan_theory_fit(gan_gaussian_fit *out, gan_device *device, const gan_density *p,
                          bool reverse, double start) {
    gan_theory t;
    GAN_TRY(gan_theory_open(&t, 1));
    const gan_status status = run(out, &t, device, p, reverse, start);
    gan_theory_close(&t);
    return status;
}
