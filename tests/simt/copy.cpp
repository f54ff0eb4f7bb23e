/* Copies and fills. */
#include <cstring>

#include "runtime.h"

namespace simt {
namespace {

const char *kind_name(cudaMemcpyKind kind) {
    static const char *const names[] = {"host to host", "host to device", "device to host",
                                        "device to device", "default"};
    return names[int(kind)];
}

bool is_device(cudaMemcpyKind kind, bool from) {
    return kind == cudaMemcpyDeviceToDevice ||
           kind == (from ? cudaMemcpyDeviceToHost : cudaMemcpyHostToDevice);
}

/* An end of a copy is what `kind` says: within one allocation of device memory, or touching none.
 */
bool fits(const void *p, size_t bytes, bool device) {
    const allocation *a = find_allocation(p, bytes, true);
    if (device) return a && a->where == place::device && a == find_allocation(p, bytes);
    return !a || (a->where == place::pinned && a == find_allocation(p, bytes));
}

bool pageable(const void *p, size_t bytes) { return !find_allocation(p, bytes); }

bool capturing(cudaStream_t stream) { return stream && stream->capture; }

} // namespace
} // namespace simt

using namespace simt;

cudaError_t cudaMemcpyAsync(void *to, const void *from, size_t bytes, cudaMemcpyKind kind,
                            cudaStream_t stream) {
    SIMT_ENTRY;
    if (bytes == 0) return cudaSuccess;
    if (kind == cudaMemcpyDefault)
        return refuse(cudaErrorNotSupported, "cudaMemcpyAsync: say in which direction");
    if (!fits(to, bytes, is_device(kind, false)) || !fits(from, bytes, is_device(kind, true)))
        return refuse(cudaErrorInvalidValue,
                      "cudaMemcpyAsync %s of %zu bytes from %p to %p: not such memory",
                      kind_name(kind), bytes, from, to);
    const bool from_pageable = pageable(from, bytes), to_pageable = pageable(to, bytes);
    if ((from_pageable || to_pageable) && capturing(stream)) {
        stream->spoilt = true;
        return refuse(cudaErrorStreamCaptureUnsupported,
                      "cudaMemcpyAsync of pageable memory under capture");
    }
    if (from_pageable) { /* it may change as soon as the call returns */
        auto copy = std::make_shared<std::vector<char>>(static_cast<const char *>(from),
                                                        static_cast<const char *>(from) + bytes);
        return submit(stream, {"copy", [=] { copy_bytes(to, copy->data(), bytes); }});
    }
    const cudaError_t error = submit(stream, {"copy", [=] { copy_bytes(to, from, bytes); }});
    if (!error && to_pageable) finish(stream);
    return error;
}

cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, cudaMemcpyKind kind) {
    SIMT_ENTRY;
    if (const cudaError_t error = forbidden_in_capture("cudaMemcpy")) return error;
    const cudaError_t error = cudaMemcpyAsync(to, from, bytes, kind, nullptr);
    finish(nullptr);
    counts.synchronizations++;
    counts.rests++;
    return error ? error : usable();
}

cudaError_t cudaMemsetAsync(void *data, int value, size_t bytes, cudaStream_t stream) {
    SIMT_ENTRY;
    if (bytes == 0) return cudaSuccess;
    if (!fits(data, bytes, true))
        return refuse(cudaErrorInvalidValue, "cudaMemset of %zu bytes at %p: not device memory",
                      bytes, data);
    return submit(stream, {"fill", [=] { memset(data, value, bytes); }});
}

cudaError_t cudaMemset(void *data, int value, size_t bytes) {
    SIMT_ENTRY;
    if (const cudaError_t error = forbidden_in_capture("cudaMemset")) return error;
    return cudaMemsetAsync(data, value, bytes, nullptr);
}
