/* Convolution with filters of 4×4 elements every two pixels, by phases: the pixels of even and odd
 * rows and columns are four images of half the size, and on each the filter is one of 2×2 elements
 * every pixel, for which two neighbouring results take three products instead of four (Winograd's
 * F(2,2), in both directions: nine instead of sixteen):
 *   y0 = x0·w0 + x1·w1 = m0 + m1,   m0 = (x0 - x1)·w0,   m1 = x1·(w0 + w1),
 *   y1 = x1·w0 + x2·w1 = m1 + m2,   m2 = (x2 - x1)·w1
 * S. Winograd, Arithmetic Complexity of Computations, 1980; A. Lavin and S. Gray, Fast Algorithms
 * for Convolutional Neural Networks, CVPR 2016, section 4. Factors are ±1, so that errors stay
 * those of a direct sum. All m of a "tile", 2×2 results, are elements of nine products of matrices.
 *   y:   products of (tiles, phase·c) and (phase·c, k)
 *   dx:  for every phase of dx, of (tiles, k) and (k, c)
 *   dw:  of (k, tiles) and (tiles, phase·c): the transposed algorithm
 */
#include "cpu/conv_phases.h"

#include <string.h>

enum {
    POINTS = GAN_CPU_POINTS,
    PHASES = GAN_CPU_PHASES,
    PAD = GAN_CPU_PAD,
    TILES = 96,           /* a task takes about as many, */
    TASKS = 8,            /* fewer where there would not be as many tasks, … */
    FEW = 24,             /* … but no fewer than these */
    PARTS_SIZE = 5 << 20, /* floats that partial sums of dw may have */
    DW_TASKS = 16,
    DW_ROWS = 256, /* filters a task of dw has at least, when it can be */
};

static int64_t padded(int64_t n) { return gan_cpu_ceil_div(n, PAD) * PAD; }

static gan_cpu_phases_cut cut_of(const gan_cpu_product_loops *loops, const gan_cpu_conv *v) {
    gan_cpu_phases_cut z = {.loops = loops, .strip = loops->strip};
    const bool dx = v->kind == GAN_CPU_CONV_DX, dw = v->kind == GAN_CPU_CONV_DW;
    z.across = dx ? gan_cpu_ceil_div(v->w, 4) : gan_cpu_ceil_div(v->q, 2);
    z.down = dx ? gan_cpu_ceil_div(v->h, 4) : gan_cpu_ceil_div(v->p, 2);
    z.inner = dx ? v->k : PHASES * v->c;
    z.outer = dx ? v->c : v->k;
    const int64_t all = v->n * z.down;
    const int64_t tiles =
        dw ? TILES : gan_cpu_min64(TILES, gan_cpu_max64(FEW, all * z.across / TASKS));
    z.rows = gan_cpu_max64(1, tiles / gan_cpu_max64(z.across, 1));
    z.line = dx ? 2 * z.across + 1 : 4 * z.across + 2;
    z.strips = gan_cpu_ceil_div(dw ? v->c : z.outer, z.strip);
    if (dw) {
        z.filters_size = POINTS * v->k * z.inner;
        z.parts = gan_cpu_min64(gan_cpu_ceil_div(DW_TASKS, 3), PARTS_SIZE / z.filters_size);
        z.parts = gan_cpu_max64(1, gan_cpu_min64(z.parts, all / z.rows));
        z.bands = gan_cpu_max64(
            1, gan_cpu_min64(gan_cpu_ceil_div(DW_TASKS, 3 * z.parts), v->k / DW_ROWS));
        z.band = padded(gan_cpu_ceil_div(v->k, z.bands));
        z.bands = gan_cpu_ceil_div(v->k, z.band);
        z.part_rows = gan_cpu_ceil_div(all, z.parts);
        z.tiles = z.rows * z.across;
        z.line_size = padded(gan_cpu_max64(z.line * v->c, 2 * z.across * v->k));
        z.factor_size = z.tiles * (z.band + PAD);
        z.other_size = z.tiles * PHASES * z.strips * z.strip;
        return z;
    }
    z.tiles = z.rows * z.across;
    z.line_size = padded(z.line * (dx ? v->k : v->c));
    z.factor_size = z.tiles * (z.inner + PAD);
    z.product_size = POINTS * z.tiles * z.outer;
    z.filters_size = (dx ? PHASES : 1) * POINTS * z.strips * z.inner * z.strip;
    z.other_size = dx ? 0 : 2 * v->c * z.strip; /* a strip of filters, transposed: 4 elements */
    return z;
}

static int64_t worker_size(const gan_cpu_phases_cut *z) {
    return padded(z->line_size + 3 * (z->factor_size + z->other_size) + z->product_size);
}

