/* The devices and the driver. */
#include <cstdio>
#include <cstring>

#include "runtime.h"

namespace simt {
namespace {
thread_local int current;
constexpr int processors = 4; /* few, so that grids sized by them loop */

/* The same of what a multiprocessor holds. */
int resident(size_t threads) { return threads > 512 ? 1 : 2; }
} // namespace

int current_device() { return current; }

size_t most_resident(size_t threads) { return size_t(processors * resident(threads)); }

} // namespace simt

cudaError_t cudaGetDeviceCount(int *count) {
    simt::runtime_lock lock;
    *count = 0;
    if (const cudaError_t error = simt::usable()) return error;
    *count = simt::machine.devices;
    return cudaSuccess;
}

cudaError_t cudaSetDevice(int device) {
    SIMT_ENTRY;
    if (device < 0 || device >= simt::machine.devices) return simt::refuse(cudaErrorInvalidDevice);
    simt::current = device;
    return cudaSuccess;
}

cudaError_t cudaGetDevice(int *device) {
    SIMT_ENTRY;
    *device = simt::current;
    return cudaSuccess;
}

cudaError_t cudaGetDeviceProperties(struct cudaDeviceProp *p, int device) {
    SIMT_ENTRY;
    if (device < 0 || device >= simt::machine.devices) return simt::refuse(cudaErrorInvalidDevice);
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "SIMT test harness");
    p->major = 9;
    p->minor = 0;
    p->totalGlobalMem = simt::machine.memory;
    p->multiProcessorCount = simt::processors;
    p->warpSize = 32;
    p->maxThreadsPerBlock = 1024;
    p->maxThreadsPerMultiProcessor = 2048;
    p->sharedMemPerBlock = 48 << 10;
    return cudaSuccess;
}

cudaError_t cudaDeviceGetAttribute(int *value, enum cudaDeviceAttr attribute, int device) {
    SIMT_ENTRY;
    if (device < 0 || device >= simt::machine.devices) return simt::refuse(cudaErrorInvalidDevice);
    switch (attribute) {
    case cudaDevAttrMultiProcessorCount:
        *value = simt::processors;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMajor:
        *value = 9;
        return cudaSuccess;
    case cudaDevAttrComputeCapabilityMinor:
        *value = 0;
        return cudaSuccess;
    case cudaDevAttrCooperativeLaunch:
        *value = simt::machine.cooperative;
        return cudaSuccess;
    case cudaDevAttrMaxThreadsPerBlock:
        *value = 1024;
        return cudaSuccess;
    case cudaDevAttrMaxThreadsPerMultiProcessor:
        *value = 2048;
        return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlock:
        *value = 48 << 10;
        return cudaSuccess;
    default:
        return simt::refuse(cudaErrorNotSupported,
                            "cudaDeviceGetAttribute: the harness has no attribute %d",
                            int(attribute));
    }
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *function,
                                                          int threads, size_t) {
    SIMT_ENTRY;
    if (!function || threads < 1 || threads > 1024)
        return simt::refuse(cudaErrorInvalidValue, "the occupancy of %d threads a block", threads);
    *blocks = simt::resident(size_t(threads));
    return cudaSuccess;
}

cudaError_t cudaMemGetInfo(size_t *available, size_t *total) {
    SIMT_ENTRY;
    *total = simt::machine.memory;
    *available =
        simt::counts.bytes < simt::machine.memory ? simt::machine.memory - simt::counts.bytes : 0;
    return cudaSuccess;
}

cudaError_t cudaDriverGetVersion(int *version) {
    *version = simt::machine.driver;
    return cudaSuccess;
}

cudaError_t cudaRuntimeGetVersion(int *version) {
    *version = CUDART_VERSION;
    return cudaSuccess;
}

cudaError_t cudaFuncGetAttributes(struct cudaFuncAttributes *attributes, const void *function) {
    SIMT_ENTRY;
    if (!function) return simt::refuse(cudaErrorInvalidValue, "cudaFuncGetAttributes of no kernel");
    if (!simt::machine.architecture_known) return simt::refuse(cudaErrorNoKernelImageForDevice);
    memset(attributes, 0, sizeof *attributes);
    attributes->maxThreadsPerBlock = 1024;
    attributes->binaryVersion = attributes->ptxVersion = 90;
    return cudaSuccess;
}
