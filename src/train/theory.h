/* What the games in one dimension share: numbers on the device, and descent. */
#ifndef GANC_TRAIN_THEORY_H
#define GANC_TRAIN_THEORY_H

#include "base/error.h"
#include "ganc/graph.h"
#include "ganc/theory.h"

/* A store with a graph that trains and one that looks, and their programs. */
typedef struct gan_theory {
    gan_store *store;
    gan_graph *train, *look;
    gan_program *training, *looking;
} gan_theory;

gan_status gan_theory_open(gan_theory *out, uint64_t seed);
void gan_theory_close(gan_theory *theory);

/* Compiles what has been written into the two graphs (a graph of NULL is left out) and places the
 * variables. */
gan_status gan_theory_compile(gan_theory *theory, gan_device *device);

/* `count` numbers of role data as (count, 1), in either graph; written after compiling. */
gan_node *gan_theory_numbers(gan_graph *g, const char *name, int64_t count);
gan_status gan_theory_write(gan_theory *theory, const char *name, const double *value,
                            int64_t count);

/* The value of an output of `looking` after a run. */
gan_status gan_theory_read(gan_theory *theory, const gan_node *output, double *value,
                           int64_t count);

/* Adds an update of all weights of `group` by Adam against `loss`, at a rate that falls from `rate`
 * to 0 within `steps` runs, which it counts. */
void gan_theory_descend(gan_graph *g, const char *group, gan_node *loss, double rate,
                        int64_t steps);

#endif
