/* conv2d (x, w), conv2d_grad_input (dy, w), conv2d_grad_weight (x, dy): which way is taken. */
#include "cpu/conv.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"

typedef enum conv_way { BY_PRODUCT, BY_PHASES, BY_TAPS, BY_LIBRARY, BY_WINDOWS } conv_way;

typedef struct conv_state {
    gan_cpu_conv conv;
    conv_way way;
    gan_cpu_product product;
    gan_cpu_library_conv *library;
    bool deferred; /* the product's columns are not the result's last axis: the epilogue is a pass
                      of its own */
} conv_state;

static gan_cpu_conv conv_of(const gan_call *call, gan_cpu_conv_kind kind) {
    const gan_shape *x = kind == GAN_CPU_CONV_DX ? &call->out.shape : &call->in[0].shape;
    const gan_shape *w = kind == GAN_CPU_CONV_DW ? &call->out.shape : &call->in[1].shape;
    const gan_shape *y = kind == GAN_CPU_CONV_Y    ? &call->out.shape
                         : kind == GAN_CPU_CONV_DX ? &call->in[0].shape
                                                   : &call->in[1].shape;
    gan_cpu_conv v = {.kind = kind, .n = x->dim[0], .h = x->dim[1], .w = x->dim[2], .c = x->dim[3]};
    v.p = y->dim[1], v.q = y->dim[2], v.k = y->dim[3];
    v.r = w->dim[1], v.s = w->dim[2];
    v.window = call->node->attr.window;
    return v;
}

/* Every window is all of x, or one pixel each: then it is a product of (m, filter) matrices. */
static bool as_product(conv_state *s) {
    const gan_cpu_conv *v = &s->conv;
    const gan_window *z = &v->window;
    if (z->top != 0 || z->left != 0 || z->bottom != 0 || z->right != 0) return false;
    const bool whole = v->p == 1 && v->q == 1 && v->h == v->r && v->w == v->s;
    const bool pixel = v->r == 1 && v->s == 1 && z->stride_h == 1 && z->stride_w == 1;
    if (!whole && !pixel) return false;
    const int64_t m = v->n * v->p * v->q, filter = v->r * v->s * v->c;
    if (v->kind == GAN_CPU_CONV_Y)
        s->product = gan_cpu_product_plan(false, true, 1, m, v->k, filter);
    if (v->kind == GAN_CPU_CONV_DX)
        s->product = gan_cpu_product_plan(false, false, 1, m, filter, v->k);
    if (v->kind == GAN_CPU_CONV_DW)
        s->product = gan_cpu_product_plan(true, false, 1, v->k, filter, m);
    s->deferred = v->kind == GAN_CPU_CONV_DX && filter != v->c;
    return true;
}

/* What measured fastest, AVX-512, against oneDNN 2.6: phases where they are possible and channels
 * enough make up for the transformations; taps where a good part of the windows is
 * padding and the batch makes up for the few positions; windows where the result has so few
 * channels that the library would compute mostly nothing. */
static conv_way best_way(const gan_cpu_conv *v) {
    enum { BATCH = 32, CHANNELS = 32, NARROW = 8, FEW = 16, FEWER = 4 };
    const int64_t positions = v->p * v->q;
    if (gan_cpu_conv_phases_can(v) && v->c >= CHANNELS && v->k >= CHANNELS &&
        v->n * positions >= BATCH)
        return BY_PHASES;
    if (v->n >= BATCH && v->c >= CHANNELS && v->k >= CHANNELS &&
        positions <= (v->kind == GAN_CPU_CONV_Y ? FEWER : FEW))
        return BY_TAPS;
    if (v->kind == GAN_CPU_CONV_DX && v->c <= NARROW) return BY_WINDOWS;
    return BY_LIBRARY;
}