static const gan_cpu_product_loops *loops_of(const gan_device *device) {
    return gan_cpu_simd_of(device)->product;
}

bool gan_cpu_conv_phases_can(const gan_cpu_conv *v) {
    return v->r == 4 && v->s == 4 && v->window.stride_h == 2 && v->window.stride_w == 2;
}

size_t gan_cpu_conv_phases_workspace(const gan_device *device, const gan_cpu_conv *v) {
    const gan_cpu_phases_cut z = cut_of(loops_of(device), v);
    const int64_t parts = v->kind == GAN_CPU_CONV_DW ? z.parts : 1;
    return (size_t)(parts * z.filters_size + device->threads * worker_size(&z)) * sizeof(float);
}

gan_cpu_phases_memory gan_cpu_phases_memory_of(const gan_cpu_phases *x, int slot) {
    const gan_cpu_phases_cut *z = &x->z;
    gan_cpu_phases_memory m = {.line = x->workers + slot * worker_size(z)};
    m.factor = m.line + z->line_size;
    m.other = m.factor + 3 * z->factor_size;
    m.product = m.other + 3 * z->other_size;
    return m;
}

/* ---- lines: rows of an image, combined as a point says ---- */

/* An image, or one of its phases' views: `height` rows of `width` pixels of n channels. */
typedef struct image {
    const float *x;
    int64_t height, width, n;
} image;

/* Which of a window's three rows a row of points takes, and which it takes from it. */
static const int minuend[3] = {0, 1, 2}, subtrahend[3] = {1, -1, 1};

/* Pixels from … from+length-1 of row `top` minus row `bottom` (the latter only when `two`); what
 * lies outside is 0. */
static void difference_line(const gan_cpu_phases_cut *z, const image *m, int64_t top,
                            int64_t bottom, bool two, int64_t from, int64_t length, float *line) {
    const int64_t n = m->n, first = gan_cpu_min64(gan_cpu_max64(0, -from), length),
                  last = gan_cpu_max64(first, gan_cpu_min64(length, m->width - from));
    const bool a = top >= 0 && top < m->height, b = two && bottom >= 0 && bottom < m->height;
    memset(line, 0, (size_t)(first * n) * sizeof *line);
    memset(line + last * n, 0, (size_t)((length - last) * n) * sizeof *line);
    float *to = line + first * n;
    const int64_t size = (last - first) * n;
    if (size == 0) return;
    const float *row = m->x + (a ? (top * m->width + from + first) * n : 0);
    if (a && !b) memcpy(to, row, (size_t)size * sizeof *to);
    if (!a) memset(to, 0, (size_t)size * sizeof *to);
    if (b)
        z->loops->difference(to, 0, a ? row : to, m->x + (bottom * m->width + from + first) * n, 0,
                             1, size);
}

void gan_cpu_phases_factors(const gan_cpu_phases_cut *z, const float *line, int64_t n, int64_t c0,
                            int64_t w, int64_t from, int64_t apart, int64_t step, float *to,
                            int64_t pitch, int64_t size) {
    const float *x[3];
    for (int i = 0; i < 3; i++) x[i] = line + (from + i * apart) * n + c0;
    z->loops->difference(to, pitch, x[0], x[1], step * n, z->across, w);
    z->loops->sum(to + size, pitch, x + 1, 1, step * n, z->across, w);
    z->loops->difference(to + 2 * size, pitch, x[2], x[1], step * n, z->across, w);
}

/* ---- y ---- */

static image image_of(const gan_cpu_phases *x, int64_t row) {
    const gan_cpu_conv *v = x->v;
    const int64_t n = row / x->z.down;
    if (v->kind == GAN_CPU_CONV_DX) return (image){x->a + n * v->p * v->q * v->k, v->p, v->q, v->k};
    return (image){x->a + n * v->h * v->w * v->c, v->h, v->w, v->c};
}

void gan_cpu_phases_line(const gan_cpu_phases *x, int64_t tile_row, int row, int point_row,
                         float *line) {
    const gan_cpu_conv *v = x->v;
    const image m = image_of(x, tile_row);
    const int64_t top = 4 * (tile_row % x->z.down) + row - v->window.top;
    difference_line(&x->z, &m, top + 2 * minuend[point_row], top + 2 * subtrahend[point_row],
                    point_row != 1, -v->window.left, x->z.line, line);
}

/* Filters, transposed to (phase·c, k) and transformed: the elements of each dimension are w0, w0 +
 * w1 and w1. Task: a strip of filters and a phase. */
