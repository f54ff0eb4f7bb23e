/* The pictures of `ganc theory`. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "ganc/io.h"
#include "train/theory_draw.h"

enum { GRID = 401 };

static void even(double *x, int n, double low, double high) {
    for (int i = 0; i < n; i++) x[i] = low + (high - low) * i / (n - 1);
}

static void fill(double *y, const gan_density *p, const double *x, int n) {
    for (int i = 0; i < n; i++) y[i] = gan_density_at(p, x[i]);
}

static gan_status write(const char *folder, const char *name, const gan_plot *plot) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return gan_png_write_plot(path, plot);
}

/* ---- the optimal discriminator ---- */

typedef struct trained {
    double x[GRID], p_data[GRID], p_g[GRID], d[GRID], optimal[GRID];
} trained;

/* Trains D and adds its errors to the report. */
static gan_status train(trained *t, gan_theory_report *report, gan_device *device,
                        const gan_density *p_data, const gan_density *p_g) {
    double value, most = 0, sum = 0, max = 0;
    int n = 0;
    even(t->x, GRID, -4, 4);
    fill(t->p_data, p_data, t->x, GRID);
    fill(t->p_g, p_g, t->x, GRID);
    GAN_TRY(gan_theory_discriminator(t->d, &value, device, p_data, p_g, t->x, GRID));
    for (int i = 0; i < GRID; i++) {
        t->optimal[i] = gan_optimal_discriminator(p_data, p_g, t->x[i]);
        most = fmax(most, t->p_data[i] + t->p_g[i]);
    }
    for (int i = 0; i < GRID; i++) {
        if (t->p_data[i] + t->p_g[i] < 0.01 * most) continue;
        const double error = fabs(t->d[i] - t->optimal[i]);
        max = fmax(max, error);
        sum += error;
        n++;
    }
    report->d_max_error = fmax(report->d_max_error, max);
    report->d_mean_error = fmax(report->d_mean_error, sum / n);
    const double theorem = 2 * gan_density_jsd(p_data, p_g) - log(4);
    report->value_error = fmax(report->value_error, fabs(value - theorem));
    return GAN_OK;
}

gan_status gan_theory_draw_discriminator(const char *folder, gan_theory_report *report,
                                         gan_device *device) {
    static trained t[2];
    const gan_density gaussian = gan_density_gaussian(0.5, 1);
    const gan_density p_data[2] = {gan_density_gaussian(-1, 0.7),
                                   gan_density_pair(-1.5, 0.5, 1, 0.8)};
    gan_curve curve[2][4];
    gan_panel panel[2];
    for (int i = 0; i < 2; i++) {
        GAN_TRY(train(&t[i], report, device, &p_data[i], &gaussian));
        const gan_curve curves[4] = {
            {t[i].x, t[i].p_data, GRID, GAN_STROKE_DOTTED, GAN_BLACK, "p_data(x)"},
            {t[i].x, t[i].p_g, GRID, GAN_STROKE_SOLID, GAN_GREEN, "p_g(x)"},
            {t[i].x, t[i].d, GRID, GAN_STROKE_SOLID, GAN_ORANGE, "D(x), trained"},
            {t[i].x, t[i].optimal, GRID, GAN_STROKE_DASHED, GAN_BLUE, "p_data / (p_data + p_g)"},
        };
        for (int j = 0; j < 4; j++) curve[i][j] = curves[j];
        panel[i] = (gan_panel){.title = i ? "Mixture against a Gaussian" : "Two Gaussians",
                               .x_label = "x",
                               .curves = curve[i],
                               .curve_count = 4,
                               .y_low = 0,
                               .y_high = 1.05};
    }
    return write(folder, "optimal-discriminator.png", &(gan_plot){.panels = panel, .count = 2});
}

/* ---- the value of the game ---- */

gan_status gan_theory_draw_value(const char *folder, gan_theory_report *report,
                                 gan_device *device) {
    enum { TRAINED = 6 };
    static double shift[GRID], theorem[GRID];
    static const double at[TRAINED] = {0, 0.5, 1, 2, 3, 5};
    const gan_density p_data = gan_density_gaussian(0, 1);
    double value[TRAINED], unused;
    even(shift, GRID, 0, 6);
    for (int i = 0; i < GRID; i++) {
        const gan_density p_g = gan_density_gaussian(shift[i], 1);
        theorem[i] = 2 * gan_density_jsd(&p_data, &p_g) - log(4);
    }
    for (int i = 0; i < TRAINED; i++) {
        const gan_density p_g = gan_density_gaussian(at[i], 1);
        GAN_TRY(
            gan_theory_discriminator(&unused, &value[i], device, &p_data, &p_g, &(double){0}, 1));
        report->value_error =
            fmax(report->value_error, fabs(value[i] - 2 * gan_density_jsd(&p_data, &p_g) + log(4)));
    }
    static const double ends[] = {0, 6};
    const double bound[] = {-log(4), -log(4)};
    const gan_curve curves[] = {
        {ends, bound, 2, GAN_STROKE_DASHED, GAN_GREY, "-log 4"},
        {shift, theorem, GRID, GAN_STROKE_SOLID, GAN_BLUE, "2 JSD(p_data, p_g) - log 4"},
        {at, value, TRAINED, GAN_STROKE_POINTS, GAN_ORANGE, "V(D, G), D trained"},
    };
    const gan_panel panel = {.title = "The value of the game at the optimal D",
                             .x_label = "distance of p_g = N(t, 1) from p_data = N(0, 1)",
                             .y_label = "nats",
                             .curves = curves,
                             .curve_count = 3,
                             .y_low = -1.5,
                             .y_high = 0.1};
    return write(folder, "value.png", &(gan_plot){.panels = &panel, .count = 1});
}

