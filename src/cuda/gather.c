/* gather and its adjoint. Rows outside the table are zeros, and go nowhere. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

static int64_t row_elements(const gan_array *a) {
    int64_t n = 1;
    for (int i = 1; i < a->shape.rank; i++) n *= a->shape.dim[i];
    return n;
}

static gan_status run_gather(gan_device *device, const gan_call *call) {
    const gan_array *table = &call->in[0], *index = &call->in[1];
    const int64_t bytes = row_elements(table) * (int64_t)gan_dtype_size(table->dtype);
    GAN_CUDA_TRY(call->node, gan_launch_gather(call->out.data, table->data, index->data,
                                               gan_shape_size(index->shape), table->shape.dim[0],
                                               bytes, gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_scatter(gan_device *device, const gan_call *call) {
    const gan_array *x = &call->in[0], *index = &call->in[1];
    GAN_CUDA_TRY(call->node,
                 gan_launch_scatter_add(call->out.data, x->data, x->dtype == GAN_BF16, index->data,
                                        gan_shape_size(index->shape), call->out.shape.dim[0],
                                        row_elements(x), gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_gather = {run_gather, NULL, NULL};
const gan_kernel gan_cuda_scatter_add = {run_scatter, NULL, NULL};
