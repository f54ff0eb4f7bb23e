/* Pooling over windows of x (n,h,w,c): mean and maximum, and the adjoint of each. A task is some
 * rows of the result, or whole images where windows may overlap in it. */
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/tasks.h"

/* The op's two images: the wide one (n,h,w,c) and the pooled one (n,p,q,c). */
typedef struct pool {
    int64_t n, h, w, c, p, q, size_h, size_w;
    gan_window window;
    const float *x, *in; /* wide values that choose the maximum; what is pooled or spread */
    float *out;
} pool;

static pool pool_of(const gan_call *call, const gan_array *wide, const gan_array *pooled) {
    const gan_node *node = call->node;
    pool v = {.n = wide->shape.dim[0],
              .h = wide->shape.dim[1],
              .w = wide->shape.dim[2],
              .c = wide->shape.dim[3]};
    v.p = pooled->shape.dim[1], v.q = pooled->shape.dim[2];
    v.size_h = node->attr.pool.size_h, v.size_w = node->attr.pool.size_w;
    v.window = node->attr.pool.window;
    v.x = call->in[0].data, v.in = call->in[call->n_in - 1].data, v.out = call->out.data;
    return v;
}

/* The part [h0,h1) × [w0,w1) of x that the window at (p,q) covers. */
typedef struct extent {
    int64_t h0, h1, w0, w1;
} extent;

static extent extent_of(const pool *v, int64_t p, int64_t q) {
    const int64_t top = p * v->window.stride_h - v->window.top,
                  left = q * v->window.stride_w - v->window.left;
    return (extent){gan_cpu_max64(top, 0), gan_cpu_min64(top + v->size_h, v->h),
                    gan_cpu_max64(left, 0), gan_cpu_min64(left + v->size_w, v->w)};
}

/* ---- mean ---- */

static bool average_task(void *context, int64_t task, int slot) { /* a row of the result */
    (void)slot;
    const pool *v = context;
    const float scale = 1.0f / (float)(v->size_h * v->size_w);
    const int64_t n = task / v->p, p = task % v->p;
    for (int64_t q = 0; q < v->q; q++) {
        const extent e = extent_of(v, p, q);
        float *restrict y = v->out + (task * v->q + q) * v->c;
        memset(y, 0, (size_t)v->c * sizeof(float));
        for (int64_t h = e.h0; h < e.h1; h++)
            for (int64_t w = e.w0; w < e.w1; w++) {
                const float *x = v->in + ((n * v->h + h) * v->w + w) * v->c;
                for (int64_t c = 0; c < v->c; c++) y[c] += x[c];
            }
        for (int64_t c = 0; c < v->c; c++) y[c] *= scale;
    }
    return true;
}

static bool average_adjoint_task(void *context, int64_t n, int slot) { /* an image */
    (void)slot;
    const pool *v = context;
    const float scale = 1.0f / (float)(v->size_h * v->size_w);
    float *dx = v->out + n * v->h * v->w * v->c;
    memset(dx, 0, (size_t)(v->h * v->w * v->c) * sizeof(float));
    for (int64_t p = 0; p < v->p; p++)
        for (int64_t q = 0; q < v->q; q++) {
            const extent e = extent_of(v, p, q);
            const float *dy = v->in + ((n * v->p + p) * v->q + q) * v->c;
            for (int64_t h = e.h0; h < e.h1; h++)
                for (int64_t w = e.w0; w < e.w1; w++) {
                    float *restrict to = dx + (h * v->w + w) * v->c;
                    for (int64_t c = 0; c < v->c; c++) to[c] += scale * dy[c];
                }
        }
    return true;
}

/* ---- maximum ---- */

/* Where in its image the first maximum of channel c of a window is, as an offset into it; -1 for a
 * window that lies in the padding alone. A NaN counts as the maximum. */
static int64_t first_maximum(const pool *v, const float *image, const extent *e, int64_t c) {
    int64_t best = -1;
    for (int64_t h = e->h0; h < e->h1; h++)
        for (int64_t w = e->w0; w < e->w1; w++) {
            const int64_t at = (h * v->w + w) * v->c + c;
            if (best < 0 || image[at] > image[best] || (isnan(image[at]) && !isnan(image[best])))
                best = at;
        }
    return best;
}

static bool max_task(void *context, int64_t task, int slot) { /* a row of the result */
    (void)slot;
    const pool *v = context;
    const int64_t n = task / v->p, p = task % v->p;
    const float *image = v->x + n * v->h * v->w * v->c, *in = v->in + n * v->h * v->w * v->c;
    for (int64_t q = 0; q < v->q; q++) {
        const extent e = extent_of(v, p, q);
        float *y = v->out + (task * v->q + q) * v->c;
        for (int64_t c = 0; c < v->c; c++) {
            const int64_t at = first_maximum(v, image, &e, c);
            y[c] = at < 0 ? 0.0f : in[at];
        }
    }
    return true;
}

static bool max_adjoint_task(void *context, int64_t n, int slot) { /* an image */
    (void)slot;
    const pool *v = context;
    const int64_t size = v->h * v->w * v->c;
    const float *image = v->x + n * size;
    float *dx = v->out + n * size;
    memset(dx, 0, (size_t)size * sizeof(float));
    for (int64_t p = 0; p < v->p; p++)
        for (int64_t q = 0; q < v->q; q++) {
            const extent e = extent_of(v, p, q);
            const float *dy = v->in + ((n * v->p + p) * v->q + q) * v->c;
            for (int64_t c = 0; c < v->c; c++) {
                const int64_t at = first_maximum(v, image, &e, c);
                if (at >= 0) dx[at] += dy[c];
            }
        }
    return true;
}

/* ---- kernels ---- */

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    return gan_cpu_require_f32(call, 0);
}

static gan_status run_tasks(gan_device *device, const pool *v, gan_cpu_task *task, int64_t n) {
    pool copy = *v;
    gan_cpu_tasks(device, n, task, &copy);
    return GAN_OK;
}

static gan_status average_run(gan_device *device, const gan_call *call) {
    const pool v = pool_of(call, &call->in[0], &call->out);
    return run_tasks(device, &v, average_task, v.n * v.p);
}

static gan_status average_adjoint_run(gan_device *device, const gan_call *call) {
    const pool v = pool_of(call, &call->out, &call->in[0]);
    return run_tasks(device, &v, average_adjoint_task, v.n);
}

/* max_pool takes its values where they are chosen; max_pool_select from its second operand. */
static gan_status max_run(gan_device *device, const gan_call *call) {
    const pool v = pool_of(call, &call->in[0], &call->out);
    return run_tasks(device, &v, max_task, v.n * v.p);
}

static gan_status max_adjoint_run(gan_device *device, const gan_call *call) {
    const pool v = pool_of(call, &call->in[0], &call->in[1]);
    return run_tasks(device, &v, max_adjoint_task, v.n);
}

const gan_kernel gan_cpu_average_pool = {average_run, prepare, NULL};
const gan_kernel gan_cpu_average_pool_adjoint = {average_adjoint_run, prepare, NULL};
const gan_kernel gan_cpu_max_pool = {max_run, prepare, NULL};
const gan_kernel gan_cpu_max_pool_adjoint = {max_adjoint_run, prepare, NULL};
const gan_kernel gan_cpu_max_pool_select = {max_run, prepare, NULL};
