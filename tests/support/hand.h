/* A game that can be played by hand: G(z) = b·z, D(x) = a·x, b = 0.5 and a = 0.3 at first. */
#ifndef GANC_TESTS_SUPPORT_HAND_H
#define GANC_TESTS_SUPPORT_HAND_H

#include "ganc/adversarial.h"

/* Examples of D's step i within an iteration, 4 of them: all 2 + i, so that the order of the steps
 * matters. `user` is an int that counts the calls. */
gan_node *hand_real(void *user, gan_graph *graph, gan_node *t, int64_t step);

/* The prior of z: all 1. */
gan_node *hand_ones(gan_graph *graph, gan_node *t, gan_shape shape);

/* The non-saturating game on batches of 4, z all 1; SGD, D at rate 0.3, G at 0.1 with momentum 0.5.
 */
gan_game_options hand_game(int *calls);

#endif
