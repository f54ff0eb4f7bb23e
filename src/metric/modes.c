#include "metric/modes.h"

#include <math.h>
#include <stdlib.h>

int64_t gan_mode_of(const gan_mixture *mixture, float x, float y) {
    int64_t nearest = -1;
    double best = INFINITY;
    for (int64_t m = 0; m < mixture->modes; m++) {
        const double d = hypot((double)x - (double)mixture->centres[2 * m],
                               (double)y - (double)mixture->centres[2 * m + 1]);
        if (d < best) {
            best = d;
            nearest = m;
        }
    }
    return best <= 3 * (double)mixture->sigma ? nearest : -1;
}

gan_status gan_metric_mode_coverage(gan_mode_coverage *out, const float *points, int64_t count,
                                    const gan_mixture *mixture) {
    if (count < 1)
        return gan_fail(GAN_ERROR_ARGUMENT, "mode coverage of %lld points, expected at least 1",
                        (long long)count);
    int64_t *hits = calloc((size_t)mixture->modes, sizeof *hits);
    if (!hits) return gan_fail(GAN_ERROR_MEMORY, "mode coverage: out of memory");
    int64_t good = 0;
    for (int64_t i = 0; i < count; i++) {
        const int64_t mode = gan_mode_of(mixture, points[2 * i], points[2 * i + 1]);
        if (mode < 0) continue;
        hits[mode]++;
        good++;
    }
    *out = (gan_mode_coverage){.points = count, .modes = mixture->modes};
    out->high_quality = (double)good / (double)count;
    out->reverse_kl = good ? 0 : (double)INFINITY;
    for (int64_t m = 0; m < mixture->modes; m++) {
        if (!hits[m]) continue;
        const double p = (double)hits[m] / (double)good;
        out->captured++;
        out->reverse_kl += p * log(p * (double)mixture->modes);
    }
    if (out->reverse_kl < 0) out->reverse_kl = 0; /* by rounding */
    free(hits);
    return GAN_OK;
}
