/* conv2d (x, w), conv2d_grad_input (dy, w), conv2d_grad_weight (x, dy), by cuDNN: NHWC images, KRSC
 * filters. Where tensor cores may be used they are plans of its graph API, else, and where that has
 * none, its older functions. A program that follows is part of the library's call where its engines
 * take it, else a launch of its own, in place. Some of few channels: kernels of conv_direct.c.
 *
 * cuDNN pads both sides alike, and takes as many windows as then fit. Where that is not what the
 * window says (a row of windows more or less at the bottom or right), x is framed with zeros in the
 * workspace first, or its gradient cut out of a framed one. Rows of x that no window reaches get a
 * gradient of zero from cuDNN itself. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cuda/conv_direct.h"
#include "cuda/conv_legacy.h"
#include "cuda/conv_pair.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

enum { ALIGN = 256 };
static const size_t most_workspace = (size_t)1 << 30;

/* y (n,p,q,k) = x (n,h,w,c) * w (k,r,s,c), or one of its adjoints. */
typedef struct conv {
    int64_t n, h, w, c, p, q, k, r, s;
    gan_window window;
    size_t element;                   /* bytes of one, of x, w and y alike */
    bool empty;                       /* nothing to sum up: the result is zeros */
    bool framed;                      /* x lies in the workspace, with its padding */
    int64_t frame_h, frame_w;         /* of what cuDNN takes for x */
    size_t library_bytes;             /* of the workspace, from its start; the frame comes behind */
    gan_cuda_epilogue epilogue;       /* of y and dx; of two results that of the first */
    const gan_cuda_conv_graph *graph; /* its plan; NULL: `legacy`, or no device is open */
    gan_cuda_conv_legacy legacy;
    bool fused; /* the program is part of the convolution's launch */
    gan_cuda_conv_pair pair;
    gan_cuda_conv_direct direct; /* not the library's at all */
} conv;

/* ---- shapes ---- */

static conv conv_of(const gan_call *call, gan_cuda_conv_kind kind) {
    const gan_shape *x = kind == GAN_CUDA_CONV_DX ? &call->out.shape : &call->in[0].shape;
    const gan_shape *w = kind == GAN_CUDA_CONV_DW ? &call->out.shape : &call->in[1].shape;
    const gan_shape *y = kind == GAN_CUDA_CONV_Y    ? &call->out.shape
                         : kind == GAN_CUDA_CONV_DX ? &call->in[0].shape
                                                    : &call->in[1].shape;
    conv v = {.n = x->dim[0], .h = x->dim[1], .w = x->dim[2], .c = x->dim[3]};
    v.p = y->dim[1], v.q = y->dim[2], v.k = y->dim[3];
    v.r = w->dim[1], v.s = w->dim[2];
    v.window = call->node->attr.window;
    v.element = gan_dtype_size(call->in[0].dtype);
    v.empty = v.n == 0 || v.h == 0 || v.w == 0 || v.c == 0 || v.p == 0 || v.q == 0 || v.k == 0 ||
              v.r == 0 || v.s == 0;
    return v;
}

/* Whether `padding` on both sides gives `places` windows of `filter` in a row of `length`. */
static bool same_both_sides(int64_t length, int padding, int64_t filter, int stride,
                            int64_t places) {
    const int64_t room = length + 2 * padding - filter;
    return room >= 0 && room / stride + 1 == places;
}

static void frame(conv *v) {
    const gan_window *z = &v->window;
    v->framed = !same_both_sides(v->h, z->top, v->r, z->stride_h, v->p) ||
                !same_both_sides(v->w, z->left, v->s, z->stride_w, v->q);
    v->frame_h = v->framed ? v->h + z->top + z->bottom : v->h;
    v->frame_w = v->framed ? v->w + z->left + z->right : v->w;
}

static size_t frame_bytes(const conv *v) {
    return v->framed ? (size_t)(v->n * v->frame_h * v->frame_w * v->c) * v->element : 0;
}

/* ---- what cuDNN wants to know ---- */

static cudnnDataType_t data_type(const conv *v) {
    return v->element == gan_dtype_size(GAN_BF16) ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
}

/* f32 that tensor cores must not round. */
static bool is_exact(const conv *v, const gan_node *node) {
    return data_type(v) == CUDNN_DATA_FLOAT && !node->tf32;
}

/* ---- as a plan, with its program as one launch or alone ---- */

/* All but the epilogue. */
static void state(gan_cuda_conv_problem *to, const conv *v, const gan_node *node,
                  gan_cuda_conv_kind kind) {
    memset(to, 0, sizeof *to);
    to->n = v->n, to->h = v->frame_h, to->w = v->frame_w, to->c = v->c;
    to->p = v->p, to->q = v->q, to->k = v->k, to->r = v->r, to->s = v->s;
    to->pad_h = v->framed ? 0 : v->window.top;
    to->pad_w = v->framed ? 0 : v->window.left;
    to->stride_h = v->window.stride_h;
    to->stride_w = v->window.stride_w;
    to->type = data_type(v);
    to->kind = (int)kind;
    to->exact = is_exact(v, node);
}

