/* The stand-in for cuDNN's graph API: right numbers for a right graph, and an error for each wrong
 * attribute, order, graph and address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <cuda_runtime_api.h>
#include <cudnn.h>

#include "control.h"

enum { N = 64, WORKSPACE = 1 << 12, DESCRIPTORS = 64 };

typedef cudnnBackendDescriptor_t descriptor;

static cudaStream_t stream;
static cudnnHandle_t dnn;
static float *a, *b, *c; /* device memory of N floats: 1, 2, …; the same; fresh */
static void *workspace;
static descriptor made[DESCRIPTORS]; /* by the running test */
static int n_made;

static int set_up(void **state) {
    float numbers[N];
    (void)state;
    n_made = 0;
    for (int i = 0; i < N; i++) numbers[i] = (float)(i + 1);
    const size_t bytes = sizeof numbers;
    return cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) ||
           cudaMalloc((void **)&a, bytes) || cudaMalloc((void **)&b, bytes) ||
           cudaMalloc((void **)&c, bytes) || cudaMalloc(&workspace, WORKSPACE) ||
           cudaMemcpyAsync(a, numbers, bytes, cudaMemcpyHostToDevice, stream) ||
           cudaMemcpyAsync(b, numbers, bytes, cudaMemcpyHostToDevice, stream) ||
           cudnnCreate(&dnn) || cudnnSetStream(dnn, stream);
}

static int tear_down(void **state) {
    (void)state;
    while (n_made > 0)
        if (cudnnBackendDestroyDescriptor(made[--n_made])) return 1;
    simt_set_fusion(SIMT_FUSION_WORKS);
    return cudnnDestroy(dnn) || cudaFree(a) || cudaFree(b) || cudaFree(c) || cudaFree(workspace) ||
           cudaStreamDestroy(stream) || simt_count().handles;
}

static descriptor create(cudnnBackendDescriptorType_t kind) {
    descriptor d;
    assert_true(n_made < DESCRIPTORS);
    assert_int_equal(cudnnBackendCreateDescriptor(kind, &d), 0);
    return made[n_made++] = d;
}

static cudnnStatus_t set(descriptor d, cudnnBackendAttributeName_t name,
                         cudnnBackendAttributeType_t type, int64_t n, const void *values) {
    return cudnnBackendSetAttribute(d, name, type, n, values);
}

static void fine(cudnnStatus_t status) { assert_int_equal(status, CUDNN_STATUS_SUCCESS); }

static void refer(descriptor d, cudnnBackendAttributeName_t name, descriptor to) {
    fine(set(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &to));
}

/* ---- 1 image of 3 × 3 with 1 channel, 1 filter of 2 × 2: 2 × 2; plus a number a channel ---- */

static descriptor tensor(int64_t uid, int64_t height, int64_t width, bool is_virtual) {
    const int64_t dim[] = {1, 1, height, width}, stride[] = {height * width, 1, width, 1},
                  align = 16;
    const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    descriptor d = create(CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    fine(set(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid));
    fine(set(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type));
    fine(set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dim));
    fine(set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, stride));
    fine(set(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &align));
    fine(set(d, CUDNN_ATTR_TENSOR_IS_VIRTUAL, CUDNN_TYPE_BOOLEAN, 1, &is_virtual));
    return d;
}

static descriptor finalized_tensor(int64_t uid, int64_t height, int64_t width, bool is_virtual) {
    descriptor d = tensor(uid, height, width, is_virtual);
    fine(cudnnBackendFinalize(d));
    return d;
}

