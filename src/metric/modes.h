/* Which modes of a mixture points fall on. */
#ifndef GANC_METRIC_MODES_H
#define GANC_METRIC_MODES_H

#include "base/error.h"
#include "ganc/metric.h"

/* The mode whose centre is within three standard deviations of (x, y) and nearest to it; -1 when
 * there is none, or the point is not finite. */
int64_t gan_mode_of(const gan_mixture *mixture, float x, float y);

#endif
