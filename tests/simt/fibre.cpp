#include "fibre.h"

#include <sys/mman.h>

#include <cstdio>
#include <cstdlib>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(SIMT_RACES)
#include <sanitizer/tsan_interface.h>
#endif
#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace simt {

fibre main_fibre;

namespace {

#if defined(__SANITIZE_ADDRESS__)
constexpr size_t stack_bytes = 256 << 10;
#else
constexpr size_t stack_bytes = 64 << 10;
#endif
constexpr size_t guard_bytes = 4096;

#if defined(__x86_64__)

/* Keeps what a call has to keep, changes stacks, takes it from there. */
__attribute__((naked, noinline)) void swap_stacks(void ** /* rdi: where to keep */,
                                                  void * /* rsi */) {
    asm("pushq %rbp\n pushq %rbx\n pushq %r12\n pushq %r13\n pushq %r14\n pushq %r15\n"
        "movq %rsp, (%rdi)\n movq %rsi, %rsp\n"
        "popq %r15\n popq %r14\n popq %r13\n popq %r12\n popq %rbx\n popq %rbp\n ret\n");
}

void set_entry(fibre *f, void (*entry)()) {
    void **top = reinterpret_cast<void **>(f->stack + f->stack_bytes);
    *--top = nullptr; /* in place of a return address: the stack is aligned as after a call */
    *--top = reinterpret_cast<void *>(entry);
    for (int i = 0; i < 6; i++) *--top = nullptr;
    f->stack_pointer = top;
}

#else

ucontext_t *context(fibre &f) {
    if (!f.stack_pointer) f.stack_pointer = new ucontext_t;
    return static_cast<ucontext_t *>(f.stack_pointer);
}

void set_entry(fibre *f, void (*entry)()) {
    getcontext(context(*f));
    context(*f)->uc_stack.ss_sp = f->stack;
    context(*f)->uc_stack.ss_size = f->stack_bytes;
    context(*f)->uc_link = nullptr;
    makecontext(context(*f), entry, 0);
}

#endif

} // namespace

fibre *fibre_create(void (*entry)()) {
    void *memory = mmap(nullptr, guard_bytes + stack_bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED || mprotect(memory, guard_bytes, PROT_NONE)) {
        perror("simt: a fibre's stack");
        abort();
    }
    fibre *f = new fibre;
    f->stack = static_cast<char *>(memory) + guard_bytes;
    f->stack_bytes = stack_bytes;
    set_entry(f, entry);
#if defined(SIMT_RACES)
    f->race_thread = __tsan_create_fiber(0);
#endif
    return f;
}

void fibre_switch(fibre &from, fibre &to) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(&from.asan_stack, to.stack, to.stack_bytes);
#endif
#if defined(SIMT_RACES)
    __tsan_switch_to_fiber(to.race_thread, __tsan_switch_to_fiber_no_sync);
#endif
#if defined(__x86_64__)
    swap_stacks(&from.stack_pointer, to.stack_pointer);
#else
    swapcontext(context(from), context(to));
#endif
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(from.asan_stack, nullptr, nullptr);
#endif
}

void fibre_entered() {
#if defined(__SANITIZE_ADDRESS__)
    const void *stack;
    size_t bytes;
    __sanitizer_finish_switch_fiber(nullptr, &stack, &bytes);
    if (!main_fibre.stack) { /* the one that switched here */
        main_fibre.stack = static_cast<char *>(const_cast<void *>(stack));
        main_fibre.stack_bytes = bytes;
    }
#endif
}

void fibre_adopt_main() {
    main_fibre.stack = nullptr;
#if defined(SIMT_RACES)
    main_fibre.race_thread = __tsan_get_current_fiber();
#endif
}

void fibre_act_as_main() { fibre_act_as(main_fibre); }

#if defined(SIMT_RACES)
void fibre_act_as(fibre &by) {
    __tsan_switch_to_fiber(by.race_thread, __tsan_switch_to_fiber_no_sync);
}
void release(sync_object &object) { __tsan_release(&object); }
void acquire(sync_object &object) { __tsan_acquire(&object); }
#else
void fibre_act_as(fibre &) {}
void release(sync_object &) {}
void acquire(sync_object &) {}
#endif

} // namespace simt
