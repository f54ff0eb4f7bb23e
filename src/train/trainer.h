/* The inside of a trainer. */
#ifndef GANC_TRAIN_TRAINER_H
#define GANC_TRAIN_TRAINER_H

#include "ganc/io.h"
#include "train/checkpoint.h"
#include "train/sampler.h"
#include "train/source.h"

enum { GAN_RING = 1024 }; /* steps whose scalars the device remembers */

struct gan_trainer {
    gan_settings *settings;
    gan_device *device;
    char *folder; /* NULL: nothing is written */
    char *checkpoint_path;
    int lock; /* of the folder; -1: none */
    gan_source source;
    gan_store *store;
    gan_graph *graph;
    gan_program *program;
    const gan_variable *ring, *counter;
    gan_sampler sampler;
    gan_journal *journal;
    gan_run_state state;
    int64_t saved_step;  /* of the checkpoint on disk; -1: there is none */
    double step_seconds; /* how long an iteration takes, 0 before the first */
    /* of the last line of the log, or of the run's start */
    int64_t line_step;
    double line_seconds;
};

/* What the device remembers of one step. */
typedef struct gan_scalars {
    float value[GAN_SCALARS];
} gan_scalars;

/* Waits for the iterations that are under way and copies the ring. */
gan_status gan_trainer_fetch(gan_trainer *trainer, gan_scalars ring[GAN_RING]);

/* Adds the scalars of the steps after `state.step` up to `step` to the state, writes the lines of
 * the log that fell due before the last of them, and fails at the first that is not finite.
 * `seconds`: how long the run had been training when `step` was done; the steps in between are
 * taken to be evenly spaced. */
gan_status gan_trainer_collect(gan_trainer *trainer, const gan_scalars ring[GAN_RING], int64_t step,
                               double seconds);

/* Appends a line to the log. */
gan_status gan_trainer_log(gan_trainer *trainer);

/* Writes samples/step-N.png. */
gan_status gan_trainer_picture(gan_trainer *trainer);

/* Writes the folder's checkpoint, unless it is that of this step already. */
gan_status gan_trainer_keep(gan_trainer *trainer);

#endif
