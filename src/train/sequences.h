/* Sequences of symbols on the host: one-hot samples judged, written as text, painted. */
#ifndef GANC_TRAIN_SEQUENCES_H
#define GANC_TRAIN_SEQUENCES_H

#include "ganc/data.h"

/* Of `samples` (count, length, symbols), a one in each row of symbols: the share that breaks the
 * grammar, and how many different allowed ones there are. Memory error. */
gan_status gan_sequences_judge(double *violations, int64_t *distinct, const float *samples,
                               int64_t count, const gan_grammar *grammar);

/* Replaces the file by one sequence a line. Memory error; I/O error. */
gan_status gan_sequences_write(const char *path, const float *samples, int64_t count,
                               const gan_grammar *grammar);

/* Writes a PNG of strips, a colour a symbol, in `columns` (0: so that it is about square). Memory
 * error; I/O error. */
gan_status gan_sequences_paint(const char *png, const float *samples, int64_t count, int64_t length,
                               int64_t symbols, int64_t columns);

#endif
