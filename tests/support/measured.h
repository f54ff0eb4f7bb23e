/* The cases that bench/run measures, as graphs. */
#ifndef GANC_TESTS_SUPPORT_MEASURED_H
#define GANC_TESTS_SUPPORT_MEASURED_H

#include "ganc/ganc.h"

typedef struct measured_case {
    const char *name, *model, *optimizer;
    int64_t size, channels, features, batch, generator_batch, d_steps;
    bool reuse_noise, spectral_norm;
} measured_case;

enum { MEASURED = 5 };
extern const measured_case measured_cases[MEASURED]; /* a1, a2, b, c, d */

/* A training iteration, its log and its batches, of a data set of 10,000 examples. */
void measured_build(gan_graph *g, const measured_case *c, gan_precision precision);

#endif
