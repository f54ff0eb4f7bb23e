/* constant; stop_gradient and reshape where the plan could not give the operand's place. */
#include "cpu/copy.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

static gan_status run_constant(gan_device *device, const gan_call *call) {
    const int64_t n = gan_shape_size(call->out.shape);
    const float value = (float)call->node->attr.constant.value;
    if (call->out.dtype == GAN_BF16) {
        uint16_t half, *y = call->out.data;
        gan_cpu_simd_of(device)->cast->cast[GAN_F32][GAN_BF16](&half, &value, 1);
#pragma omp parallel for num_threads(device->threads) schedule(static) if (n >= GAN_CPU_SERIAL)
        for (int64_t i = 0; i < n; i++) y[i] = half;
        return GAN_OK;
    }
    float *y = call->out.data;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (n >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < n; i++) y[i] = value;
    return GAN_OK;
}

static gan_status run_copy(gan_device *device, const gan_call *call) {
    gan_cpu_copy(device, call->out.data, call->in[0].data,
                 gan_dtype_size(call->out.dtype) * (size_t)gan_shape_size(call->out.shape));
    return GAN_OK;
}

const gan_kernel gan_cpu_constant = {run_constant, NULL, NULL};
const gan_kernel gan_cpu_stop_gradient = {run_copy, NULL, NULL};
const gan_kernel gan_cpu_reshape = {run_copy, NULL, NULL};
