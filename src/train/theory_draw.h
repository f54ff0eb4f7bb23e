/* The pictures of `ganc theory`, one function each; every one adds its numbers to the report. */
#ifndef GANC_TRAIN_THEORY_DRAW_H
#define GANC_TRAIN_THEORY_DRAW_H

#include "ganc/theory.h"

/* From where a Gaussian is fitted: off the middle, so that it has a side to fall to. */
#define GAN_THEORY_FIT_START 1.0

gan_status gan_theory_draw_discriminator(const char *folder, gan_theory_report *report,
                                         gan_device *device);
gan_status gan_theory_draw_value(const char *folder, gan_theory_report *report, gan_device *device);
gan_status gan_theory_draw_saturation(const char *folder, gan_theory_report *report,
                                      gan_device *device);
gan_status gan_theory_draw_divergences(const char *folder, gan_theory_report *report,
                                       gan_device *device);
gan_status gan_theory_draw_game(const char *folder, gan_theory_report *report, gan_device *device);

#endif
