/* moments and batch_norm_sums: two sums a channel over the rows of each group, in one pass.
 *
 * Threads take chunks of rows and blocks of channels, cut by shape; the chunks' sums are combined
 * in order and in double. Squares are of distances to the group's first row, so that a mean far
 * from zero does not cancel.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

enum { CHUNK = 32 * 1024, BLOCK = 1024 };

typedef struct plan {
    int64_t groups, rows, channels; /* rows of a group */
    int64_t blocks;                 /* of BLOCK channels at most */
    int64_t chunks, chunk;          /* of rows */
} plan;

static plan plan_of(const gan_call *call) {
    const gan_shape x = call->in[0].shape;
    plan p = {.groups = call->out.shape.dim[0], .channels = x.dim[x.rank - 1]};
    p.rows = p.channels && p.groups ? gan_shape_size(x) / p.channels / p.groups : 0;
    p.blocks = (p.channels + BLOCK - 1) / BLOCK;
    p.chunk = CHUNK / (p.channels < 1 ? 1 : p.channels < BLOCK ? p.channels : BLOCK);
    p.chunks = (p.rows + p.chunk - 1) / p.chunk;
    return p;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    GAN_TRY(gan_cpu_require_f32(call, 0));
    const plan p = plan_of(call);
    call->workspace_bytes = sizeof(float) * 2 * (size_t)(p.groups * p.chunks * p.channels);
    return GAN_OK;
}

/* The distances are from `origin` (C); dy NULL: moments. Sums go to partial (2, C), columns c …
 * c+w-1. */
static void sum_chunk(const gan_cpu_reduce_loops *loops, const plan *p, const float *x,
                      const float *dy, const float *origin, float *partial, int64_t rows, int64_t c,
                      int64_t w) {
    _Alignas(64) float first[BLOCK], second[BLOCK], from[BLOCK];
    int64_t together = w == p->channels ? BLOCK / w : 1; /* rows in a tile */
    if (together > rows) together = rows;
    for (int64_t i = 0; i < together * w; i++) first[i] = second[i] = 0.0f;
    for (int64_t r = 0; r < together; r++)
        memcpy(from + r * w, origin + c, sizeof *from * (size_t)w);
    for (int64_t r = 0; r < rows; r += together) {
        const int64_t n = (rows - r < together ? rows - r : together) * w, at = r * p->channels + c;
        if (dy)
            loops->products(first, second, dy + at, x + at, from, n);
        else
            loops->moments(first, second, x + at, from, n);
    }
    for (int64_t r = 1; r < together; r++) {
        for (int64_t i = 0; i < w; i++) first[i] += first[r * w + i];
        for (int64_t i = 0; i < w; i++) second[i] += second[r * w + i];
    }
    memcpy(partial + c, first, sizeof *first * (size_t)w);
    memcpy(partial + p->channels + c, second, sizeof *second * (size_t)w);
}

static void sum_all(const gan_device *device, const gan_call *call, const plan *p,
                    const float *dy) {
    const float *x = call->in[0].data;
    float *partial = call->workspace;
    const gan_cpu_reduce_loops *loops = gan_cpu_simd_of(device)->reduce;
    const int64_t items = p->groups * p->chunks * p->blocks,
                  size = p->groups * p->rows * p->channels;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (size >= GAN_CPU_SERIAL)
    for (int64_t item = 0; item < items; item++) {
        const int64_t block = item % p->blocks, chunk = item / p->blocks % p->chunks;
        const int64_t group = item / p->blocks / p->chunks, r = chunk * p->chunk, c = block * BLOCK;
        const int64_t start = (group * p->rows + r) * p->channels;
        const float *origin = dy ? (const float *)call->in[1].data + 2 * group * p->channels
                                 : x + group * p->rows * p->channels;
        sum_chunk(loops, p, x + start, dy ? dy + start : NULL, origin,
                  partial + 2 * (group * p->chunks + chunk) * p->channels,
                  p->rows - r < p->chunk ? p->rows - r : p->chunk, c,
                  p->channels - c < BLOCK ? p->channels - c : BLOCK);
    }
}

/* The sums of channel c of a group over its chunks. */
static void combine(const plan *p, const float *partial, int64_t group, int64_t c, double *first,
                    double *second) {
    *first = *second = 0;
    for (int64_t k = 0; k < p->chunks; k++) {
        const float *at = partial + 2 * (group * p->chunks + k) * p->channels + c;
        *first += (double)at[0];
        *second += (double)at[p->channels];
    }
}

static gan_status run_moments(gan_device *device, const gan_call *call) {
    const plan p = plan_of(call);
    const float *x = call->in[0].data;
    float *out = call->out.data;
    sum_all(device, call, &p, NULL);
    for (int64_t i = 0; i < p.groups * p.channels; i++) {
        const int64_t group = i / p.channels, c = i % p.channels;
        double sum, squares;
        combine(&p, call->workspace, group, c, &sum, &squares);
        const double n = (double)p.rows, shifted = sum / n,
                     variance = squares / n - shifted * shifted;
        out[2 * group * p.channels + c] =
            (float)((double)x[group * p.rows * p.channels + c] + shifted);
        out[(2 * group + 1) * p.channels + c] = (float)(variance < 0 ? 0 : variance);
    }
    return GAN_OK;
}

static gan_status run_sums(gan_device *device, const gan_call *call) {
    const plan p = plan_of(call);
    const float *moments = call->in[1].data;
    const double eps = call->node->attr.eps.eps;
    float *out = call->out.data;
    sum_all(device, call, &p, call->in[2].data);
    for (int64_t i = 0; i < p.groups * p.channels; i++) {
        const int64_t group = i / p.channels, c = i % p.channels,
                      second_row = (2 * group + 1) * p.channels + c;
        double sum, products;
        combine(&p, call->workspace, group, c, &sum, &products);
        out[2 * group * p.channels + c] = (float)sum;
        out[second_row] = (float)(products / sqrt((double)moments[second_row] + eps));
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_moments = {run_moments, prepare, NULL};
const gan_kernel gan_cpu_batch_norm_sums = {run_sums, prepare, NULL};
