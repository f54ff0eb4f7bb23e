/* What bench_ops times: groups of ops, and what they share. */
#ifndef GANC_BENCH_OPS_H
#define GANC_BENCH_OPS_H

#include "ganc/ganc.h"

typedef struct bench {
    const char *name; /* the device's */
    gan_device_options options;
    gan_device *device;
    gan_dtype dtype; /* of convolutions and layers */
    double seconds;
    bool cuda, paced;
    gan_store *store; /* of the op that is timed */
    gan_graph *g;
} bench;

/* An empty graph and store. */
void ops_begin(bench *b);

/* A float32 operand that the program reads: noise, kept on the device. */
gan_node *ops_operand(bench *b, const char *name, gan_shape shape);

/* The same of b->dtype; of bfloat16, which has no noise of its own, p/p, q/q, x/x and dy/dy are
 * filled with numbers of 0.5 to 2, either sign. */
gan_node *ops_typed(bench *b, const char *name, gan_shape shape);

/* Times the graph, prints its line and frees both. What is timed has to end in gan_output(), an
 * effect, so that nothing is dropped and nothing else is fused in. */
void ops_finish(bench *b, const char *title, double operations, double bytes);

/* Of a float32 array. */
double ops_bytes(gan_shape shape);

/* b with a device of its own, opened with these options; ops_close() closes that. */
bench ops_open(const bench *b, gan_device_options options, gan_dtype dtype);
void ops_close(bench *b);

/* The groups; what compares ways of the GPU is left out elsewhere. */
void ops_products(bench *b);
void ops_convs(bench *b);
void ops_moves(bench *b);
void ops_norms(bench *b);

#endif
