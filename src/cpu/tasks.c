#include "cpu/tasks.h"

#include <omp.h>
#include <pthread.h>
#include <signal.h>

/* The generated code of oneDNN's sgemm does not survive the frame of a signal handler on its stack, and the
 * program around us may have handlers: a profiler's, an interpreter's. Faults of our own are let through. */
static void hold_signals(sigset_t *before) {
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT};
    sigset_t held;
    sigfillset(&held);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&held, faults[i]);
    pthread_sigmask(SIG_BLOCK, &held, before);
}

bool gan_cpu_tasks(const gan_device *device, int64_t n, gan_cpu_task *task, void *context) {
    int failures = 0;
    /* One thread or all of them: other team sizes would make libgomp end and start threads. */
#pragma omp parallel num_threads(device->threads) if (n > 1) reduction(+ : failures)
    {
        sigset_t before;
        hold_signals(&before);
        omp_set_num_threads(
            1); /* of this task's own environment; a team of one is no parallel region */
        const int slot = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < n; i++)
            if (!task(context, i, slot)) failures++;
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    return failures == 0;
}
