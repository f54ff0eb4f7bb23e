/* The stand-ins for cuBLAS and cuDNN: right numbers for right arguments, and an error for each
 * wrong one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cublas_v2.h>
#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "control.h"

enum { N = 512, WORKSPACE = 1 << 16 };

static cudaStream_t stream;
static cublasHandle_t blas;
static cudnnHandle_t dnn;
static float *a, *b, *c; /* device memory of N floats: 1, 2, …; the same; fresh */
static void *workspace;
static const float one = 1, zero = 0;

static int set_up(void **state) {
    float numbers[N];
    (void)state;
    for (int i = 0; i < N; i++) numbers[i] = (float)(i + 1);
    const size_t bytes = sizeof numbers;
    return cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) ||
           cudaMalloc((void **)&a, bytes) || cudaMalloc((void **)&b, bytes) ||
           cudaMalloc((void **)&c, bytes) || cudaMalloc(&workspace, WORKSPACE) ||
           cudaMemcpyAsync(a, numbers, bytes, cudaMemcpyHostToDevice, stream) ||
           cudaMemcpyAsync(b, numbers, bytes, cudaMemcpyHostToDevice, stream) ||
           cublasCreate(&blas) || cublasSetStream(blas, stream) ||
           cublasSetWorkspace(blas, workspace, WORKSPACE) || cudnnCreate(&dnn) ||
           cudnnSetStream(dnn, stream);
}

static int tear_down(void **state) {
    (void)state;
    return cublasDestroy(blas) || cudnnDestroy(dnn) || cudaFree(a) || cudaFree(b) || cudaFree(c) ||
           cudaFree(workspace) || cudaStreamDestroy(stream) || simt_count().handles;
}

static void expect(const float *device, const float *wanted, size_t n) {
    float got[N];
    assert_int_equal(cudaMemcpyAsync(got, device, n * sizeof *got, cudaMemcpyDeviceToHost, stream),
                     cudaSuccess);
    assert_memory_equal(got, wanted, n * sizeof *got);
}

/* ---- cuBLAS ---- */

static void products(void **state) {
    (void)state;
    /* columns (1 2) (3 4) times columns (1 2 3) transposed … */
    assert_int_equal(
        cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, 2, 2, 2, &one, a, 2, b, 2, &zero, c, 2),
        CUBLAS_STATUS_SUCCESS);
    expect(c, (const float[]){7, 10, 15, 22}, 4);
    assert_int_equal(
        cublasSgemm(blas, CUBLAS_OP_T, CUBLAS_OP_N, 2, 2, 2, &one, a, 2, b, 2, &zero, c, 2),
        CUBLAS_STATUS_SUCCESS);
    expect(c, (const float[]){5, 11, 11, 25}, 4);
    assert_int_equal(
        cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_T, 2, 2, 1, &one, a, 2, b, 2, &one, c, 2),
        CUBLAS_STATUS_SUCCESS); /* adds (1 2)ᵀ(1 2) */
    expect(c, (const float[]){6, 13, 13, 29}, 4);
    assert_int_equal(cublasSgemmStridedBatched(blas, CUBLAS_OP_N, CUBLAS_OP_N, 1, 1, 2, &one, a, 1,
                                               2, b, 2, 2, &zero, c, 1, 1, 2),
                     CUBLAS_STATUS_SUCCESS);
    expect(c, (const float[]){5, 25}, 2);
}

static cublasStatus_t product(int m, int n, int k, const float *x, int lda, int ldb, float *y,
                              int ldc) {
    return cublasSgemm(blas, CUBLAS_OP_N, CUBLAS_OP_N, m, n, k, &one, x, lda, b, ldb, &zero, y,
                       ldc);
}

static void wrong_products_are_refused(void **state) {
    (void)state;
    assert_int_equal(product(4, 3, 2, a, 4, 2, c, 4), CUBLAS_STATUS_SUCCESS);
    assert_int_equal(product(4, 3, 2, a, 3, 2, c, 4), CUBLAS_STATUS_INVALID_VALUE); /* lda */
    assert_int_equal(product(4, 3, 2, a, 4, 1, c, 4), CUBLAS_STATUS_INVALID_VALUE); /* ldb */
    assert_int_equal(product(4, 3, 2, a, 4, 2, c, 3), CUBLAS_STATUS_INVALID_VALUE); /* ldc */
    assert_int_equal(product(-1, 3, 2, a, 4, 2, c, 4), CUBLAS_STATUS_INVALID_VALUE);
    assert_int_equal(product(4, 3, 2, NULL, 4, 2, c, 4), CUBLAS_STATUS_INVALID_VALUE);
    assert_int_equal(product(4, 3, 2, a, 4, 2, a + 5, 4),
                     CUBLAS_STATUS_INVALID_VALUE); /* overlaps */
    assert_int_equal(cublasSetStream(blas, stream),
                     CUBLAS_STATUS_SUCCESS); /* forgets the workspace */
    assert_int_equal(product(4, 3, 2, a, 4, 2, c, 4), CUBLAS_STATUS_INVALID_VALUE);
}

