/* Convolution by copying windows: for every position of the result, the window it looks at becomes
 * a row of a matrix ("columns"), a few hundred rows at a time so that they stay in cache. Then y  =
 * columns·wᵀ,      dx = scatter(dy·w),      dw = dyᵀ·columns.
 */
#include "cpu/conv.h"
#include "cpu/device.h"

#include <string.h>

enum {
    COLUMNS_SIZE = 1 << 17, /* floats of columns a worker keeps, where 64 rows are not more */
    MIN_ROWS = 64,
    MAX_ROWS = 1024,
    LARGE_FILTER = 1 << 18, /* floats from which on dw is cut by filter rows, not by positions */
    MAX_PARTS = 16,
};

/* A position of the result and the top left corner of its window in x. */
typedef struct place {
    int64_t n, p, q;
} place;

static place place_of(const gan_cpu_conv *v, int64_t position) {
    return (place){position / (v->p * v->q), position / v->q % v->p, position % v->q};
}

static void advance(const gan_cpu_conv *v, place *at) {
    if (++at->q < v->q) return;
    at->q = 0;
    if (++at->p < v->p) return;
    at->p = 0;
    at->n++;
}

/* The part [*s0,*s1) of the window's columns that lies inside x. */
static void inside(const gan_cpu_conv *v, int64_t left, int64_t *s0, int64_t *s1) {
    *s0 = gan_cpu_min64(gan_cpu_max64(0, -left), v->s);
    *s1 = gan_cpu_max64(*s0, gan_cpu_min64(v->s, v->w - left));
}

void gan_cpu_gather_windows(const gan_cpu_conv *v, const float *x, int64_t begin, int64_t end,
                            int64_t r0, int64_t r1, float *columns) {
    const int64_t width = v->s * v->c;
    place at = place_of(v, begin);
    for (int64_t i = begin; i < end; i++, advance(v, &at)) {
        const int64_t left = at.q * v->window.stride_w - v->window.left;
        int64_t s0, s1;
        inside(v, left, &s0, &s1);
        const int64_t a = s0 * v->c, b = s1 * v->c;
        for (int64_t r = r0; r < r1; r++, columns += width) {
            const int64_t y = at.p * v->window.stride_h - v->window.top + r;
            if (y < 0 || y >= v->h || a == b) {
                memset(columns, 0, (size_t)width * sizeof(float));
                continue;
            }
            const int64_t from = ((at.n * v->h + y) * v->w + left) * v->c;
            for (int64_t j = 0; j < a; j++) columns[j] = 0.0f;
            for (int64_t j = a; j < b; j++) columns[j] = x[from + j];
            for (int64_t j = b; j < width; j++) columns[j] = 0.0f;
        }
    }
}

void gan_cpu_scatter_windows(const gan_cpu_conv *v, float *dx, int64_t begin, int64_t end,
                             const float *columns) {
    const int64_t width = v->s * v->c;
    place at = place_of(v, begin);
    for (int64_t i = begin; i < end; i++, advance(v, &at)) {
        const int64_t left = at.q * v->window.stride_w - v->window.left;
        int64_t s0, s1;
        inside(v, left, &s0, &s1);
        const int64_t a = s0 * v->c, b = s1 * v->c;
        for (int64_t r = 0; r < v->r; r++, columns += width) {
            const int64_t y = at.p * v->window.stride_h - v->window.top + r;
            if (y < 0 || y >= v->h) continue;
            float *restrict to = dx + ((at.n * v->h + y) * v->w + left + s0) * v->c;
            for (int64_t j = 0; j < b - a; j++) to[j] += columns[a + j];
        }
    }
}

/* ---- how the work is cut ---- */

typedef struct cut {
    int64_t positions, filter; /* n·p·q, r·s·c */
    int64_t rows;              /* positions in a worker's columns at a time */
    int64_t images;            /* dx: images a task */
    int64_t parts, part_rows;  /* dw: parts of the positions, each with a result of its own */
    int64_t bands;             /* dw: parts of the filter rows */
} cut;

static cut cut_of(const gan_cpu_conv *v) {
    cut x = {v->n * v->p * v->q, v->r * v->s * v->c, 0, 1, 1, 0, 1};
    x.rows = gan_cpu_min64(
        gan_cpu_max64(COLUMNS_SIZE / gan_cpu_max64(x.filter, 1) / 16 * 16, MIN_ROWS), MAX_ROWS);
    if (v->kind == GAN_CPU_CONV_DX) {
        x.images = gan_cpu_max64(
            1, gan_cpu_min64(MIN_ROWS / gan_cpu_max64(v->p * v->q, 1), gan_cpu_ceil_div(v->n, 16)));
    } else if (v->kind == GAN_CPU_CONV_DW) {
        const bool large = v->k * x.filter >= LARGE_FILTER;
        x.bands = large ? v->r : 1;
        x.parts = gan_cpu_max64(1, gan_cpu_min64(large ? 2 : MAX_PARTS, x.positions / 256));
        x.part_rows = gan_cpu_ceil_div(x.positions, x.parts);
    } else {
        x.rows = gan_cpu_min64(x.rows, gan_cpu_max64(16, gan_cpu_ceil_div(x.positions, 16)));
    }
    return x;
}

