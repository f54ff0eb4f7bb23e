/* Devices, and programs that run on them.
 *
 * A program is a graph compiled for a device. One run is one iteration; it allocates nothing and leaves the
 * host nothing to do. Two devices may be used by two threads; one device by one thread at a time.
 */
#ifndef GANC_DEVICE_H
#define GANC_DEVICE_H

#include "ganc/graph.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gan_device gan_device;
typedef struct gan_program gan_program;

typedef struct gan_device_info {
    char kind[16];     /* "cpu", "cuda" */
    int index;
    char name[128];
    char version[160]; /* libraries in use, compute capability, driver */
    size_t memory_total, memory_free; /* bytes */
    int threads;       /* CPU: processors usable */
} gan_device_info;

/* CUDA: who makes convolutions of at most four channels on one side, such as images have: kernels of our own where
 * a rule of shapes and types expects them to be faster than cuDNN, wherever they can, or nowhere. */
typedef enum gan_direct { GAN_DIRECT_RULE, GAN_DIRECT_ALWAYS, GAN_DIRECT_NEVER } gan_direct;

typedef struct gan_device_options {
    int threads;    /* CPU: 0 = all processors the process may use */
    bool branches;  /* CUDA: launches that do not need each other's results run side by side, and small values share
                       no memory, which costs some; results stay the same to the bit. Otherwise one after the other */
    bool plan_only; /* no device is looked for or opened: programs can be compiled and described for one of this
                       kind, not loaded or run. What a library would choose on the device is left out */
    const char *cache; /* CUDA: a folder, made when missing, where cuDNN's algorithms and compiled plans are kept for
                          the next start, a file a kind of GPU and version of cuDNN, each 64 MiB at most; NULL or "":
                          none. It makes no difference to results, and its absence or damage none but in time */
    bool tune; /* CUDA: of the engines that cuDNN offers for a convolution that tensor cores may compute (bf16, tf32),
                  take the fastest, and what follows it apart where that is faster: timed when it is first met, and
                  kept in `cache`, without which the device is refused. Another cache may hold others, whose sums have
                  other bits; of processes that tune at the same time the last one's are kept */
    bool pdl; /* CUDA: programmatic dependent launch. A kernel of our own is set up while the launch ahead of it in a
                 replayed program ends. Results stay the same to the bit. Refused together with branches, and by CUDA
                 devices below compute capability 9.0 and builds without code for that or with a CUDA before 13 */
    gan_direct direct;
    int cooperative; /* CUDA: launches whose blocks wait for each other, in place of several launches: 0: where the
                        device can, 1: but batch norm's by themselves, -1: none. Results stay the same to the bit, but
                        for those of products of bf16 that 0 makes beside batch norm */
} gan_device_options;

/* Opens "cpu", "cuda", "cuda:1", …; NULL or "auto" takes the first CUDA device that works, else the CPU.
 * `options` may be NULL. */
GAN_API gan_status gan_device_open(gan_device **out, const char *name, const gan_device_options *options);
GAN_API void gan_device_close(gan_device *device);

/* The devices of this machine: fills at most `capacity` rows, returns how many there are. */
GAN_API int gan_device_list(gan_device_info *out, int capacity);
GAN_API gan_status gan_device_describe(const gan_device *device, gan_device_info *out);

/* Why no device of a kind can be used ("cuda": no driver, built without, …) into `text`; "" when one can. */
GAN_API void gan_device_absence(const char *kind, char *text, size_t size);

/* Waits until everything asked of the device is done. */
GAN_API gan_status gan_device_synchronize(gan_device *device);

/* ---- variables on a device ---- */

/* Allocates and initialises the store's variables that have no place yet. A store stays on one device.
 * Refused, with the figures, when they do not fit. */
GAN_API gan_status gan_store_place(gan_store *store, gan_device *device);

/* Copies a placed variable to or from host memory; `bytes` must be its size. */
GAN_API gan_status gan_variable_read(gan_store *store, const gan_variable *variable, void *to, size_t bytes);
GAN_API gan_status gan_variable_write(gan_store *store, const gan_variable *variable, const void *from, size_t bytes);

/* ---- programs ---- */

typedef struct gan_program_info {
    size_t weight_bytes;     /* parameters */
    size_t variable_bytes;   /* all variables, parameters included */
    size_t activation_bytes; /* the arena of intermediate values */
    size_t workspace_bytes;
    int64_t parameters;      /* elements of weights */
    /* of an iteration */
    int launches;            /* of the device: kernels, copies, calls of libraries */
    int depth;               /* launches that come one after the other, in the longest chain; without branches: all */
    int launches_least;      /* products, optimiser steps and mini-batches, one each, and one for the losses */
    int64_t flops;           /* multiplications and additions of products and convolutions */
    int64_t bytes_moved;     /* bytes_read + bytes_written */
    int64_t bytes_read, bytes_written; /* operands and results, in memory */
    int64_t bytes_updates;   /* of bytes_moved: what updates of variables move, the optimiser's above all */
    int64_t bytes_least;     /* what products and updates cannot avoid moving: as bytes_moved with all else fused */
} gan_program_info;

/* Compiles for `device`: expands, drops what no effect or output needs, fuses, orders, places. Allocates no
 * device memory yet. The graph must outlive the program and gets no further nodes. */
GAN_API gan_status gan_compile(gan_program **out, gan_graph *graph, gan_device *device);
GAN_API void gan_program_destroy(gan_program *program);
GAN_API void gan_program_describe(const gan_program *program, gan_program_info *out);

/* Writes the plan as a table: one line a launch with op, shape, bytes, place. */
GAN_API gan_status gan_program_print(const gan_program *program, FILE *file);

/* Allocates what the program needs (placing the store first, if need be); run does it at the first call.
 * Refused, with the figures, when it does not fit. */
GAN_API gan_status gan_program_load(gan_program *program);

/* Runs `iterations` iterations; returns when they are queued. The first run of 16 or more records so many as one. */
GAN_API gan_status gan_program_run(gan_program *program, int64_t iterations);

/* Host access to inputs and outputs; `bytes` must be the node's size. Reading waits for the runs. */
GAN_API gan_status gan_program_write(gan_program *program, const gan_node *input, const void *from, size_t bytes);
GAN_API gan_status gan_program_read(gan_program *program, const gan_node *output, void *to, size_t bytes);

#ifdef __cplusplus
}
#endif
#endif
