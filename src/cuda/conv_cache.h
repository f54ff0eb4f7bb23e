/* What cuDNN was once asked for, kept in the device's cache: the algorithm of a convolution, or the
 * plan of one with what follows it, or that there is none.
 *
 * On results: cuDNN gives the same bits for the same algorithm (engine and its settings) on the
 * same kind of GPU with the same version; another algorithm may sum in another order. Without a
 * cache each start takes what the heuristics put first, which depends on these and the problem
 * alone and times nothing. So the cache changes no result. Of a device that tunes (conv_tune.h) it
 * does: there it is what makes a resumed run choose as the first did, in entries of its own.
 *
 * Entries count only for the problem to the last byte. One that cuDNN does not take as it was
 * (other workspace, refused text) is dropped for a search, as on the first day; of a device that
 * tunes only where that does not find the same number and workspace again.
 */
#ifndef GANC_CUDA_CONV_CACHE_H
#define GANC_CUDA_CONV_CACHE_H

#include "cuda/conv_graph.h"
#include "cuda/conv_plan.h"

/* y (n,p,q,k) = x (n,h,w,c) * w (k,r,s,c) or an adjoint, as the functions of one direction see it.
 * Numbers of one size, so that no byte of it is undefined. */
typedef struct gan_cuda_conv_key {
    int64_t direction, n, h, w, c, p, q, k, r, s, pad_h, pad_w, stride_h, stride_w;
    int64_t type, math, most_workspace;
} gan_cuda_conv_key;

/* Opens the cache of an open device in the folder options->cache, if it has one. A device that is
 * to tune is refused where nothing can be kept. The file is that of the GPU's name, compute
 * capability and number of processors, the versions of cuDNN and of CUDA's runtime, and of ganc.
 * Not of the driver: compiled kernels outlive its updates, and what a driver does not load any more
 * is searched for again. */
gan_status gan_cuda_conv_cache_open(gan_cuda_device *d, const gan_device_options *options);

/* Writes it; an error where it cannot be, of a device that tunes. */
gan_status gan_cuda_conv_cache_keep_all(gan_cuda_device *d);

/* An algorithm and the cudnnMathType_t that it is run with; false where that of a problem is not
 * known. */
bool gan_cuda_conv_cache_find(gan_cuda_device *d, const gan_cuda_conv_key *key, int *algorithm,
                              int *math, size_t *workspace);
void gan_cuda_conv_cache_put(gan_cuda_device *d, const gan_cuda_conv_key *key, int algorithm,
                             int math, size_t workspace);

/* What is known of a problem's plan: restored into `b`, if need be; else, for a search that begins
 * with it, its number and workspace alone: when cuDNN gives no text of this plan (CHOSEN), or does
 * not take its text any more (STALE), of a device that tunes, since it would not time the same
 * again. */
typedef enum gan_cuda_conv_known {
    GAN_CUDA_CONV_UNKNOWN,
    GAN_CUDA_CONV_REFUSED,
    GAN_CUDA_CONV_CHOSEN,
    GAN_CUDA_CONV_RESTORED,
    GAN_CUDA_CONV_STALE
} gan_cuda_conv_known;
gan_cuda_conv_known gan_cuda_conv_cache_restore(gan_cuda_device *d, gan_cuda_bag *b,
                                                const gan_cuda_conv_problem *problem,
                                                size_t most_workspace, gan_cuda_conv_plan *plan);

/* Keeps a plan, or that nothing takes the problem; of what is not settled nothing, unless the
 * device tunes: whatever it begins with, it stays with. */
void gan_cuda_conv_cache_keep(gan_cuda_device *d, const gan_cuda_conv_problem *problem,
                              size_t most_workspace, const gan_cuda_conv_plan *plan);

#endif
