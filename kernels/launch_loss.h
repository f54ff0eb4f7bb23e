#ifndef GANC_KERNELS_LAUNCH_LOSS_H
#define GANC_KERNELS_LAUNCH_LOSS_H

#include <cuda_runtime_api.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Binary cross-entropy of sigmoid(logits) with one target. */
typedef struct gan_launch_logits_loss_args {
    const float *logits; /* n >= 1 of them */
    int64_t n;
    float target;
    float *loss;     /* one number, or NULL */
    float *gradient; /* n, or NULL: d loss / d logits */
    void *workspace; /* gan_launch_logits_loss_workspace() bytes, a multiple of 16; NULL when that
                        is 0 */
} gan_launch_logits_loss_args;

/* Bytes of workspace for the loss of n logits. */
size_t gan_launch_logits_loss_workspace(int64_t n);

/* loss = the mean of softplus(s) - target·s, gradient = (sigmoid(s) - target)/n, either or both in
 * one reading of the logits: one launch; a second for the loss of more than 16 Ki logits. */
cudaError_t gan_launch_logits_loss(const gan_launch_logits_loss_args *a, cudaStream_t stream);

/* Cross-entropy of softmax(logits) with labels. */
typedef struct gan_launch_softmax_loss_args {
    const float *logits;   /* (rows, classes), fewer than 2^31 */
    const int32_t *labels; /* (rows); one that is no class counts as none */
    int64_t rows, classes;
    void *workspace; /* gan_launch_softmax_loss_workspace() bytes, a multiple of 16; NULL when that
                        is 0 */
} gan_launch_softmax_loss_args;

/* Bytes of workspace for the loss; the gradient needs none. Looks at rows and classes alone. */
size_t gan_launch_softmax_loss_workspace(const gan_launch_softmax_loss_args *a);

/* loss (one number) = the mean over the rows of log Σ exp(l) - l[label]. One launch for small
 * batches, else two. */
cudaError_t gan_launch_softmax_loss(float *loss, const gan_launch_softmax_loss_args *a,
                                    cudaStream_t stream);

/* gradient (rows, classes) = (softmax(l) - one_hot(label)) / rows */
cudaError_t gan_launch_softmax_loss_grad(float *gradient, const gan_launch_softmax_loss_args *a,
                                         cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
