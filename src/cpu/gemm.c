#include "cpu/gemm.h"

#include <string.h>

#include "cpu/device.h"
#include "cpu/tasks.h"

#ifdef GANC_HAVE_DNNL
#include <dnnl.h>
#else
#include <cblas.h>
#endif

enum {
    TILE_FLOPS = 4 << 20, /* what a task should do at least */
    MAX_TILES = 32,
    TILE = 128,       /* rows and columns a tile should have at least */
    MIN_CHUNK = 1024, /* k of a chunk */
    MAX_CHUNKS = 16,
    SUM_BLOCK = 1 << 14, /* elements a task of a sum */
};

static int64_t round_up(int64_t a, int64_t b) { return gan_cpu_ceil_div(a, b) * b; }

bool gan_cpu_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc) {
    if (m == 0 || n == 0) return true;
    if (k == 0) {
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j < n; j++)
                c[i * ldc + j] = beta == 0.0f ? 0.0f : beta * c[i * ldc + j];
        return true;
    }
#ifdef GANC_HAVE_DNNL
    return dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1.0f, a, lda, b,
                      ldb, beta, c, ldc) == dnnl_success;
#else
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, (int)m, (int)n, (int)k, 1.0f, a, (int)lda,
                b, (int)ldb, beta, c, (int)ldc);
    return true;
#endif
}

/* For a library. */
static void cut(gan_cpu_product *p, double flops) {
    /* Tiles are made wide before they are made high: a library copies both factors into an order of
     * its own, and copying a transposed b is what costs most; each strip of it is best copied once.
     */
    int64_t tiles = gan_cpu_min64((int64_t)(flops / TILE_FLOPS) + 1, MAX_TILES);
    const int64_t columns = gan_cpu_min64(tiles, gan_cpu_ceil_div(p->n, TILE));
    p->tile_n = gan_cpu_min64(p->n, round_up(gan_cpu_ceil_div(p->n, columns), TILE));
    tiles = gan_cpu_ceil_div(tiles, gan_cpu_ceil_div(p->n, p->tile_n));
    const int64_t rows = gan_cpu_min64(tiles, gan_cpu_ceil_div(p->m, TILE));
    p->tile_m = gan_cpu_min64(p->m, round_up(gan_cpu_ceil_div(p->m, rows), 16));
    tiles = gan_cpu_ceil_div(tiles, gan_cpu_ceil_div(p->m, p->tile_m));
    if (p->batch == 1 && tiles > 1 && p->k >= 2 * MIN_CHUNK) {
        const int64_t chunks = gan_cpu_min64(gan_cpu_min64(tiles, MAX_CHUNKS), p->k / MIN_CHUNK);
        p->chunk_k = round_up(gan_cpu_ceil_div(p->k, chunks), 16);
        p->chunks = gan_cpu_ceil_div(p->k, p->chunk_k);
    }
}

gan_cpu_product gan_cpu_product_plan(bool transpose_a, bool transpose_b, int64_t batch, int64_t m,
                                     int64_t n, int64_t k) {
    gan_cpu_product p = {transpose_a, transpose_b, batch, m, n, k, m, n, 1, k, false};
    const double flops = 2.0 * (double)m * (double)n * (double)k;
    if (flops > TILE_FLOPS) cut(&p, flops);
    if (p.chunks == 1) gan_cpu_strips_plan(&p);
    return p;
}

size_t gan_cpu_product_workspace(const gan_cpu_product *p, int threads) {
    if (p->by_strips) return gan_cpu_strips_workspace(p, threads);
    return p->chunks == 1 ? 0 : (size_t)p->chunks * (size_t)p->m * (size_t)p->n * sizeof(float);
}

typedef struct product_context {
    const gan_cpu_product *p;
    const float *a, *b;
    float *c, *parts;
    const gan_cpu_epilogue *epilogue;
    const gan_call *call;
} product_context;

