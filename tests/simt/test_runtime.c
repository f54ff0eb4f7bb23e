/* The harness as a CUDA runtime: as late as CUDA allows, as strict under capture, and with the
 * faults that tests ask it for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <cuda_runtime_api.h>

#include "control.h"

enum { BYTES = 1000 };

static cudaStream_t stream;
static unsigned char *data,
    *pinned; /* device memory, and the host's that copies need not wait for */

static int set_up(void **state) {
    (void)state;
    return cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking) ||
           cudaMalloc((void **)&data, BYTES) || cudaMallocHost((void **)&pinned, BYTES);
}

static int tear_down(void **state) {
    (void)state;
    simt_reset();
    if (cudaFree(data) || cudaFreeHost(pinned) || cudaStreamDestroy(stream)) return 1;
    const simt_counts c = simt_count();
    return c.allocations || c.bytes || c.streams || c.graphs;
}

static void fill(int value) {
    assert_int_equal(cudaMemsetAsync(data, value, BYTES, stream), cudaSuccess);
}

static void fetch(void) {
    assert_int_equal(cudaMemcpyAsync(pinned, data, BYTES, cudaMemcpyDeviceToHost, stream),
                     cudaSuccess);
}

static void wait(void) { assert_int_equal(cudaStreamSynchronize(stream), cudaSuccess); }

/* ---- time ---- */

static void nothing_is_done_before_somebody_waits(void **state) {
    (void)state;
    memset(pinned, 1, BYTES);
    fill(2);
    fetch();
    assert_int_equal(pinned[0], 1);
    wait();
    assert_int_equal(pinned[0], 2);
    assert_int_equal(pinned[BYTES - 1], 2);
}

static void pinned_memory_is_read_late(void **state) {
    (void)state;
    memset(pinned, 1, BYTES);
    assert_int_equal(cudaMemcpyAsync(data, pinned, BYTES, cudaMemcpyHostToDevice, stream),
                     cudaSuccess);
    memset(pinned, 2, BYTES); /* too early */
    fetch();
    wait();
    assert_int_equal(pinned[0], 2);
}

static void pageable_memory_is_read_at_once(void **state) {
    (void)state;
    unsigned char host[BYTES];
    memset(host, 1, BYTES);
    assert_int_equal(cudaMemcpyAsync(data, host, BYTES, cudaMemcpyHostToDevice, stream),
                     cudaSuccess);
    memset(host, 2, BYTES);
    assert_int_equal(cudaMemcpyAsync(host, data, BYTES, cudaMemcpyDeviceToHost, stream),
                     cudaSuccess);
    assert_int_equal(host[0], 1);
}

static void events_wait_for_what_was_before_them(void **state) {
    (void)state;
    cudaEvent_t event;
    assert_int_equal(cudaEventCreateWithFlags(&event, cudaEventDisableTiming), cudaSuccess);
    fill(1);
    fetch();
    assert_int_equal(cudaEventRecord(event, stream), cudaSuccess);
    fill(2);
    fetch();
    assert_int_equal(cudaEventQuery(event), cudaErrorNotReady);
    assert_int_equal(cudaEventSynchronize(event), cudaSuccess);
    assert_int_equal(cudaEventQuery(event), cudaSuccess);
    assert_int_equal(pinned[0], 1);
    wait();
    assert_int_equal(pinned[0], 2);
    assert_int_equal(cudaEventDestroy(event), cudaSuccess);
}

static void fresh_memory_is_all_ones(void **state) {
    (void)state;
    fetch();
    wait();
    for (int i = 0; i < BYTES; i++) assert_int_equal(pinned[i], 0xff);
}

/* ---- arguments ---- */

