/* Mixtures of Gaussians on the line, in double precision. */
#include <math.h>

#include "ganc/theory.h"

static const double log_root_2pi = 0.91893853320467274178;

gan_density gan_density_gaussian(double mean, double deviation) {
    return (gan_density){1, {1}, {mean}, {deviation}};
}

gan_density gan_density_pair(double mean1, double deviation1, double mean2, double deviation2) {
    return (gan_density){2, {0.5, 0.5}, {mean1, mean2}, {deviation1, deviation2}};
}

/* By the largest part, so that nothing underflows. */
double gan_density_log(const gan_density *p, double x) {
    double part[GAN_DENSITY_PARTS], most = -INFINITY, sum = 0;
    for (int i = 0; i < p->parts; i++) {
        const double u = (x - p->mean[i]) / p->deviation[i];
        part[i] = log(p->weight[i]) - u * u / 2 - log(p->deviation[i]) - log_root_2pi;
        most = fmax(most, part[i]);
    }
    for (int i = 0; i < p->parts; i++) sum += exp(part[i] - most);
    return most + log(sum);
}

double gan_density_at(const gan_density *p, double x) { return exp(gan_density_log(p, x)); }

static double cumulated(const gan_density *p, double x) {
    double sum = 0;
    for (int i = 0; i < p->parts; i++)
        sum += p->weight[i] * 0.5 * erfc((p->mean[i] - x) / (p->deviation[i] * sqrt(2)));
    return sum;
}

enum { REACH = 12 }; /* deviations, beyond which a Gaussian is nothing in double precision */

static void range(double *low, double *high, const gan_density *p) {
    for (int i = 0; i < p->parts; i++) {
        *low = fmin(*low, p->mean[i] - REACH * p->deviation[i]);
        *high = fmax(*high, p->mean[i] + REACH * p->deviation[i]);
    }
}

double gan_density_quantile(const gan_density *p, double share) {
    double low = INFINITY, high = -INFINITY;
    range(&low, &high, p);
    for (int i = 0; i < 100; i++) {
        const double middle = (low + high) / 2;
        if (cumulated(p, middle) < share)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

double gan_optimal_discriminator(const gan_density *p_data, const gan_density *p_g, double x) {
    return 1 / (1 + exp(gan_density_log(p_g, x) - gan_density_log(p_data, x)));
}

/* The trapezoid rule, which for smooth functions that vanish at both ends is as good as any. */
static double integrate(double (*f)(const gan_density *, const gan_density *, double),
                        const gan_density *p, const gan_density *q) {
    enum { PIECES = 40000 };
    double low = INFINITY, high = -INFINITY, sum = 0;
    range(&low, &high, p);
    range(&low, &high, q);
    const double step = (high - low) / PIECES;
    for (int i = 0; i <= PIECES; i++) sum += f(p, q, low + step * i);
    return sum * step;
}

static double kl_at(const gan_density *p, const gan_density *q, double x) {
    const double log_p = gan_density_log(p, x);
    return exp(log_p) * (log_p - gan_density_log(q, x));
}

/* ½·p·log(p / m) + ½·q·log(q / m), m = (p + q) / 2. */
static double jsd_at(const gan_density *p, const gan_density *q, double x) {
    const double a = gan_density_log(p, x), b = gan_density_log(q, x);
    const double most = fmax(a, b), m = most + log((exp(a - most) + exp(b - most)) / 2);
    return 0.5 * exp(a) * (a - m) + 0.5 * exp(b) * (b - m);
}

double gan_density_kl(const gan_density *p, const gan_density *q) { return integrate(kl_at, p, q); }

double gan_density_jsd(const gan_density *p, const gan_density *q) {
    return integrate(jsd_at, p, q);
}
