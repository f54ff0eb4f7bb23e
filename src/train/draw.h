/* Samples of a checkpoint's generator, as numbers. */
#ifndef GANC_TRAIN_DRAW_H
#define GANC_TRAIN_DRAW_H

#include "train/checkpoint.h"
#include "train/sampler.h"

/* Draws `count` samples of the noise of `seed`: (count, …) in the model's range, the caller's to
 * free, NULL after an error. `asked` (count, may be NULL) gets the class or code that each was
 * asked to be of, where the game has such. */
gan_status gan_draw_samples(float **out, int32_t *asked, const gan_checkpoint *checkpoint,
                            const gan_game_options *game, gan_device *device, int64_t count,
                            uint64_t seed);

#endif
