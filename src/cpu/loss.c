/* softmax_loss and its gradient; the other losses fuse. A label that is no class counts as none. */
#include <math.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

enum { ROWS = 64 }; /* to a task */

static int64_t tasks_of(const gan_call *call) {
    return (call->in[0].shape.dim[0] + ROWS - 1) / ROWS;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    const gan_call floats = {.node = call->node, .n_in = 1, .in = call->in, .out = call->out};
    GAN_TRY(gan_cpu_require_f32(&floats, 0));
    call->workspace_bytes = sizeof(double) * (size_t)tasks_of(call);
    return GAN_OK;
}

/* The sum of exp(x - max) of a row. */
static double sum_of_exp(const gan_cpu_reduce_loops *loops, const float *x, float max, int64_t n) {
    float y[256];
    double sum = 0;
    for (int64_t i = 0; i < n; i += 256)
        sum += (double)loops->exp_sum(y, x + i, max, n - i < 256 ? n - i : 256);
    return sum;
}

static gan_status run_loss(gan_device *device, const gan_call *call) {
    const int64_t m = call->in[0].shape.dim[0], n = call->in[0].shape.dim[1],
                  tasks = tasks_of(call);
    const float *logits = call->in[0].data;
    const int32_t *label = call->in[1].data;
    const gan_cpu_reduce_loops *loops = gan_cpu_simd_of(device)->reduce;
    double *partial = call->workspace;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (m * n >= GAN_CPU_SERIAL)
    for (int64_t task = 0; task < tasks; task++) {
        const int64_t end = (task + 1) * ROWS < m ? (task + 1) * ROWS : m;
        double sum = 0;
        for (int64_t i = task * ROWS; i < end; i++) {
            const float *x = logits + i * n;
            const float max = loops->max_of(x, n);
            const double chosen =
                label[i] >= 0 && label[i] < n ? (double)x[label[i]] - (double)max : 0.0;
            sum += log(sum_of_exp(loops, x, max, n)) - chosen;
        }
        partial[task] = sum;
    }
    double sum = 0;
    for (int64_t task = 0; task < tasks; task++) sum += partial[task];
    *(float *)call->out.data = (float)(sum / (double)m);
    return GAN_OK;
}

static gan_status run_grad(gan_device *device, const gan_call *call) {
    const int64_t m = call->in[0].shape.dim[0], n = call->in[0].shape.dim[1],
                  tasks = tasks_of(call);
    const float *logits = call->in[0].data;
    const int32_t *label = call->in[1].data;
    const gan_cpu_reduce_loops *loops = gan_cpu_simd_of(device)->reduce;
    float *out = call->out.data;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (m * n >= GAN_CPU_SERIAL)
    for (int64_t task = 0; task < tasks; task++) {
        const int64_t end = (task + 1) * ROWS < m ? (task + 1) * ROWS : m;
        for (int64_t i = task * ROWS; i < end; i++) {
            float *y = out + i * n;
            const float *x = logits + i * n;
            const float scale = 1.0f / loops->exp_sum(y, x, loops->max_of(x, n), n) / (float)m;
            for (int64_t k = 0; k < n; k++) y[k] *= scale;
            if (label[i] >= 0 && label[i] < n) y[label[i]] -= 1.0f / (float)m;
        }
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_softmax_loss = {run_loss, prepare, NULL};
const gan_kernel gan_cpu_softmax_loss_grad = {run_grad, prepare, NULL};
