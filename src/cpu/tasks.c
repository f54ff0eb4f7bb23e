#include "cpu/tasks.h"

#include <omp.h>

bool gan_cpu_tasks(const gan_device *device, int64_t n, gan_cpu_task *task, void *context) {
    int failures = 0;
    /* One thread or all of them: other team sizes would make libgomp end and start threads. */
#pragma omp parallel num_threads(device->threads) if (n > 1) reduction(+ : failures)
    {
        omp_set_num_threads(
            1); /* of this task's own environment; a team of one is no parallel region */
        const int slot = omp_get_thread_num();
#pragma omp for schedule(dynamic, 1)
        for (int64_t i = 0; i < n; i++)
            if (!task(context, i, slot)) failures++;
    }
    return failures == 0;
}
