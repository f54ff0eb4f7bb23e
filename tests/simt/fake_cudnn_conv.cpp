/* The convolution calls of the cuDNN stand-in, with what the library demands of them and what the
 * project does: an algorithm that gives the same bits each time, tensor cores for bf16. */
#include <algorithm>
#include <cstring>

#include "fake_cudnn.h"

using namespace simt;

namespace {

/* ---- algorithms ---- */

struct algorithm {
    int number;
    bool supported, deterministic; /* for NHWC */
};

/* Best first, as the library's heuristics give them: the first one that works is not deterministic.
 */
const algorithm forward_algorithms[] = {
    {CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD, false, true},
    {CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, true, true},
    {CUDNN_CONVOLUTION_FWD_ALGO_GEMM, false, true},
};
const algorithm data_algorithms[] = {
    {CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, true, false},
    {CUDNN_CONVOLUTION_BWD_DATA_ALGO_WINOGRAD, false, true},
    {CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, true, true},
};
const algorithm filter_algorithms[] = {
    {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_0, true, false},
    {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_3, false, false},
    {CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, true, true},
};
constexpr int algorithm_count = 3;

const algorithm *algorithms(direction d) {
    return d == direction::forward ? forward_algorithms
           : d == direction::data  ? data_algorithms
                                   : filter_algorithms;
}

cudnnStatus_t check_algorithm(direction d, int number) {
    const algorithm *all = algorithms(d);
    for (int i = 0; i < algorithm_count; i++)
        if (all[i].number == number && all[i].supported)
            return all[i].deterministic
                       ? CUDNN_STATUS_SUCCESS
                       : dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED,
                                    "algorithm %d gives other bits each time", number);
    return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "algorithm %d does not do NHWC", number);
}

/* The math that algorithms are offered with: of f32 that may be rounded, one direction's none. */
cudnnMathType_t offered(const convolution &v, direction d) {
    const bool kept = v.how.math == CUDNN_DEFAULT_MATH && d == direction::filter;
    return kept ? CUDNN_FMA_MATH : v.how.math;
}

/* bf16 goes to tensor cores only with leave; an algorithm that was offered with one math is not
 * known to work with another. */
cudnnStatus_t check_math(const convolution &v, direction d) {
    if (v.x.type == CUDNN_DATA_BFLOAT16 && v.how.math != CUDNN_TENSOR_OP_MATH)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "bf16 without tensor cores: math type %d",
                          int(v.how.math));
    if (v.how.math != offered(v, d))
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "algorithms were offered with math type %d",
                          int(offered(v, d)));
    return CUDNN_STATUS_SUCCESS;
}

/* ---- shapes ---- */

size_t bytes(cudnnDataType_t type, int a, int b, int c, int d) {
    return size_t(a) * size_t(b) * size_t(c) * size_t(d) * (type == CUDNN_DATA_BFLOAT16 ? 2 : 4);
}
size_t bytes(const cudnnTensorStruct &t) { return bytes(t.type, t.n, t.h, t.w, t.c); }
size_t bytes(const cudnnFilterStruct &f) { return bytes(f.type, f.k, f.r, f.s, f.c); }

cudnnStatus_t describe(convolution *v, cudnnHandle_t handle, cudnnTensorDescriptor_t x,
                       cudnnFilterDescriptor_t w, cudnnConvolutionDescriptor_t how,
                       cudnnTensorDescriptor_t y) {
    int n, k, h, width;
    if (!handle) return CUDNN_STATUS_NOT_INITIALIZED;
    if (!y || !y->set)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "y's descriptor is missing or not set");
    if (cudnnStatus_t status = cudnnGetConvolution2dForwardOutputDim(how, x, w, &n, &k, &h, &width))
        return status;
    if (y->n != n || y->c != k || y->h != h || y->w != width)
        return dnn_refuse(
            CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH,
            "y is n %d, h %d, w %d, c %d; the convolution makes n %d, h %d, w %d, c %d", y->n, y->h,
            y->w, y->c, n, h, width, k);
    if (x->type != w->type || x->type != y->type)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "types of x, w, y: %d, %d, %d",
                          int(x->type), int(w->type), int(y->type));
    *v = {*x, *y, *w, *how};
    return CUDNN_STATUS_SUCCESS;
}

