/* Rows of a table written as text: NAME(value, name=value, …). */
#ifndef GANC_ADVERSARIAL_KNOBS_H
#define GANC_ADVERSARIAL_KNOBS_H

#include "ganc/adversarial.h"

/* A table as the parser sees it. */
typedef struct gan_rows {
    const char *what; /* "term" */
    size_t count;
    const char *(*name)(size_t row);
    const gan_knob *(*knobs)(size_t row); /* GAN_KNOBS of them, up to the first without a name */
    bool (*whole)(size_t row, int knob);  /* whether one counts something */
} gan_rows;

typedef struct gan_row_use {
    size_t row;
    double knob[GAN_KNOBS];
} gan_row_use;

/* Reads a list of rows, each at most once, into out[most]. */
gan_status gan_knobs_parse(gan_row_use *out, int *n, int most, const char *where, const char *text,
                           const gan_rows *rows);

#endif
