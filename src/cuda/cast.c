/* cast and one_hot. */
#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "kernels/launch.h"

_Static_assert((int)GAN_LAUNCH_F32 == (int)GAN_F32 && (int)GAN_LAUNCH_BF16 == (int)GAN_BF16 &&
                   (int)GAN_LAUNCH_I32 == (int)GAN_I32 && (int)GAN_LAUNCH_I64 == (int)GAN_I64 &&
                   (int)GAN_LAUNCH_U8 == (int)GAN_U8,
               "launchers count types as the library does");

static gan_status run_cast(gan_device *device, const gan_call *call) {
    GAN_CUDA_TRY(call->node,
                 gan_launch_cast(call->out.data, (gan_launch_type)call->out.dtype, call->in[0].data,
                                 (gan_launch_type)call->in[0].dtype,
                                 gan_shape_size(call->out.shape), gan_cuda(device)->stream));
    return GAN_OK;
}

static gan_status run_one_hot(gan_device *device, const gan_call *call) {
    const int64_t classes = call->out.shape.dim[call->out.shape.rank - 1];
    GAN_CUDA_TRY(call->node, gan_launch_one_hot(call->out.data, call->in[0].data,
                                                gan_shape_size(call->in[0].shape), classes,
                                                gan_cuda(device)->stream));
    return GAN_OK;
}

const gan_kernel gan_cuda_cast = {run_cast, NULL, NULL};
const gan_kernel gan_cuda_one_hot = {run_one_hot, NULL, NULL};
