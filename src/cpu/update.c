/* Effects on variables. */
#include <math.h>
#include <string.h>

#include "cpu/copy.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

static float scalar(const gan_array *a) { return *(const float *)a->data; }
static int64_t counter_of(const gan_array *a) { return *(const int64_t *)a->data; }

static gan_status run_assign(gan_device *device, const gan_call *call) {
    gan_cpu_copy(device, call->in[0].data, call->in[1].data,
                 gan_dtype_size(call->in[0].dtype) * (size_t)gan_shape_size(call->in[0].shape));
    return GAN_OK;
}

static gan_status run_advance(gan_device *device, const gan_call *call) {
    (void)device;
    *(int64_t *)call->in[0].data += call->node->attr.advance.by;
    return GAN_OK;
}

static gan_status run_record(gan_device *device, const gan_call *call) {
    (void)device;
    const int64_t counter = counter_of(&call->in[1]), every = call->node->attr.record.every;
    if (counter % every != 0) return GAN_OK;
    const gan_shape ring = call->in[0].shape;
    float *row = (float *)call->in[0].data + counter / every % ring.dim[0] * ring.dim[1];
    for (int i = 2; i < call->n_in; i++) row[i - 2] = scalar(&call->in[i]);
    return GAN_OK;
}

/* One flat vector: each operand padded to whole lines. Producers may have written in place already.
 */
static gan_status run_pack(gan_device *device, const gan_call *call) {
    enum { LINE = 16 };
    float *y = call->out.data;
    for (int i = 0; i < call->n_in; i++) {
        const int64_t n = gan_shape_size(call->in[i].shape), padded = (n + LINE - 1) / LINE * LINE;
        gan_cpu_copy(device, y, call->in[i].data, sizeof *y * (size_t)n);
        memset(y + n, 0, sizeof *y * (size_t)(padded - n));
        y += padded;
    }
    return GAN_OK;
}

/* ---- passes over flat vectors ---- */

static int64_t pieces_of(int64_t n) { return (n + GAN_CPU_PIECE - 1) / GAN_CPU_PIECE; }

static int64_t piece_length(int64_t n, int64_t start) {
    return n - start < GAN_CPU_PIECE ? n - start : GAN_CPU_PIECE;
}

static gan_status run_moving_average(gan_device *device, const gan_call *call) {
    const int64_t n = gan_shape_size(call->in[0].shape), pieces = pieces_of(n);
    const gan_cpu_update_loops *loops = gan_cpu_simd_of(device)->update;
    float *y = call->in[0].data;
    const float *x = call->in[1].data, decay = scalar(&call->in[2]);
#pragma omp parallel for num_threads(device->threads) schedule(static) if (n >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t at = i * GAN_CPU_PIECE;
        loops->average(y + at, x + at, piece_length(n, at), decay);
    }
    return GAN_OK;
}

/* The weights' copy in bf16, where the update keeps one. */
static void keep(const gan_cpu_simd *simd, const gan_call *call, int64_t at, int64_t n) {
    const int last = call->n_in - 1;
    if (!gan_op_copy(call->node)) return;
    simd->cast->cast[GAN_F32][GAN_BF16]((uint16_t *)call->in[last].data + at,
                                        (const float *)call->in[0].data + at, n);
}

static gan_status run_adam(gan_device *device, const gan_call *call) {
    const double beta1 = call->node->attr.adam.beta1, beta2 = call->node->attr.adam.beta2;
    const double t = (double)(counter_of(&call->in[5]) * call->node->attr.adam.per_iteration +
                              call->node->attr.adam.offset + 1);
    const gan_cpu_adam_factors factors = {
        .beta1 = (float)beta1,
        .beta2 = (float)beta2,
        .rest1 = (float)(1 - beta1),
        .rest2 = (float)(1 - beta2),
        .eps = (float)call->node->attr.adam.eps,
        .step = (float)((double)scalar(&call->in[4]) / (1 - pow(beta1, t))),
        .correction = (float)(1 / (1 - pow(beta2, t))),
    };
    const int64_t n = gan_shape_size(call->in[0].shape), pieces = pieces_of(n);
    const gan_cpu_update_loops *loops = gan_cpu_simd_of(device)->update;
    float *w = call->in[0].data, *m = call->in[1].data, *v = call->in[2].data;
    const float *g = call->in[3].data;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (n >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t at = i * GAN_CPU_PIECE;
        loops->adam(w + at, m + at, v + at, g + at, piece_length(n, at), &factors);
        keep(gan_cpu_simd_of(device), call, at, piece_length(n, at));
    }
    return GAN_OK;
}

static gan_status run_momentum(gan_device *device, const gan_call *call) {
    const int64_t n = gan_shape_size(call->in[0].shape), pieces = pieces_of(n);
    const gan_cpu_update_loops *loops = gan_cpu_simd_of(device)->update;
    float *w = call->in[0].data, *v = call->in[1].data;
    const float *g = call->in[2].data, rate = scalar(&call->in[3]), momentum = scalar(&call->in[4]);
#pragma omp parallel for num_threads(device->threads) schedule(static) if (n >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t at = i * GAN_CPU_PIECE;
        loops->momentum(w + at, v + at, g + at, piece_length(n, at), rate, momentum);
        keep(gan_cpu_simd_of(device), call, at, piece_length(n, at));
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_assign = {run_assign, NULL, NULL};
const gan_kernel gan_cpu_advance = {run_advance, NULL, NULL};
const gan_kernel gan_cpu_record = {run_record, NULL, NULL};
const gan_kernel gan_cpu_pack = {run_pack, NULL, NULL};
const gan_kernel gan_cpu_moving_average = {run_moving_average, NULL, NULL};
const gan_kernel gan_cpu_adam = {run_adam, NULL, NULL};
const gan_kernel gan_cpu_momentum = {run_momentum, NULL, NULL};
