/* The launch of joined calls: a chain's tasks one after the other, phases one behind the other; or
 * of a call with one that goes on with its result. */
#include "cuda/conv_direct.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

/* How many chains the phase has that begins with the first of n calls. */
static int chains_of(const gan_call *call, int n) {
    int chains = 0;
    for (int i = 0; i < n && call[i].phase == call[0].phase; i++)
        if (call[i].chain >= chains) chains = call[i].chain + 1;
    return chains;
}

bool gan_cuda_pairs(const gan_device *device, const gan_node *first, const gan_node *second) {
    return gan_cuda_conv_direct_follows(device, first, second) ||
           gan_cuda_norm_pairs(device, first, second);
}

gan_status gan_cuda_run_joined(gan_device *device, int n, const gan_call *calls) {
    if (gan_cuda_conv_is_followed(calls)) return gan_cuda_conv_run_both(device, calls);
    if (gan_cuda_is_pair(calls)) return gan_cuda_run_pair(device, calls);
    const gan_cuda_lane *lane = &gan_cuda(device)->lane[calls[0].lane];
    gan_launch_joined_args a = {.barrier = lane->barrier};
    gan_launch_task task[GAN_LAUNCH_TASK_PIECES];
    unsigned *counters = lane->counters;
    for (int i = 0; i < n; i++) {
        const gan_call *call = &calls[i];
        if (i == 0 || call->phase != calls[i - 1].phase) {
            if (i > 0 && !gan_cuda(device)->resident) {
                GAN_CUDA_TRY(call->node, gan_launch_joined(&a, gan_cuda(device)->stream));
                a = (gan_launch_joined_args){.barrier = lane->barrier};
                counters = lane->counters;
            }
            gan_launch_joined_phase(&a, chains_of(call, n - i));
        }
        const int tasks = gan_cuda_tasks(call, task);
        if (task->kind == GAN_LAUNCH_TASK_COLUMNS && task->of.columns.chunks > 1) {
            task->of.columns.counters = counters;
            counters += gan_launch_column_counters(&task->of.columns);
        }
        for (int k = 0; k < tasks; k++) gan_launch_joined_add(&a, &task[k], call->chain);
    }
    GAN_CUDA_TRY(calls[0].node, gan_launch_joined(&a, gan_cuda(device)->stream));
    return GAN_OK;
}
