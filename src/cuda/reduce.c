/* sum and max over axes, of a program's values. */
#include <stdlib.h>

#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

typedef struct reduction {
    gan_cuda_program program;
    uint32_t reduced; /* of the collapsed axes */
} reduction;

static void release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

gan_launch_reduce_args gan_cuda_reduce_args(const gan_call *call) {
    const reduction *r = call->state;
    return (gan_launch_reduce_args){
        .program = gan_cuda_program_at(&r->program, call->in),
        .reduced = r->reduced,
        .max = call->node->op == GAN_OP_max,
        .out = call->out.data,
        .results = gan_shape_size(call->out.shape),
        .out_bf16 = call->out.dtype == GAN_BF16,
        .workspace = call->workspace,
    };
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    const gan_node *node = call->node;
    reduction *r = malloc(sizeof *r);
    if (!r) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", gan_op_of(node)->name);
    call->state = r;
    GAN_TRY(gan_cuda_program_bind(&r->program, node, node->program, node->attr.reduce.in_shape,
                                  call->n_in, call->in, node->attr.reduce.axes, &r->reduced));
    const gan_launch_reduce_args args = gan_cuda_reduce_args(call);
    call->workspace_bytes = gan_launch_reduce_workspace(&args);
    return GAN_OK;
}

static gan_status run(gan_device *device, const gan_call *call) {
    gan_launch_reduce_args args = gan_cuda_reduce_args(call);
    args.counters = gan_cuda(device)->lane[call->lane].counters;
    GAN_CUDA_TRY(call->node, gan_launch_reduce(&args, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_sum = {run, prepare, release};
const gan_kernel gan_cuda_max = {run, prepare, release};
