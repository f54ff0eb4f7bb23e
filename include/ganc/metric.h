/* Metrics: how good samples are. */
#ifndef GANC_METRIC_H
#define GANC_METRIC_H

#include <stdint.h>

#include "ganc/data.h"
#include "ganc/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Mode coverage of points against a known mixture (Srivastava et al., "VEEGAN", 2017, section 5.1;
 * Lin et al., "PacGAN", 2018, section 4.1). A point is of high quality when it lies within three
 * standard deviations of the nearest centre. */
typedef struct gan_mode_coverage {
    int64_t points;      /* how many were judged */
    int64_t modes;       /* of the mixture */
    int64_t captured;    /* modes with at least one point of high quality */
    double high_quality; /* share of points of high quality, in [0, 1] */
    double reverse_kl;   /* KL(p || uniform), in nats, p: how the points of high quality fall on the
                            modes; infinite when there are none */
} gan_mode_coverage;

/* `points` is (count, 2) in host memory, count >= 1; a point that is not finite is of low quality.
 * Argument error for no points; memory error. */
GAN_API gan_status gan_metric_mode_coverage(gan_mode_coverage *out, const float *points,
                                            int64_t count, const gan_mixture *mixture);

#ifdef __cplusplus
}
#endif
#endif
