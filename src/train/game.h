/* From settings to the options of a game. */
#ifndef GANC_TRAIN_GAME_H
#define GANC_TRAIN_GAME_H

#include "ganc/adversarial.h"
#include "train/settings.h"

/* What settings, networks and the data's classes (0: no labels) make of a game; everything but its
 * callbacks. `count`: examples in an epoch, 0 where there is none. Messages name the key. */
gan_status gan_settings_game(gan_game_options *out, const gan_settings *settings,
                             const gan_model *model, const gan_model_options *networks,
                             int64_t classes, int64_t count);

/* Whether term NAME is one of `n`. */
bool gan_uses_term(const gan_term_use *use, int n, const char *name);

/* Refuses generators, conditions, codes and heads that nothing in the game teaches, with what is
 * missing. */
gan_status gan_game_check_taught(const gan_game_options *options);

/* Whether anything in the game asks for labels. */
bool gan_game_needs_labels(const gan_game_options *options);

#endif