static bool product_task(void *context, int64_t task, int slot) {
    (void)slot;
    const product_context *x = context;
    const gan_cpu_product *p = x->p;
    const int64_t columns = gan_cpu_ceil_div(p->n, p->tile_n),
                  rows = gan_cpu_ceil_div(p->m, p->tile_m);
    const int64_t c0 = task % columns * p->tile_n, r0 = task / columns % rows * p->tile_m;
    const int64_t outer = task / (columns * rows); /* a member of the batch, or a chunk */
    const int64_t item = p->chunks > 1 ? 0 : outer, chunk = p->chunks > 1 ? outer : 0;
    const int64_t k0 = chunk * p->chunk_k, k = gan_cpu_min64(p->chunk_k, p->k - k0);
    const int64_t m = gan_cpu_min64(p->tile_m, p->m - r0), n = gan_cpu_min64(p->tile_n, p->n - c0);
    const int64_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n;
    const float *a = x->a + item * p->m * p->k + (p->transpose_a ? k0 * lda + r0 : r0 * lda + k0);
    const float *b = x->b + item * p->n * p->k + (p->transpose_b ? c0 * ldb + k0 : k0 * ldb + c0);
    float *c = (p->chunks > 1 ? x->parts : x->c) + outer * p->m * p->n + r0 * p->n + c0;
    if (!gan_cpu_gemm(p->transpose_a, p->transpose_b, m, n, k, a, lda, b, ldb, 0.0f, c, p->n))
        return false;
    if (x->epilogue != NULL && p->chunks == 1)
        gan_cpu_epilogue_block(x->epilogue, x->call, c, p->n, item * p->m + r0,
                               item * p->m + r0 + m, c0, c0 + n);
    return true;
}

bool gan_cpu_product_run(const gan_device *device, const gan_cpu_product *p, const float *a,
                         const float *b, float *c, void *workspace,
                         const gan_cpu_epilogue *epilogue, const gan_call *call) {
    if (p->batch == 0 || p->m == 0 || p->n == 0) return true;
    if (p->by_strips) return gan_cpu_strips_run(device, p, a, b, c, workspace, epilogue, call);
    product_context x = {p, a, b, c, workspace, epilogue, call};
    const int64_t tiles = gan_cpu_ceil_div(p->n, p->tile_n) * gan_cpu_ceil_div(p->m, p->tile_m);
    if (!gan_cpu_tasks(device, tiles * (p->chunks > 1 ? p->chunks : p->batch), product_task, &x))
        return false;
    if (p->chunks == 1) return true;
    if (!gan_cpu_sum_parts(device, p->chunks, p->m * p->n, workspace, c)) return false;
    if (epilogue != NULL) gan_cpu_epilogue_all(epilogue, device, call);
    return true;
}

typedef struct sum_context {
    int64_t parts, size;
    float *part, *c;
} sum_context;

static void add(int64_t n, float *restrict to, const float *restrict from) {
    for (int64_t i = 0; i < n; i++) to[i] += from[i];
}

static bool sum_task(void *context, int64_t task, int slot) {
    (void)slot;
    const sum_context *x = context;
    const int64_t begin = task * SUM_BLOCK, n = gan_cpu_min64(SUM_BLOCK, x->size - begin);
    for (int64_t step = 1; step < x->parts; step *= 2)
        for (int64_t i = 0; i + step < x->parts; i += 2 * step)
            add(n, x->part + i * x->size + begin, x->part + (i + step) * x->size + begin);
    if (x->c != x->part) memcpy(x->c + begin, x->part + begin, (size_t)n * sizeof(float));
    return true;
}

bool gan_cpu_sum_parts(const gan_device *device, int64_t parts, int64_t size, float *part,
                       float *c) {
    sum_context x = {parts, size, part, c};
    return gan_cpu_tasks(device, gan_cpu_ceil_div(size, SUM_BLOCK), sum_task, &x);
}
