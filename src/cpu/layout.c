/* concat, slice, pad: blocks of rows that move. An array is seen as (before the axis)·(axis and
 * after). */
#include "cpu/copy.h"
#include "cpu/kernels.h"

/* Elements before an axis, and bytes of one step along it. */
static void around(const gan_array *a, int axis, int64_t *before, int64_t *bytes) {
    *before = 1;
    for (int i = 0; i < axis; i++) *before *= a->shape.dim[i];
    *bytes = (int64_t)gan_dtype_size(a->dtype);
    for (int i = axis + 1; i < a->shape.rank; i++) *bytes *= a->shape.dim[i];
}

static gan_status run_concat(gan_device *device, const gan_call *call) {
    const int axis = call->node->attr.concat.axis;
    int64_t rows, bytes;
    around(&call->out, axis, &rows, &bytes);
    const int64_t pitch = call->out.shape.dim[axis] * bytes;
    char *to = call->out.data;
    for (int i = 0; i < call->n_in; i++) {
        const int64_t length = call->in[i].shape.dim[axis] * bytes;
        gan_cpu_copy_rows(device, to, pitch, call->in[i].data, length, rows, length);
        to += length;
    }
    return GAN_OK;
}

static gan_status run_slice(gan_device *device, const gan_call *call) {
    const int axis = call->node->attr.slice.axis;
    int64_t rows, bytes;
    around(&call->out, axis, &rows, &bytes);
    const char *from = (const char *)call->in[0].data + call->node->attr.slice.start * bytes;
    const int64_t length = call->out.shape.dim[axis] * bytes;
    gan_cpu_copy_rows(device, call->out.data, length, from, call->in[0].shape.dim[axis] * bytes,
                      rows, length);
    return GAN_OK;
}

static gan_status run_pad(gan_device *device, const gan_call *call) {
    const int axis = call->node->attr.pad.axis;
    int64_t rows, bytes;
    around(&call->out, axis, &rows, &bytes);
    const int64_t pitch = call->out.shape.dim[axis] * bytes,
                  length = call->in[0].shape.dim[axis] * bytes;
    const int64_t before = call->node->attr.pad.before * bytes;
    char *to = call->out.data;
    gan_cpu_copy_rows(device, to, pitch, NULL, 0, rows, before);
    gan_cpu_copy_rows(device, to + before, pitch, call->in[0].data, length, rows, length);
    gan_cpu_copy_rows(device, to + before + length, pitch, NULL, 0, rows, pitch - before - length);
    return GAN_OK;
}

const gan_kernel gan_cpu_concat = {run_concat, NULL, NULL};
const gan_kernel gan_cpu_slice = {run_slice, NULL, NULL};
const gan_kernel gan_cpu_pad = {run_pad, NULL, NULL};
