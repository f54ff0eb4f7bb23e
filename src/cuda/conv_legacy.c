#include "cuda/conv_legacy.h"

#include <limits.h>

#include "base/error.h"
#include "cuda/conv_cache.h"

enum { ALGORITHMS = 16 };

/* ---- what cuDNN wants to know ---- */

/* What kernels may be: the library takes tensor cores for bf16 only where it is told to (cuDNN,
 * Legacy API, prerequisites of convolution functions); its default lets f32 through them as tensor
 * float. */
static cudnnMathType_t math_asked(const gan_cuda_conv_problem *p) {
    return p->type == CUDNN_DATA_BFLOAT16 ? CUDNN_TENSOR_OP_MATH
           : p->exact                     ? CUDNN_FMA_MATH
                                          : CUDNN_DEFAULT_MATH;
}

static gan_status describe(gan_cuda_conv_legacy *v, const gan_cuda_conv_problem *p,
                           const gan_node *node) {
    const int64_t lengths[] = {p->n, p->h, p->w, p->c, p->p, p->q, p->k, p->r, p->s};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
        if (lengths[i] > INT_MAX)
            return gan_fail(GAN_ERROR_ARGUMENT, "%s: device cuda takes axes of less than 2^31",
                            gan_op_of(node)->name);
    GAN_CUDNN_TRY(node, cudnnCreateTensorDescriptor(&v->x));
    GAN_CUDNN_TRY(node, cudnnCreateTensorDescriptor(&v->y));
    GAN_CUDNN_TRY(node, cudnnCreateFilterDescriptor(&v->filter));
    GAN_CUDNN_TRY(node, cudnnCreateConvolutionDescriptor(&v->how));
    GAN_CUDNN_TRY(node, cudnnSetTensor4dDescriptor(v->x, CUDNN_TENSOR_NHWC, p->type, (int)p->n,
                                                   (int)p->c, (int)p->h, (int)p->w));
    GAN_CUDNN_TRY(node, cudnnSetTensor4dDescriptor(v->y, CUDNN_TENSOR_NHWC, p->type, (int)p->n,
                                                   (int)p->k, (int)p->p, (int)p->q));
    GAN_CUDNN_TRY(node, cudnnSetFilter4dDescriptor(v->filter, p->type, CUDNN_TENSOR_NHWC, (int)p->k,
                                                   (int)p->c, (int)p->r, (int)p->s));
    GAN_CUDNN_TRY(node, cudnnSetConvolution2dDescriptor(v->how, (int)p->pad_h, (int)p->pad_w,
                                                        (int)p->stride_h, (int)p->stride_w, 1, 1,
                                                        CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT));
    return GAN_OK;
}

static gan_cuda_conv_key key_of(const gan_cuda_conv_problem *p, size_t most_workspace) {
    return (gan_cuda_conv_key){
        .direction = p->kind,
        .n = p->n,
        .h = p->h,
        .w = p->w,
        .c = p->c,
        .p = p->p,
        .q = p->q,
        .k = p->k,
        .r = p->r,
        .s = p->s,
        .pad_h = p->pad_h,
        .pad_w = p->pad_w,
        .stride_h = p->stride_h,
        .stride_w = p->stride_w,
        .type = p->type,
        .math = math_asked(p),
        .most_workspace = (int64_t)most_workspace,
    };
}

/* ---- choice ---- */

/* An algorithm is run with the math that it was offered with. */
static bool set_math(const gan_cuda_conv_legacy *v, cudnnMathType_t math) {
    return cudnnSetConvolutionMathType(v->how, math) == CUDNN_STATUS_SUCCESS;
}

/* Tensor cores take bf16 as it is; f32 only where it may be rounded. */
static bool usable(const gan_cuda_conv_problem *p, cudnnStatus_t status,
                   cudnnDeterminism_t determinism, cudnnMathType_t math) {
    return status == CUDNN_STATUS_SUCCESS && determinism == CUDNN_DETERMINISTIC &&
           (math == CUDNN_DEFAULT_MATH || math == CUDNN_FMA_MATH ||
            (math == CUDNN_TENSOR_OP_MATH && !p->exact));
}

static gan_status none_found(const gan_cuda_conv_problem *p, const gan_node *node,
                             size_t most_workspace, int looked_at) {
    return gan_fail(
        GAN_ERROR_DEVICE,
        "%s: none of cuDNN's %d algorithms is deterministic and needs at most %zu MiB for x "
        "(%lld,%lld,%lld,%lld), w (%lld,%lld,%lld,%lld)",
        gan_op_of(node)->name, looked_at, most_workspace >> 20, (long long)p->n, (long long)p->h,
        (long long)p->w, (long long)p->c, (long long)p->k, (long long)p->r, (long long)p->s,
        (long long)p->c);
}

