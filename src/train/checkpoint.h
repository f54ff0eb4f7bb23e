/* A run's state as a safetensors file. */
#ifndef GANC_TRAIN_CHECKPOINT_H
#define GANC_TRAIN_CHECKPOINT_H

#include "ganc/io.h"
#include "train/settings.h"

/* d_loss, g_loss, d_real, d_fake, and the objective's measure where it has one. */
enum { GAN_SCALARS = 5 };

/* What a run is besides its variables and settings. */
typedef struct gan_run_state {
    int64_t step;
    double seconds;
    int64_t summed; /* steps since the last line of the log, and their sums; 0 of what is absent */
    double sum[GAN_SCALARS];
    int64_t example[3];   /* height, width, channels */
    int64_t classes;      /* that the game uses; 0: none */
    uint64_t fingerprint; /* of the data */
} gan_run_state;

/* Writes every variable of `store` but data and records. Refused when a number in them is not
 * finite; the file at `path` then stays as it was. */
gan_status gan_checkpoint_write(const char *path, gan_store *store, const gan_settings *settings,
                                const gan_run_state *state);

/* A checkpoint that has been opened and whose header has been checked. */
typedef struct gan_checkpoint {
    char *path;
    gan_safetensors *file;
    gan_settings *settings;
    gan_run_state state;
    char version[32];
} gan_checkpoint;

gan_status gan_checkpoint_read(gan_checkpoint *out, const char *path);
void gan_checkpoint_close(gan_checkpoint *checkpoint);

/* Checks that each of the store's variables is there with its type and shape, and with `whole` that
 * the file holds nothing else; then reads them. The store is placed. */
gan_status gan_checkpoint_restore(const gan_checkpoint *checkpoint, gan_store *store, bool whole);

#endif
