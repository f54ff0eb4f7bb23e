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

static gan_status failed(gan_status status, const char *reason, const char *call, const gan_node *node) {
    if (!node) return gan_fail(status, "%.*s: %s", call_length(call), call, reason);
    char shape[GAN_SHAPE_TEXT], operands[256] = "";
    size_t n = 0;
    for (int i = 0; i < node->n_in && i < 3 && n < sizeof operands; i++) {
        char text[GAN_SHAPE_TEXT];
        n += (size_t)snprintf(operands + n, sizeof operands - n, "%s%s", i ? ", " : "; operands ",
                              gan_shape_text(text, node->in[i]->dtype, node->in[i]->shape));
    }
    return gan_fail(status, "%s%s%s: %.*s: %s; value %s%s", gan_op_of(node)->name, node->label ? " " : "",
                    node->label ? node->label : "", call_length(call), call, reason,
                    gan_shape_text(shape, node->dtype, node->shape), operands);
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
