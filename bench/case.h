/* The cases: a training iteration each, stated once. What a peer needs to know of a case it reads
 * from the file that `bench_worker CASE --export FILE` writes (export.h). */
#ifndef GANC_BENCH_CASE_H
#define GANC_BENCH_CASE_H

#include "ganc/ganc.h"

typedef struct bench_case {
    const char *name, *about;
    const char *model, *objective, *prior, *optimizer;
    int64_t size, channels, z, features;               /* features 0: the model's own */
    int64_t batch, generator_batch, d_steps, examples; /* generator_batch 0: as batch */
    double rate, beta1, beta2, momentum, loss_scale;
    bool spectral_norm;
    gan_precision precision;
} bench_case;

/* NULL when there is none of that name; the list goes to `file`. */
const bench_case *bench_case_find(const char *name);
void bench_case_list(FILE *file);

/* What one iteration is made of, for whoever wants to repeat it elsewhere. */
enum { BENCH_DRAWS = 16, BENCH_WEIGHTS = 256 };
typedef struct bench_watch {
    int n_index, n_z;
    gan_node *index[BENCH_DRAWS]; /* examples of each D-step */
    gan_node *z[BENCH_DRAWS];     /* noise of each D-step, then of the G-step */
    gan_node *samples;            /* f32: what G makes of z[0] */
    /* Of the first D-step and of the G-step; the weights in the order of their creation. */
    int n_gradient;
    gan_node *gradient[BENCH_WEIGHTS];
    char name[BENCH_WEIGHTS][96];
} bench_watch;

/* Writes one iteration into `g`. `watch` may be NULL; otherwise it is filled, and all it holds are
 * outputs of the graph. The case must outlive the call only. */
gan_status bench_case_build(gan_game *game, gan_graph *g, const bench_case *c, bench_watch *watch);

/* The data set of the case into its placed store: waves of random direction and phase with a little
 * noise, so that D and G have something to learn and no number becomes subnormal. */
gan_status bench_case_fill(gan_store *store, const bench_case *c);
#define BENCH_DATA "data/images"

/* Seconds on a clock that never goes back. */
double bench_now(void);

/* Ends the program with the library's message unless `status` is GAN_OK. */
void bench_check(gan_status status);

#endif
