/* moments and batch_norm_sums: two sums a channel over the rows of each group, in one pass; and
 * batch_norm_grad, which takes what it needs from them.
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

/* Operands of the gradients. */
enum { X, MOMENTS, DY, GAMMA, BETA, SUMS };

typedef struct plan {
    int64_t groups, rows, channels; /* rows of a group */
    int64_t block, blocks;          /* channels in a block, at most */
    int64_t chunks, chunk;          /* of rows */
} plan;

static plan plan_of(const gan_call *call, int64_t groups, int64_t block) {
    const gan_shape x = call->in[X].shape;
    plan p = {.groups = groups, .channels = x.dim[x.rank - 1], .block = block};
    p.rows = p.channels && p.groups ? gan_shape_size(x) / p.channels / p.groups : 0;
    p.blocks = (p.channels + block - 1) / block;
    p.chunk = CHUNK / (p.channels < 1 ? 1 : p.channels < block ? p.channels : block);
    p.chunks = (p.rows + p.chunk - 1) / p.chunk;
    return p;
}

static plan plan_of_sums(const gan_call *call) {
    return plan_of(call, call->out.shape.dim[0], BLOCK);
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    GAN_TRY(gan_cpu_require_f32(call, 0));
    const plan p = plan_of_sums(call);
    call->workspace_bytes = sizeof(float) * 2 * (size_t)(p.groups * p.chunks * p.channels);
    return GAN_OK;
}

/* ---- pieces ---- */

/* A chunk of a group's rows, of a block of its channels. */
typedef struct piece {
    int64_t group, chunk;
    int64_t rows, start; /* start: of the first row in x */
    int64_t c, w;        /* channels c … c+w-1 */
    int64_t together;    /* rows that are taken as one */
} piece;

static piece piece_of(const plan *p, int64_t item) {
    const int64_t block = item % p->blocks;
    piece q = {.chunk = item / p->blocks % p->chunks, .group = item / p->blocks / p->chunks};
    const int64_t r = q.chunk * p->chunk;
    q.c = block * p->block;
    q.w = p->channels - q.c < p->block ? p->channels - q.c : p->block;
    q.rows = p->rows - r < p->chunk ? p->rows - r : p->chunk;
    q.start = (q.group * p->rows + r) * p->channels;
    q.together = q.w == p->channels ? p->block / q.w : 1;
    if (q.together > q.rows) q.together = q.rows;
    return q;
}

/* The first row's `w` values for all rows that are taken as one. */
static void repeat(float *y, const piece *q) {
    for (int64_t r = 1; r < q->together; r++) memcpy(y + r * q->w, y, sizeof *y * (size_t)q->w);
}

static float scale_of(const gan_call *call, const float *moments, int64_t channels, int64_t c) {
    const double deviation = sqrt((double)moments[channels + c] + call->node->attr.norm.eps);
    return (float)((double)((const float *)call->in[GAMMA].data)[c] / deviation);
}

/* ---- sums ---- */

/* The distances are from `origin` (C); sums go to partial (2, C), columns c …. */
static void sum_piece(const gan_cpu_reduce_loops *loops, const plan *p, const gan_call *call,
                      const piece *q, const float *origin, float *partial) {
    _Alignas(64) float first[BLOCK], second[BLOCK], from[BLOCK], scale[BLOCK], beta[BLOCK];
    const bool gradient = call->node->op == GAN_OP_batch_norm_sums;
    const float bend = gradient ? (float)call->node->attr.norm.slope : 1.0f;
    const float *x = (const float *)call->in[X].data + q->start;
    const float *dy = gradient ? (const float *)call->in[DY].data + q->start : NULL;
    const int64_t w = q->w, together = q->together;
    for (int64_t i = 0; i < together * w; i++) first[i] = second[i] = 0.0f;
    memcpy(from, origin + q->c, sizeof *from * (size_t)w);
    repeat(from, q);
    if (bend != 1.0f) {
        for (int64_t i = 0; i < w; i++) scale[i] = scale_of(call, origin, p->channels, q->c + i);
        memcpy(beta, (const float *)call->in[BETA].data + q->c, sizeof *beta * (size_t)w);
        repeat(scale, q);
        repeat(beta, q);
    }
    const gan_cpu_norm_row row = {.mean = from, .scale = scale, .beta = beta};
    for (int64_t r = 0; r < q->rows; r += together) {
        const int64_t n = (q->rows - r < together ? q->rows - r : together) * w;
        const int64_t at = r * p->channels + q->c;
        if (!gradient)
            loops->moments(first, second, x + at, from, n);
        else if (bend == 1.0f)
            loops->products(first, second, dy + at, x + at, from, n);
        else
            loops->bent_products(first, second, dy + at, x + at, &row, bend, n);
    }
    for (int64_t r = 1; r < together; r++) {
        for (int64_t i = 0; i < w; i++) first[i] += first[r * w + i];
        for (int64_t i = 0; i < w; i++) second[i] += second[r * w + i];
    }
    memcpy(partial + q->c, first, sizeof *first * (size_t)w);
    memcpy(partial + p->channels + q->c, second, sizeof *second * (size_t)w);
}