/* What the loops do not need, but a real one would: all of it is overwritten. */
size_t workspace_of(const convolution &v, direction d) {
    return machine.cudnn_workspace + (d == direction::forward ? bytes(v.w) + 128
                                      : d == direction::data  ? bytes(v.y) + 64
                                                              : 3 * bytes(v.w) + 4);
}

cudnnStatus_t size_workspace(const convolution &v, direction d, int number, size_t *out) {
    if (cudnnStatus_t status = check_algorithm(d, number)) return status;
    if (cudnnStatus_t status = check_math(v, d)) return status;
    *out = workspace_of(v, d);
    return CUDNN_STATUS_SUCCESS;
}

/* ---- the call ---- */

struct call {
    cudnnHandle_t handle;
    convolution v;
    direction d;
    const void *x, *w, *y; /* one of them NULL: the result's place */
    void *result;
    int algorithm;
    void *workspace;
    size_t workspace_bytes;
    const void *alpha, *beta;
};

cudnnStatus_t run(const call &c) {
    runtime_lock lock;
    if (usable()) return CUDNN_STATUS_EXECUTION_FAILED;
    if (!c.handle->stream) return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "the handle has no stream");
    if (!c.alpha || !c.beta) return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "alpha or beta is NULL");
    if (cudnnStatus_t status = check_algorithm(c.d, c.algorithm)) return status;
    if (cudnnStatus_t status = check_math(c.v, c.d)) return status;
    const size_t needed = workspace_of(c.v, c.d);
    if (c.workspace_bytes < needed)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT,
                          "workspace of %zu bytes; %zu asked for", c.workspace_bytes, needed);
    const int device = device_of(c.handle->stream);
    if (device != c.handle->device)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "the stream is another device's");
    expect_device_memory("cuDNN: x", c.d == direction::data ? c.result : c.x, bytes(c.v.x), device);
    expect_device_memory("cuDNN: w", c.d == direction::filter ? c.result : c.w, bytes(c.v.w),
                         device);
    expect_device_memory("cuDNN: y", c.d == direction::forward ? c.result : c.y, bytes(c.v.y),
                         device);
    expect_device_memory("cuDNN: workspace", c.workspace, needed, device);
    const call kept = c;
    const float alpha = *static_cast<const float *>(c.alpha),
                beta = *static_cast<const float *>(c.beta);
    return submit(c.handle->stream, {"cuDNN convolution",
                                     [=] {
                                         memset(kept.workspace, 0xff, needed);
                                         convolve(kept.v, kept.d, kept.x, kept.w, kept.y,
                                                  kept.result, alpha, beta);
                                         memset(kept.workspace, 0xff, needed);
                                     }})
               ? CUDNN_STATUS_EXECUTION_FAILED
               : CUDNN_STATUS_SUCCESS;
}

template <class Perf>
cudnnStatus_t list(const convolution &v, direction d, int wanted, int *returned, Perf *out) {
    if (wanted < 1 || !returned || !out)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "no room for an algorithm");
    runtime_lock lock;
    counts.searches++;
    *returned = std::min(wanted, algorithm_count);
    for (int i = 0; i < *returned; i++) {
        const algorithm &a = algorithms(d)[i];
        memset(&out[i], 0, sizeof out[i]);
        out[i].algo = static_cast<decltype(out[i].algo)>(a.number);
        out[i].status = a.supported ? CUDNN_STATUS_SUCCESS : CUDNN_STATUS_NOT_SUPPORTED;
        out[i].time = -1;
        out[i].memory = a.supported ? workspace_of(v, d) : 0;
        out[i].determinism = a.deterministic ? CUDNN_DETERMINISTIC : CUDNN_NON_DETERMINISTIC;
        out[i].mathType = offered(v, d);
    }
    return CUDNN_STATUS_SUCCESS;
}

} // namespace

/* ---- entries, by direction ---- */

