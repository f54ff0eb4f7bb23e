/* concat, slice, pad: rows of bytes that move. An array is seen as (before the axis)·(axis and
 * after). */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

/* Elements before an axis, and bytes of one step along it. */
static void around(const gan_array *a, int axis, int64_t *before, int64_t *bytes) {
    *before = 1;
    for (int i = 0; i < axis; i++) *before *= a->shape.dim[i];
    *bytes = (int64_t)gan_dtype_size(a->dtype);
    for (int i = axis + 1; i < a->shape.rank; i++) *bytes *= a->shape.dim[i];
}

static gan_status run_concat(gan_device *device, const gan_call *call) {
    const int axis = call->node->attr.concat.axis;
    int64_t rows, bytes, start = 0;
    around(&call->out, axis, &rows, &bytes);
    for (int i = 0; i < call->n_in; i++) {
        const int64_t width = call->in[i].shape.dim[axis] * bytes;
        const gan_launch_rows_args args = {.to = (char *)call->out.data + start,
                                           .from = call->in[i].data,
                                           .rows = rows,
                                           .width = width,
                                           .to_pitch = call->out.shape.dim[axis] * bytes,
                                           .from_pitch = width};
        GAN_CUDA_TRY(call->node, gan_launch_rows(&args, gan_cuda(device)->stream));
        start += width;
    }
    return GAN_OK;
}

static gan_status run_slice(gan_device *device, const gan_call *call) {
    const int axis = call->node->attr.slice.axis;
    int64_t rows, bytes;
    around(&call->out, axis, &rows, &bytes);
    const int64_t width = call->out.shape.dim[axis] * bytes;
    const gan_launch_rows_args args = {.to = call->out.data,
                                       .from = (const char *)call->in[0].data +
                                               call->node->attr.slice.start * bytes,
                                       .rows = rows,
                                       .width = width,
                                       .to_pitch = width,
                                       .from_pitch = call->in[0].shape.dim[axis] * bytes};
    GAN_CUDA_TRY(call->node, gan_launch_rows(&args, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_pad(gan_device *device, const gan_call *call) {
    const int axis = call->node->attr.pad.axis;
    int64_t rows, bytes;
    around(&call->out, axis, &rows, &bytes);
    const int64_t width = call->in[0].shape.dim[axis] * bytes;
    const gan_launch_rows_args args = {.to = call->out.data,
                                       .from = call->in[0].data,
                                       .rows = rows,
                                       .before = call->node->attr.pad.before * bytes,
                                       .width = width,
                                       .after = call->node->attr.pad.after * bytes,
                                       .to_pitch = call->out.shape.dim[axis] * bytes,
                                       .from_pitch = width};
    GAN_CUDA_TRY(call->node, gan_launch_rows(&args, gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_concat = {run_concat, NULL, NULL};
const gan_kernel gan_cuda_slice = {run_slice, NULL, NULL};
const gan_kernel gan_cuda_pad = {run_pad, NULL, NULL};
