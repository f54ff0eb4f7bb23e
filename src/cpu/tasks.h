/* Work cut into tasks. What the tasks are depends on shapes alone, never on the number of threads;
 * so the results do not depend on it either, whoever runs which task when. */
#ifndef GANC_CPU_TASKS_H
#define GANC_CPU_TASKS_H

#include "device/backend.h"

/* Does task number `task`; `slot` < device->threads names the worker, for scratch memory. Returns
 * false when a library it called failed. */
typedef bool gan_cpu_task(void *context, int64_t task, int slot);

/* Runs tasks 0 .. n-1 on the device's threads. OpenMP inside a task, a library's included, gets one
 * thread. False when a task failed. */
bool gan_cpu_tasks(const gan_device *device, int64_t n, gan_cpu_task *task, void *context);

#endif
