/* Small games, and what training makes of their variables. */
#ifndef SIMT_GAMES_H
#define SIMT_GAMES_H

#include "device/program.h"
#include "ganc/ganc.h"

typedef struct game {
    const char *model, *optimizer, *objective, *term;
    int64_t size, features, d_steps;
    bool spectral_norm, reuse_noise;
    double average;
} game;

enum { GAMES = 5 };
extern const game games[GAMES];

/* Its two steps, recorded in a ring. */
void game_write(gan_graph *g, const game *n, gan_precision precision);

typedef struct run {
    gan_device *device;
    gan_store *store;
    gan_graph *g;
    gan_program *program;
} run;

/* A game's program, compiled for "cuda". */
void run_open(run *s, const game *n, gan_precision precision, const gan_device_options *options);
void run_close(run *s);

/* Examples that differ, from each other and from left to right. */
void write_examples(const run *s, int64_t size);

/* What a graph of `unroll` iterations and one of a single one make of all variables, one behind the
 * other, the nodes in an order of SIMT_ORDER's; for free(). */
unsigned char *train(const game *n, gan_precision precision, const gan_device_options *options,
                     int unroll, const char *order, int seed, size_t *size);

#endif