/* A result in a frame is cut out before the program sees it. */
static bool can_fuse(gan_cuda_conv_problem *to, const conv *v, const gan_call *call,
                     gan_cuda_conv_kind kind) {
    state(to, v, call->node, kind);
    return kind != GAN_CUDA_CONV_DW && !(kind == GAN_CUDA_CONV_DX && v->framed) &&
           gan_cuda_conv_epilogue_of(&to->epilogue, call);
}

static void fuse(gan_device *device, conv *v, const gan_call *call, gan_cuda_conv_kind kind) {
    gan_cuda_conv_problem problem;
    if (!can_fuse(&problem, v, call, kind) || problem.exact) return;
    if (device->plan_only) {
        v->fused = gan_cuda_conv_graph_documented(&problem);
        return;
    }
    v->graph = gan_cuda_conv_graph_find(gan_cuda(device), &problem, most_workspace);
    v->fused = v->graph != NULL;
    if (v->fused) v->library_bytes = v->graph->plan.workspace;
}

/* Plans alone are offered the engines for a GPU's newest tensor cores; for f32 that is not to be
 * rounded there are none, and the older functions have all there is. */
static gan_status choose(gan_cuda_device *d, conv *v, const gan_node *node,
                         gan_cuda_conv_kind kind) {
    gan_cuda_conv_problem problem;
    state(&problem, v, node, kind);
    if (!problem.exact) v->graph = gan_cuda_conv_graph_find(d, &problem, most_workspace);
    if (v->graph) {
        v->library_bytes = v->graph->plan.workspace;
        return GAN_OK;
    }
    GAN_TRY(gan_cuda_conv_legacy_choose(&v->legacy, d, &problem, most_workspace, node));
    v->library_bytes = v->legacy.workspace;
    return GAN_OK;
}

static gan_status prepare(gan_device *device, gan_call *call, gan_cuda_conv_kind kind) {
    const gan_node *node = call->node;
    conv *v = malloc(sizeof *v);
    if (!v) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", gan_op_of(node)->name);
    *v = conv_of(call, kind);
    call->state = v;
    gan_cuda_conv_first first;
    const gan_call *one;
    GAN_TRY(gan_cuda_conv_pair_prepare(&v->pair, &first, call, &one));
    if (kind != GAN_CUDA_CONV_DW) GAN_TRY(gan_cuda_epilogue_prepare(&v->epilogue, one));
    if (v->empty) return GAN_OK;
    if (!v->pair.active) gan_cuda_conv_direct_choose(&v->direct, device, call, &v->epilogue);
    if (v->direct.active) return GAN_OK;
    frame(v);
    if (!device->plan_only) GAN_TRY(gan_cuda_enter(device));
    if (v->pair.active) fuse(device, v, call, kind);
    v->pair.both = v->fused;
    if (v->epilogue.active && !v->fused) fuse(device, v, one, kind);
    if (!device->plan_only && !v->fused) GAN_TRY(choose(gan_cuda(device), v, node, kind));
    v->library_bytes = (v->library_bytes + ALIGN - 1) / ALIGN * ALIGN;
    call->workspace_bytes = v->library_bytes + frame_bytes(v);
    call->scratch = true; /* whatever the library keeps in its handle */
    return GAN_OK;
}

static gan_status prepare_y(gan_device *device, gan_call *call) {
    return prepare(device, call, GAN_CUDA_CONV_Y);
}
static gan_status prepare_dx(gan_device *device, gan_call *call) {
    return prepare(device, call, GAN_CUDA_CONV_DX);
}
static gan_status prepare_dw(gan_device *device, gan_call *call) {
    return prepare(device, call, GAN_CUDA_CONV_DW);
}

static void release(gan_device *device, gan_call *call) {
    (void)device;
    conv *v = call->state;
    if (!v) return;
    gan_cuda_conv_legacy_free(&v->legacy);
    free(v);
    call->state = NULL;
}

bool gan_cuda_conv_is_framed(const gan_call *call) {
    const conv *v = call->state;
    return v->framed;
}

bool gan_cuda_conv_is_direct(const gan_call *call) {
    const conv *v = call->state;
    return v->direct.active;
}

bool gan_cuda_conv_is_fused(const gan_call *call) {
    const conv *v = call->state;
    return v->fused || v->direct.program || !v->epilogue.active;
}

bool gan_cuda_conv_is_apart(const gan_call *call) {
    const conv *v = call->state;
    return v->pair.active && !v->pair.both;
}

/* Of two calls that are one launch, which is the convolution; -1: none is. */
static int convolution_of(const gan_call *calls) {
    const gan_op_id op = calls[0].node->op;
    if (calls[0].joined != 2) return -1;
    if (op == GAN_OP_conv2d || op == GAN_OP_conv2d_grad_input || op == GAN_OP_conv2d_grad_weight)
        return 0;
    return calls[1].node->op == GAN_OP_conv2d_grad_weight ? 1 : -1;
}