cudnnStatus_t cudnnGetConvolutionForwardAlgorithmMaxCount(cudnnHandle_t, int *count) {
    *count = algorithm_count;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithmMaxCount(cudnnHandle_t, int *count) {
    *count = algorithm_count;
    return CUDNN_STATUS_SUCCESS;
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithmMaxCount(cudnnHandle_t, int *count) {
    *count = algorithm_count;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t h, cudnnTensorDescriptor_t x,
                                                     cudnnFilterDescriptor_t w,
                                                     cudnnConvolutionDescriptor_t how,
                                                     cudnnTensorDescriptor_t y, int wanted,
                                                     int *returned,
                                                     cudnnConvolutionFwdAlgoPerf_t *out) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x, w, how, y)) return status;
    return list(v, direction::forward, wanted, returned, out);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(
    cudnnHandle_t h, cudnnFilterDescriptor_t w, cudnnTensorDescriptor_t y,
    cudnnConvolutionDescriptor_t how, cudnnTensorDescriptor_t x, int wanted, int *returned,
    cudnnConvolutionBwdDataAlgoPerf_t *out) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x, w, how, y)) return status;
    return list(v, direction::data, wanted, returned, out);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t h, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t y,
    cudnnConvolutionDescriptor_t how, cudnnFilterDescriptor_t w, int wanted, int *returned,
    cudnnConvolutionBwdFilterAlgoPerf_t *out) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x, w, how, y)) return status;
    return list(v, direction::filter, wanted, returned, out);
}

cudnnStatus_t cudnnGetConvolutionForwardWorkspaceSize(cudnnHandle_t h, cudnnTensorDescriptor_t x,
                                                      cudnnFilterDescriptor_t w,
                                                      cudnnConvolutionDescriptor_t how,
                                                      cudnnTensorDescriptor_t y,
                                                      cudnnConvolutionFwdAlgo_t algorithm,
                                                      size_t *out) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x, w, how, y)) return status;
    return size_workspace(v, direction::forward, int(algorithm), out);
}
cudnnStatus_t cudnnGetConvolutionBackwardDataWorkspaceSize(
    cudnnHandle_t h, cudnnFilterDescriptor_t w, cudnnTensorDescriptor_t y,
    cudnnConvolutionDescriptor_t how, cudnnTensorDescriptor_t x,
    cudnnConvolutionBwdDataAlgo_t algorithm, size_t *out) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x, w, how, y)) return status;
    return size_workspace(v, direction::data, int(algorithm), out);
}
cudnnStatus_t cudnnGetConvolutionBackwardFilterWorkspaceSize(
    cudnnHandle_t h, cudnnTensorDescriptor_t x, cudnnTensorDescriptor_t y,
    cudnnConvolutionDescriptor_t how, cudnnFilterDescriptor_t w,
    cudnnConvolutionBwdFilterAlgo_t algorithm, size_t *out) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x, w, how, y)) return status;
    return size_workspace(v, direction::filter, int(algorithm), out);
}

cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t h, const void *alpha,
                                      cudnnTensorDescriptor_t x_is, const void *x,
                                      cudnnFilterDescriptor_t w_is, const void *w,
                                      cudnnConvolutionDescriptor_t how,
                                      cudnnConvolutionFwdAlgo_t algorithm, void *workspace,
                                      size_t workspace_bytes, const void *beta,
                                      cudnnTensorDescriptor_t y_is, void *y) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x_is, w_is, how, y_is)) return status;
    return run({h, v, direction::forward, x, w, nullptr, y, int(algorithm), workspace,
                workspace_bytes, alpha, beta});
}
cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t h, const void *alpha,
                                           cudnnFilterDescriptor_t w_is, const void *w,
                                           cudnnTensorDescriptor_t y_is, const void *y,
                                           cudnnConvolutionDescriptor_t how,
                                           cudnnConvolutionBwdDataAlgo_t algorithm, void *workspace,
                                           size_t workspace_bytes, const void *beta,
                                           cudnnTensorDescriptor_t x_is, void *x) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x_is, w_is, how, y_is)) return status;
    return run({h, v, direction::data, nullptr, w, y, x, int(algorithm), workspace, workspace_bytes,
                alpha, beta});
}
cudnnStatus_t cudnnConvolutionBackwardFilter(
    cudnnHandle_t h, const void *alpha, cudnnTensorDescriptor_t x_is, const void *x,
    cudnnTensorDescriptor_t y_is, const void *y, cudnnConvolutionDescriptor_t how,
    cudnnConvolutionBwdFilterAlgo_t algorithm, void *workspace, size_t workspace_bytes,
    const void *beta, cudnnFilterDescriptor_t w_is, void *w) {
    convolution v;
    if (cudnnStatus_t status = describe(&v, h, x_is, w_is, how, y_is)) return status;
    return run({h, v, direction::filter, x, nullptr, y, w, int(algorithm), workspace,
                workspace_bytes, alpha, beta});
}
