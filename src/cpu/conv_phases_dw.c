/* The transposed algorithm, for the gradient of filters. */
#include <string.h>

#include "cpu/conv_phases.h"

enum { PHASES = GAN_CPU_PHASES, PAD = GAN_CPU_PAD };

/* dy (tiles, a band of k) as a row of points takes it: dy0, dy0 + dy1 and dy1 in each direction. */
static void dy_factors(const gan_cpu_phases *x, const gan_cpu_phases_memory *m, int64_t tile_row,
                       int points, int64_t k0, int64_t n, float *to) {
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const float *dy = x->b + tile_row / z->down * v->p * v->q * v->k;
    const int64_t p = 2 * (tile_row % z->down), width = 2 * z->across, pitch = z->band + PAD;
    const float *of[2];
    int terms = 0;
    if (points < 2) of[terms++] = dy + p * v->q * v->k + k0;
    if (points > 0 && p + 1 < v->p) of[terms++] = dy + (p + 1) * v->q * v->k + k0;
    if (terms == 0) /* below the last row */
        memset(m->line, 0, (size_t)(width * n) * sizeof *m->line);
    else
        z->loops->sum(m->line, n, of, terms, v->k, v->q, n);
    if (v->q < width) memset(m->line + v->q * n, 0, (size_t)n * sizeof *m->line);
    of[0] = m->line, of[1] = m->line + n;
    z->loops->sum(to, pitch, of, 1, 2 * n, z->across, n);
    z->loops->sum(to + z->factor_size, pitch, of, 2, 2 * n, z->across, n);
    z->loops->sum(to + 2 * z->factor_size, pitch, of + 1, 1, 2 * n, z->across, n);
}

/* x (tiles, phase·c), as strips of channels of each phase. */
static void x_factors(const gan_cpu_phases *x, const gan_cpu_phases_memory *m, int64_t tile_row,
                      int points, int64_t tile) {
    const gan_cpu_phases_cut *z = &x->z;
    const int64_t c = x->v->c;
    for (int row = 0; row < 2; row++) {
        gan_cpu_phases_line(x, tile_row, row, points, m->line);
        for (int64_t i = 0; i < 2 * z->strips; i++) {
            const int64_t column = i / z->strips, c0 = i % z->strips * z->strip;
            gan_cpu_phases_factors(z, m->line, c, c0, gan_cpu_min64(z->strip, c - c0), column, 2, 4,
                                   m->other +
                                       ((2 * row * z->strips + i) * z->tiles + tile) * z->strip,
                                   z->strip, z->other_size);
        }
    }
}

/* dw += dyᵀ·x for a row of points. */
static void multiply_dw(const gan_cpu_phases *x, const gan_cpu_phases_memory *m, int64_t tiles,
                        int points, int64_t k0, int64_t rows, bool add, float *dw) {
    const gan_cpu_phases_cut *z = &x->z;
    const int64_t c = x->v->c, strips = PHASES * z->strips;
    gan_cpu_strip s = {.m = rows, .k = tiles, .lda = z->band + PAD, .ldc = z->inner};
    s.transposed = true, s.add = add;
    for (int64_t i = 0; i < 3 * strips; i++) {
        const int64_t column = i / strips, phase = i % strips / z->strips,
                      c0 = i % z->strips * z->strip;
        s.a = m->factor + column * z->factor_size;
        s.b = m->other + column * z->other_size + i % strips * z->tiles * z->strip;
        s.c = dw + ((3 * points + column) * x->v->k + k0) * z->inner + phase * c + c0;
        s.n = gan_cpu_min64(z->strip, c - c0);
        z->loops->product(&s);
    }
}

/* Task: a row of points, a band of filters and a part of the rows of tiles. */
static bool dw_task(void *context_, int64_t task, int slot) {
    const gan_cpu_phases *x = context_;
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const gan_cpu_phases_memory m = gan_cpu_phases_memory_of(x, slot);
    const int points = (int)(task % 3);
    const int64_t band = task / 3 % z->bands, part = task / 3 / z->bands;
    const int64_t k0 = band * z->band, rows = gan_cpu_min64(z->band, v->k - k0);
    const int64_t begin = part * z->part_rows,
                  end = gan_cpu_min64(begin + z->part_rows, v->n * z->down);
    float *dw = x->filters + part * z->filters_size;
    for (int64_t first = begin; first < end; first += z->rows) {
        const int64_t last = gan_cpu_min64(first + z->rows, end);
        for (int64_t t = first; t < last; t++) {
            const int64_t tile = (t - first) * z->across;
            dy_factors(x, &m, t, points, k0, rows, m.factor + tile * (z->band + PAD));
            x_factors(x, &m, t, points, tile);
        }
        multiply_dw(x, &m, (last - first) * z->across, points, k0, rows, first > begin, dw);
    }
    for (int64_t i = 0; i < 3 && begin >= end; i++)
        memset(dw + ((3 * points + i) * v->k + k0) * z->inner, 0,
               (size_t)(rows * z->inner) * sizeof *dw);
    return true;
}

/* Task: an element (r, s) of the filters. */
static bool dw_filters_task(void *context_, int64_t task, int slot) {
    (void)slot;
    const gan_cpu_phases *x = context_;
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const int64_t r = task / 4, s = task % 4, phase = r % 2 * 2 + s % 2;
    const float *of[4];
    for (int i = 0; i < 4; i++)
        of[i] = x->filters + (3 * (r / 2 + i / 2) + s / 2 + i % 2) * v->k * z->inner + phase * v->c;
    z->loops->sum(x->out + task * v->c, 16 * v->c, of, 4, z->inner, v->k, v->c);
    return true;
}

bool gan_cpu_phases_dw(const gan_device *device, gan_cpu_phases *x) {
    const gan_cpu_phases_cut *z = &x->z;
    return gan_cpu_tasks(device, 3 * z->bands * z->parts, dw_task, x) &&
           (z->parts == 1 ||
            gan_cpu_sum_parts(device, z->parts, z->filters_size, x->filters, x->filters)) &&
           gan_cpu_tasks(device, 16, dw_filters_task, x);
}
