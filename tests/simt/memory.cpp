/* Device and pinned memory.
 *
 * Under the address sanitizer and the race detector, an allocation is one of the host's, which they watch.
 * Otherwise it ends at a page that cannot be accessed, lies between bytes that must not change, and is
 * inaccessible while nothing runs on its device.
 */
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <map>

#include "block.h"
#include "runtime.h"

#if !defined(__SANITIZE_ADDRESS__) && !defined(SIMT_RACES)
#define SIMT_PAGES 1
#endif

namespace simt {
namespace {

constexpr size_t alignment = 256;
constexpr unsigned char fresh = 0xff, around = 0xa5;

std::map<uintptr_t, allocation> &live = *new std::map<uintptr_t, allocation>;
std::map<int, int> &accesses = *new std::map<int, int>;

uintptr_t number(const void *p) { return reinterpret_cast<uintptr_t>(p); }

#if defined(SIMT_PAGES)

constexpr size_t page = 4096, kept_freed = 512;
std::deque<allocation> &freed = *new std::deque<allocation>; /* still inaccessible, to say what was there */

void set_access(const allocation &a, int access) {
    if (mprotect(a.map + page, a.map_bytes - 2 * page, access)) abort();
}

/* For faults: what an address belongs to, or belonged to. */
const allocation *nearby(const std::map<uintptr_t, allocation> &among, const char *p) {
    for (const auto &entry : among)
        if (p >= entry.second.map && p < entry.second.map + entry.second.map_bytes) return &entry.second;
    return nullptr;
}

void describe_fault(const char *p) {
    for (const allocation &a : freed)
        if (p >= a.map && p < a.map + a.map_bytes)
            fail({}, "access to freed memory, %zu bytes at %p", a.bytes, static_cast<void *>(a.data));
    const allocation *a = nearby(live, p);
    if (!a) fail({}, "access to %p, which is no memory", static_cast<const void *>(p));
    if (p >= a->data + a->bytes)
        fail({}, "access %zu bytes beyond the end of an allocation of %zu", size_t(p - (a->data + a->bytes)),
             a->bytes);
    if (p < a->data) fail({}, "access %zu bytes before an allocation of %zu", size_t(a->data - p), a->bytes);
    fail({}, running_launch ? "access to another device's memory" : "the host accesses device memory");
}

void on_fault(int, siginfo_t *info, void *) { describe_fault(static_cast<const char *>(info->si_addr)); }

void watch_faults() {
    static bool watched;
    if (watched) return;
    watched = true;
    static char stack[64 << 10];
    stack_t alternative = {};
    alternative.ss_sp = stack;
    alternative.ss_size = sizeof stack;
    sigaltstack(&alternative, nullptr);
    struct sigaction action = {};
    action.sa_sigaction = on_fault;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigaction(SIGSEGV, &action, nullptr);
    sigaction(SIGBUS, &action, nullptr);
}

bool obtain(allocation &a) {
    watch_faults();
    const size_t inside = (a.bytes + alignment - 1) / alignment * alignment;
    const size_t pages = (inside + page - 1) / page * page;
    void *map = mmap(nullptr, pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return false;
    a.map = static_cast<char *>(map);
    a.map_bytes = pages + 2 * page;
    a.data = a.map + page + pages - inside;
    set_access(a, PROT_READ | PROT_WRITE);
    memset(a.map + page, around, size_t(a.data - a.map) - page);
    memset(a.data + a.bytes, around, inside - a.bytes);
    return true;
}

void after_fill(const allocation &a) {
    if (a.where == place::device && !accesses[a.device]) set_access(a, PROT_NONE);
}

void give_back(const allocation &a) {
    set_access(a, PROT_NONE);
    madvise(a.map, a.map_bytes, MADV_DONTNEED);
    freed.push_back(a);
    if (freed.size() > kept_freed) {
        munmap(freed.front().map, freed.front().map_bytes);
        freed.pop_front();
    }
}

void check_around(const allocation &a) {
    const char *first = a.map + page, *end = a.map + a.map_bytes - page;
    for (const char *p = first; p < end; p++)
        if (p == a.data)
            p += a.bytes - 1;
        else if (static_cast<unsigned char>(*p) != around)
            fail({}, "something wrote %td bytes %s an allocation of %zu bytes",
                 p < a.data ? a.data - p : p - (a.data + a.bytes), p < a.data ? "before" : "beyond", a.bytes);
}

void set_device_access(int device, int access) {
    for (const auto &entry : live)
        if (entry.second.where == place::device && entry.second.device == device)
            set_access(entry.second, access);
}

#else

bool obtain(allocation &a) {
    void *data;
    if (posix_memalign(&data, alignment, a.bytes)) return false;
    a.data = static_cast<char *>(data);
    return true;
}
void after_fill(const allocation &) {}
void give_back(const allocation &a) { free(a.data); }
void check_around(const allocation &) {}

#endif

cudaError_t allocate(void **out, size_t bytes, place where) {
    *out = nullptr;
    if (bytes == 0) return cudaSuccess;
    allocation a = {nullptr, bytes, where, current_device()};
    if (!obtain(a)) return refuse(cudaErrorMemoryAllocation);
    memset(a.data, fresh, bytes);
    after_fill(a);
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
        check_around(a);
    }
    if (where == place::device) {
        counts.allocations--;
        counts.bytes -= a.bytes;
    }
    live.erase(entry);
    give_back(a);
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

device_access::device_access(int device) : device_(device) {
#if defined(SIMT_PAGES)
    if (accesses[device]++ == 0) set_device_access(device, PROT_READ | PROT_WRITE);
#endif
}

device_access::~device_access() {
#if defined(SIMT_PAGES)
    if (--accesses[device_] == 0) set_device_access(device_, PROT_NONE);
#endif
}

void check_surroundings() {
    for (const auto &entry : live)
        if (entry.second.where == place::pinned || accesses[entry.second.device]) check_around(entry.second);
}

__attribute__((no_sanitize("address", "undefined"), optimize("no-tree-loop-distribute-patterns"))) void
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
    if (simt::counts.bytes + bytes > simt::machine.memory) return simt::refuse(cudaErrorMemoryAllocation);
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

/* Also when there is a fault: the real ones fail then, but the process gives its memory back all the same. */
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
