#include "pages.h"

#include <signal.h>
#include <sys/mman.h>

#include <cstdlib>
#include <cstring>
#include <deque>

#include "block.h"

namespace simt {

namespace {
constexpr size_t alignment = 256; /* as cudaMalloc's */
}

#if defined(__SANITIZE_ADDRESS__) || defined(SIMT_RACES)

bool pages_obtain(allocation &a) {
    void *data;
    if (posix_memalign(&data, alignment, a.bytes)) return false;
    a.data = static_cast<char *>(data);
    return true;
}
void pages_give_back(const allocation &a) { free(a.data); }
void pages_allow(const allocation &, bool) {}
void pages_check(const allocation &) {}

#else

namespace {

constexpr size_t page = 4096, kept = 512;
constexpr unsigned char around = 0xa5;

std::deque<allocation> &freed =
    *new std::deque<allocation>; /* inaccessible, but not used again yet */

[[noreturn]] void describe_fault(const char *p) {
    for (const allocation &a : freed)
        if (p >= a.map && p < a.map + a.map_bytes)
            fail({}, "access to freed memory, %zu bytes at %p", a.bytes,
                 static_cast<void *>(a.data));
    const allocation *a = allocation_around(p);
    if (!a) fail({}, "access to %p, which is no memory", static_cast<const void *>(p));
    if (p >= a->data + a->bytes)
        fail({}, "access %zu bytes beyond the end of an allocation of %zu",
             size_t(p - (a->data + a->bytes)), a->bytes);
    if (p < a->data)
        fail({}, "access %zu bytes before an allocation of %zu", size_t(a->data - p), a->bytes);
    fail({},
         running_launch ? "access to another device's memory" : "the host accesses device memory");
}

void on_fault(int, siginfo_t *info, void *) {
    describe_fault(static_cast<const char *>(info->si_addr));
}

void watch_faults() {
    static bool watched;
    if (watched) return;
    watched = true;
    static char stack[64 << 10]; /* the fault may be that of a full one */
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

} // namespace

bool pages_obtain(allocation &a) {
    watch_faults();
    const size_t inside = (a.bytes + alignment - 1) / alignment * alignment;
    const size_t pages = (inside + page - 1) / page * page;
    void *map = mmap(nullptr, pages + 2 * page, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (map == MAP_FAILED) return false;
    a.map = static_cast<char *>(map);
    a.map_bytes = pages + 2 * page;
    a.data = a.map + page + pages - inside;
    pages_allow(a, true);
    memset(a.map + page, around, size_t(a.data - a.map) - page);
    memset(a.data + a.bytes, around, inside - a.bytes);
    return true;
}

void pages_allow(const allocation &a, bool access) {
    if (mprotect(a.map + page, a.map_bytes - 2 * page, access ? PROT_READ | PROT_WRITE : PROT_NONE))
        abort();
}

void pages_give_back(const allocation &a) {
    pages_allow(a, false);
    madvise(a.map, a.map_bytes, MADV_DONTNEED);
    freed.push_back(a);
    if (freed.size() <= kept) return;
    munmap(freed.front().map, freed.front().map_bytes);
    freed.pop_front();
}

void pages_check(const allocation &a) {
    const char *end = a.map + a.map_bytes - page;
    for (const char *p = a.map + page; p < end; p++)
        if (p == a.data)
            p += a.bytes - 1;
        else if (static_cast<unsigned char>(*p) != around)
            fail({}, "something wrote %td bytes %s an allocation of %zu bytes",
                 p < a.data ? a.data - p : p - (a.data + a.bytes), p < a.data ? "before" : "beyond",
                 a.bytes);
}

#endif

} // namespace simt
