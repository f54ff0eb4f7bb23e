/* Metrics: how good samples are. */
#ifndef GANC_METRIC_H
#define GANC_METRIC_H

#include <stdbool.h>
#include <stdint.h>

#include "ganc/data.h"
#include "ganc/device.h"
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

/* The example of a set that is nearest to a sample. */
typedef struct gan_neighbour {
    int64_t index;   /* in the set */
    double distance; /* of the pixels, which are in [0, 1]: the square root of the sum of squares */
    bool mirrored;   /* the example is this near when it is mirrored left-right */
} gan_neighbour;

enum { GAN_NEAREST_SAMPLES = 1024 };

/* For each of `count` samples (count, height, width, channels) of the set's shape, whose pixels are
 * in [low, high], the nearest example of the set; with `mirrored` mirrored examples count as well.
 * This is what figure 2 of Goodfellow et al. 2014 shows. Products on `device` find whom to look at,
 * distances are then taken in double. At most GAN_NEAREST_SAMPLES samples. Argument error; memory
 * error. */
GAN_API gan_status gan_metric_nearest(gan_neighbour *out, gan_device *device,
                                      const gan_dataset *set, const float *samples, int64_t count,
                                      double low, double high, bool mirrored);

#ifdef __cplusplus
}
#endif
#endif