/* ---- the generator's gradient ---- */

gan_status gan_theory_draw_saturation(const char *folder, gan_theory_report *report,
                                      gan_device *device) {
    static const char *const name[] = {"minimax: E log(1 - D(G(z)))",
                                       "non-saturating: -E log D(G(z))"};
    static const double far = 8;
    static double s[GRID], shift[GRID], by_logit[2][GRID], by_shift[2][GRID];
    even(s, GRID, -8, 8);
    even(shift, GRID, 0, far);
    gan_curve curves[2][2];
    for (int i = 0; i < 2; i++) {
        const gan_generator_loss loss = i ? GAN_LOSS_NON_SATURATING : GAN_LOSS_MINIMAX;
        GAN_TRY(gan_theory_logit_gradients(by_logit[i], device, loss, s, GRID));
        GAN_TRY(gan_theory_shift_gradients(by_shift[i], device, loss, shift, GRID));
        const gan_colour colour = i ? GAN_BLUE : GAN_RED;
        for (int j = 0; j < GRID; j++) by_logit[i][j] = fabs(by_logit[i][j]);
        for (int j = 0; j < GRID; j++) by_shift[i][j] = fabs(by_shift[i][j]);
        curves[0][i] = (gan_curve){s, by_logit[i], GRID, GAN_STROKE_SOLID, colour, name[i]};
        curves[1][i] = (gan_curve){shift, by_shift[i], GRID, GAN_STROKE_SOLID, colour, name[i]};
    }
    report->shift = far;
    report->minimax_gradient = by_shift[0][GRID - 1];
    report->non_saturating_gradient = by_shift[1][GRID - 1];
    const gan_panel panel[] = {
        {.title = "What a sample's logit gives back",
         .x_label = "logit of D(G(z)): left, D is sure that it is fake",
         .y_label = "|dL/ds|",
         .curves = curves[0],
         .curve_count = 2,
         .y_low = 0,
         .y_high = 1.35},
        {.title = "What the generator N(t, 1) gets, p_data = N(0, 1), D optimal",
         .x_label = "t",
         .y_label = "|dL/dt|",
         .curves = curves[1],
         .curve_count = 2,
         .y_low = 0,
         .y_high = far},
    };
    return write(folder, "saturation.png", &(gan_plot){.panels = panel, .count = 2});
}

/* ---- KL in both directions ---- */

gan_status gan_theory_draw_divergences(const char *folder, gan_theory_report *report,
                                       gan_device *device) {
    static double x[GRID], p[GRID], q[2][GRID];
    const gan_density mixture = gan_density_pair(-2, 0.6, 2, 0.6);
    gan_curve curves[2][2];
    gan_panel panel[2];
    even(x, GRID, -6, 6);
    fill(p, &mixture, x, GRID);
    for (int i = 0; i < 2; i++) {
        gan_gaussian_fit *fit = i ? &report->reverse : &report->forward;
        GAN_TRY(gan_theory_fit(fit, device, &mixture, i != 0, GAN_THEORY_FIT_START));
        const gan_density found = gan_density_gaussian(fit->mean, fit->deviation);
        fill(q[i], &found, x, GRID);
        curves[i][0] = (gan_curve){x, p, GRID, GAN_STROKE_SOLID, GAN_BLUE, "p(x)"};
        curves[i][1] = (gan_curve){x, q[i], GRID, GAN_STROKE_DASHED, GAN_GREEN, "q*(x)"};
        panel[i] = (gan_panel){.title = i ? "q* = argmin KL(q || p) seeks a mode"
                                          : "q* = argmin KL(p || q) seeks the mean",
                               .x_label = "x",
                               .y_label = "density",
                               .curves = curves[i],
                               .curve_count = 2,
                               .y_low = 0,
                               .y_high = 0.75};
    }
    return write(folder, "divergences.png", &(gan_plot){.panels = panel, .count = 2});
}