/* ---- cuDNN ---- */

typedef struct conv {
    cudnnTensorDescriptor_t x, y;
    cudnnFilterDescriptor_t w;
    cudnnConvolutionDescriptor_t how;
} conv;

/* 1 image of 3 × 3 with 1 channel, 1 filter of 2 × 2, stride 1, no padding: 2 × 2. */
static conv describe(void) {
    conv v;
    assert_int_equal(cudnnCreateTensorDescriptor(&v.x), 0);
    assert_int_equal(cudnnCreateTensorDescriptor(&v.y), 0);
    assert_int_equal(cudnnCreateFilterDescriptor(&v.w), 0);
    assert_int_equal(cudnnCreateConvolutionDescriptor(&v.how), 0);
    assert_int_equal(
        cudnnSetTensor4dDescriptor(v.x, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 3, 3), 0);
    assert_int_equal(
        cudnnSetTensor4dDescriptor(v.y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 2, 2), 0);
    assert_int_equal(
        cudnnSetFilter4dDescriptor(v.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 1, 1, 2, 2), 0);
    assert_int_equal(cudnnSetConvolution2dDescriptor(v.how, 0, 0, 1, 1, 1, 1,
                                                     CUDNN_CROSS_CORRELATION, CUDNN_DATA_FLOAT),
                     0);
    return v;
}

static void forget(conv v) {
    cudnnDestroyTensorDescriptor(v.x);
    cudnnDestroyTensorDescriptor(v.y);
    cudnnDestroyFilterDescriptor(v.w);
    cudnnDestroyConvolutionDescriptor(v.how);
}

static cudnnStatus_t forward(conv v, cudnnConvolutionFwdAlgo_t algorithm, size_t bytes) {
    return cudnnConvolutionForward(dnn, &one, v.x, a, v.w, b, v.how, algorithm, workspace, bytes,
                                   &zero, v.y, c);
}

static void convolutions(void **state) {
    (void)state;
    const conv v = describe();
    size_t bytes;
    assert_int_equal(forward(v, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, WORKSPACE), 0);
    expect(c, (const float[]){37, 47, 67, 77}, 4); /* 1·1 + 2·2 + 4·3 + 5·4, … */
    assert_int_equal(cudnnConvolutionBackwardData(dnn, &one, v.w, b, v.y, a, v.how,
                                                  CUDNN_CONVOLUTION_BWD_DATA_ALGO_1, workspace,
                                                  WORKSPACE, &zero, v.x, c),
                     0);
    expect(c, (const float[]){1, 4, 4, 6, 20, 16, 9, 24, 16}, 9);
    assert_int_equal(cudnnSetConvolutionMathType(v.how, CUDNN_FMA_MATH), 0);
    assert_int_equal(cudnnConvolutionBackwardFilter(dnn, &one, v.x, a, v.y, b, v.how,
                                                    CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1, workspace,
                                                    WORKSPACE, &zero, v.w, c),
                     0);
    expect(c, (const float[]){37, 47, 67, 77}, 4);
    assert_int_equal(
        cudnnGetConvolutionForwardWorkspaceSize(
            dnn, v.x, v.w, v.how, v.y, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, &bytes),
        0);
    assert_true(bytes > 0);
    assert_int_equal(forward(v, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, bytes), 0);
    assert_int_equal(forward(v, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, bytes - 1),
                     CUDNN_STATUS_BAD_PARAM_SIZE_INSUFFICIENT);
    forget(v);
}

