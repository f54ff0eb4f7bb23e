/* The rows of the table of augmentations; a family is a file. */
#ifndef GANC_ADVERSARIAL_AUGMENT_H
#define GANC_ADVERSARIAL_AUGMENT_H

#include "adversarial/play.h"

/* augment_noise.c */
extern const gan_augment gan_augment_noise;

#endif
