/* Fibres: stacks to switch between, each known to the sanitizer in use. */
#pragma once

#include <cstddef>

/* Files of the harness are never compiled for the race detector, only kernels are: their accesses
 * count, the scheduler's do not. SIMT_RACES says that it is linked. */
#if defined(__SANITIZE_THREAD__)
#error "compile the harness without -fsanitize=thread, with -DSIMT_RACES"
#endif

namespace simt {

struct fibre {
    void *stack_pointer = nullptr;
    char *stack = nullptr;
    size_t stack_bytes = 0;
    void *asan_stack = nullptr;
    void *race_thread = nullptr; /* a thread of its own to the race detector */
    fibre *next = nullptr;       /* in a list of the scheduler's */
};

extern fibre main_fibre; /* the caller's */

/* A fibre that will run `entry`, which never returns. */
fibre *fibre_create(void (*entry)());

void fibre_switch(fibre &from, fibre &to);

/* First thing in an entry function. */
void fibre_entered();

/* The calling stack is the main fibre's from here on. */
void fibre_adopt_main();

/* What follows counts as done by the main fibre, or by `by` again: memory that it touches is
 * everyone's. */
void fibre_act_as_main();
void fibre_act_as(fibre &by);

/* Order for the race detector: what was before a release of an object is before what follows its
 * acquire. */
struct alignas(8) sync_object {
    char byte[8];
};
void release(sync_object &object);
void acquire(sync_object &object);

} // namespace simt
