/* The run folder: config.yaml, log.jsonl, samples/step-N.png, checkpoint.safetensors. */
#ifndef GANC_TRAIN_FOLDER_H
#define GANC_TRAIN_FOLDER_H

#include <stdbool.h>

#include "train/settings.h"

/* Refuses a folder that a new run must not write into, that has nothing to resume, or that another
 * run holds. */
gan_status gan_folder_check(const char *folder, bool resume);

/* Makes the folder and takes its lock, FOLDER/.lock, until gan_folder_unlock() or the end of the
 * process; refuses a folder that another run holds, and as gan_folder_check() does. */
gan_status gan_folder_lock(int *lock, const char *folder, bool resume);
void gan_folder_unlock(int lock); /* -1 is fine */

/* Makes the folder and writes config.yaml. */
gan_status gan_folder_make(const char *folder, const gan_settings *settings);

/* FOLDER/NAME, the caller's to free; NULL with the thread's message when memory is exhausted. */
char *gan_folder_path(const char *folder, const char *name);

/* FOLDER/samples/step-N.png likewise; makes FOLDER/samples. */
char *gan_folder_picture(const char *folder, int64_t step);

#endif
