/* What is allocated: device and pinned memory, and who may access it when. */
#include <cstring>
#include <map>

#include "pages.h"
#include "simt.h"

namespace simt {
namespace {

constexpr unsigned char fresh = 0xff;

std::map<uintptr_t, allocation> &live = *new std::map<uintptr_t, allocation>; /* by address */
std::map<int, int> &accesses = *new std::map<int, int>; /* by device: how many may */

uintptr_t number(const void *p) { return reinterpret_cast<uintptr_t>(p); }

/* Of a large one the ends: pages never touched cost nothing when access to them changes. */
void fill(const allocation &a) {
    const size_t end = 1 << 20;
    if (a.bytes <= 2 * end) {
        memset(a.data, fresh, a.bytes);
    } else {
        memset(a.data, fresh, end);
        memset(a.data + a.bytes - end, fresh, end);
    }
}

void allow(int device, bool access) {
    for (const auto &entry : live)
        if (entry.second.where == place::device && entry.second.device == device)
            pages_allow(entry.second, access);
}

cudaError_t allocate(void **out, size_t bytes, place where) {
    *out = nullptr;
    if (bytes == 0) return cudaSuccess;
    allocation a = {nullptr, bytes, where, current_device()};
    if (!pages_obtain(a)) return refuse(cudaErrorMemoryAllocation);
    fill(a);
    pages_allow(a, where == place::pinned || accesses[a.device]);
    live[number(a.data)] = a;
    *out = a.data;
    return cudaSuccess;
}

cudaError_t release_memory(void *data, place where, const char *call) {
    if (!data) return cudaSuccess;
    auto entry = live.find(number(data));
    if (entry == live.end() || entry->second.where != where)
        return refuse(cudaErrorInvalidValue, "%s of %p, which is no such allocation", call, data);
    const allocation a = entry->second;
    finish_device(a.device); /* implied by the real ones */
    {
        device_access access(a.device);
        pages_check(a);
    }
    if (where == place::device) {
        counts.allocations--;
        counts.bytes -= a.bytes;
    }
    live.erase(entry);
    pages_give_back(a);
    return cudaSuccess;
}

} // namespace

const allocation *find_allocation(const void *data, size_t bytes, bool touching) {
    auto entry = live.upper_bound(number(data) + (touching && bytes ? bytes - 1 : 0));
    if (entry == live.begin()) return nullptr;
    const allocation &a = (--entry)->second;
    const uintptr_t from = number(data), first = number(a.data);
    if (touching) return from < first + a.bytes ? &a : nullptr;
    return from >= first && from + bytes <= first + a.bytes ? &a : nullptr;
}

const allocation *allocation_around(const char *p) {
    for (const auto &entry : live)
        if (p >= entry.second.map && p < entry.second.map + entry.second.map_bytes)
            return &entry.second;
    return nullptr;
}

device_access::device_access(int device) : device_(device) {
    if (accesses[device]++ == 0) allow(device, true);
}

device_access::~device_access() {
    if (--accesses[device_] == 0) allow(device_, false);
}

void check_surroundings() {
    for (const auto &entry : live)
        if (entry.second.where == place::pinned || accesses[entry.second.device])
            pages_check(entry.second);
}

__attribute__((no_sanitize("address", "undefined"),
               optimize("no-tree-loop-distribute-patterns"))) void
copy_bytes(void *to, const void *from, size_t bytes) {
    char *t = static_cast<char *>(to);
    const char *f = static_cast<const char *>(from);
    for (size_t i = 0; i < bytes; i++) t[i] = f[i];
}

void expect_device_memory(const char *what, const void *data, size_t bytes, int device) {
    if (bytes == 0) return;
    const allocation *a = find_allocation(data, bytes);
    if (!a || a->where != place::device || a->device != device)
        fail({}, "%s: [%p, %p + %zu) is not memory of device %d", what, data, data, bytes, device);
}

} // namespace simt

cudaError_t cudaMalloc(void **out, size_t bytes) {
    SIMT_ENTRY;
    if (const cudaError_t error = simt::forbidden_in_capture("cudaMalloc")) return error;
    *out = nullptr;
    if (simt::machine.fail_allocation >= 0 && simt::machine.fail_allocation-- == 0)
        return simt::refuse(cudaErrorMemoryAllocation);
    if (simt::counts.bytes + bytes > simt::machine.memory)
        return simt::refuse(cudaErrorMemoryAllocation);
    if (const cudaError_t error = simt::allocate(out, bytes, simt::place::device)) return error;
    simt::counts.allocations += bytes != 0;
    simt::counts.bytes += bytes;
    return cudaSuccess;
}

cudaError_t cudaMallocHost(void **out, size_t bytes) {
    SIMT_ENTRY;
    if (const cudaError_t error = simt::forbidden_in_capture("cudaMallocHost")) return error;
    return simt::allocate(out, bytes, simt::place::pinned);
}

cudaError_t cudaHostAlloc(void **out, size_t bytes, unsigned) { return cudaMallocHost(out, bytes); }

/* Also when there is a fault: the real ones fail then, but the process gives its memory back all
 * the same. */
cudaError_t cudaFree(void *data) {
    simt::runtime_lock lock;
    if (const cudaError_t error = simt::forbidden_in_capture("cudaFree")) return error;
    const cudaError_t error = simt::release_memory(data, simt::place::device, "cudaFree");
    return error ? error : simt::usable();
}

cudaError_t cudaFreeHost(void *data) {
    simt::runtime_lock lock;
    if (const cudaError_t error = simt::forbidden_in_capture("cudaFreeHost")) return error;
    const cudaError_t error = simt::release_memory(data, simt::place::pinned, "cudaFreeHost");
    return error ? error : simt::usable();
}