bool gan_cuda_conv_is_both(const gan_call *calls) { return convolution_of(calls) >= 0; }

gan_status gan_cuda_conv_run_both(gan_device *device, const gan_call *calls) {
    const int i = convolution_of(calls);
    const conv *v = calls[i].state;
    return gan_cuda_conv_direct_run_both(&v->direct, device, &calls[i], &calls[1 - i]);
}

/* ---- running ---- */

static void *frame_of(const conv *v, const gan_call *call) {
    return (char *)call->workspace + v->library_bytes;
}

/* x where cuDNN reads it. */
static gan_status framed_x(gan_cuda_device *d, const gan_call *call, const conv *v,
                           const void **x) {
    *x = call->in[0].data;
    if (!v->framed) return GAN_OK;
    *x = frame_of(v, call);
    const gan_launch_frame_args args = {frame_of(v, call),
                                        call->in[0].data,
                                        v->n,
                                        v->frame_h,
                                        v->frame_w,
                                        v->h,
                                        v->w,
                                        v->c * (int64_t)v->element,
                                        v->window.top,
                                        v->window.left};
    GAN_CUDA_TRY(call->node, gan_launch_frame(&args, d->stream));
    return GAN_OK;
}

static gan_status zero(gan_cuda_device *d, const gan_call *call) {
    const size_t bytes = gan_node_bytes(call->node);
    if (bytes) GAN_CUDA_TRY(call->node, cudaMemsetAsync(call->out.data, 0, bytes, d->stream));
    return GAN_OK;
}

/* Of `first`, where cuDNN reads it, and call->in[1]. */
static gan_status run_library(gan_cuda_device *d, const gan_call *call, const conv *v,
                              gan_cuda_conv_kind kind, const void *first, void *result) {
    return v->graph ? gan_cuda_conv_graph_run(d, v->graph, call, first, result)
                    : gan_cuda_conv_legacy_run(&v->legacy, d, kind, call, first, result);
}

static gan_status run_first(gan_device *device, const gan_call *call) {
    const conv *v = call->state;
    gan_cuda_device *d = gan_cuda(device);
    if (v->direct.active) return gan_cuda_conv_direct_run(&v->direct, device, call, &v->epilogue);
    const void *x;
    if (v->empty) {
        GAN_TRY(zero(d, call));
    } else {
        GAN_TRY(framed_x(d, call, v, &x));
        GAN_TRY(run_library(d, call, v, GAN_CUDA_CONV_Y, x, call->out.data));
        if (v->fused) return GAN_OK;
    }
    return gan_cuda_epilogue_run(&v->epilogue, device, call);
}

static gan_status run_y(gan_device *device, const gan_call *call) {
    const conv *v = call->state;
    GAN_TRY(run_first(device, call));
    return gan_cuda_conv_pair_run(&v->pair, device, call);
}

static gan_status run_dx(gan_device *device, const gan_call *call) {
    const conv *v = call->state;
    gan_cuda_device *d = gan_cuda(device);
    if (v->direct.active) return gan_cuda_conv_direct_run(&v->direct, device, call, &v->epilogue);
    if (v->empty) {
        GAN_TRY(zero(d, call));
        return gan_cuda_epilogue_run(&v->epilogue, device, call);
    }
    void *x = v->framed ? frame_of(v, call) : call->out.data;
    GAN_TRY(run_library(d, call, v, GAN_CUDA_CONV_DX, call->in[0].data, x));
    if (v->fused) return GAN_OK;
    if (v->framed) {
        const gan_launch_frame_args args = {call->out.data, x,
                                            v->n,           v->h,
                                            v->w,           v->frame_h,
                                            v->frame_w,     v->c * (int64_t)v->element,
                                            -v->window.top, -v->window.left};
        GAN_CUDA_TRY(call->node, gan_launch_frame(&args, d->stream));
    }
    return gan_cuda_epilogue_run(&v->epilogue, device, call);
}

static gan_status run_dw(gan_device *device, const gan_call *call) {
    const conv *v = call->state;
    gan_cuda_device *d = gan_cuda(device);
    if (v->direct.active) return gan_cuda_conv_direct_run(&v->direct, device, call, &v->epilogue);
    const void *x;
    if (v->empty) return zero(d, call);
    GAN_TRY(framed_x(d, call, v, &x));
    return run_library(d, call, v, GAN_CUDA_CONV_DW, x, call->out.data);
}

const gan_kernel gan_cuda_conv2d = {run_y, prepare_y, release};
const gan_kernel gan_cuda_conv2d_grad_input = {run_dx, prepare_dx, release};
const gan_kernel gan_cuda_conv2d_grad_weight = {run_dw, prepare_dw, release};
