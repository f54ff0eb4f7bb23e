/* Many small calls as one launch: joined.cu. */
#ifndef GANC_KERNELS_LAUNCH_JOINED_H
#define GANC_KERNELS_LAUNCH_JOINED_H

#include <cuda_runtime_api.h>

#include "kernels/launch_fold.h"
#include "kernels/launch_program.h"
#include "kernels/launch_random.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GAN_LAUNCH_TASKS = 48, /* the arguments of a launch have 32764 bytes */
    GAN_LAUNCH_TASK_INPUTS = 8,
    GAN_LAUNCH_TASK_STEPS = 12,
    GAN_LAUNCH_TASK_AXES = 4,
    GAN_LAUNCH_TASK_VALUES = 16,
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
    GAN_LAUNCH_TASK_COLUMNS,   /* sums down the columns of a matrix; only spread */
} gan_launch_task_kind;

/* As gan_launch_operand and gan_launch_program, with less room. */
typedef struct gan_launch_task_program {
    int n_inputs, n_steps, n_axes;
    int32_t length[GAN_LAUNCH_TASK_AXES];
    int32_t size;
    struct {
        const void *data;
        int32_t stride[GAN_LAUNCH_TASK_AXES];
        int bf16;
    } operand[GAN_LAUNCH_TASK_INPUTS];
    gan_launch_step step[GAN_LAUNCH_TASK_STEPS];
    uint32_t reduced; /* bit i: axis i is reduced */
    int32_t results;  /* of a reduction */
    int max, out_bf16;
} gan_launch_task_program;

/* out (columns) = the sums of x (rows, columns) over its rows. Of several chunks of rows the sums
 * are brought together by way of `parts`. */
typedef struct gan_launch_columns_args {
    const void *x; /* float, or bfloat16; aligned to 16 bytes, each row, too */
    float *out;
    float *parts;       /* (chunks, columns) */
    unsigned *counters; /* zeros, one for each of gan_launch_column_counters() */
    int64_t rows;
    int32_t columns, chunks, bf16;
} gan_launch_columns_args;

typedef struct gan_launch_task {
    int32_t kind;   /* gan_launch_task_kind */
    int32_t spread; /* beside the others, by blocks of its own; no other task may depend on it, nor
                       it on another */
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
    } of;
} gan_launch_task;

typedef struct gan_launch_joined_args {
    int n;
    gan_launch_task task[GAN_LAUNCH_TASKS];
} gan_launch_joined_args;

/* How many counters such a sum needs. */
int gan_launch_column_counters(const gan_launch_columns_args *a);

/* Runs the tasks in their order, each seeing what those before have written; those that are spread,
 * beside them. */
cudaError_t gan_launch_joined(const gan_launch_joined_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
