/* A generator in evaluation mode, compiled: fixed noise in, samples out. */
#ifndef GANC_TRAIN_SAMPLER_H
#define GANC_TRAIN_SAMPLER_H

#include "device/download.h"
#include "train/game.h"
#include "train/schedule.h"
#include "train/source.h"

typedef struct gan_sampler {
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
    gan_node *samples;
    /* Input i32: (batch) of games with classes, (batch, codes) of those with categorical codes,
     * whose first code stands for the class; else NULL. */
    gan_node *label;
    gan_node *example, *column; /* inputs (batch) of models that complete images, else NULL */
    int64_t classes, game_batch;
    const int64_t *only; /* the class of all samples; NULL: a class a row of the picture */
    int64_t batch;
    size_t sample_elements;
} gan_sampler;

/* Compiles the sampler of `game` with `level` in play for pictures of `count` samples; its noise is
 * drawn from `seed`. Images of a lower level are shown in the size of the last. The store is
 * borrowed. */
gan_status gan_sampler_open(gan_sampler *out, gan_store *store, gan_device *device,
                            const gan_game_options *game, const gan_schedule *schedule, int level,
                            int64_t count, uint64_t seed);
void gan_sampler_close(gan_sampler *sampler);

/* How many classes, or values of a code, samples can be asked for; 0: none. */
int64_t gan_sampler_classes(const gan_game_options *game);

/* How many samples a row of a picture of `count` has: about as many as there are rows. Where there
 * are classes, a row each, and so few samples that some would miss or be cut off, as many as leave
 * every class a whole row; what remains starts over. Fewer samples than classes show the first. */
int64_t gan_sampler_columns(const gan_sampler *sampler, int64_t count);

/* Which of them sample `i` of `count` is of. */
int64_t gan_sampler_class(const gan_sampler *sampler, int64_t i, int64_t count);

/* Argument error, which begins with `whose`, where `count` samples are too few for every class. */
gan_status gan_sampler_check_count(int64_t classes, int64_t count, const char *whose);

/* Samples on their way to the host. Starts as zeros. */
typedef struct gan_draw {
    int64_t count;
    gan_download *part; /* of up to `batch` samples each */
    int64_t parts;
} gan_draw;

/* Queues the first `count` samples of the noise, by the weights that the runs so far leave. The
 * host does not wait for them, and runs that are queued later do not change them. */
gan_status gan_sampler_begin(gan_sampler *sampler, gan_draw *draw, int64_t count);

/* Waits for them and copies them to out[count · sample_elements]. */
gan_status gan_sampler_end(gan_sampler *sampler, gan_draw *draw, float *out);

void gan_sampler_close_draw(gan_sampler *sampler, gan_draw *draw);

/* Draws `count` samples, and waits for them. */
gan_status gan_sampler_draw(gan_sampler *sampler, float *out, int64_t count);

/* Writes the picture of `count` samples: a grid of images, `columns` a row, points over the
 * mixture's modes, or strips of symbols. */
gan_status gan_sampler_paint(const float *samples, int64_t count, int64_t columns,
                             const gan_model *model,
                             const gan_model_options *networks, const gan_mixture *mixture,
                             const char *png);

#endif