static descriptor windows(int64_t post) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    const int64_t axes = 2, ones[] = {1, 1}, zeros[] = {0, 0}, posts[] = {post, post};
    descriptor d = create(CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    fine(set(d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    fine(set(d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode));
    fine(set(d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &axes));
    fine(set(d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, ones));
    fine(set(d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, ones));
    fine(set(d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, zeros));
    fine(set(d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, posts));
    return d;
}

/* Not finalized. */
static descriptor convolution(descriptor x, descriptor w, descriptor y) {
    const float one = 1, zero = 0;
    descriptor how = windows(0), d = create(CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR);
    fine(cudnnBackendFinalize(how));
    fine(set(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA, CUDNN_TYPE_FLOAT, 1, &one));
    fine(set(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA, CUDNN_TYPE_FLOAT, 1, &zero));
    refer(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC, how);
    refer(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X, x);
    refer(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W, w);
    refer(d, CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y, y);
    return d;
}

static descriptor function(cudnnPointwiseMode_t mode) {
    const cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    descriptor d = create(CUDNN_BACKEND_POINTWISE_DESCRIPTOR);
    fine(set(d, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, &mode));
    fine(set(d, CUDNN_ATTR_POINTWISE_MATH_PREC, CUDNN_TYPE_DATA_TYPE, 1, &compute));
    fine(cudnnBackendFinalize(d));
    return d;
}

/* Not finalized. */
static descriptor sum(descriptor x, descriptor second, descriptor y) {
    descriptor d = create(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    refer(d, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function(CUDNN_POINTWISE_ADD));
    refer(d, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, x);
    refer(d, CUDNN_ATTR_OPERATION_POINTWISE_BDESC, second);
    refer(d, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    return d;
}

enum { X = 1, W, BIAS, Y, RAW = 9 };

/* Not finalized: y = conv(x, w) + bias; `raw`: of what lies in between. */
static descriptor graph_with(int64_t raw, bool is_virtual) {
    descriptor x = finalized_tensor(X, 3, 3, false), w = finalized_tensor(W, 2, 2, false),
               between = finalized_tensor(raw, 2, 2, is_virtual),
               bias = finalized_tensor(BIAS, 1, 1, false), y = finalized_tensor(Y, 2, 2, false);
    descriptor operation[] = {convolution(x, w, between), sum(between, bias, y)};
    fine(cudnnBackendFinalize(operation[0]));
    fine(cudnnBackendFinalize(operation[1]));
    descriptor d = create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    fine(set(d, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &dnn));
    fine(set(d, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 2, operation));
    return d;
}

static descriptor heuristics_of(descriptor graph) {
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    descriptor d = create(CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);
    refer(d, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, graph);
    fine(set(d, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode));
    return d;
}

/* The last engine's plan, which is the one that is of use. */
static descriptor plan_of(descriptor graph) {
    descriptor heuristics = heuristics_of(graph), config[8];
    int64_t n = 0;
    fine(cudnnBackendFinalize(heuristics));
    fine(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                  CUDNN_TYPE_BACKEND_DESCRIPTOR, 0, &n, NULL));
    assert_in_range(n, 2, 8);
    for (int64_t i = 0; i < n; i++) config[i] = create(CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
    fine(cudnnBackendGetAttribute(heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
                                  CUDNN_TYPE_BACKEND_DESCRIPTOR, n, &n, config));
    descriptor d = create(CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    fine(set(d, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &dnn));
    refer(d, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config[n - 1]);
    return d;
}

/* `is_virtual`: what lies between convolution and sum. */
static descriptor finished_plan(bool is_virtual) {
    descriptor graph = graph_with(RAW, is_virtual);
    fine(cudnnBackendFinalize(graph));
    descriptor plan = plan_of(graph);
    fine(cudnnBackendFinalize(plan));
    return plan;
}

static cudnnStatus_t execute(descriptor plan, int n, const int64_t *uid, void *const *data) {
    descriptor pack = create(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
    fine(set(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, n, uid));
    fine(set(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, n, data));
    fine(set(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &workspace));
    const cudnnStatus_t status = cudnnBackendFinalize(pack);
    return status ? status : cudnnBackendExecute(dnn, plan, pack);
}

/* ---- tests ---- */

static void a_graph_computes(void **state) {
    static const int64_t uid[] = {X, W, BIAS, Y};
    const float wanted[] = {47, 57, 77, 87}; /* 1·1 + 2·2 + 4·3 + 5·4, …, and 10 */
    float got[4];
    (void)state;
    descriptor plan = finished_plan(true);
    int64_t n, bytes = 0;
    fine(cudnnBackendGetAttribute(plan, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64,
                                  1, &n, &bytes));
    assert_in_range(bytes, 1, WORKSPACE);
    assert_int_equal(cudaMemcpyAsync(c + 8, a + 9, sizeof *c, cudaMemcpyDeviceToDevice, stream), 0);
    fine(execute(plan, 4, uid, (void *[]){a, b, c + 8, c}));
    assert_int_equal(cudaMemcpyAsync(got, c, sizeof got, cudaMemcpyDeviceToHost, stream), 0);
    assert_memory_equal(got, wanted, sizeof wanted);
}

static void what_lies_between_can_be_written(void **state) {
    static const int64_t uid[] = {X, W, BIAS, Y, RAW};
    const float raw[] = {37, 47, 67, 77};
    float got[8];
    (void)state;
    descriptor plan = finished_plan(false);
    assert_int_equal(execute(plan, 4, uid, (void *[]){a, b, b, c}), CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(execute(plan, 5, uid, (void *[]){a, b, b, c, c}), CUDNN_STATUS_NOT_SUPPORTED);
    fine(execute(plan, 5, uid, (void *[]){a, b, b, c, c + 4}));
    assert_int_equal(cudaMemcpyAsync(got, c, sizeof got, cudaMemcpyDeviceToHost, stream), 0);
    for (int i = 0; i < 4; i++) assert_true(got[i] == raw[i] + 1 && got[4 + i] == raw[i]);
}

static void wrong_attributes_are_refused(void **state) {
    const int64_t four[] = {1, 1, 2, 2}, planes[] = {4, 4, 2, 1}, images[] = {4, 1, 2, 1};
    const float one = 1;
    (void)state;
    descriptor t = tensor(1, 2, 2, false), raw = tensor(2, 2, 2, true);
    assert_int_equal(set(t, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 3, four),
                     CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(set(t, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_FLOAT, 1, &one),
                     CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE);
    assert_int_equal(set(t, CUDNN_ATTR_POINTWISE_MODE, CUDNN_TYPE_POINTWISE_MODE, 1, four),
                     CUDNN_STATUS_BAD_PARAM);
    fine(set(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, planes));
    assert_int_equal(cudnnBackendFinalize(t), CUDNN_STATUS_NOT_SUPPORTED_LAYOUT);
    fine(set(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, images));
    fine(cudnnBackendFinalize(t));
    assert_int_equal(set(t, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, planes),
                     CUDNN_STATUS_BAD_PARAM); /* it is finalized */
    assert_int_equal(cudnnBackendFinalize(t), CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(cudnnBackendFinalize(create(CUDNN_BACKEND_TENSOR_DESCRIPTOR)),
                     CUDNN_STATUS_BAD_PARAM); /* nothing is set */
    descriptor asymmetric = windows(1);
    assert_int_equal(cudnnBackendFinalize(asymmetric), CUDNN_STATUS_NOT_SUPPORTED_PADDING);
    descriptor operation = create(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    assert_int_equal(set(operation, CUDNN_ATTR_OPERATION_POINTWISE_XDESC,
                         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &raw),
                     CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED);
    assert_int_equal(set(operation, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR,
                         CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &t),
                     CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE);
}

static void wrong_operations_are_refused(void **state) {
    (void)state;
    descriptor x = finalized_tensor(X, 3, 3, false), w = finalized_tensor(W, 2, 2, false),
               y = finalized_tensor(Y, 3, 2, false), bias = finalized_tensor(BIAS, 1, 1, false);
    assert_int_equal(cudnnBackendFinalize(convolution(x, w, y)),
                     CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    assert_int_equal(cudnnBackendFinalize(sum(bias, y, y)),
                     CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH); /* the first one broadcast */
    assert_int_equal(cudnnBackendFinalize(sum(y, x, y)), CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH);
    descriptor alone = create(CUDNN_BACKEND_OPERATION_POINTWISE_DESCRIPTOR);
    refer(alone, CUDNN_ATTR_OPERATION_POINTWISE_PW_DESCRIPTOR, function(CUDNN_POINTWISE_ADD));
    refer(alone, CUDNN_ATTR_OPERATION_POINTWISE_XDESC, y);
    refer(alone, CUDNN_ATTR_OPERATION_POINTWISE_YDESC, y);
    assert_int_equal(cudnnBackendFinalize(alone), CUDNN_STATUS_BAD_PARAM); /* a sum of one */
}

static void wrong_graphs_are_refused(void **state) {
    (void)state;
    descriptor x = finalized_tensor(X, 3, 3, false), w = finalized_tensor(W, 2, 2, false),
               lost = finalized_tensor(Y, 2, 2, true), operation = convolution(x, w, lost),
               graph = create(CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    fine(cudnnBackendFinalize(operation));
    fine(set(graph, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &dnn));
    refer(graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, operation);
    assert_int_equal(cudnnBackendFinalize(graph), CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(cudnnBackendFinalize(graph_with(X, true)),
                     CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES);
}

static void wrong_addresses_are_refused(void **state) {
    static const int64_t uid[] = {X, W, BIAS, Y, RAW}, twice[] = {X, W, W, Y};
    (void)state;
    descriptor plan = finished_plan(true);
    assert_int_equal(execute(plan, 3, uid, (void *[]){a, b, b}), CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(execute(plan, 4, uid, (void *[]){a, b, NULL, c}), CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(execute(plan, 4, uid, (void *[]){a + 1, b, b, c}),
                     CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER);
    assert_int_equal(execute(plan, 4, uid, (void *[]){a, b, b, a}), CUDNN_STATUS_NOT_SUPPORTED);
    assert_int_equal(execute(plan, 5, uid, (void *[]){a, b, b, c, a}), CUDNN_STATUS_BAD_PARAM);
    assert_int_equal(execute(plan, 4, twice, (void *[]){a, b, b, c}),
                     CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES);
    fine(execute(plan, 4, uid, (void *[]){a, b, b, c}));
}

static void engines_can_be_refused(void **state) {
    (void)state;
    descriptor graph = graph_with(RAW, true);
    fine(cudnnBackendFinalize(graph));
    simt_set_fusion(SIMT_FUSION_UNKNOWN);
    assert_int_equal(cudnnBackendFinalize(heuristics_of(graph)),
                     CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN);
    simt_set_fusion(SIMT_FUSION_FAILS);
    assert_int_equal(cudnnBackendFinalize(plan_of(graph)), CUDNN_STATUS_NOT_SUPPORTED);
    simt_set_fusion(SIMT_FUSION_WORKS);
    descriptor plan = plan_of(graph);
    cudaGraph_t captured;
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), 0);
    assert_int_equal(cudnnBackendFinalize(plan), CUDNN_STATUS_NOT_SUPPORTED); /* it allocates */
    cudaStreamEndCapture(stream, &captured);
    (void)cudaGetLastError();
    fine(cudnnBackendFinalize(plan));
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_graph_computes),
        TEST(what_lies_between_can_be_written),
        TEST(wrong_attributes_are_refused),
        TEST(wrong_operations_are_refused),
        TEST(wrong_graphs_are_refused),
        TEST(wrong_addresses_are_refused),
        TEST(engines_can_be_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
