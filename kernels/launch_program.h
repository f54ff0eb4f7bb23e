/* Pointwise programs as kernels take them: bound to shapes, with the axes collapsed. Plain C. */
#ifndef GANC_KERNELS_LAUNCH_PROGRAM_H
#define GANC_KERNELS_LAUNCH_PROGRAM_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    GAN_LAUNCH_INPUTS = 12,
    GAN_LAUNCH_STEPS = 24,
    GAN_LAUNCH_AXES = 6,
    GAN_LAUNCH_SLOTS =
        12, /* as many values as a program of 24 steps can have to remember at once */
    GAN_LAUNCH_LAST = 255,
    GAN_LAUNCH_COUNTERS = 1024, /* for results in parts; zeros before a launch and after it */
};

/* Where an element's operand lies: data + Σ index[axis]·stride[axis] elements. */
typedef struct gan_launch_operand {
    const void *data;
    int64_t stride[GAN_LAUNCH_AXES]; /* 0 where it is repeated; stride[0] is 0 or 1 */
    int bf16;                        /* stored as bfloat16, else as float */
} gan_launch_operand;

/* result = fn(a, b, k). A value is an operand (its number), a remembered result (GAN_LAUNCH_INPUTS
 * + slot) or the result of the step before (GAN_LAUNCH_LAST). */
typedef struct gan_launch_step {
    uint8_t fn; /* the row of base/pointwise.def */
    uint8_t a, b;
    uint8_t slot; /* where the result is remembered, GAN_LAUNCH_LAST: nowhere */
    float k;
} gan_launch_step;

/* The last step's result is the program's; of no steps, operand 0. */
typedef struct gan_launch_program {
    int n_inputs, n_steps, n_slots;
    int n_axes;                      /* >= 1; axis 0 is the innermost */
    int32_t length[GAN_LAUNCH_AXES]; /* of each axis */
    int32_t size;                    /* elements: all lengths' product */
    gan_launch_operand operand[GAN_LAUNCH_INPUTS];
    gan_launch_step step[GAN_LAUNCH_STEPS];
} gan_launch_program;

#ifdef __cplusplus
}
#endif
#endif
