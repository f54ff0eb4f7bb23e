/* The line that shows how far a run is: on a terminal while it goes, elsewhere one now and then, and
 * one at its end. */
#ifndef GANC_TOOLS_PROGRESS_H
#define GANC_TOOLS_PROGRESS_H

#include <stdbool.h>

#include "ganc/train.h"

typedef struct progress_line {
    bool terminal, shown;
    int64_t first_step;
    double first_seconds;
    bool begun;
    double next_line; /* seconds into this part of the run */
    gan_progress last;
} progress_line;

void progress_begin(progress_line *line);

/* gan_trainer_callbacks.progress; `line` is a progress_line. */
void progress_show(void *line, const gan_progress *progress);

/* Ends the line; without a terminal says in a last one what the run has come to. */
void progress_end(progress_line *line);

#endif
