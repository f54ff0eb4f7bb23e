/* sum and max over axes of a program's values, which are never stored.
 *
 * The axes collapse to alternating kept and reduced groups: [A kept][N reduced][rest], rest = [K
 * kept] or more. Each of the A regions is reduced on its own; a long one in chunks, whose results
 * are combined in order, so that nothing depends on the number of threads.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/program.h"
#include "cpu/simd.h"

enum {
    CHUNK = 32 * 1024, /* elements, about */
    BLOCK = 4096,      /* sums that a task keeps */
    MANY = 16,         /* tasks are enough, */
    LONG = 256,        /* unless they add up more rows than this */
    SHORT = 16,        /* elements that a vector is not worth while for */
};

typedef struct group {
    int64_t length, stride; /* stride in the region's results, 0 when reduced */
} group;

typedef struct reduction {
    gan_cpu_program program;
    bool max;
    int64_t regions, n, rest; /* A, N, and elements after them */
    int64_t results;          /* of a region */
    int n_groups;             /* in rest */
    group group[GAN_MAX_RANK];
    bool small;            /* several regions fit a tile */
    int64_t blocks, block; /* of columns, when rest is [K kept]; else 1 */
    int64_t chunks, chunk; /* of N */
} reduction;

/* ---- planning ---- */

static void plan_groups(reduction *r, gan_shape shape, uint32_t axes, uint32_t *cuts) {
    int64_t length[GAN_MAX_RANK];
    bool reduced[GAN_MAX_RANK];
    int n = 0;
    *cuts = 0;
    for (int axis = 0; axis < shape.rank; axis++) {
        bool reduce = axes >> axis & 1u;
        if (shape.dim[axis] == 1) continue;
        if (n > 0 && reduced[n - 1] == reduce) {
            length[n - 1] *= shape.dim[axis];
        } else {
            length[n] = shape.dim[axis];
            reduced[n++] = reduce;
            *cuts |= 1u << axis;
        }
    }
    bool any = false;
    for (int i = 0; i < n; i++) any = any || reduced[i];
    int g = 0;
    if (!any) { /* a copy: one row of results */
        r->regions = r->n = r->n_groups = 1;
        r->rest = r->results = n > 0 ? length[0] : 1;
        r->group[0] = (group){r->rest, 1};
        return;
    }
    r->regions = n > g && !reduced[g] ? length[g++] : 1;
    r->n = n > g ? length[g++] : 1;
    r->n_groups = n - g;
    r->rest = r->results = 1;
    for (int i = r->n_groups - 1; i >= 0; i--) {
        r->group[i] = (group){length[g + i], reduced[g + i] ? 0 : r->results};
        r->rest *= length[g + i];
        if (!reduced[g + i]) r->results *= length[g + i];
    }
}

static void plan_work(reduction *r) {
    const int64_t region = r->n * r->rest, columns = r->program.columns;
    r->blocks = r->chunks = 1;
    r->block = r->rest;
    r->chunk = r->n;
    r->small = region <= r->program.tile / 2;
    if (r->small || r->program.size == 0) return;
    if (r->n_groups == 1 && r->rest > BLOCK) { /* whole rows of the program, or pieces of one */
        r->block = columns > r->program.tile ? BLOCK : BLOCK / columns * columns;
        r->blocks = (r->rest + r->block - 1) / r->block;
    }
    int64_t least = r->n_groups > 1 && 4 * r->results > CHUNK ? 4 * r->results : CHUNK;
    r->chunk = least / r->block;
    if (r->n_groups == 0) r->chunk = columns > r->program.tile ? CHUNK : CHUNK / columns * columns;
    if (r->chunk < 1) r->chunk = 1;
    if (r->regions * r->blocks >= MANY && r->n <= LONG) r->chunk = r->n;
    if (r->chunk > r->n) r->chunk = r->n;
    r->chunks = (r->n + r->chunk - 1) / r->chunk;
}

static void release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    const gan_call result = {.node = call->node, .out = call->out};
    GAN_TRY(gan_cpu_require_f32(&result, 0));
    reduction *r = malloc(sizeof *r);
    if (!r) return gan_fail(GAN_ERROR_MEMORY, "cpu: no memory for a reduction");
    call->state = r;
    const gan_node *node = call->node;
    const gan_shape shape = node->attr.reduce.in_shape;
    uint32_t cuts;
    r->max = node->op == GAN_OP_max;
    plan_groups(r, shape, node->attr.reduce.axes, &cuts);
    gan_status status = gan_cpu_program_bind(&r->program, device, node->program, shape, 0,
                                             call->n_in, call->in, cuts);
    if (status != GAN_OK) {
        release(device, call);
        return status;
    }
    plan_work(r);
    if (r->chunks > 1)
        call->workspace_bytes = sizeof(float) * (size_t)(r->regions * r->chunks * r->results);
    return GAN_OK;
}

