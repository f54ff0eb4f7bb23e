/* Shared arrays: exact allocations, so that the sanitizers know where they end. */
#include <cstdlib>

#include "block.h"

namespace simt {

void *shared_array(const void *declaration, size_t bytes, size_t alignment) {
    block &b = *running_block;
    expect_waited();
    acquire(b.shared_memory_made);
    for (const shared_memory &s : b.shared)
        if (s.declaration == declaration) return s.data;

    /* The first thread that comes here makes it, for all: filling it is no access of that thread.
     */
    fibre_act_as_main();
    void *data;
    if (posix_memalign(&data, alignment < 16 ? 16 : alignment, bytes)) abort();
    memset(data, 0xff, bytes);
    b.shared.push_back({declaration, data});
    release(b.shared_memory_made);
    fibre_act_as(*running_thread->on);
    acquire(b.shared_memory_made);
    return data;
}

void *shared_more() {
    static const char declaration = 0;
    const size_t bytes = running_launch->shared;
    return bytes ? shared_array(&declaration, bytes, 16) : nullptr;
}

void free_shared_arrays(block &b) {
    for (const shared_memory &s : b.shared) free(s.data);
    b.shared.clear();
}

} // namespace simt
