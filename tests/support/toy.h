/* The toy networks by hand, in double, on the weights of a test_play: a few lines each. */
#ifndef GANC_TESTS_SUPPORT_TOY_H
#define GANC_TESTS_SUPPORT_TOY_H

#include "support/play.h"

enum { TOY_WIDTH = 5, TOY_Z = 3 }; /* units of a layer of play_toy(TOY_WIDTH), numbers of z */

/* The weights or biases ("weight", "bias") of GROUP/LAYER, where the reference keeps them. */
double *toy_weights(test_play *t, const char *group, const char *layer, const char *part);

/* y (out) = w x + b of GROUP/LAYER, x (in). */
void toy_linear(test_play *t, const char *group, const char *layer, int in, int out,
                const double *x, double *y);

/* The third hidden layer's values of a network that takes x (in). */
void toy_features(test_play *t, const char *group, int in, const double *x, double h[TOY_WIDTH]);

/* All of a network from x (in) to y (out). */
void toy_network(test_play *t, const char *group, int in, int out, const double *x, double *y);

/* D's score of a point, and |d score / dx|² by the chain rule. */
double toy_score(test_play *t, const double x[2]);
double toy_slope(test_play *t, const double x[2]);

/* The non-saturating game of toy networks with `terms`, as --set terms has them. */
gan_game_options toy_game(const char *terms);

/* The value of the first term of `o` in a D- or G-step, and the examples that it saw; leaves the
 * step in t, open. */
double toy_term(test_play *t, const gan_game_options *o, bool of_g, const double **real,
                const double **fake);

/* Fails the test unless the numbers agree; nodes keep constants such as 1/m as f32. */
void toy_near(double got, double want);

#endif