static void sum_all(const gan_device *device, const gan_call *call, const plan *p) {
    const float *x = call->in[X].data;
    const float *moments = call->node->op == GAN_OP_moments ? NULL : call->in[MOMENTS].data;
    float *partial = call->workspace;
    const gan_cpu_reduce_loops *loops = gan_cpu_simd_of(device)->reduce;
    const int64_t items = p->groups * p->chunks * p->blocks,
                  size = p->groups * p->rows * p->channels;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (size >= GAN_CPU_SERIAL)
    for (int64_t item = 0; item < items; item++) {
        const piece q = piece_of(p, item);
        const float *origin =
            moments ? moments + 2 * q.group * p->channels : x + q.group * p->rows * p->channels;
        sum_piece(loops, p, call, &q, origin,
                  partial + 2 * (q.group * p->chunks + q.chunk) * p->channels);
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
    const plan p = plan_of_sums(call);
    const float *x = call->in[X].data;
    float *out = call->out.data;
    sum_all(device, call, &p);
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
    const plan p = plan_of_sums(call);
    const float *moments = call->in[MOMENTS].data;
    const double eps = call->node->attr.norm.eps;
    float *out = call->out.data;
    sum_all(device, call, &p);
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

/* ---- the gradient of x ---- */

enum { GRAD_BLOCK = 512 };

static plan plan_of_grad(const gan_call *call) {
    return plan_of(call, call->in[MOMENTS].shape.dim[0], GRAD_BLOCK);
}

static gan_status prepare_grad(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cpu_require_f32(call, 0);
}

static void grad_piece(const gan_cpu_reduce_loops *loops, const plan *p, const gan_call *call,
                       const piece *q) {
    _Alignas(64) float value[5][GRAD_BLOCK];
    const float *moments = (const float *)call->in[MOMENTS].data + 2 * q->group * p->channels;
    const float *sums = (const float *)call->in[SUMS].data + 2 * q->group * p->channels;
    const float *gamma = call->in[GAMMA].data, *beta = call->in[BETA].data;
    const float bend = (float)call->node->attr.norm.slope;
    for (int64_t i = 0; i < q->w; i++) {
        const int64_t c = q->c + i, second = p->channels + c;
        const double s = 1 / sqrt((double)moments[second] + call->node->attr.norm.eps);
        const double a = (double)gamma[c] * s, n = (double)p->rows;
        value[0][i] = moments[c];
        value[1][i] = scale_of(call, moments, p->channels, c);
        value[2][i] = beta[c];
        value[3][i] = (float)(-a * s * (double)sums[second] / n);
        value[4][i] = (float)(-a * (double)sums[c] / n);
    }
    for (int k = 0; k < 5; k++) repeat(value[k], q);
    const gan_cpu_norm_row row = {value[0], value[1], value[2], value[3], value[4]};
    const float *x = (const float *)call->in[X].data + q->start + q->c;
    const float *dy = (const float *)call->in[DY].data + q->start + q->c;
    float *dx = (float *)call->out.data + q->start + q->c;
    for (int64_t r = 0; r < q->rows; r += q->together) {
        const int64_t n = (q->rows - r < q->together ? q->rows - r : q->together) * q->w;
        const int64_t at = r * p->channels;
        if (bend == 1.0f)
            loops->norm_grad(dx + at, dy + at, x + at, &row, n);
        else
            loops->bent_norm_grad(dx + at, dy + at, x + at, &row, bend, n);
    }
}

static gan_status run_grad(gan_device *device, const gan_call *call) {
    const plan p = plan_of_grad(call);
    const gan_cpu_reduce_loops *loops = gan_cpu_simd_of(device)->reduce;
    const int64_t items = p.groups * p.chunks * p.blocks, size = p.groups * p.rows * p.channels;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (size >= GAN_CPU_SERIAL)
    for (int64_t item = 0; item < items; item++) {
        const piece q = piece_of(&p, item);
        grad_piece(loops, &p, call, &q);
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_moments = {run_moments, prepare, NULL};
const gan_kernel gan_cpu_batch_norm_sums = {run_sums, prepare, NULL};
const gan_kernel gan_cpu_batch_norm_grad = {run_grad, prepare_grad, NULL};