/* A, B, C: the descriptors in the order of its functions. */
#define CHOOSE(direction, algo_type, perf_type, A, B, C)                                           \
    static gan_status choose_##direction(gan_cuda_conv_legacy *v, gan_cuda_device *d,              \
                                         const gan_cuda_conv_problem *p, size_t most_workspace,    \
                                         const gan_node *node) {                                   \
        const gan_cuda_conv_key key = key_of(p, most_workspace);                                   \
        perf_type found[ALGORITHMS];                                                               \
        size_t bytes = 0;                                                                          \
        int n = 0, math;                                                                           \
        if (gan_cuda_conv_cache_find(d, &key, &v->algorithm, &math, &v->workspace) &&              \
            set_math(v, (cudnnMathType_t)math) &&                                                  \
            cudnnGetConvolution##direction##WorkspaceSize(d->dnn, A, B, v->how, C,                 \
                                                          (algo_type)v->algorithm,                 \
                                                          &bytes) == CUDNN_STATUS_SUCCESS &&       \
            bytes == v->workspace)                                                                 \
            return GAN_OK;                                                                         \
        GAN_CUDNN_TRY(node, cudnnSetConvolutionMathType(v->how, math_asked(p)));                   \
        GAN_CUDNN_TRY(node, cudnnGetConvolution##direction##Algorithm_v7(d->dnn, A, B, v->how, C,  \
                                                                         ALGORITHMS, &n, found));  \
        for (int i = 0; i < n; i++) {                                                              \
            if (!usable(p, found[i].status, found[i].determinism, found[i].mathType) ||            \
                !set_math(v, found[i].mathType))                                                   \
                continue;                                                                          \
            if (cudnnGetConvolution##direction##WorkspaceSize(d->dnn, A, B, v->how, C,             \
                                                              found[i].algo, &v->workspace) !=     \
                    CUDNN_STATUS_SUCCESS ||                                                        \
                v->workspace > most_workspace)                                                     \
                continue;                                                                          \
            v->algorithm = (int)found[i].algo;                                                     \
            gan_cuda_conv_cache_put(d, &key, v->algorithm, (int)found[i].mathType, v->workspace);  \
            return GAN_OK;                                                                         \
        }                                                                                          \
        return none_found(p, node, most_workspace, n);                                             \
    }

CHOOSE(Forward, cudnnConvolutionFwdAlgo_t, cudnnConvolutionFwdAlgoPerf_t, v->x, v->filter, v->y)
CHOOSE(BackwardData, cudnnConvolutionBwdDataAlgo_t, cudnnConvolutionBwdDataAlgoPerf_t, v->filter,
       v->y, v->x)
CHOOSE(BackwardFilter, cudnnConvolutionBwdFilterAlgo_t, cudnnConvolutionBwdFilterAlgoPerf_t, v->x,
       v->y, v->filter)

gan_status gan_cuda_conv_legacy_choose(gan_cuda_conv_legacy *v, gan_cuda_device *d,
                                       const gan_cuda_conv_problem *problem, size_t most_workspace,
                                       const gan_node *node) {
    GAN_TRY(describe(v, problem, node));
    switch ((gan_cuda_conv_kind)problem->kind) {
    case GAN_CUDA_CONV_DX:
        return choose_BackwardData(v, d, problem, most_workspace, node);
    case GAN_CUDA_CONV_DW:
        return choose_BackwardFilter(v, d, problem, most_workspace, node);
    default:
        return choose_Forward(v, d, problem, most_workspace, node);
    }
}

/* ---- running ---- */

gan_status gan_cuda_conv_legacy_run(const gan_cuda_conv_legacy *v, gan_cuda_device *d,
                                    gan_cuda_conv_kind kind, const gan_call *call,
                                    const void *first, void *result) {
    const float one = 1, none = 0;
    const void *second = call->in[1].data;
    switch (kind) {
    case GAN_CUDA_CONV_Y:
        GAN_CUDNN_TRY(call->node,
                      cudnnConvolutionForward(d->dnn, &one, v->x, first, v->filter, second, v->how,
                                              (cudnnConvolutionFwdAlgo_t)v->algorithm,
                                              call->workspace, v->workspace, &none, v->y, result));
        break;
    case GAN_CUDA_CONV_DX:
        GAN_CUDNN_TRY(call->node, cudnnConvolutionBackwardData(
                                      d->dnn, &one, v->filter, second, v->y, first, v->how,
                                      (cudnnConvolutionBwdDataAlgo_t)v->algorithm, call->workspace,
                                      v->workspace, &none, v->x, result));
        break;
    case GAN_CUDA_CONV_DW:
        GAN_CUDNN_TRY(call->node, cudnnConvolutionBackwardFilter(
                                      d->dnn, &one, v->x, first, v->y, second, v->how,
                                      (cudnnConvolutionBwdFilterAlgo_t)v->algorithm,
                                      call->workspace, v->workspace, &none, v->filter, result));
        break;
    }
    return GAN_OK;
}

void gan_cuda_conv_legacy_free(gan_cuda_conv_legacy *v) {
    if (v->how) cudnnDestroyConvolutionDescriptor(v->how);
    if (v->filter) cudnnDestroyFilterDescriptor(v->filter);
    if (v->y) cudnnDestroyTensorDescriptor(v->y);
    if (v->x) cudnnDestroyTensorDescriptor(v->x);
}
