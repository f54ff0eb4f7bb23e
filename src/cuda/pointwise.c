/* pointwise and broadcast: a program over the operands, one launch. */
#include <stdlib.h>

#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

static void release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    gan_cuda_program *p = malloc(sizeof *p);
    if (!p) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", gan_op_of(call->node)->name);
    call->state = p;
    return gan_cuda_program_bind(p, call->node, call->node->program, call->out.shape, call->n_in,
                                 call->in, 0, NULL);
}

static gan_status run(gan_device *device, const gan_call *call) {
    const gan_launch_pointwise_args args = {gan_cuda_program_at(call->state, call->in),
                                            call->out.data, call->out.dtype == GAN_BF16};
    GAN_CUDA_TRY(call->node, gan_launch_pointwise(&args, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_pointwise = {run, prepare, release};
const gan_kernel gan_cuda_broadcast = {run, prepare, release};
