/* The launch of joined calls: a chain's tasks one after the other, phases one behind the other, of
 * which a product or batch norm can be one; or of a call with one that goes on with its result. */
#include "base/error.h"
#include "cuda/conv_direct.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

bool gan_cuda_pairs(const gan_device *device, const gan_node *first, const gan_node *second) {
    return gan_cuda_conv_direct_pairs(device, first, second) ||
           gan_cuda_norm_pairs(device, first, second);
}

int gan_cuda_phase(const gan_device *device, int n, gan_node *const *calls) {
    if (!((const gan_cuda_device *)device)->phased) return 0;
    const bool is =
        n == 1 ? gan_cuda_matmul_is_phase(calls[0]) : gan_cuda_norm_is_phase(device, n, calls);
    return is ? gan_launch_joined_whole_bytes() : 0;
}

/* ---- the launch ---- */

typedef struct launch {
    gan_device *device;
    const gan_cuda_lane *lane;
    unsigned *counters; /* those that are left */
    gan_launch_joined_args args;
} launch;

static void begin(launch *l) {
    l->args = (gan_launch_joined_args){.barrier = l->lane->barrier};
    l->counters = l->lane->counters;
}

/* Of what there is so far; the next one begins. */
static gan_status finish(launch *l, const gan_call *call) {
    if (l->args.phases > 0)
        GAN_CUDA_TRY(call->node, gan_launch_joined(&l->args, gan_cuda(l->device)->stream));
    begin(l);
    return GAN_OK;
}

/* A phase of n calls. */
static void add_tasks(launch *l, int n, const gan_call *calls) {
    gan_launch_task task[GAN_LAUNCH_TASK_PIECES];
    int chains = 0;
    for (int i = 0; i < n; i++)
        if (calls[i].chain >= chains) chains = calls[i].chain + 1;
    gan_launch_joined_phase(&l->args, chains);
    for (int i = 0; i < n; i++) {
        const int tasks = gan_cuda_tasks(&calls[i], task);
        if (task->kind == GAN_LAUNCH_TASK_COLUMNS && task->of.columns.chunks > 1) {
            task->of.columns.counters = l->counters;
            l->counters += gan_launch_column_counters(&task->of.columns);
        }
        for (int k = 0; k < tasks; k++) gan_launch_joined_add(&l->args, &task[k], calls[i].chain);
    }
}

static gan_status add_phase(launch *l, int n, const gan_call *calls) {
    const gan_op_id op = calls[0].node->op;
    if (op == GAN_OP_matmul) {
        gan_cuda_matmul_add(&calls[0], &l->args);
    } else if (op != GAN_OP_moments && op != GAN_OP_batch_norm_sums) {
        if (!gan_cuda(l->device)->resident) GAN_TRY(finish(l, &calls[0]));
        add_tasks(l, n, calls);
    } else if (!gan_cuda_norm_add(l->device, n, calls, &l->args)) {
        GAN_TRY(finish(l, &calls[0]));
        GAN_TRY(gan_cuda_run_pair(l->device, n, calls));
    }
    return GAN_OK;
}

gan_status gan_cuda_run_joined(gan_device *device, int n, const gan_call *calls) {
    if (gan_cuda_conv_is_both(calls)) return gan_cuda_conv_run_both(device, calls);
    if (gan_cuda_is_pair(calls)) return gan_cuda_run_pair(device, n, calls);
    launch l = {.device = device, .lane = &gan_cuda(device)->lane[calls[0].lane]};
    begin(&l);
    for (int i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && calls[end].phase == calls[i].phase;) end++;
        GAN_TRY(add_phase(&l, end - i, &calls[i]));
    }
    return finish(&l, &calls[0]);
}
