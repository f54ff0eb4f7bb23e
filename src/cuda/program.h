/* Pointwise programs as launchers take them, and what follows a product or convolution. */
#ifndef GANC_CUDA_PROGRAM_H
#define GANC_CUDA_PROGRAM_H

#include "device/backend.h"
#include "kernels/launch.h"

/* A program bound to shapes: all but the addresses, which a run fills in. */
typedef struct gan_cuda_program {
    gan_launch_program launch;
    uint8_t source[GAN_LAUNCH_INPUTS]; /* launch.operand[i] is the caller's operand source[i] */
} gan_cuda_program;

/* Binds `program` (NULL: the identity of one operand) to values of `shape`. Of the operands, one an
 * input, types (f32 or bf16) and shapes are looked at: each axis that of `shape`, or 1. Axes are
 * collapsed as far as the operands permit and only where the bits of `axes` agree; *collapsed gets
 * these bits for the axes that are left (may be NULL). GAN_ERROR_ARGUMENT for 2^31 elements or
 * more, GAN_ERROR_SHAPE for operands that do not fit. */
gan_status gan_cuda_program_bind(gan_cuda_program *p, const gan_node *node,
                                 const gan_pointwise_program *program, gan_shape shape,
                                 int n_operands, const gan_array *operand, uint32_t axes,
                                 uint32_t *collapsed);

/* The bound program with the operands' addresses. */
gan_launch_program gan_cuda_program_at(const gan_cuda_program *p, const gan_array *operand);

/* Which input of the bound program is the caller's operand `source`; -1: none is. */
int gan_cuda_program_input(const gan_cuda_program *p, int source);

/* What a prepared call of sum or max launches (reduce.c). */
gan_launch_reduce_args gan_cuda_reduce_args(const gan_call *call);

/* What a prepared call of fold or fold_adjoint launches (fold.c). */
gan_launch_fold_args gan_cuda_fold_args(const gan_call *call);

/* What a call of minibatch launches (random.c). */
gan_launch_minibatch_args gan_cuda_minibatch_args(const gan_call *call);

/* ---- epilogues: a program applied in place to the result of a product or convolution ---- */

typedef struct gan_cuda_epilogue {
    bool active; /* the node has a program */
    gan_cuda_program program;
} gan_cuda_epilogue;

/* Binds the program of a call whose own operands are the op's first `arity` ones. Holds no memory.
 */
gan_status gan_cuda_epilogue_prepare(gan_cuda_epilogue *e, const gan_call *call);

/* Its program with the operands' addresses; operand 0 is call->out. */
gan_launch_program gan_cuda_epilogue_at(const gan_cuda_epilogue *e, const gan_call *call);

/* The operand of its program, as it is launched, that is the raw result; -1: none is. */
int gan_cuda_epilogue_raw(const gan_cuda_epilogue *e);

/* Puts it on the stream, on the whole of call->out; nothing when it is not active. */
gan_status gan_cuda_epilogue_run(const gan_cuda_epilogue *e, gan_device *device,
                                 const gan_call *call);

#endif