static bool y_filters_task(void *context_, int64_t task, int slot) {
    const gan_cpu_phases *x = context_;
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const int64_t phase = task % PHASES, strip = task / PHASES, k0 = strip * z->strip,
                  size = v->c * z->strip;
    const int64_t n = gan_cpu_min64(z->strip, v->k - k0);
    float *tap = gan_cpu_phases_memory_of(x, slot).other;
    if (n < z->strip) memset(tap, 0, 4 * (size_t)size * sizeof *tap);
    for (int i = 0; i < 4; i++) {
        const int64_t r = 2 * (i / 2) + phase / 2, s = 2 * (i % 2) + phase % 2;
        z->loops->transpose(tap + i * size, z->strip, x->b + (k0 * 16 + r * 4 + s) * v->c,
                            16 * v->c, n, v->c);
    }
    for (int point = 0; point < POINTS; point++) {
        const float *of[4];
        int terms = 0;
        for (int i = 0; i < 4; i++)
            if (point / 3 != 2 - 2 * (i / 2) && point % 3 != 2 - 2 * (i % 2))
                of[terms++] = tap + i * size;
        z->loops->sum(x->filters +
                          ((point * z->strips + strip) * z->inner + phase * v->c) * z->strip,
                      0, of, terms, 0, 1, size);
    }
    return true;
}

/* The products of a row of points: factor (tiles, inner) · filters (inner, outer). */
static void multiply(const gan_cpu_phases *x, const gan_cpu_phases_memory *m, int64_t tiles,
                     int row, const float *filters) {
    const gan_cpu_phases_cut *z = &x->z;
    gan_cpu_strip s = {.m = tiles, .k = z->inner, .lda = z->inner + PAD, .ldc = z->outer};
    for (int64_t column_strip = 0; column_strip < 3 * z->strips; column_strip++) {
        const int64_t i = column_strip % z->strips, column = column_strip / z->strips,
                      point = 3 * row + column;
        s.a = m->factor + column * z->factor_size;
        s.b = filters + (point * z->strips + i) * z->inner * z->strip;
        s.c = m->product + point * z->tiles * z->outer + i * z->strip;
        s.n = gan_cpu_min64(z->strip, z->outer - i * z->strip);
        z->loops->product(&s);
    }
}

/* Results (row, column) of the 2×2 of each of `count` tiles from `tile` on, n channels each. */
static void add_products(const gan_cpu_phases *x, const gan_cpu_phases_memory *m, int64_t tile,
                         int row, int column, float *to, int64_t pitch, int64_t count) {
    const gan_cpu_phases_cut *z = &x->z;
    const float *of[4];
    for (int i = 0; i < 4; i++)
        of[i] = m->product + (3 * (row + i / 2) + column + i % 2) * z->tiles * z->outer +
                tile * z->outer;
    z->loops->sum(to, pitch, of, 4, z->outer, count, z->outer);
}

static bool y_task(void *context_, int64_t task, int slot) {
    const gan_cpu_phases *x = context_;
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const gan_cpu_phases_memory m = gan_cpu_phases_memory_of(x, slot);
    const int64_t first = task * z->rows, last = gan_cpu_min64(first + z->rows, v->n * z->down);
    for (int points = 0; points < 3; points++) {
        for (int64_t t = first; t < last; t++)
            for (int row = 0; row < 2; row++) {
                gan_cpu_phases_line(x, t, row, points, m.line);
                for (int column = 0; column < 2; column++)
                    gan_cpu_phases_factors(z, m.line, v->c, 0, v->c, column, 2, 4,
                                           m.factor + (t - first) * z->across * (z->inner + PAD) +
                                               (2 * row + column) * v->c,
                                           z->inner + PAD, z->factor_size);
            }
        multiply(x, &m, (last - first) * z->across, points, x->filters);
    }
    for (int64_t t = first; t < last; t++)
        for (int i = 0; i < 4; i++) {
            const int64_t p = 2 * (t % z->down) + i / 2, q = i % 2;
            if (p < v->p)
                add_products(x, &m, (t - first) * z->across, i / 2, i % 2,
                             x->out + ((t / z->down * v->p + p) * v->q + q) * v->k, 2 * v->k,
                             (v->q - q + 1) / 2);
        }
    const int64_t begin = (first / z->down * v->p + 2 * (first % z->down)) * v->q,
                  end = (last / z->down * v->p + 2 * (last % z->down)) * v->q;
    gan_cpu_epilogue_block(&v->epilogue, x->call, x->out + begin * v->k, v->k, begin, end, 0, v->k);
    return true;
}

/* ---- dx ---- */

/* Rows h = 2·l + parity of dx are sums of rows l + shift - i of dy with filter rows 2·i + phase. */
static int64_t phase_of(int64_t parity, int64_t before) { return (parity + before) % 2; }
static int64_t shift_of(int64_t parity, int64_t before) {
    return (parity + before - phase_of(parity, before)) / 2;
}