static gan_status prepare_by(gan_device *device, gan_call *call, gan_cpu_conv_kind kind,
                             const conv_way *forced) {
    const gan_call own = {.node = call->node, .n_in = 2, .in = call->in, .out = call->out};
    GAN_TRY(gan_cpu_require_f32(&own, 0));
    conv_state s = {.conv = conv_of(call, kind)};
    if (kind != GAN_CPU_CONV_DW) GAN_TRY(gan_cpu_epilogue_prepare(&s.conv.epilogue, device, call));
    s.way = forced != NULL ? *forced : as_product(&s) ? BY_PRODUCT : best_way(&s.conv);
    if (s.way == BY_PHASES && !gan_cpu_conv_phases_can(&s.conv)) s.way = BY_WINDOWS;
    if (s.way == BY_LIBRARY) {
        s.library = gan_cpu_library_conv_create(device, &s.conv, &call->workspace_bytes);
        if (s.library == NULL) s.way = BY_WINDOWS;
    }
    if (s.way == BY_PRODUCT)
        call->workspace_bytes = gan_cpu_product_workspace(&s.product, device->threads);
    if (s.way == BY_PHASES) call->workspace_bytes = gan_cpu_conv_phases_workspace(device, &s.conv);
    if (s.way == BY_TAPS)
        call->workspace_bytes = gan_cpu_conv_taps_workspace(&s.conv, device->threads);
    if (s.way == BY_WINDOWS)
        call->workspace_bytes = gan_cpu_conv_windows_workspace(&s.conv, device->threads);
    call->state = malloc(sizeof s);
    if (call->state == NULL) {
        gan_cpu_library_conv_destroy(s.library);
        return gan_fail(GAN_ERROR_MEMORY, "convolution: out of memory");
    }
    memcpy(call->state, &s, sizeof s);
    return GAN_OK;
}

static bool run_product(gan_device *device, const gan_call *call, const conv_state *s) {
    const gan_cpu_conv *v = &s->conv;
    const bool dw = v->kind == GAN_CPU_CONV_DW; /* dyᵀ·x: the operands change places */
    if (!gan_cpu_product_run(device, &s->product, call->in[dw ? 1 : 0].data,
                             call->in[dw ? 0 : 1].data, call->out.data, call->workspace,
                             dw || s->deferred ? NULL : &v->epilogue, call))
        return false;
    if (s->deferred) gan_cpu_epilogue_all(&v->epilogue, device, call);
    return true;
}

static gan_status run(gan_device *device, const gan_call *call) {
    const conv_state *s = call->state;
    const bool done = s->way == BY_PRODUCT  ? run_product(device, call, s)
                      : s->way == BY_PHASES ? gan_cpu_conv_phases(device, &s->conv, call)
                      : s->way == BY_TAPS   ? gan_cpu_conv_taps(device, &s->conv, call)
                      : s->way == BY_LIBRARY
                          ? gan_cpu_library_conv_run(device, &s->conv, s->library, call)
                          : gan_cpu_conv_windows(device, &s->conv, call);
    if (!done)
        return gan_fail(GAN_ERROR_DEVICE, "%s: a library failed", gan_op_of(call->node)->name);
    return GAN_OK;
}

static void release(gan_device *device, gan_call *call) {
    (void)device;
    conv_state *s = call->state;
    if (s == NULL) return;
    gan_cpu_library_conv_destroy(s->library);
    free(s);
    call->state = NULL;
}

#define PREPARE(name, kind, forced)                                                                \
    static gan_status name(gan_device *device, gan_call *call) {                                   \
        return prepare_by(device, call, kind, forced);                                             \
    }

static const conv_way windows = BY_WINDOWS, taps = BY_TAPS, phases = BY_PHASES;

PREPARE(prepare_y, GAN_CPU_CONV_Y, NULL)
PREPARE(prepare_dx, GAN_CPU_CONV_DX, NULL)
PREPARE(prepare_dw, GAN_CPU_CONV_DW, NULL)
PREPARE(windows_y, GAN_CPU_CONV_Y, &windows)
PREPARE(windows_dx, GAN_CPU_CONV_DX, &windows)
PREPARE(windows_dw, GAN_CPU_CONV_DW, &windows)
PREPARE(taps_y, GAN_CPU_CONV_Y, &taps)
PREPARE(taps_dx, GAN_CPU_CONV_DX, &taps)
PREPARE(taps_dw, GAN_CPU_CONV_DW, &taps)
PREPARE(phases_y, GAN_CPU_CONV_Y, &phases)
PREPARE(phases_dx, GAN_CPU_CONV_DX, &phases)
PREPARE(phases_dw, GAN_CPU_CONV_DW, &phases)

const gan_kernel gan_cpu_conv2d = {run, prepare_y, release};
const gan_kernel gan_cpu_conv2d_grad_input = {run, prepare_dx, release};
const gan_kernel gan_cpu_conv2d_grad_weight = {run, prepare_dw, release};
const gan_kernel gan_cpu_conv_by_windows[3] = {
    {run, windows_y, release}, {run, windows_dx, release}, {run, windows_dw, release}};
const gan_kernel gan_cpu_conv_by_taps[3] = {
    {run, taps_y, release}, {run, taps_dx, release}, {run, taps_dw, release}};
const gan_kernel gan_cpu_conv_by_phases[3] = {
    {run, phases_y, release}, {run, phases_dx, release}, {run, phases_dw, release}};
