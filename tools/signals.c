/* The signals are blocked everywhere and taken by a thread of their own. A handler would run on the
 * stack of whichever thread computes, and oneDNN's generated code uses the stack pointer as an
 * ordinary register: the handler's frame would land in the middle of the heap. The handler is there
 * for threads that a library started before main() could block anything. */
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <unistd.h>

static atomic_bool asked;

/* The second signal acts as if nothing had been caught: the parent sees which one it was. */
static void note(int number) {
    if (!atomic_exchange(&asked, true)) return;
    signal(number, SIG_DFL);
    raise(number);
}

static void caught(sigset_t *set) {
    sigemptyset(set);
    sigaddset(set, SIGINT);
    sigaddset(set, SIGTERM);
}

static void *wait_for_signals(void *context) {
    sigset_t set;
    int number = 0;
    (void)context;
    caught(&set);
    if (sigwait(&set, &number) == 0) note(number);
    /* The next one, default again, ends the process here. */
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    for (;;) pause();
    return NULL;
}

void signals_catch(void) {
    sigset_t set, before;
    pthread_t thread;
    struct sigaction action = {.sa_handler = note};
    caught(&set);
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    if (pthread_create(&thread, NULL, wait_for_signals, NULL))
        pthread_sigmask(SIG_SETMASK, &before, NULL); /* no thread: then the handler has to do */
    else
        pthread_detach(thread);
}

bool signals_stop(void *context) {
    (void)context;
    return atomic_load(&asked);
}
