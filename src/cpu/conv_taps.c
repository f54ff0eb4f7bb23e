/* Convolution as a sum of products that need no padding, for images of few positions and many
 * channels. A product takes one position, or one filter element ("tap"), for the whole batch at
 * once; what would multiply the padding is left out, which at 4×4 pixels is half of the work:
 *   y[·,p,q,·]  = Σ_r    x[·,h(p,r),row of the window,·] · w[·,r,row,·]ᵀ
 *   dx[·,h,w,·] = Σ_r,s  dy[·,p,q,·] · w[·,r,s,·]           over the windows that hold (h,w)
 *   dw[·,r,s,·] = dy(places)ᵀ · x(places)                  over the places where the tap is inside
 * x
 */
#include "cpu/conv.h"
#include "cpu/device.h"

#include <string.h>

enum {
    BLOCK = 128,  /* channels of the result a task computes */
    PLACES = 512, /* places a worker gathers at a time */
};

typedef struct taps_context {
    const gan_cpu_conv *v;
    const float *a, *b;
    float *out, *gathered;
    int64_t blocks;
} taps_context;

static void zero_block(float *to, int64_t rows, int64_t pitch, int64_t n) {
    for (int64_t i = 0; i < rows; i++) memset(to + i * pitch, 0, (size_t)n * sizeof(float));
}

static bool y_task(void *context, int64_t task, int slot) {
    (void)slot;
    const taps_context *x = context;
    const gan_cpu_conv *v = x->v;
    const int64_t k0 = task % x->blocks * BLOCK, n = gan_cpu_min64(BLOCK, v->k - k0),
                  position = task / x->blocks;
    const int64_t top = position / v->q * v->window.stride_h - v->window.top;
    const int64_t left = position % v->q * v->window.stride_w - v->window.left;
    const int64_t s0 = gan_cpu_min64(gan_cpu_max64(0, -left), v->s),
                  s1 = gan_cpu_max64(s0, gan_cpu_min64(v->s, v->w - left));
    const int64_t filter = v->r * v->s * v->c, image = v->h * v->w * v->c,
                  result = v->p * v->q * v->k;
    float *y = x->out + position * v->k + k0;
    float beta = 0.0f;
    for (int64_t r = gan_cpu_max64(0, -top); r < gan_cpu_min64(v->r, v->h - top) && s1 > s0;
         r++, beta = 1.0f)
        if (!gan_cpu_gemm(false, true, v->n, n, (s1 - s0) * v->c,
                          x->a + ((top + r) * v->w + left + s0) * v->c, image,
                          x->b + k0 * filter + (r * v->s + s0) * v->c, filter, beta, y, result))
            return false;
    if (beta == 0.0f) zero_block(y, v->n, result, n);
    return true;
}

static bool dx_task(void *context, int64_t task, int slot) {
    (void)slot;
    const taps_context *x = context;
    const gan_cpu_conv *v = x->v;
    const int64_t c0 = task % x->blocks * BLOCK, n = gan_cpu_min64(BLOCK, v->c - c0),
                  pixel = task / x->blocks;
    const int64_t h = pixel / v->w + v->window.top, w = pixel % v->w + v->window.left;
    const int64_t filter = v->r * v->s * v->c, image = v->h * v->w * v->c,
                  result = v->p * v->q * v->k;
    float *dx = x->out + pixel * v->c + c0;
    float beta = 0.0f;
    for (int64_t r = h % v->window.stride_h; r < v->r; r += v->window.stride_h) {
        const int64_t p = (h - r) / v->window.stride_h;
        if (h < r || p >= v->p) continue;
        for (int64_t s = w % v->window.stride_w; s < v->s; s += v->window.stride_w) {
            const int64_t q = (w - s) / v->window.stride_w;
            if (w < s || q >= v->q) continue;
            if (!gan_cpu_gemm(false, false, v->n, n, v->k, x->a + (p * v->q + q) * v->k, result,
                              x->b + (r * v->s + s) * v->c + c0, filter, beta, dx, image))
                return false;
            beta = 1.0f;
        }
    }
    if (beta == 0.0f) zero_block(dx, v->n, image, n);
    return true;
}

static bool dw_task(void *context, int64_t task, int slot) {
    const taps_context *x = context;
    const gan_cpu_conv *v = x->v;
    const int64_t k0 = task % x->blocks * BLOCK, n = gan_cpu_min64(BLOCK, v->k - k0),
                  tap = task / x->blocks;
    const int64_t r = tap / v->s - v->window.top, s = tap % v->s - v->window.left;
    const int64_t filter = v->r * v->s * v->c;
    float *pixels = x->gathered + (int64_t)slot * PLACES * (v->c + BLOCK),
          *rows = pixels + PLACES * v->c;
    float *dw = x->out + k0 * filter + tap * v->c;
    float beta = 0.0f;
    int64_t places = 0;
    for (int64_t i = 0; i < v->n; i++)
        for (int64_t p = 0; p < v->p; p++) {
            const int64_t h = p * v->window.stride_h + r;
            if (h < 0 || h >= v->h) continue;
            for (int64_t q = 0; q < v->q; q++) {
                const int64_t w = q * v->window.stride_w + s;
                if (w < 0 || w >= v->w) continue;
                memcpy(pixels + places * v->c, x->a + ((i * v->h + h) * v->w + w) * v->c,
                       (size_t)v->c * sizeof(float));
                memcpy(rows + places * n, x->b + ((i * v->p + p) * v->q + q) * v->k + k0,
                       (size_t)n * sizeof(float));
                if (++places < PLACES) continue;
                if (!gan_cpu_gemm(true, false, n, v->c, places, rows, n, pixels, v->c, beta, dw,
                                  filter))
                    return false;
                places = 0, beta = 1.0f;
            }
        }
    if (places > 0)
        return gan_cpu_gemm(true, false, n, v->c, places, rows, n, pixels, v->c, beta, dw, filter);
    if (beta == 0.0f) zero_block(dw, n, filter, v->c);
    return true;
}

size_t gan_cpu_conv_taps_workspace(const gan_cpu_conv *v, int threads) {
    if (v->kind != GAN_CPU_CONV_DW) return 0;
    return (size_t)threads * PLACES * (size_t)(v->c + BLOCK) * sizeof(float);
}

bool gan_cpu_conv_taps(const gan_device *device, const gan_cpu_conv *v, const gan_call *call) {
    taps_context x = {v, call->in[0].data, call->in[1].data, call->out.data, call->workspace, 0};
    x.blocks = gan_cpu_ceil_div(v->kind == GAN_CPU_CONV_DX ? v->c : v->k, BLOCK);
    if (v->kind == GAN_CPU_CONV_DW)
        return gan_cpu_tasks(device, v->r * v->s * x.blocks, dw_task, &x);
    if (v->n == 0) return true;
    if (v->kind == GAN_CPU_CONV_Y ? !gan_cpu_tasks(device, v->p * v->q * x.blocks, y_task, &x)
                                  : !gan_cpu_tasks(device, v->h * v->w * x.blocks, dx_task, &x))
        return false;
    gan_cpu_epilogue_all(&v->epilogue, device, call); /* a task's rows lie far apart */
    return true;
}
