/* The classifier that samples are judged by. */
#ifndef GANC_TRAIN_CLASSIFIER_H
#define GANC_TRAIN_CLASSIFIER_H

#include "ganc/metric.h"
#include "train/settings.h"

/* The one in `file`, or else one trained on the settings' data, which is then written there; `file`
 * may be NULL. The caller's to close. */
gan_status gan_classifier_obtain(gan_classifier **out, gan_device *device, const char *file,
                                 const gan_settings *settings);

#endif
