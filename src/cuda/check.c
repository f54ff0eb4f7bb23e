/* Library statuses as messages. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "cuda/device.h"

/* "cudaGraphLaunch" of "cudaGraphLaunch(r->exec, stream)". */
static int call_length(const char *call) {
    const char *end = strchr(call, '(');
    return end ? (int)(end - call) : (int)strlen(call);
}

static gan_status failed(gan_status status, const char *reason, const char *call,
                         const gan_node *node) {
    if (!node) return gan_fail(status, "%.*s: %s", call_length(call), call, reason);
    char shape[GAN_SHAPE_TEXT], operands[256] = "";
    size_t n = 0;
    for (int i = 0; i < node->n_in && i < 3 && n < sizeof operands; i++) {
        char text[GAN_SHAPE_TEXT];
        n += (size_t)snprintf(operands + n, sizeof operands - n, "%s%s", i ? ", " : "; operands ",
                              gan_shape_text(text, node->in[i]->dtype, node->in[i]->shape));
    }
    return gan_fail(status, "%s%s%s: %.*s: %s; value %s%s", gan_op_of(node)->name,
                    node->label ? " " : "", node->label ? node->label : "", call_length(call), call,
                    reason, gan_shape_text(shape, node->dtype, node->shape), operands);
}

gan_status gan_cuda_failed(cudaError_t error, const char *call, const gan_node *node) {
    gan_status status = error == cudaErrorMemoryAllocation ? GAN_ERROR_MEMORY : GAN_ERROR_DEVICE;
    return failed(status, cudaGetErrorString(error), call, node);
}

gan_status gan_cublas_failed(cublasStatus_t error, const char *call, const gan_node *node) {
    return failed(error == CUBLAS_STATUS_ALLOC_FAILED ? GAN_ERROR_MEMORY : GAN_ERROR_DEVICE,
                  cublasGetStatusString(error), call, node);
}

gan_status gan_cudnn_failed(cudnnStatus_t error, const char *call, const gan_node *node) {
    return failed(GAN_ERROR_DEVICE, cudnnGetErrorString(error), call, node);
}

/* ---- what kernels take ---- */

gan_status gan_cuda_require_f32(const gan_call *call, int first, int end) {
    const bool effect = gan_op_of(call->node)->flags & GAN_OP_EFFECT;
    const gan_array *wrong = effect || call->out.dtype == GAN_F32 ? NULL : &call->out;
    for (int i = first; i < end; i++)
        if (call->in[i].dtype != GAN_F32) wrong = &call->in[i];
    if (!wrong) return GAN_OK;
    char text[GAN_SHAPE_TEXT];
    return gan_fail(GAN_ERROR_DEVICE, "cuda: %s of %s, the kernel takes f32",
                    gan_op_of(call->node)->name, gan_shape_text(text, wrong->dtype, wrong->shape));
}

gan_status gan_cuda_require_31_bits(const gan_call *call) {
    const gan_array *wrong = gan_shape_size(call->out.shape) > INT32_MAX ? &call->out : NULL;
    for (int i = 0; i < call->n_in; i++)
        if (gan_shape_size(call->in[i].shape) > INT32_MAX) wrong = &call->in[i];
    if (!wrong) return GAN_OK;
    char text[GAN_SHAPE_TEXT];
    return gan_fail(GAN_ERROR_DEVICE, "cuda: %s of %s, the kernel takes fewer than 2^31 elements",
                    gan_op_of(call->node)->name, gan_shape_text(text, wrong->dtype, wrong->shape));
}
