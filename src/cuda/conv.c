/* conv2d (x, w), conv2d_grad_input (dy, w), conv2d_grad_weight (x, dy), by cuDNN: NHWC images, KRSC
 * filters. Where tensor cores may be used they are plans of its graph API, else, and where that has
 * none, its older functions. A program that follows is part of the library's call where its engines
 * take it, else a launch of its own, in place. Some of few channels: kernels of conv_direct.c.
 *
 * cuDNN pads both sides alike, and takes as many windows as then fit. Where that is not what the
 * window says (a row of windows more or less at the bottom or right), x is framed with zeros in the
 * workspace first, or its gradient cut out of a framed one. Rows of x that no window reaches get a
 * gradient of zero from cuDNN itself. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cuda/conv_cache.h"
#include "cuda/conv_direct.h"
#include "cuda/conv_pair.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

enum { ALGORITHMS = 16, ALIGN = 256 };
static const size_t most_workspace = (size_t)1 << 30;

/* y (n,p,q,k) = x (n,h,w,c) * w (k,r,s,c), or one of its adjoints. */
typedef struct conv {
    int64_t n, h, w, c, p, q, k, r, s;
    gan_window window;
    size_t element;           /* bytes of one, of x, w and y alike */
    bool empty;               /* nothing to sum up: the result is zeros */
    bool framed;              /* x lies in the workspace, with its padding */
    int64_t frame_h, frame_w; /* of what cuDNN takes for x */
    cudnnTensorDescriptor_t x, y;
    cudnnFilterDescriptor_t filter;
    cudnnConvolutionDescriptor_t how;
    int algorithm;                    /* of the enumeration of its direction */
    size_t library_bytes;             /* of the workspace, from its start; the frame comes behind */
    gan_cuda_epilogue epilogue;       /* of y and dx; of two results that of the first */
    const gan_cuda_conv_graph *graph; /* its plan; NULL: an algorithm, or no device is open */
    bool fused;                       /* the program is part of the convolution's launch */
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

/* What kernels may be: the library takes tensor cores for bf16 only where it is told to (cuDNN,
 * Legacy API, prerequisites of convolution functions); its default lets f32 through as TF32. */
static cudnnMathType_t math_asked(const conv *v, const gan_node *node) {
    return data_type(v) == CUDNN_DATA_BFLOAT16 ? CUDNN_TENSOR_OP_MATH
           : is_exact(v, node)                 ? CUDNN_FMA_MATH
                                               : CUDNN_DEFAULT_MATH;
}

static gan_status describe(conv *v, const gan_node *node) {
    const int64_t lengths[] = {v->n, v->frame_h, v->frame_w, v->c, v->p, v->q, v->k, v->r, v->s};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (lengths[i] > INT_MAX)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: device cuda takes axes of less than 2^31",
                            gan_op_of(node)->name);
    const int pad_h = v->framed ? 0 : v->window.top, pad_w = v->framed ? 0 : v->window.left;
    GAN_CUDNN_TRY(node, cudnnCreateTensorDescriptor(&v->x));
    GAN_CUDNN_TRY(node, cudnnCreateTensorDescriptor(&v->y));
    GAN_CUDNN_TRY(node, cudnnCreateFilterDescriptor(&v->filter));
    GAN_CUDNN_TRY(node, cudnnCreateConvolutionDescriptor(&v->how));
    const cudnnDataType_t type = data_type(v);
    GAN_CUDNN_TRY(node, cudnnSetTensor4dDescriptor(v->x, CUDNN_TENSOR_NHWC, type, (int)v->n,
                                                   (int)v->c, (int)v->frame_h, (int)v->frame_w));
    GAN_CUDNN_TRY(node, cudnnSetTensor4dDescriptor(v->y, CUDNN_TENSOR_NHWC, type, (int)v->n,
                                                   (int)v->k, (int)v->p, (int)v->q));
    GAN_CUDNN_TRY(node, cudnnSetFilter4dDescriptor(v->filter, type, CUDNN_TENSOR_NHWC, (int)v->k,
                                                   (int)v->c, (int)v->r, (int)v->s));
    GAN_CUDNN_TRY(node, cudnnSetConvolution2dDescriptor(v->how, pad_h, pad_w, v->window.stride_h,
                                                        v->window.stride_w, 1, 1,
                                                        CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    return GAN_OK;
}

static gan_cuda_conv_key key_of(const conv *v, const gan_node *node, gan_cuda_conv_kind kind) {
    return (gan_cuda_conv_key){
        .direction = kind,
        .n = v->n,
        .h = v->frame_h,
        .w = v->frame_w,
        .c = v->c,
        .p = v->p,
        .q = v->q,
        .k = v->k,
        .r = v->r,
        .s = v->s,
        .pad_h = v->framed ? 0 : v->window.top,
        .pad_w = v->framed ? 0 : v->window.left,
        .stride_h = v->window.stride_h,
        .stride_w = v->window.stride_w,
        .type = data_type(v),
        .math = math_asked(v, node),
        .most_workspace = (int64_t)most_workspace,
    };
}

/* An algorithm is run with the math that it was offered with. */
static bool set_math(const conv *v, cudnnMathType_t math) {
    return cudnnSetConvolutionMathType(v->how, math) == CUDNN_STATUS_SUCCESS;
}

/* Takes the fastest algorithm, by cuDNN's own guess, that gives the same bits every time; or the
 * one of last time, if it is as it was. A, B, C: the descriptors in the order of its functions. */
#define CHOOSE(direction, kind, algo_type, perf_type, A, B, C)                                     \
    static gan_status choose_##direction(gan_cuda_device *d, conv *v, const gan_node *node) {      \
        const gan_cuda_conv_key key = key_of(v, node, kind);                                       \
        perf_type found[ALGORITHMS];                                                               \
        size_t bytes = 0;                                                                          \
        int n = 0, math;                                                                           \
        if (gan_cuda_conv_cache_find(d, &key, &v->algorithm, &math, &v->library_bytes) &&          \
            set_math(v, (cudnnMathType_t)math) &&                                                  \
            cudnnGetConvolution##direction##WorkspaceSize(d->dnn, A, B, v->how, C,                 \
                                                          (algo_type)v->algorithm,                 \
                                                          &bytes) == CUDNN_STATUS_SUCCESS &&       \
            bytes == v->library_bytes)                                                             \
            return GAN_OK;                                                                         \
        GAN_CUDNN_TRY(node, cudnnSetConvolutionMathType(v->how, math_asked(v, node)));             \
        GAN_CUDNN_TRY(node, cudnnGetConvolution##direction##Algorithm_v7(d->dnn, A, B, v->how, C,  \
                                                                         ALGORITHMS, &n, found));  \
        for (int i = 0; i < n; i++) {                                                              \
            if (!usable(v, node, found[i].status, found[i].determinism, found[i].mathType) ||      \
                !set_math(v, found[i].mathType))                                                   \
                continue;                                                                          \
            if (cudnnGetConvolution##direction##WorkspaceSize(d->dnn, A, B, v->how, C,             \
                                                              found[i].algo, &v->library_bytes) != \
                    CUDNN_STATUS_SUCCESS ||                                                        \
                v->library_bytes > most_workspace)                                                 \
                continue;                                                                          \
            v->algorithm = (int)found[i].algo;                                                     \
            gan_cuda_conv_cache_put(d, &key, v->algorithm, (int)found[i].mathType,                 \
                                    v->library_bytes);                                             \
            return GAN_OK;                                                                         \
        }                                                                                          \
        return none_found(v, node, n);                                                             \
    }

