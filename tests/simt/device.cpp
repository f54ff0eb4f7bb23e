/* The devices and the driver. */
#include <cstdio>
#include <cstring>
#include <map>

#include "runtime.h"

namespace simt {
namespace {
thread_local int current;
constexpr int processors = 4; /* few, so that grids sized by them loop */

/* Shared memory in bytes: of a multiprocessor; of a block, without asking and at most. Little, so
 * that kernels that fill it are left with less than they want. */
constexpr int shared_memory = 64 << 10, shared_of_block = 48 << 10, shared_at_most = 63 << 10;

/* What cudaFuncSetAttribute() was asked for, by kernel. */
std::map<const void *, int> &shared_of_kernels() {
    static std::map<const void *, int> &m = *new std::map<const void *, int>;
    return m;
}

/* Few, too, of what a multiprocessor holds. */
int resident(size_t threads, size_t shared) {
    const int by_threads = threads > 512 ? 1 : 2;
    return 2 * (shared + 1024) <= size_t(shared_memory) ? by_threads : 1;
}
} // namespace

int current_device() { return current; }

size_t most_resident(size_t threads, size_t shared) {
    return size_t(processors * resident(threads, shared));
}

size_t most_shared(const void *kernel) {
    const auto asked = shared_of_kernels().find(kernel);
    return size_t(asked == shared_of_kernels().end() ? shared_of_block : asked->second);
}

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
        *value = simt::shared_of_block;
        return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerBlockOptin:
        *value = simt::shared_at_most;
        return cudaSuccess;
    case cudaDevAttrMaxSharedMemoryPerMultiprocessor:
        *value = simt::shared_memory;
        return cudaSuccess;
    case cudaDevAttrL2CacheSize:
        *value = simt::machine.cache;
        return cudaSuccess;
    default:
        return simt::refuse(cudaErrorNotSupported,
                            "cudaDeviceGetAttribute: the harness has no attribute %d",
                            int(attribute));
    }
}

cudaError_t cudaOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks, const void *function,
                                                          int threads, size_t shared) {
    SIMT_ENTRY;
    if (!function || threads < 1 || threads > 1024)
        return simt::refuse(cudaErrorInvalidValue, "the occupancy of %d threads a block", threads);
    *blocks = shared > simt::most_shared(function) ? 0 : simt::resident(size_t(threads), shared);
    return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void *function, enum cudaFuncAttribute attribute,
                                 int value) {
    SIMT_ENTRY;
    if (!function || attribute != cudaFuncAttributeMaxDynamicSharedMemorySize || value < 0 ||
        value > simt::shared_at_most)
        return simt::refuse(cudaErrorInvalidValue, "attribute %d of a kernel: %d", int(attribute),
                            value);
    simt::shared_of_kernels()[function] = value;
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
    attributes->binaryVersion = 90;
    attributes->ptxVersion = simt::machine.code;
    return cudaSuccess;
}
