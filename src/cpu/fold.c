/* Folded filters: every tap of the result sums up to four of the operand's, 16 channels at a time
 * where inputs and outputs change places. */
#include <string.h>

#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/tasks.h"

enum { BLOCK = 16 };

/* out (i,r,s,j) = scale · Σ over a, b in {0,1} of in (i,h,w,j), with turned in (j,h,w,i),
 * h = first_h + step·r + a, w = first_w + step·s + b, where there is such a tap. */
typedef struct fold {
    int64_t i, r, s, j, h, w; /* lengths */
    int64_t first_h, first_w, step;
    bool turned;
    float scale;
    const float *in;
    float *out;
} fold;

static fold fold_of(const gan_call *call) {
    const int64_t *in = call->in[0].shape.dim, *out = call->out.shape.dim;
    const bool up = call->node->attr.fold.up, adjoint = call->node->op == GAN_OP_fold_adjoint;
    fold f = {.i = out[0], .r = out[1], .s = out[2], .j = out[3], .h = in[1], .w = in[2]};
    f.turned = up;
    f.scale = up ? 1.0f : 0.25f;
    f.step = up ? -1 : 1;
    f.first_h = up ? (adjoint ? f.r : f.h) - 1 : adjoint ? 0 : -1;
    f.first_w = up ? (adjoint ? f.s : f.w) - 1 : adjoint ? 0 : -1;
    f.in = call->in[0].data, f.out = call->out.data;
    return f;
}

/* The taps that one of the result sums: their offsets in an operand of one channel. */
static int taps_of(const fold *f, int64_t r, int64_t s, int64_t tap[4]) {
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
    for (int64_t rs = 0; rs < f->r * f->s; rs++) {
        int64_t tap[4];
        const int n = taps_of(f, rs / f->s, rs % f->s, tap);
        float *restrict y = f->out + (i * f->r * f->s + rs) * f->j;
        memset(y, 0, (size_t)f->j * sizeof *y);
        for (int t = 0; t < n; t++) {
            const float *x = f->in + (i * f->h * f->w + tap[t]) * f->j;
            for (int64_t j = 0; j < f->j; j++) y[j] += x[j];
        }
        for (int64_t j = 0; j < f->j; j++) y[j] *= f->scale;
    }
    return true;
}

/* sum[j][i] of a block of inputs and outputs, whole ones with a length that is known. */
static void gather(const fold *f, const int64_t *tap, int n, int64_t i0, int64_t j0, int64_t rows,
                   int64_t columns, float sum[BLOCK][BLOCK]) {
    for (int64_t j = 0; j < columns; j++) {
        const float *x = f->in + (j0 + j) * f->h * f->w * f->i + i0;
        memset(sum[j], 0, sizeof sum[j]);
        for (int t = 0; t < n; t++) {
            const float *from = x + tap[t] * f->i;
            if (rows == BLOCK)
                for (int i = 0; i < BLOCK; i++) sum[j][i] += from[i];
            else
                for (int64_t i = 0; i < rows; i++) sum[j][i] += from[i];
        }
    }
}

static int64_t min64(int64_t a, int64_t b) { return a < b ? a : b; }

static bool turned_task(void *context, int64_t block, int slot) { /* BLOCK filters of the result */
    (void)slot;
    const fold *f = context;
    const int64_t i0 = block * BLOCK, rows = min64(BLOCK, f->i - i0);
    for (int64_t rs = 0; rs < f->r * f->s; rs++) {
        int64_t tap[4];
        const int n = taps_of(f, rs / f->s, rs % f->s, tap);
        for (int64_t j0 = 0; j0 < f->j; j0 += BLOCK) {
            float sum[BLOCK][BLOCK];
            const int64_t columns = min64(BLOCK, f->j - j0);
            gather(f, tap, n, i0, j0, rows, columns, sum);
            for (int64_t i = 0; i < rows; i++) {
                float *y = f->out + ((i0 + i) * f->r * f->s + rs) * f->j + j0;
                for (int64_t j = 0; j < columns; j++) y[j] = f->scale * sum[j][i];
            }
        }
    }
    return true;
}

static gan_status run(gan_device *device, const gan_call *call) {
    fold f = fold_of(call);
    if (gan_shape_size(call->out.shape) == 0) return GAN_OK;
    if (f.turned)
        gan_cpu_tasks(device, (f.i + BLOCK - 1) / BLOCK, turned_task, &f);
    else
        gan_cpu_tasks(device, f.i, straight_task, &f);
    return GAN_OK;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cpu_require_f32(call, 0);
}

const gan_kernel gan_cpu_fold = {run, prepare, NULL};
const gan_kernel gan_cpu_fold_adjoint = {run, prepare, NULL};