static void wrong_convolutions_are_refused(void **state) {
    (void)state;
    const cudnnConvolutionFwdAlgo_t fine = CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM;
    const conv v = describe();
    cudnnTensorDescriptor_t unset;
    assert_int_equal(forward(v, CUDNN_CONVOLUTION_FWD_ALGO_WINOGRAD, WORKSPACE),
                     CUDNN_STATUS_NOT_SUPPORTED);
    assert_int_equal(cudnnConvolutionBackwardData(dnn, &one, v.w, b, v.y, a, v.how,
                                                  CUDNN_CONVOLUTION_BWD_DATA_ALGO_0, workspace,
                                                  WORKSPACE, &zero, v.x, c),
                     CUDNN_STATUS_NOT_SUPPORTED); /* not the same bits each time */
    assert_int_equal(
        cudnnSetTensor4dDescriptor(v.x, CUDNN_TENSOR_NCHW, CUDNN_DATA_FLOAT, 1, 1, 3, 3),
        CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
    assert_int_equal(cudnnSetTensor4dDescriptorEx(v.x, CUDNN_DATA_FLOAT, 1, 1, 3, 3, 9, 9, 3, 1),
                     CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
    assert_int_equal(cudnnSetConvolution2dDescriptor(v.how, 0, 0, 1, 1, 1, 1, CUDNN_CONVOLUTION,
                                                     CUDNN_DATA_FLOAT),
                     CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(
        cudnnSetTensor4dDescriptor(v.y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 3, 2), 0);
    assert_int_equal(forward(v, fine, WORKSPACE), CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    assert_int_equal(
        cudnnSetTensor4dDescriptor(v.y, CUDNN_TENSOR_NHWC, CUDNN_DATA_FLOAT, 1, 1, 2, 2), 0);
    assert_int_equal(
        cudnnSetFilter4dDescriptor(v.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 1, 2, 2, 2), 0);
    assert_int_equal(forward(v, fine, WORKSPACE), CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    assert_int_equal(
        cudnnSetFilter4dDescriptor(v.w, CUDNN_DATA_FLOAT, CUDNN_TENSOR_NHWC, 1, 1, 2, 2), 0);
    assert_int_equal(forward(v, fine, WORKSPACE), 0);
    assert_int_equal(cudnnCreateTensorDescriptor(&unset), 0);
    assert_int_equal(cudnnConvolutionForward(dnn, &one, unset, a, v.w, b, v.how, fine, workspace,
                                             WORKSPACE, &zero, v.y, c),
                     CUDNN_STATUS_BAD_PARAM);
    cudnnDestroyTensorDescriptor(unset);
    forget(v);
}

/* bf16 is for tensor cores, and an algorithm for the math that it was offered with. */
static void wrong_math_is_refused(void **state) {
    (void)state;
    const cudnnConvolutionBwdFilterAlgo_t fine = CUDNN_CONVOLUTION_BWD_FILTER_ALGO_1;
    const conv v = describe();
    cudnnConvolutionBwdFilterAlgoPerf_t found[8];
    size_t bytes;
    int n;
    assert_int_equal(
        cudnnGetConvolutionBackwardFilterAlgorithm_v7(dnn, v.x, v.y, v.how, v.w, 8, &n, found), 0);
    assert_int_equal(found[0].mathType, CUDNN_FMA_MATH);
    assert_int_equal(
        cudnnGetConvolutionBackwardFilterWorkspaceSize(dnn, v.x, v.y, v.how, v.w, fine, &bytes),
        CUDNN_STATUS_NOT_SUPPORTED);
    assert_int_equal(cudnnConvolutionBackwardFilter(dnn, &one, v.x, a, v.y, b, v.how, fine,
                                                    workspace, WORKSPACE, &zero, v.w, c),
                     CUDNN_STATUS_NOT_SUPPORTED);
    const cudnnDataType_t half = CUDNN_DATA_BFLOAT16;
    assert_int_equal(cudnnSetTensor4dDescriptor(v.x, CUDNN_TENSOR_NHWC, half, 1, 1, 3, 3), 0);
    assert_int_equal(cudnnSetTensor4dDescriptor(v.y, CUDNN_TENSOR_NHWC, half, 1, 1, 2, 2), 0);
    assert_int_equal(cudnnSetFilter4dDescriptor(v.w, half, CUDNN_TENSOR_NHWC, 1, 1, 2, 2), 0);
    assert_int_equal(forward(v, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, WORKSPACE),
                     CUDNN_STATUS_NOT_SUPPORTED);
    assert_int_equal(cudnnSetConvolutionMathType(v.how, CUDNN_TENSOR_OP_MATH), 0);
    assert_int_equal(forward(v, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, WORKSPACE), 0);
    forget(v);
}

static void algorithms_are_offered_with_their_faults(void **state) {
    (void)state;
    const conv v = describe();
    cudnnConvolutionBwdFilterAlgoPerf_t found[8];
    int n, usable = 0;
    assert_int_equal(
        cudnnGetConvolutionBackwardFilterAlgorithm_v7(dnn, v.x, v.y, v.how, v.w, 8, &n, found), 0);
    assert_int_equal(found[0].determinism, CUDNN_NON_DETERMINISTIC);
    for (int i = 0; i < n; i++)
        if (found[i].status == CUDNN_STATUS_SUCCESS && found[i].determinism == CUDNN_DETERMINISTIC)
            usable++;
    assert_int_equal(usable, 1);
    forget(v);
}

static void captured_calls_are_done_when_replayed(void **state) {
    (void)state;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    const conv v = describe();
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
    assert_int_equal(forward(v, CUDNN_CONVOLUTION_FWD_ALGO_IMPLICIT_PRECOMP_GEMM, WORKSPACE), 0);
    assert_int_equal(product(1, 1, 1, a, 1, 1, c + 4, 1), CUBLAS_STATUS_SUCCESS);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    assert_int_equal(cudaMemsetAsync(c, 0, 5 * sizeof *c, stream), cudaSuccess);
    expect(c, (const float[]){0, 0, 0, 0, 0}, 5);
    assert_int_equal(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    assert_int_equal(cudaGraphLaunch(exec, stream), cudaSuccess);
    expect(c, (const float[]){37, 47, 67, 77, 1}, 5);
    cudaGraphExecDestroy(exec);
    cudaGraphDestroy(graph);
    forget(v);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(products),
        TEST(wrong_products_are_refused),
        TEST(convolutions),
        TEST(wrong_convolutions_are_refused),
        TEST(wrong_math_is_refused),
        TEST(algorithms_are_offered_with_their_faults),
        TEST(captured_calls_are_done_when_replayed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