/* Task: a parity of rows and of columns, and a strip of channels. */
static bool dx_filters_task(void *context_, int64_t task, int slot) {
    (void)slot;
    const gan_cpu_phases *x = context_;
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const int64_t parity = task % PHASES, strip = task / PHASES, c0 = strip * z->strip;
    const int64_t r = phase_of(parity / 2, v->window.top), s = phase_of(parity % 2, v->window.left);
    for (int point = 0; point < POINTS; point++) {
        const float *of[4];
        int terms = 0;
        for (int i = 0; i < 4; i++) /* element i of a window meets element 1 - i of the filter */
            if (point / 3 != 2 - 2 * (i / 2) && point % 3 != 2 - 2 * (i % 2))
                of[terms++] = x->b + ((r + 2 - 2 * (i / 2)) * 4 + s + 2 - 2 * (i % 2)) * v->c + c0;
        z->loops->sum(x->filters +
                          ((parity * POINTS + point) * z->strips + strip) * z->inner * z->strip,
                      z->strip, of, terms, 16 * v->c, v->k, gan_cpu_min64(z->strip, v->c - c0));
    }
    return true;
}

static void dx_parity(const gan_cpu_phases *x, const gan_cpu_phases_memory *m, int64_t first,
                      int64_t last, int parity) {
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const int64_t down = shift_of(parity / 2, v->window.top) - 1,
                  right = shift_of(parity % 2, v->window.left) - 1;
    for (int points = 0; points < 3; points++) {
        for (int64_t t = first; t < last; t++) {
            const image dy = image_of(x, t);
            const int64_t top = 2 * (t % z->down) + down;
            difference_line(z, &dy, top + minuend[points], top + subtrahend[points], points != 1,
                            right, z->line, m->line);
            gan_cpu_phases_factors(z, m->line, v->k, 0, v->k, 0, 1, 2,
                                   m->factor + (t - first) * z->across * (z->inner + PAD),
                                   z->inner + PAD, z->factor_size);
        }
        multiply(x, m, (last - first) * z->across, points,
                 x->filters + parity * POINTS * z->strips * z->inner * z->strip);
    }
    for (int64_t t = first; t < last; t++)
        for (int i = 0; i < 4; i++) {
            const int64_t h = 4 * (t % z->down) + 2 * (i / 2) + parity / 2,
                          w = 2 * (i % 2) + parity % 2;
            if (h < v->h && w < v->w)
                add_products(x, m, (t - first) * z->across, i / 2, i % 2,
                             x->out + ((t / z->down * v->h + h) * v->w + w) * v->c, 4 * v->c,
                             gan_cpu_ceil_div(v->w - w, 4));
        }
}

static bool dx_task(void *context_, int64_t task, int slot) {
    const gan_cpu_phases *x = context_;
    const gan_cpu_phases_cut *z = &x->z;
    const gan_cpu_conv *v = x->v;
    const gan_cpu_phases_memory m = gan_cpu_phases_memory_of(x, slot);
    const int64_t first = task * z->rows, last = gan_cpu_min64(first + z->rows, v->n * z->down);
    for (int parity = 0; parity < PHASES; parity++) dx_parity(x, &m, first, last, parity);
    const int64_t begin = (first / z->down * v->h + 4 * (first % z->down)) * v->w,
                  end = (last / z->down * v->h + 4 * (last % z->down)) * v->w;
    gan_cpu_epilogue_block(&v->epilogue, x->call, x->out + begin * v->c, v->c, begin, end, 0, v->c);
    return true;
}

/* ---- all three ---- */

bool gan_cpu_conv_phases(const gan_device *device, const gan_cpu_conv *v, const gan_call *call) {
    gan_cpu_phases x = {.v = v, .z = cut_of(loops_of(device), v), .call = call};
    x.a = call->in[0].data, x.b = call->in[1].data, x.out = call->out.data;
    x.filters = call->workspace;
    x.workers = x.filters + (v->kind == GAN_CPU_CONV_DW ? x.z.parts : 1) * x.z.filters_size;
    const int64_t tasks = gan_cpu_ceil_div(v->n * x.z.down, x.z.rows);
    if (v->kind == GAN_CPU_CONV_Y)
        return gan_cpu_tasks(device, PHASES * x.z.strips, y_filters_task, &x) &&
               gan_cpu_tasks(device, tasks, y_task, &x);
    if (v->kind == GAN_CPU_CONV_DX)
        return gan_cpu_tasks(device, PHASES * x.z.strips, dx_filters_task, &x) &&
               gan_cpu_tasks(device, tasks, dx_task, &x);
    return gan_cpu_phases_dw(device, &x);
}
