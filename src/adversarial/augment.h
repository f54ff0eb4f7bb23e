/* The rows of the table of augmentations; a family is a file. */
#ifndef GANC_ADVERSARIAL_AUGMENT_H
#define GANC_ADVERSARIAL_AUGMENT_H

#include "adversarial/play.h"

/* augment_noise.c */
extern const gan_augment gan_augment_noise;
/* augment_move.c */
extern const gan_augment gan_augment_flip, gan_augment_translation, gan_augment_cutout;
/* augment_colour.c */
extern const gan_augment gan_augment_colour;
/* augment_ada.c */
extern const gan_augment gan_augment_ada;

/* A uniform number in (low, high] an example of x, shaped (n, 1, …) to go with it. */
gan_node *gan_augment_draw(gan_play *play, gan_node *x, double low, double high);

#endif
