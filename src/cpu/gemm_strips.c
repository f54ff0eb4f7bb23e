/* Products a·bᵀ by our own inner loop: what linear layers are. A library copies both factors, and
 * transposes the larger one, before it multiplies, which a batch of some hundred rows does not pay
 * for. Here a task transposes its columns of b, strip by strip, and reads a where it lies. */
#include "cpu/device.h"
#include "cpu/gemm.h"
#include "cpu/simd.h"
#include "cpu/tasks.h"

enum {
    LEAST = 16,   /* rows and columns below which a library does better */
    COLUMNS = 64, /* a multiple of every strip */
    DEPTH = 512,  /* of what is copied at a time */
    ROWS = 192,   /* of a that are used again while in cache */
    TALL = 384,   /* rows from which on they are cut, */
    PART = 256,   /* into about as many */
    TASKS = 16,
    GROUP = 4,              /* strips a task takes at most, when there are as many tasks */
    SERIAL_FLOPS = 4 << 20, /* what one task does at most */
};

bool gan_cpu_strips_plan(gan_cpu_product *p) {
    if (p->transpose_a || !p->transpose_b || p->m < LEAST || p->n < LEAST || p->k < 1) return false;
    p->by_strips = true;
    p->chunks = 1, p->chunk_k = p->k;
    p->tile_m = p->m;
    p->tile_n = gan_cpu_ceil_div(p->n, COLUMNS) * COLUMNS;
    if (2.0 * (double)p->m * (double)p->n * (double)p->k <= SERIAL_FLOPS) return true;
    if (p->m > TALL)
        p->tile_m = gan_cpu_ceil_div(gan_cpu_ceil_div(p->m, gan_cpu_ceil_div(p->m, PART)), 6) * 6;
    const int64_t tiles =
        p->batch * gan_cpu_ceil_div(p->m, p->tile_m) * gan_cpu_ceil_div(p->n, COLUMNS);
    p->tile_n = COLUMNS * gan_cpu_min64(gan_cpu_max64(tiles / TASKS, 1), GROUP);
    return true;
}

static int64_t copy_size(const gan_cpu_product *p) {
    return gan_cpu_min64(p->k, DEPTH) * p->tile_n;
}

size_t gan_cpu_strips_workspace(const gan_cpu_product *p, int threads) {
    return (size_t)threads * (size_t)copy_size(p) * sizeof(float);
}

typedef struct context {
    const gan_cpu_product *p;
    const gan_cpu_product_loops *loops;
    const float *a, *b;
    float *c, *workspace;
    const gan_cpu_epilogue *epilogue;
    const gan_call *call;
} context;

/* A tile of c, rows r0 … r0+m-1, columns c0 … c0+n-1, += the part of the sum from k0 on. */
static void multiply(const context *x, const float *a, const float *b, float *c, float *copy,
                     int64_t m, int64_t n, int64_t k0) {
    const int64_t strip = x->loops->strip, k = x->p->k, depth = gan_cpu_min64(DEPTH, k - k0);
    for (int64_t j = 0; j < n; j += strip)
        x->loops->transpose(copy + j * depth, strip, b + j * k + k0, k, gan_cpu_min64(strip, n - j),
                            depth);
    gan_cpu_strip s = {.lda = k, .ldc = x->p->n, .k = depth, .add = k0 > 0};
    for (int64_t i = 0; i < m; i += ROWS)
        for (int64_t j = 0; j < n; j += strip) {
            s.a = a + i * k + k0, s.m = gan_cpu_min64(ROWS, m - i);
            s.b = copy + j * depth, s.n = gan_cpu_min64(strip, n - j);
            s.c = c + i * s.ldc + j;
            x->loops->product(&s);
        }
}

static bool strips_task(void *context_, int64_t task, int slot) {
    const context *x = context_;
    const gan_cpu_product *p = x->p;
    const int64_t columns = gan_cpu_ceil_div(p->n, p->tile_n),
                  rows = gan_cpu_ceil_div(p->m, p->tile_m);
    const int64_t c0 = task % columns * p->tile_n, n = gan_cpu_min64(p->tile_n, p->n - c0);
    const int64_t r0 = task / columns % rows * p->tile_m, m = gan_cpu_min64(p->tile_m, p->m - r0);
    const int64_t item = task / (columns * rows), r = item * p->m + r0;
    float *c = x->c + r * p->n + c0;
    for (int64_t k0 = 0; k0 < p->k; k0 += DEPTH)
        multiply(x, x->a + r * p->k, x->b + (item * p->n + c0) * p->k, c,
                 x->workspace + slot * copy_size(p), m, n, k0);
    if (x->epilogue != NULL)
        gan_cpu_epilogue_block(x->epilogue, x->call, c, p->n, r, r + m, c0, c0 + n);
    return true;
}

bool gan_cpu_strips_run(const gan_device *device, const gan_cpu_product *p, const float *a,
                        const float *b, float *c, void *workspace, const gan_cpu_epilogue *epilogue,
                        const gan_call *call) {
    context x = {p, gan_cpu_simd_of(device)->product, a, b, c, workspace, epilogue, call};
    const int64_t tiles = gan_cpu_ceil_div(p->n, p->tile_n) * gan_cpu_ceil_div(p->m, p->tile_m);
    return gan_cpu_tasks(device, tiles * p->batch, strips_task, &x);
}
