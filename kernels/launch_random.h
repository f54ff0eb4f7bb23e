#ifndef GANC_KERNELS_LAUNCH_RANDOM_H
#define GANC_KERNELS_LAUNCH_RANDOM_H

#include <cuda_runtime_api.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Where numbers come from: Philox4x32-10 keyed by `seed`, element i number i % 4 of the block that
 * stream, i / 4 and the counter give (base/philox.h). The counter is read on the device. */
typedef struct gan_launch_source {
    uint64_t seed;
    uint32_t stream;
    const int64_t *counter;
} gan_launch_source;

/* y[i] = low + (high - low)·u, u uniform in (0, 1], for n elements, float or bfloat16. */
cudaError_t gan_launch_random_uniform(void *y, int bf16, int64_t n, float low, float high,
                                      gan_launch_source from, cudaStream_t stream);

/* y[i] = mean + deviation·z, z standard normal as cuRAND's curand_normal4 makes it of the same
 * bits. */
cudaError_t gan_launch_random_normal(void *y, int bf16, int64_t n, float mean, float deviation,
                                     gan_launch_source from, cudaStream_t stream);

/* y[i] uniform in 0 … below-1; 1 <= below < 2^31. */
cudaError_t gan_launch_random_index(int32_t *y, int64_t n, int64_t below, gan_launch_source from,
                                    cudaStream_t stream);

/* y[i] = the example at position counter·per_iteration + offset + i, for `count` positions: every n
 * positions are an epoch, each a new permutation of 0 … n-1; 1 <= n < 2^31. */
cudaError_t gan_launch_shuffled_index(int32_t *y, int64_t count, int64_t n, int64_t per_iteration,
                                      int64_t offset, gan_launch_source from, cudaStream_t stream);

/* Which example is at a position: as gan_launch_shuffled_index(). */
typedef struct gan_launch_shuffle {
    gan_launch_source from;
    int64_t n, per_iteration, offset;
} gan_launch_shuffle;

typedef struct gan_launch_minibatch_args {
    const uint8_t *data;  /* (examples, height, width, channels) */
    const int32_t *index; /* (batch); one that is no example gives zeros; NULL: `shuffle` says */
    gan_launch_shuffle shuffle;
    void *out; /* (batch, height, width, channels), fewer than 2^31, float or bfloat16 */
    int bf16;
    int64_t examples, batch, height, width, channels;
    float scale, shift; /* out = scale·byte + shift */
    int flip;           /* mirror each image left to right with probability 1/2 */
    gan_launch_source from;
} gan_launch_minibatch_args;

cudaError_t gan_launch_minibatch(const gan_launch_minibatch_args *a, cudaStream_t stream);

#ifdef __cplusplus
}
#endif
#endif