static size_t columns_size(const cut *x) { return (size_t)(x->rows * x->filter + 15) / 16 * 16; }

static size_t parts_size(const gan_cpu_conv *v, const cut *x) {
    if (v->kind != GAN_CPU_CONV_DW || x->parts == 1) return 0;
    return (size_t)(x->parts * v->k * x->filter + 15) / 16 * 16;
}

size_t gan_cpu_conv_windows_workspace(const gan_cpu_conv *v, int threads) {
    const cut x = cut_of(v);
    return (parts_size(v, &x) + columns_size(&x) * (size_t)threads) * sizeof(float);
}

/* ---- the three ---- */

typedef struct windows_context {
    const gan_cpu_conv *v;
    cut cut;
    const gan_call *call;
    const float *a, *b;
    float *out, *parts, *columns;
} windows_context;

static bool y_task(void *context, int64_t task, int slot) {
    const windows_context *x = context;
    const gan_cpu_conv *v = x->v;
    const int64_t filter = x->cut.filter, begin = task * x->cut.rows;
    const int64_t end = gan_cpu_min64(begin + x->cut.rows, x->cut.positions);
    float *columns = x->columns + (size_t)slot * columns_size(&x->cut);
    gan_cpu_gather_windows(v, x->a, begin, end, 0, v->r, columns);
    if (!gan_cpu_gemm(false, true, end - begin, v->k, filter, columns, filter, x->b, filter, 0.0f,
                      x->out + begin * v->k, v->k))
        return false;
    gan_cpu_epilogue_block(&v->epilogue, x->call, x->out + begin * v->k, v->k, begin, end, 0, v->k);
    return true;
}

static bool dx_task(void *context, int64_t task, int slot) {
    const windows_context *x = context;
    const gan_cpu_conv *v = x->v;
    const int64_t filter = x->cut.filter, image = v->h * v->w * v->c, area = v->p * v->q;
    const int64_t first = task * x->cut.images, last = gan_cpu_min64(first + x->cut.images, v->n);
    float *columns = x->columns + (size_t)slot * columns_size(&x->cut);
    memset(x->out + first * image, 0, (size_t)((last - first) * image) * sizeof(float));
    for (int64_t begin = first * area; begin < last * area; begin += x->cut.rows) {
        const int64_t end = gan_cpu_min64(begin + x->cut.rows, last * area);
        if (!gan_cpu_gemm(false, false, end - begin, filter, v->k, x->a + begin * v->k, v->k, x->b,
                          filter, 0.0f, columns, filter))
            return false;
        gan_cpu_scatter_windows(v, x->out, begin, end, columns);
    }
    gan_cpu_epilogue_block(&v->epilogue, x->call, x->out + first * image, v->c, first * v->h * v->w,
                           last * v->h * v->w, 0, v->c);
    return true;
}

static bool dw_task(void *context, int64_t task, int slot) {
    const windows_context *x = context;
    const gan_cpu_conv *v = x->v;
    const int64_t filter = x->cut.filter, part = task / x->cut.bands;
    const int64_t r0 = x->cut.bands == 1 ? 0 : task % x->cut.bands,
                  r1 = x->cut.bands == 1 ? v->r : r0 + 1;
    const int64_t width = (r1 - r0) * v->s * v->c;
    const int64_t last = gan_cpu_min64((part + 1) * x->cut.part_rows, x->cut.positions);
    float *columns = x->columns + (size_t)slot * columns_size(&x->cut);
    float *dw = x->parts + part * v->k * filter + r0 * v->s * v->c;
    float beta = 0.0f;
    for (int64_t begin = part * x->cut.part_rows; begin < last; begin += x->cut.rows, beta = 1.0f) {
        const int64_t end = gan_cpu_min64(begin + x->cut.rows, last);
        gan_cpu_gather_windows(v, x->a, begin, end, r0, r1, columns);
        if (!gan_cpu_gemm(true, false, v->k, width, end - begin, x->b + begin * v->k, v->k, columns,
                          width, beta, dw, filter))
            return false;
    }
    if (beta == 0.0f) /* a part without positions */
        for (int64_t k = 0; k < v->k; k++)
            memset(dw + k * filter, 0, (size_t)width * sizeof(float));
    return true;
}

bool gan_cpu_conv_windows(const gan_device *device, const gan_cpu_conv *v, const gan_call *call) {
    windows_context x = {v,    cut_of(v), call, call->in[0].data, call->in[1].data, call->out.data,
                         NULL, NULL};
    float *workspace = call->workspace;
    const size_t parts = parts_size(v, &x.cut);
    x.parts = parts > 0 ? workspace : x.out;
    x.columns = workspace + parts;
    if (v->kind == GAN_CPU_CONV_Y)
        return gan_cpu_tasks(device, gan_cpu_ceil_div(x.cut.positions, x.cut.rows), y_task, &x);
    if (v->kind == GAN_CPU_CONV_DX)
        return gan_cpu_tasks(device, gan_cpu_ceil_div(v->n, x.cut.images), dx_task, &x);
    if (!gan_cpu_tasks(device, x.cut.parts * x.cut.bands, dw_task, &x)) return false;
    return parts == 0 ||
           gan_cpu_sum_parts(device, x.cut.parts, v->k * x.cut.filter, x.parts, x.out);
}