/* Tensor cores take bf16 as it is; f32 only where it may be rounded. */
static bool usable(const conv *v, const gan_node *node, cudnnStatus_t status,
                   cudnnDeterminism_t determinism, cudnnMathType_t math) {
    const bool cores = v->element == gan_dtype_size(GAN_BF16) || node->tf32;
    return status == CUDNN_STATUS_SUCCESS && determinism == CUDNN_DETERMINISTIC &&
           (math == CUDNN_DEFAULT_MATH || math == CUDNN_FMA_MATH ||
            (math == CUDNN_TENSOR_OP_MATH && cores));
}

static gan_status none_found(const conv *v, const gan_node *node, int looked_at) {
    return gan_fail(
        GAN_ERROR_DEVICE,
        "%s: none of cuDNN's %d algorithms is deterministic and needs at most %zu MiB for x "
        "(%lld,%lld,%lld,%lld), w (%lld,%lld,%lld,%lld)",
        gan_op_of(node)->name, looked_at, most_workspace >> 20, (long long)v->n, (long long)v->h,
        (long long)v->w, (long long)v->c, (long long)v->k, (long long)v->r, (long long)v->s,
        (long long)v->c);
}

CHOOSE(Forward, GAN_CUDA_CONV_Y, cudnnConvolutionFwdAlgo_t, cudnnConvolutionFwdAlgoPerf_t, v->x,
       v->filter, v->y)
