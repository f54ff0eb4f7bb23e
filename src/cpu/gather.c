/* gather and its adjoint. Rows outside the table are zeros, and go nowhere. */
#include <string.h>

#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

static int64_t row_elements(const gan_array *a) {
    int64_t n = 1;
    for (int i = 1; i < a->shape.rank; i++) n *= a->shape.dim[i];
    return n;
}

static gan_status run_gather(gan_device *device, const gan_call *call) {
    const int64_t n = row_elements(&call->in[0]), rows = call->in[0].shape.dim[0];
    const int64_t m = gan_shape_size(call->in[1].shape);
    const size_t bytes = gan_dtype_size(call->out.dtype) * (size_t)n;
    const char *table = call->in[0].data;
    const int32_t *index = call->in[1].data;
    char *y = call->out.data;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (m * n >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < m; i++) {
        if (index[i] >= 0 && index[i] < rows)
            memcpy(y + (size_t)i * bytes, table + (size_t)index[i] * bytes, bytes);
        else
            memset(y + (size_t)i * bytes, 0, bytes);
    }
    return GAN_OK;
}

static gan_status prepare_scatter(gan_device *device, gan_call *call) {
    (void)device;
    const gan_call values = {.node = call->node, .n_in = 1, .in = call->in, .out = call->out};
    return gan_cpu_require_f32(&values, 0);
}

enum { COLUMNS = 256 };

/* Threads share the columns, so that every sum runs in the order of the index. */
static gan_status run_scatter(gan_device *device, const gan_call *call) {
    const int64_t n = row_elements(&call->out), rows = call->out.shape.dim[0];
    const int64_t m = gan_shape_size(call->in[1].shape);
    const float *x = call->in[0].data;
    const int32_t *index = call->in[1].data;
    float *y = call->out.data;
    const gan_cpu_reduce_loops *loops = gan_cpu_simd_of(device)->reduce;
    const int64_t blocks = (n + COLUMNS - 1) / COLUMNS;
#pragma omp parallel for num_threads(device->threads)                                              \
    schedule(static) if ((m + rows) * n >= GAN_CPU_SERIAL)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t c = block * COLUMNS, w = n - c < COLUMNS ? n - c : COLUMNS;
        for (int64_t r = 0; r < rows; r++) memset(y + r * n + c, 0, sizeof *y * (size_t)w);
        for (int64_t i = 0; i < m; i++)
            if (index[i] >= 0 && index[i] < rows)
                loops->add(y + index[i] * n + c, x + i * n + c, w);
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_gather = {run_gather, NULL, NULL};
const gan_kernel gan_cpu_scatter_add = {run_scatter, prepare_scatter, NULL};
