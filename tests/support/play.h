/* A step of a game whose examples are inputs, for the reference in double: what its losses are, and
 * whether their gradients are those of the differences. */
#ifndef GANC_TESTS_SUPPORT_PLAY_H
#define GANC_TESTS_SUPPORT_PLAY_H

#include "adversarial/play.h"
#include "reference/reference.h"

enum { PLAY_BATCH = 6, PLAY_CLASSES = 3 };

typedef struct test_play {
    gan_store *store;
    gan_game_options o;
    gan_play play;
    gan_node *loss;
    reference *r;
} test_play;

/* A D-step, or with `of_g` a G-step, of PLAY_BATCH examples, its loss written by the game's own
 * functions. Of `options` model, networks, objective, terms and the techniques count; prior,
 * optimisers and callbacks are filled in. All weights are drawn anew, so that every layer counts.
 * Fails the test when the game refuses. */
void play_open(test_play *out, const gan_game_options *options, bool of_g);
void play_close(test_play *t);

/* Values of a node, in double; valid until the next call. */
const double *play_value(test_play *t, const gan_node *node);

/* Holds d(loss)/d(weights of `group`) against central differences; returns the disagreements. */
int play_check(test_play *t, const char *group, const char *title);

/* The toy networks, small: points in the plane, D of `width` units. */
gan_model_options play_toy(int64_t width);

/* Sequences of four places and three symbols, networks of `width` units. */
gan_model_options play_sequences(int64_t width);

#endif
