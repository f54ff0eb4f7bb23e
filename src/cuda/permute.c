/* permute: axes in another order. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

_Static_assert((int)GAN_LAUNCH_PERMUTE_AXES >= (int)GAN_MAX_RANK, "launchers take all shapes");

/* Axes of the result that stay neighbours become one; strides are the operand's, in elements. */
static void collapse(const gan_call *call, gan_launch_permute_args *a) {
    int64_t stride[GAN_MAX_RANK], step = 1;
    for (int i = call->in[0].shape.rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= call->in[0].shape.dim[i];
    }
    a->rank = 0;
    for (int i = 0; i < call->out.shape.rank; i++) {
        const int64_t length = call->out.shape.dim[i],
                      s = stride[call->node->attr.permute.order[i]];
        if (length == 1) continue;
        if (a->rank > 0 && a->stride[a->rank - 1] == s * length) {
            a->length[a->rank - 1] *= length;
            a->stride[a->rank - 1] = s;
        } else {
            a->length[a->rank] = length;
            a->stride[a->rank++] = s;
        }
    }
    if (a->rank == 0) {
        a->length[0] = a->stride[0] = 1;
        a->rank = 1;
    }
}

static gan_status run(gan_device *device, const gan_call *call) {
    gan_launch_permute_args args = {.to = call->out.data, .from = call->in[0].data};
    if (gan_shape_size(call->out.shape) == 0) return GAN_OK;
    args.bytes = (int)gan_dtype_size(call->out.dtype);
    collapse(call, &args);
    GAN_CUDA_TRY(call->node, gan_launch_permute(&args, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_permute = {run, NULL, NULL};
