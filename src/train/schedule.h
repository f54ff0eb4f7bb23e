/* Iterations that are not all alike: terms that are written into one in so many, and levels of a
 * model that grows. A kind of iteration is a program of its own. */
#ifndef GANC_TRAIN_SCHEDULE_H
#define GANC_TRAIN_SCHEDULE_H

#include "train/game.h"

typedef struct gan_schedule {
    int levels;         /* 1: the model does not grow */
    int64_t hold, fade; /* steps that a level is trained whole, and that it fades in before */
    int64_t every; /* steps from one iteration with lazy terms to the next; 1: there are none */
} gan_schedule;

/* Refuses lazy terms of different periods, and growth without steps. */
gan_status gan_schedule_make(gan_schedule *out, const gan_settings *settings,
                             const gan_game_options *game);

/* The level in play, 1 … levels, in iteration number `step` (0, 1, …). */
int gan_schedule_level(const gan_schedule *schedule, int64_t step);

/* Whether that iteration has the lazy terms. */
bool gan_schedule_due(const gan_schedule *schedule, int64_t step);

/* The first iteration after `step` that is of another kind, at most `end`. */
int64_t gan_schedule_until(const gan_schedule *schedule, int64_t step, int64_t end);

/* Sets level and share of the options' networks for a graph of `level`. `done`: iterations that
 * are not in the counter yet, 1 while training and 0 for samples. */
void gan_schedule_grow(const gan_schedule *schedule, gan_game_options *game, gan_graph *g,
                       int level, int64_t done);

#endif
