/* The classifier that samples are judged by. */
#ifndef GANC_TRAIN_CLASSIFIER_H
#define GANC_TRAIN_CLASSIFIER_H

#include "ganc/metric.h"
#include "ganc/train.h"
#include "train/settings.h"

/* The one in the file options->classifier, or else one trained on the settings' data, which is then
 * written there; that may be NULL. Shape error, which begins with `whose`, where the data are of
 * other sizes than `images`. The caller's to close. */
gan_status gan_classifier_obtain(gan_classifier **out, gan_device *device,
                                 const gan_agreement_options *options, const gan_settings *settings,
                                 const gan_model_options *images, const char *whose);

#endif
