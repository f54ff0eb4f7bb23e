/* cast and one_hot. */
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

static gan_status run_cast(gan_device *device, const gan_call *call) {
    const int64_t n = gan_shape_size(call->out.shape);
    const size_t from = gan_dtype_size(call->in[0].dtype), to = gan_dtype_size(call->out.dtype);
    gan_cpu_conversion *loop =
        gan_cpu_simd_of(device)->cast->cast[call->in[0].dtype][call->out.dtype];
    const char *x = call->in[0].data;
    char *y = call->out.data;
    const int64_t pieces = (n + GAN_CPU_PIECE - 1) / GAN_CPU_PIECE;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (n >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t start = i * GAN_CPU_PIECE;
        loop(y + (size_t)start * to, x + (size_t)start * from,
             n - start < GAN_CPU_PIECE ? n - start : GAN_CPU_PIECE);
    }
    return GAN_OK;
}

static gan_status run_one_hot(gan_device *device, const gan_call *call) {
    const int64_t m = gan_shape_size(call->in[0].shape),
                  classes = call->out.shape.dim[call->out.shape.rank - 1];
    const int32_t *index = call->in[0].data;
    float *y = call->out.data;
#pragma omp parallel for num_threads(device->threads)                                              \
    schedule(static) if (m * classes >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < m; i++) {
        float *row = y + i * classes;
        for (int64_t k = 0; k < classes; k++) row[k] = 0.0f;
        if (index[i] >= 0 && index[i] < classes) row[index[i]] = 1.0f;
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_cast = {run_cast, NULL, NULL};
const gan_kernel gan_cpu_one_hot = {run_one_hot, NULL, NULL};
