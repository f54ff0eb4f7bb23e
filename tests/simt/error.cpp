/* Errors: the last one of a thread, and the fault that stays. */
#include <cstdarg>
#include <cstdio>

#include "runtime.h"

namespace simt {

settings machine;
simt_counts counts;
double spent;

namespace {

std::recursive_mutex &mutex() {
    static std::recursive_mutex &m = *new std::recursive_mutex;
    return m;
}

thread_local cudaError_t last;
cudaError_t stays;

struct row {
    cudaError_t error;
    const char *name, *text;
};
#define ROW(error, text)                                                                           \
    { error, #error, text }
const row rows[] = {
    ROW(cudaSuccess, "no error"),
    ROW(cudaErrorInvalidValue, "invalid argument"),
    ROW(cudaErrorMemoryAllocation, "out of memory"),
    ROW(cudaErrorInvalidConfiguration, "invalid configuration argument"),
    ROW(cudaErrorInsufficientDriver,
        "CUDA driver version is insufficient for CUDA runtime version"),
    ROW(cudaErrorNoDevice, "no CUDA-capable device is detected"),
    ROW(cudaErrorInvalidDevice, "invalid device ordinal"),
    ROW(cudaErrorNoKernelImageForDevice,
        "no kernel image is available for execution on the device"),
    ROW(cudaErrorInvalidResourceHandle, "invalid resource handle"),
    ROW(cudaErrorNotReady, "device not ready"),
    ROW(cudaErrorIllegalAddress, "an illegal memory access was encountered"),
    ROW(cudaErrorLaunchFailure, "unspecified launch failure"),
    ROW(cudaErrorIllegalState, "the operation cannot be performed in the present state"),
    ROW(cudaErrorNotSupported, "operation not supported"),
    ROW(cudaErrorCooperativeLaunchTooLarge, "too many blocks in cooperative launch"),
    ROW(cudaErrorStreamCaptureUnsupported, "operation not permitted when stream is capturing"),
    ROW(cudaErrorStreamCaptureInvalidated,
        "operation failed due to a previous error during capture"),
    ROW(cudaErrorStreamCaptureImplicit,
        "operation would make the legacy stream depend on a capturing stream"),
    ROW(cudaErrorStreamCaptureWrongThread,
        "attempt to terminate a thread-local capture sequence from another"),
};
const row unknown = {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"};

const row &row_of(cudaError_t error) {
    for (const row &r : rows)
        if (r.error == error) return r;
    return unknown;
}

} // namespace

runtime_lock::runtime_lock() : held(mutex()) {}

cudaError_t refuse(cudaError_t error, const char *format, ...) {
    last = error;
    if (!format) return error;
    va_list arguments;
    va_start(arguments, format);
    fputs("simt: ", stderr);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fprintf(stderr, " (%s)\n", row_of(error).name);
    return error;
}

void fault(cudaError_t error) {
    if (!stays) stays = error;
}

cudaError_t usable() {
    if (stays) return refuse(stays);
    if (machine.driver < CUDART_VERSION) return refuse(cudaErrorInsufficientDriver);
    if (machine.devices == 0) return refuse(cudaErrorNoDevice);
    return cudaSuccess;
}

} // namespace simt

void simt_reset(void) {
    simt::runtime_lock lock;
    simt::machine = {};
    simt::stays = simt::last = cudaSuccess;
    (void)cudaSetDevice(0);
}

void simt_set_devices(int n) { simt::machine.devices = n; }
void simt_set_driver(int version) { simt::machine.driver = version; }
void simt_set_memory(size_t bytes) { simt::machine.memory = bytes; }
void simt_set_architecture_known(int known) { simt::machine.architecture_known = known; }
void simt_set_code(int version) { simt::machine.code = version; }
void simt_set_cache(int bytes) { simt::machine.cache = bytes; }
void simt_set_cooperative(int possible) { simt::machine.cooperative = possible; }
void simt_fail_launch(long n) { simt::machine.fail_launch = n; }
void simt_fail_allocation(long n) { simt::machine.fail_allocation = n; }
void simt_forget_edge(long n) { simt::machine.forget_edge = n; }
void simt_set_fusion(simt_fusion answer) { simt::machine.fusion = answer; }
void simt_set_texts(simt_texts answer) { simt::machine.texts = answer; }
void simt_set_cudnn(size_t version) { simt::machine.cudnn = version; }
void simt_set_cudnn_workspace(size_t more) { simt::machine.cudnn_workspace = more; }
void simt_set_engine(int which, double alone, double fused) {
    simt::machine.engine[which] = {alone, fused};
}
simt_counts simt_count(void) { return simt::counts; }

cudaError_t cudaGetLastError() {
    const cudaError_t error = simt::stays ? simt::stays : simt::last;
    simt::last = cudaSuccess;
    return error;
}
cudaError_t cudaPeekAtLastError() { return simt::stays ? simt::stays : simt::last; }
const char *cudaGetErrorString(cudaError_t error) { return simt::row_of(error).text; }
const char *cudaGetErrorName(cudaError_t error) { return simt::row_of(error).name; }
