/* Many small calls as one launch: joined.cu. */
#ifndef GANC_KERNELS_LAUNCH_JOINED_H
#define GANC_KERNELS_LAUNCH_JOINED_H

#include <cuda_runtime_api.h>

#include "kernels/launch_fold.h"
#include "kernels/launch_norm.h"
#include "kernels/launch_product.h"
#include "kernels/launch_program.h"
#include "kernels/launch_random.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GAN_LAUNCH_ROOM = 32720, /* bytes for tasks: the arguments of a launch have 32764 */
    GAN_LAUNCH_TASK_INPUTS = 8,
    GAN_LAUNCH_TASK_STEPS = 12,
    GAN_LAUNCH_TASK_AXES = 4,
    GAN_LAUNCH_TASK_VALUES = 16,
    GAN_LAUNCH_TASK_PIECES = 48, /* tasks of a concatenation */
};

typedef enum gan_launch_task_kind {
    GAN_LAUNCH_TASK_PROGRAM,   /* out[i] = program at i */
    GAN_LAUNCH_TASK_REDUCE,    /* out[r] = the sum or maximum of the program's values for r */
    GAN_LAUNCH_TASK_FOLD,      /* as gan_launch_fold(), with the addresses in `of` */
    GAN_LAUNCH_TASK_ROWS,      /* as gan_launch_rows(), in words of 4 bytes */
    GAN_LAUNCH_TASK_CONVERT,   /* out (float) = in (int64_t), of n */
    GAN_LAUNCH_TASK_AVERAGE,   /* as gan_launch_moving_average() */
    GAN_LAUNCH_TASK_ADVANCE,   /* as gan_launch_advance() */
    GAN_LAUNCH_TASK_RECORD,    /* as gan_launch_record() */
    GAN_LAUNCH_TASK_LOSS,      /* as the loss of gan_launch_logits_loss() */
    GAN_LAUNCH_TASK_LOSS_GRAD, /* as its gradient */
    GAN_LAUNCH_TASK_UNIFORM,   /* as gan_launch_random_uniform() */
    GAN_LAUNCH_TASK_NORMAL,    /* as gan_launch_random_normal() */
    GAN_LAUNCH_TASK_SHUFFLE,   /* as gan_launch_shuffled_index() */
    GAN_LAUNCH_TASK_BATCH,     /* as gan_launch_minibatch(), with the addresses in `of` */
    GAN_LAUNCH_TASK_COLUMNS,   /* sums down the columns of matrices; only spread */
    GAN_LAUNCH_TASK_DOTS,      /* products of a matrix's rows with a vector */

    /* by all blocks, as phases of their own; only the functions below add them: */
    GAN_LAUNCH_TASK_NORM,      /* as gan_launch_batch_norm() */
    GAN_LAUNCH_TASK_NORM_BACK, /* as gan_launch_batch_norm_back() */
    GAN_LAUNCH_TASK_PRODUCT,   /* as gan_launch_product(), of bfloat16 without a program */
} gan_launch_task_kind;

/* As gan_launch_operand and gan_launch_program, with less room. */
typedef struct gan_launch_task_program {
    uint8_t n_inputs, n_steps, n_axes;
    uint8_t bf16, out_bf16; /* bf16: bit i: operand i is */
    uint8_t reduced, max;   /* reduced: bit i: axis i is */
    uint8_t wide;           /* the launch's own: taken in vectors */
    int32_t length[GAN_LAUNCH_TASK_AXES];
    int32_t size, results; /* results: of a reduction */
    struct {
        const void *data;
        int32_t stride[GAN_LAUNCH_TASK_AXES];
    } operand[GAN_LAUNCH_TASK_INPUTS];
    gan_launch_step step[GAN_LAUNCH_TASK_STEPS]; /* in a launch, right behind the last operand */
} gan_launch_task_program;

/* out (matrices, columns) = the sums of x (matrices, rows, columns) over its rows, each times its
 * weight if there are weights, which one matrix of one chunk alone may have. Of several chunks of
 * rows, which one matrix alone may have, the sums are brought together by way of `parts`.
 */