static void copies_stay_within_what_they_name(void **state) {
    (void)state;
    const struct {
        void *to;
        const void *from;
        size_t bytes;
        enum cudaMemcpyKind kind;
    } wrong[] = {
        {data, pinned, BYTES + 1, cudaMemcpyHostToDevice},
        {data + 1, pinned, BYTES, cudaMemcpyHostToDevice},
        {pinned, data, BYTES, cudaMemcpyHostToDevice},
        {data, pinned, BYTES, cudaMemcpyDeviceToHost},
        {data, data + BYTES, 1, cudaMemcpyDeviceToDevice},
        {pinned + 1, data, BYTES, cudaMemcpyDeviceToHost},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(
            cudaMemcpyAsync(wrong[i].to, wrong[i].from, wrong[i].bytes, wrong[i].kind, stream),
            cudaErrorInvalidValue);
    assert_int_equal(cudaMemsetAsync(data, 0, BYTES + 1, stream), cudaErrorInvalidValue);
    assert_int_equal(cudaMemsetAsync(pinned, 0, 1, stream), cudaErrorInvalidValue);
    assert_int_equal(cudaFree(data + 1), cudaErrorInvalidValue);
    assert_int_equal(cudaFreeHost(data), cudaErrorInvalidValue);
    assert_int_equal(cudaGetLastError(), cudaErrorInvalidValue);
    assert_int_equal(cudaGetLastError(), cudaSuccess);
}

static void a_stream_belongs_to_its_device(void **state) {
    (void)state;
    simt_set_devices(2);
    assert_int_equal(cudaSetDevice(1), cudaSuccess);
    assert_int_equal(cudaMemsetAsync(data, 0, 1, stream), cudaErrorInvalidResourceHandle);
    assert_int_equal(cudaSetDevice(2), cudaErrorInvalidDevice);
    assert_int_equal(cudaSetDevice(0), cudaSuccess);
    fill(0);
}

/* ---- capture ---- */

static void begin(void) {
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
}

static void captured_work_is_done_when_replayed(void **state) {
    (void)state;
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    size_t nodes;
    fill(0);
    begin();
    fetch();
    fill(7);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    wait();
    assert_int_equal(pinned[0], 0xff);
    assert_int_equal(cudaGraphGetNodes(graph, NULL, &nodes), cudaSuccess);
    assert_int_equal(nodes, 2);
    assert_int_equal(cudaGraphInstantiate(&exec, graph, 0), cudaSuccess);
    assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
    assert_int_equal(cudaGraphLaunch(exec, stream), cudaSuccess);
    wait();
    assert_int_equal(pinned[0], 0);
    assert_int_equal(cudaGraphLaunch(exec, stream), cudaSuccess);
    assert_int_equal(cudaGraphExecDestroy(exec), cudaSuccess); /* queued still */
    wait();
    assert_int_equal(pinned[0], 7);
    assert_int_equal(simt_count().graph_launches, 2);
}

/* Each spoils the capture, whatever the caller makes of its error. */
static cudaError_t forbidden(int which) {
    void *p;
    static unsigned char host[BYTES];
    switch (which) {
    case 0:
        return cudaMalloc(&p, 1);
    case 1:
        return cudaFree(data);
    case 2:
        return cudaStreamSynchronize(stream);
    case 3:
        return cudaDeviceSynchronize();
    case 4:
        return cudaMemcpyAsync(data, host, BYTES, cudaMemcpyHostToDevice, stream);
    case 5:
        return cudaMemcpyAsync(host, data, BYTES, cudaMemcpyDeviceToHost, stream);
    case 6:
        return cudaMemcpy(pinned, data, 1, cudaMemcpyDeviceToHost);
    case 7:
        return cudaMemsetAsync(data, 0, 1, NULL);
    case 8:
        return cudaMallocHost(&p, 1);
    case 9:
        return cudaStreamQuery(stream);
    default:
        return cudaSuccess;
    }
}

static void what_capture_forbids_spoils_it(void **state) {
    (void)state;
    for (int i = 0; i < 10; i++) {
        cudaGraph_t graph;
        begin();
        fill(1);
        assert_int_not_equal(forbidden(i), cudaSuccess);
        assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaErrorStreamCaptureInvalidated);
        assert_null(graph);
        (void)cudaGetLastError();
    }
    fill(3); /* the stream is as before */
    fetch();
    wait();
    assert_int_equal(pinned[0], 3);
}

static void capture_begins_and_ends_once(void **state) {
    (void)state;
    cudaGraph_t graph;
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaErrorIllegalState);
    begin();
    assert_int_equal(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal),
                     cudaErrorIllegalState);
    assert_int_equal(cudaStreamEndCapture(stream, &graph), cudaSuccess);
    assert_int_equal(cudaGraphDestroy(graph), cudaSuccess);
    assert_int_equal(cudaStreamBeginCapture(NULL, cudaStreamCaptureModeThreadLocal),
                     cudaErrorStreamCaptureUnsupported);
}

/* ---- faults asked for ---- */

static void memory_ends(void **state) {
    (void)state;
    void *p;
    size_t available, total;
    simt_set_memory(10000);
    assert_int_equal(cudaMemGetInfo(&available, &total), cudaSuccess);
    assert_int_equal(available, 10000 - BYTES);
    assert_int_equal(cudaMalloc(&p, 10000 - BYTES + 1), cudaErrorMemoryAllocation);
    assert_null(p);
    assert_int_equal(cudaMalloc(&p, 10000 - BYTES), cudaSuccess);
    assert_int_equal(cudaFree(p), cudaSuccess);
    simt_fail_allocation(1);
    assert_int_equal(cudaMalloc(&p, 1), cudaSuccess);
    assert_int_equal(cudaFree(p), cudaSuccess);
    assert_int_equal(cudaMalloc(&p, 1), cudaErrorMemoryAllocation);
}

static void no_device_and_no_driver(void **state) {
    (void)state;
    int n, version;
    void *p;
    simt_set_devices(0);
    assert_int_equal(cudaGetDeviceCount(&n), cudaErrorNoDevice);
    assert_int_equal(n, 0);
    simt_set_devices(1);
    simt_set_driver(0);
    assert_int_equal(cudaGetDeviceCount(&n), cudaErrorInsufficientDriver);
    assert_int_equal(cudaDriverGetVersion(&version), cudaSuccess);
    assert_int_equal(version, 0);
    simt_set_driver(CUDART_VERSION - 10);
    assert_int_equal(cudaMalloc(&p, 1), cudaErrorInsufficientDriver);
    simt_reset();
    assert_int_equal(cudaGetDeviceCount(&n), cudaSuccess);
    assert_int_equal(n, 1);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_done_before_somebody_waits),
        TEST(pinned_memory_is_read_late),
        TEST(pageable_memory_is_read_at_once),
        TEST(events_wait_for_what_was_before_them),
        TEST(fresh_memory_is_all_ones),
        TEST(copies_stay_within_what_they_name),
        TEST(a_stream_belongs_to_its_device),
        TEST(captured_work_is_done_when_replayed),
        TEST(what_capture_forbids_spoils_it),
        TEST(capture_begins_and_ends_once),
        TEST(memory_ends),
        TEST(no_device_and_no_driver),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
