/* The inside of a trainer. */
#ifndef GANC_TRAIN_TRAINER_H
#define GANC_TRAIN_TRAINER_H

#include "ganc/io.h"
#include "train/checkpoint.h"
#include "train/game.h"
#include "train/sampler.h"
#include "train/schedule.h"
#include "train/source.h"

enum { GAN_RING = 1024 }; /* steps whose scalars the device remembers */

/* Iterations that the device has been asked for, and what they bring. */
typedef struct gan_stretch {
    int64_t end;  /* the step they lead to */
    double begun; /* when they were queued */
    bool drawn;   /* samples come with them */
    gan_download ring;
    gan_draw samples;
} gan_stretch;

/* A kind of iteration. */
typedef struct gan_kind {
    gan_graph *graph;
    gan_program *program;
} gan_kind;

struct gan_trainer {
    gan_settings *settings;
    gan_device *device;
    char *folder; /* NULL: nothing is written */
    char *checkpoint_path;
    int lock;     /* of the folder; -1: none */
    bool amended; /* the settings are not, to the letter, those of the checkpoint that was loaded */
    gan_source source;
    gan_game_options game;
    gan_store *store;
    gan_schedule schedule;
    gan_kind *kind;        /* [level - 1][with lazy terms], NULLs where there is none */
    gan_sampler *samplers; /* [level - 1] */
    int scalars; /* of a step: GAN_SCALARS, or one less where the objective has no measure */
    const gan_variable *ring, *counter;
    gan_journal *journal;
    gan_run_state state; /* of the last step whose scalars have been looked at */
    gan_stretch stretch[2];
    int64_t queued;      /* the step that the device is asked to reach; state.step when it rests */
    int64_t saved_step;  /* of the checkpoint on disk; -1: there is none */
    double step_seconds; /* how long an iteration takes, 0 before the first */
    /* of the last line of the log, or of the run's start */
    int64_t line_step;
    double line_seconds;
};

/* The kind of iteration number `step`, and the sampler of what it leaves. */
static inline gan_kind *gan_trainer_kind(const gan_trainer *t, int64_t step) {
    const int level = gan_schedule_level(&t->schedule, step);
    return &t->kind[2 * (level - 1) + gan_schedule_due(&t->schedule, step)];
}

static inline gan_sampler *gan_trainer_sampler(const gan_trainer *t, int64_t done) {
    return &t->samplers[gan_schedule_level(&t->schedule, done > 0 ? done - 1 : 0) - 1];
}

/* The lines of the log tell what samples are like. */
static inline bool gan_trainer_judges(const gan_trainer *t) {
    return t->source.mixture || t->source.grammar;
}

/* Queues what the stretch brings: the ring, and with `drawn` the samples. */
gan_status gan_trainer_begin_fetch(gan_trainer *trainer, gan_stretch *stretch);

/* Waits for the ring (GAN_RING, scalars); it stays until the stretch is used again. */
gan_status gan_trainer_end_fetch(gan_trainer *trainer, gan_stretch *stretch, const float **ring);

/* Adds the scalars of the steps after `state.step` up to `step` to the state, writes the lines of
 * the log that fell due before the last of them, and fails at the first that is not finite.
 * `seconds`: how long the run had been training when `step` was done; the steps in between are
 * taken to be evenly spaced. */
gan_status gan_trainer_collect(gan_trainer *trainer, const float *ring, int64_t step,
                               double seconds);

/* Waits for what log and pictures are made of at the end of `stretch`: sample.count samples, the
 * caller's to free. */
gan_status gan_trainer_samples(gan_trainer *trainer, gan_stretch *stretch, float **samples);

/* Appends a line to the log; the line of a run on a mixture or a grammar takes samples, others
 * NULL. */
gan_status gan_trainer_log(gan_trainer *trainer, const float *samples);

/* Writes samples/step-N.png. */
gan_status gan_trainer_picture(gan_trainer *trainer, const float *samples);

/* Writes the folder's checkpoint, unless it is that of this step already. */
gan_status gan_trainer_keep(gan_trainer *trainer);

#endif