typedef struct gan_launch_columns_args {
    const void *x;       /* float, or bfloat16; aligned to 16 bytes, each row, too */
    void *out;           /* the same */
    const void *weights; /* (rows), float or bfloat16; or NULL */
    float *parts;        /* (chunks, columns) */
    unsigned *counters;  /* zeros, one for each of gan_launch_column_counters() */
    int64_t rows;
    int32_t matrices, columns, chunks;
    uint8_t bf16, out_bf16, weights_bf16;
} gan_launch_columns_args;

/* out (rows) = x (rows, columns) times w (columns). */
typedef struct gan_launch_dots_args {
    const void *x, *w; /* float, or bfloat16; aligned to 16 bytes, each row, too */
    float *out;
    int32_t rows, columns;
    uint8_t x_bf16, w_bf16;
} gan_launch_dots_args;

typedef struct gan_launch_task {
    int16_t kind; /* gan_launch_task_kind */
    /* the launch's own: */
    int16_t begins;        /* a phase: all blocks wait for each other before */
    int32_t bytes;         /* it takes of the launch's room */
    int32_t first, blocks; /* by which blocks of its phase it is run */
    void *out;
    const void *in;
    int64_t n;
    union {
        gan_launch_task_program program;
        gan_launch_fold_args fold;
        struct {
            int32_t rows, before, width, after, to_pitch, from_pitch;
        } rows;
        struct {
            const float *decay;
        } average;
        struct {
            int64_t by;
        } advance;
        struct {
            const int64_t *counter;
            int64_t every, rows, width;
            const float *value[GAN_LAUNCH_TASK_VALUES]; /* n of them, the width of the ring */
        } record;
        struct {
            float target;
        } loss;
        struct {
            gan_launch_source from;
            float a, b; /* low and high, or mean and deviation */
            int bf16;   /* out is bfloat16, else float */
        } random;
        gan_launch_shuffle shuffle;
        gan_launch_minibatch_args batch;
        gan_launch_columns_args columns;
        gan_launch_dots_args dots;
    } of;
} gan_launch_task;

/* What a task takes of a launch's room; of a program's, with as many operands and steps. */
int gan_launch_task_bytes(int kind, int inputs, int steps);

/* How many counters such sums need. */
int gan_launch_column_counters(const gan_launch_columns_args *a);

/* A launch in the making; all 0 but `barrier` at first. */
typedef struct gan_launch_joined_args {
    unsigned *barrier; /* of several phases: two unsigned, as barrier.cuh has them */
    int bytes, phases; /* so far */
    int blocks, most;  /* of the phase so far, and of the largest */
    int begins;        /* the next task does */
    int whole;         /* there are tasks that all blocks are of */
    uint64_t room[GAN_LAUNCH_ROOM / 8];
} gan_launch_joined_args;

/* Begins a phase, each of whose tasks sees what those of phases before have written. Its first
 * `chains` blocks are each a chain's. */
void gan_launch_joined_phase(gan_launch_joined_args *a, int chains);

/* Adds a task to a chain of the phase, whose tasks come one after the other; with chain -1 it is
 * spread: blocks of its own share it, beside all others of the phase. */
void gan_launch_joined_add(gan_launch_joined_args *a, const gan_launch_task *task, int chain);

/* Adds a phase by all blocks (joined_whole.cu). Counters are zeros, and again when it has run; what
 * the launches that they are named after have as `barrier` is the launch's. A product has neither
 * program nor batch, nor are both its operands transposed. */
void gan_launch_joined_norm(gan_launch_joined_args *a, const gan_launch_norm_args *n,
                            const gan_launch_norm_back *with, int fn, void *y);
void gan_launch_joined_norm_back(gan_launch_joined_args *a, const gan_launch_norm_args *n,
                                 const gan_launch_norm_back *back, void *dx, float *total);
void gan_launch_joined_product(gan_launch_joined_args *a, const gan_launch_product_args *p);

/* Whether batch norm, or its gradient, of such a shape can be such a phase. */
int gan_launch_joined_takes_norm(const gan_launch_norm_args *n);

/* What such a phase takes of the room at most. */
int gan_launch_joined_whole_bytes(void);

/* Whether the current device has the shared memory for them. */
int gan_launch_joined_has_whole(void);

/* Runs them; several phases in a cooperative launch. The second is for those with phases by all
 * blocks, to which the first hands them over. */
cudaError_t gan_launch_joined_whole(const gan_launch_joined_args *a, cudaStream_t stream);
cudaError_t gan_launch_joined(const gan_launch_joined_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
