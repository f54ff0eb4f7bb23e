/* matmul: (a, b), rank 2 or 3. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/gemm.h"
#include "cpu/kernels.h"

typedef struct matmul_state {
    gan_cpu_product product;
    gan_cpu_epilogue epilogue;
} matmul_state;

static gan_status matmul_prepare(gan_device *device, gan_call *call) {
    const gan_call own = {.node = call->node, .n_in = 2, .in = call->in, .out = call->out};
    GAN_TRY(gan_cpu_require_f32(&own, 0));
    const gan_shape a = call->in[0].shape, out = call->out.shape;
    const bool ta = call->node->attr.transpose.a, tb = call->node->attr.transpose.b;
    const int64_t batch = out.rank == 3 ? out.dim[0] : 1, k = a.dim[a.rank - (ta ? 2 : 1)];
    matmul_state s;
    s.product =
        gan_cpu_product_plan(ta, tb, batch, out.dim[out.rank - 2], out.dim[out.rank - 1], k);
    GAN_TRY(gan_cpu_epilogue_prepare(&s.epilogue, device, call));
    call->workspace_bytes = gan_cpu_product_workspace(&s.product, device->threads);
    call->state = malloc(sizeof s);
    if (call->state == NULL) return gan_fail(GAN_ERROR_MEMORY, "matmul: out of memory");
    memcpy(call->state, &s, sizeof s);
    return GAN_OK;
}

static gan_status matmul_run(gan_device *device, const gan_call *call) {
    const matmul_state *s = call->state;
    if (!gan_cpu_product_run(device, &s->product, call->in[0].data, call->in[1].data,
                             call->out.data, call->workspace, &s->epilogue, call))
        return gan_fail(GAN_ERROR_DEVICE, "matmul: the matrix library failed");
    return GAN_OK;
}

static void matmul_release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

const gan_kernel gan_cpu_matmul = {matmul_run, matmul_prepare, matmul_release};
