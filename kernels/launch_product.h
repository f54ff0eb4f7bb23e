#ifndef GANC_KERNELS_LAUNCH_PRODUCT_H
#define GANC_KERNELS_LAUNCH_PRODUCT_H

#include <cuda_runtime_api.h>

#include "kernels/launch_program.h"

#ifdef __cplusplus
extern "C" {
#endif

/* y (batch, m, n) = program(op(a)·op(b)), row-major and dense; a is (batch, m, k), transposed
 * (batch, k, m), b (batch, k, n), transposed (batch, n, k). */
typedef struct gan_launch_product_args {
    const void *a, *b; /* both float, or both bfloat16 */
    void *y;
    int bf16, y_bf16;
    int transpose_a, transpose_b;
    int32_t batch, m, n, k;
    int with_program;
    int32_t pieces; /* >= 1: y is (m, n, pieces), the program over its elements, and a·b repeated */
    int raw_input;  /* the program's operand that is the product, or -1 */
    gan_launch_program program; /* over y's elements; at most GAN_LAUNCH_SLOTS - 1 slots */
} gan_launch_product_args;

/* One launch, for products too small to fill the device, whose launches cost as much as their
 * arithmetic. Sums are float, in an order that depends on k alone. The second is of bfloat16 only,
 * on tensor cores where there are such (compute capability 8.0); the first hands those over to it.
 */
cudaError_t gan_launch_product_half(const gan_launch_product_args *a, cudaStream_t stream);
cudaError_t gan_launch_product(const gan_launch_product_args *a, cudaStream_t stream);

/* Whether its program was compiled ahead; else it is interpreted, an element at a time. */
int gan_launch_product_is_known(const gan_launch_product_args *a);

#ifdef __cplusplus
}
#endif
#endif