CHOOSE(BackwardData, GAN_CUDA_CONV_DX, cudnnConvolutionBwdDataAlgo_t,
       cudnnConvolutionBwdDataAlgoPerf_t, v->filter, v->y, v->x)
CHOOSE(BackwardFilter, GAN_CUDA_CONV_DW, cudnnConvolutionBwdFilterAlgo_t,
       cudnnConvolutionBwdFilterAlgoPerf_t, v->x, v->y, v->filter)

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
    if (!can_fuse(&problem, v, call, kind)) return;
    if (device->plan_only) {
        v->fused = gan_cuda_conv_graph_documented(&problem);
        return;
    }
    v->graph = gan_cuda_conv_graph_find(gan_cuda(device), &problem, most_workspace);
    v->fused = v->graph != NULL;
    if (v->fused) v->library_bytes = gan_cuda_conv_graph_workspace(v->graph);
}

/* Plans alone are offered the engines for a GPU's newest tensor cores; for f32 that is not to be
 * rounded there are none, and the older functions have all there is. */
static bool find_plan(gan_cuda_device *d, conv *v, const gan_node *node, gan_cuda_conv_kind kind) {
    gan_cuda_conv_problem problem;
    if (is_exact(v, node)) return false;
    state(&problem, v, node, kind);
    v->graph = gan_cuda_conv_graph_find(d, &problem, most_workspace);
    if (v->graph) v->library_bytes = gan_cuda_conv_graph_workspace(v->graph);
    return v->graph != NULL;
}

static gan_status choose(gan_cuda_device *d, conv *v, const gan_node *node,
                         gan_cuda_conv_kind kind) {
    if (find_plan(d, v, node, kind)) return GAN_OK;
    GAN_TRY(describe(v, node));
    return kind == GAN_CUDA_CONV_Y    ? choose_Forward(d, v, node)
           : kind == GAN_CUDA_CONV_DX ? choose_BackwardData(d, v, node)
                                      : choose_BackwardFilter(d, v, node);
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
    if (v->how) cudnnDestroyConvolutionDescriptor(v->how);
    if (v->filter) cudnnDestroyFilterDescriptor(v->filter);
    if (v->y) cudnnDestroyTensorDescriptor(v->y);
    if (v->x) cudnnDestroyTensorDescriptor(v->x);
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

static const float one = 1, none = 0;

static gan_status run_library_y(gan_cuda_device *d, const gan_call *call, const conv *v,
                                const void *x) {
    if (v->graph) return gan_cuda_conv_graph_run(d, v->graph, call, x, call->out.data);
    GAN_CUDNN_TRY(call->node, cudnnConvolutionForward(
                                  d->dnn, &one, v->x, x, v->filter, call->in[1].data, v->how,
                                  (cudnnConvolutionFwdAlgo_t)v->algorithm, call->workspace,
                                  v->library_bytes, &none, v->y, call->out.data));
    return GAN_OK;
}

static gan_status run_library_dx(gan_cuda_device *d, const gan_call *call, const conv *v, void *x) {
    if (v->graph) return gan_cuda_conv_graph_run(d, v->graph, call, call->in[0].data, x);
    GAN_CUDNN_TRY(call->node, cudnnConvolutionBackwardData(
                                  d->dnn, &one, v->filter, call->in[1].data, v->y, call->in[0].data,
                                  v->how, (cudnnConvolutionBwdDataAlgo_t)v->algorithm,
                                  call->workspace, v->library_bytes, &none, v->x, x));
    return GAN_OK;
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
        GAN_TRY(run_library_y(d, call, v, x));
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
    GAN_TRY(run_library_dx(d, call, v, x));
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
    if (v->graph) return gan_cuda_conv_graph_run(d, v->graph, call, x, call->out.data);
    GAN_CUDNN_TRY(call->node, cudnnConvolutionBackwardFilter(
                                  d->dnn, &one, v->x, x, v->y, call->in[1].data, v->how,
                                  (cudnnConvolutionBwdFilterAlgo_t)v->algorithm, call->workspace,
                                  v->library_bytes, &none, v->filter, call->out.data));
    return GAN_OK;
}

const gan_kernel gan_cuda_conv2d = {run_y, prepare_y, release};
const gan_kernel gan_cuda_conv2d_grad_input = {run_dx, prepare_dx, release};
const gan_kernel gan_cuda_conv2d_grad_weight = {run_dw, prepare_dw, release};