/* ---- reducing ---- */

typedef struct context {
    const reduction *r;
    const gan_cpu_reduce_loops *loops;
    const gan_array *operand;
    gan_cpu_scratch *scratch;
} context;

static float neutral(const reduction *r) { return r->max ? -INFINITY : 0.0f; }
static float combine(const reduction *r, float a, float b) {
    return r->max ? (a > b || b != b ? a : b) : a + b;
}

static void accumulate(const context *c, float *y, const float *x, int64_t n) {
    if (n < SHORT) {
        for (int64_t i = 0; i < n; i++) y[i] = combine(c->r, y[i], x[i]);
    } else if (c->r->max) {
        c->loops->max(y, x, n);
    } else {
        c->loops->add(y, x, n);
    }
}

static float reduce_vector(const context *c, const float *x, int64_t n) {
    if (n >= SHORT) return c->r->max ? c->loops->max_of(x, n) : c->loops->sum_of(x, n);
    float s = neutral(c->r);
    for (int64_t i = 0; i < n; i++) s = combine(c->r, s, x[i]);
    return s;
}

/* `length` values at position `at` of a row of `rest`, all in one innermost group. */
static void reduce_run(const context *c, float *y, const float *x, int64_t at, int64_t length) {
    const reduction *r = c->r;
    for (int g = r->n_groups - 1; g >= 0; g--) {
        y += at % r->group[g].length * r->group[g].stride;
        at /= r->group[g].length;
    }
    if (r->n_groups > 0 && r->group[r->n_groups - 1].stride)
        accumulate(c, y, x, length);
    else
        *y = combine(r, *y, reduce_vector(c, x, length));
}

/* Values from element `at` of a region on into its results. */
static void reduce_values(const context *c, float *y, const float *x, int64_t at, int64_t length) {
    const reduction *r = c->r;
    const int64_t inner = r->n_groups > 0 ? r->group[r->n_groups - 1].length : r->n;
    at %= r->rest;
    if (r->n_groups == 0) {
        reduce_run(c, y, x, 0, length);
        return;
    }
    while (length > 0) {
        int64_t run = inner - at % inner;
        if (run > length) run = length;
        reduce_run(c, y, x, at, run);
        x += run;
        length -= run;
        at += run;
        if (at == r->rest) at = 0;
    }
}

/* How much of [at, end) the program evaluates at once. */
static int64_t piece(const gan_cpu_program *p, int64_t at, int64_t end) {
    int64_t length =
        p->columns <= p->tile ? p->tile / p->columns * p->columns : p->columns - at % p->columns;
    if (length > p->tile) length = p->tile;
    return length < end - at ? length : end - at;
}

static const float *evaluate(const context *c, int64_t at, int64_t length) {
    return gan_cpu_program_range(&c->r->program, c->scratch, c->operand, at, length, NULL);
}

/* Rows n0 … n1-1 of a region with results [K], columns of one block. Where several rows fit a tile,
 * whole tiles are added up first. */
static void reduce_columns(const context *c, float *y, int64_t region, int64_t n0, int64_t n1,
                           int64_t block) {
    const reduction *r = c->r;
    _Alignas(64) float sum[BLOCK];
    const int64_t start = region * r->n * r->rest, column = block * r->block;
    const int64_t width = r->rest - column < r->block ? r->rest - column : r->block;
    int64_t together = width == r->rest ? r->program.tile / r->rest : 1;
    if (together < 1) together = 1;
    const int64_t rows = together < n1 - n0 ? together : n1 - n0;
    for (int64_t i = 0; i < rows * width; i++) sum[i] = neutral(r);
    for (int64_t n = n0; n < n1; n += together) {
        const int64_t m = n1 - n < together ? n1 - n : together;
        const int64_t first = start + n * r->rest + column, end = first + m * width;
        for (int64_t at = first, length; at < end; at += length) {
            length = piece(&r->program, at, end);
            accumulate(c, sum + (at - first), evaluate(c, at, length), length);
        }
    }
    memcpy(y + column, sum, sizeof *y * (size_t)width);
    for (int64_t m = 1; m < rows; m++) accumulate(c, y + column, sum + m * width, width);
}

