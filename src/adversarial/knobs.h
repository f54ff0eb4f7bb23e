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

/* Takes the first row of *text, and moves *text behind it and its comma. *found: false at the end
 * of the text. */
gan_status gan_knobs_parse(const char **text, bool *found, size_t *row, double knob[GAN_KNOBS],
                           const char *where, const gan_rows *rows);

#endif
