/* Folded filters: every tap of the result sums up to four of the operand's, 16 channels at a time
 * where inputs and outputs change places. */
#include <string.h>

#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/tasks.h"
#include "graph/fold.h"

enum { BLOCK = 16 };

typedef struct fold {
    gan_fold_sums sums;
    const float *in;
    float *out;
} fold;

/* The taps that one of the result sums: their offsets in an operand of one channel. */
static int taps_of(const gan_fold_sums *f, int64_t r, int64_t s, int64_t tap[4]) {
    int n = 0;
    for (int64_t a = 0; a < 2; a++)
        for (int64_t b = 0; b < 2; b++) {
            const int64_t h = f->first_h + f->step * r + a, w = f->first_w + f->step * s + b;
            if (h >= 0 && h < f->h && w >= 0 && w < f->w) tap[n++] = h * f->w + w;
        }
    return n;
}

static bool straight_task(void *context, int64_t i, int slot) { /* a filter */
    (void)slot;
    const fold *f = context;
    for (int64_t rs = 0; rs < f->sums.r * f->sums.s; rs++) {
        int64_t tap[4];
        const int n = taps_of(&f->sums, rs / f->sums.s, rs % f->sums.s, tap);
        float *restrict y = f->out + (i * f->sums.r * f->sums.s + rs) * f->sums.j;
        memset(y, 0, (size_t)f->sums.j * sizeof *y);
        for (int t = 0; t < n; t++) {
            const float *x = f->in + (i * f->sums.h * f->sums.w + tap[t]) * f->sums.j;
            for (int64_t j = 0; j < f->sums.j; j++) y[j] += x[j];
        }
        for (int64_t j = 0; j < f->sums.j; j++) y[j] *= f->sums.scale;
    }
    return true;
}

/* sum[j][i] of a block of inputs and outputs, whole ones with a length that is known. */
static void gather(const fold *f, const int64_t *tap, int n, int64_t i0, int64_t j0, int64_t rows,
                   int64_t columns, float sum[BLOCK][BLOCK]) {
    for (int64_t j = 0; j < columns; j++) {
        const float *x = f->in + (j0 + j) * f->sums.h * f->sums.w * f->sums.i + i0;
        memset(sum[j], 0, sizeof sum[j]);
        for (int t = 0; t < n; t++) {
            const float *from = x + tap[t] * f->sums.i;
            if (rows == BLOCK)
                for (int i = 0; i < BLOCK; i++) sum[j][i] += from[i];
            else
                for (int64_t i = 0; i < rows; i++) sum[j][i] += from[i];
        }
    }
}

static bool turned_task(void *context, int64_t block, int slot) { /* BLOCK filters of the result */
    (void)slot;
    const fold *f = context;
    const int64_t i0 = block * BLOCK, rows = gan_cpu_min64(BLOCK, f->sums.i - i0);
    for (int64_t rs = 0; rs < f->sums.r * f->sums.s; rs++) {
        int64_t tap[4];
        const int n = taps_of(&f->sums, rs / f->sums.s, rs % f->sums.s, tap);
        for (int64_t j0 = 0; j0 < f->sums.j; j0 += BLOCK) {
            float sum[BLOCK][BLOCK];
            const int64_t columns = gan_cpu_min64(BLOCK, f->sums.j - j0);
            gather(f, tap, n, i0, j0, rows, columns, sum);
            for (int64_t i = 0; i < rows; i++) {
                float *y = f->out + ((i0 + i) * f->sums.r * f->sums.s + rs) * f->sums.j + j0;
                for (int64_t j = 0; j < columns; j++) y[j] = f->sums.scale * sum[j][i];
            }
        }
    }
    return true;
}

static gan_status run(gan_device *device, const gan_call *call) {
    fold f = {gan_fold_sums_of(call->node), call->in[0].data, call->out.data};
    if (gan_shape_size(call->out.shape) == 0) return GAN_OK;
    if (f.sums.turned)
        gan_cpu_tasks(device, (f.sums.i + BLOCK - 1) / BLOCK, turned_task, &f);
    else
        gan_cpu_tasks(device, f.sums.i, straight_task, &f);
    return GAN_OK;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cpu_require_f32(call, 0);
}

const gan_kernel gan_cpu_fold = {run, prepare, NULL};
const gan_kernel gan_cpu_fold_adjoint = {run, prepare, NULL};