static void reduce_chunk(const context *c, float *y, int64_t region, int64_t n0, int64_t n1) {
    const reduction *r = c->r;
    const int64_t first = region * r->n * r->rest, end = first + n1 * r->rest;
    for (int64_t i = 0; i < r->results; i++) y[i] = neutral(r);
    for (int64_t at = first + n0 * r->rest, length; at < end; at += length) {
        length = piece(&r->program, at, end);
        reduce_values(c, y, evaluate(c, at, length), at - first, length);
    }
}

/* Regions a0 … a1-1, several to a tile. */
static void reduce_small(const context *c, float *out, int64_t a0, int64_t a1) {
    const reduction *r = c->r;
    const int64_t region = r->n * r->rest;
    const float *x = evaluate(c, a0 * region, (a1 - a0) * region);
    if (r->n_groups == 0 && region < SHORT) {
        (r->max ? c->loops->row_maxima : c->loops->row_sums)(out + a0, x, a1 - a0, region);
        return;
    }
    for (int64_t a = a0; a < a1; a++, x += region) {
        float *y = out + a * r->results;
        if (r->n_groups == 0) {
            *y = reduce_vector(c, x, region);
            continue;
        }
        if (r->n_groups == 1) {
            for (int64_t i = 0; i < r->rest; i++) y[i] = x[i];
            for (int64_t n = 1; n < r->n; n++) accumulate(c, y, x + n * r->rest, r->rest);
            continue;
        }
        for (int64_t i = 0; i < r->results; i++) y[i] = neutral(r);
        reduce_values(c, y, x, 0, region);
    }
}

static void run_item(const context *c, float *out, float *partial, int64_t item) {
    const reduction *r = c->r;
    if (r->small) {
        const int64_t together = r->program.tile / (r->n * r->rest), a = item * together;
        reduce_small(c, out, a, a + together < r->regions ? a + together : r->regions);
        return;
    }
    const int64_t block = item % r->blocks, chunk = item / r->blocks % r->chunks;
    const int64_t region = item / r->blocks / r->chunks;
    const int64_t n0 = chunk * r->chunk, n1 = n0 + r->chunk < r->n ? n0 + r->chunk : r->n;
    float *y = r->chunks > 1 ? partial + (region * r->chunks + chunk) * r->results
                             : out + region * r->results;
    if (r->n_groups == 1)
        reduce_columns(c, y, region, n0, n1, block);
    else
        reduce_chunk(c, y, region, n0, n1);
}

/* The chunks of each region, in order. */
static void combine_chunks(const reduction *r, const gan_device *device, float *out,
                           const float *partial) {
    const int64_t total = r->regions * r->results;
#pragma omp parallel for num_threads(device->threads)                                              \
    schedule(static) if (total * r->chunks >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < total; i++) {
        const float *x = partial + i / r->results * r->chunks * r->results + i % r->results;
        double sum = 0;
        float max = -INFINITY;
        for (int64_t k = 0; k < r->chunks; k++, x += r->results) {
            sum += (double)*x;
            max = combine(r, max, *x);
        }
        out[i] = r->max ? max : (float)sum;
    }
}

static gan_status run(gan_device *device, const gan_call *call) {
    const reduction *r = call->state;
    float *out = call->out.data, *partial = call->workspace;
    if (r->program.size == 0) {
        const int64_t n = gan_shape_size(call->out.shape);
        for (int64_t i = 0; i < n; i++) out[i] = neutral(r);
        return GAN_OK;
    }
    int64_t items = r->regions * r->chunks * r->blocks;
    if (r->small) {
        const int64_t together = r->program.tile / (r->n * r->rest);
        items = (r->regions + together - 1) / together;
    }
#pragma omp parallel num_threads(device->threads) if (r->program.size >= GAN_CPU_SERIAL &&         \
                                                      items > 1)
    {
        gan_cpu_scratch scratch;
        const context c = {r, gan_cpu_simd_of(device)->reduce, call->in, &scratch};
        gan_cpu_scratch_begin(&scratch, &r->program, gan_cpu_program_capacity(&r->program));
#pragma omp for schedule(static)
        for (int64_t item = 0; item < items; item++) run_item(&c, out, partial, item);
    }
    if (r->chunks > 1) combine_chunks(r, device, out, partial);
    return GAN_OK;
}

const gan_kernel gan_cpu_sum = {run, prepare, release};
const gan_kernel gan_cpu_max = {run, prepare, release};
