/* The CUDA device: what the host side of its ops shares. */
#ifndef GANC_CUDA_DEVICE_H
#define GANC_CUDA_DEVICE_H

#include "cuda/api.h"
#include "device/backend.h"
#include "device/cache.h"

/* What calls keep for themselves while they run. */
typedef struct gan_cuda_lane {
    void *blas_workspace; /* given to cuBLAS, so that capture allocates nothing */
    unsigned *counters;   /* GAN_LAUNCH_COUNTERS zeros between launches */
    unsigned *barrier;    /* of a cooperative launch: kernels/barrier.cuh */
} gan_cuda_lane;

enum { GAN_CUDA_LANES = 2, GAN_CUDA_BLAS_WORKSPACE = 1 << 25 };

typedef struct gan_cuda_device {
    gan_device base; /* base.index is the CUDA ordinal */
    cudaStream_t stream;
    cublasHandle_t blas;
    gan_cuda_lane lane[GAN_CUDA_LANES]; /* without branches only the first */
    int blas_lane;                      /* whose workspace cuBLAS has */
    cudnnHandle_t dnn;
    struct gan_cuda_conv_graph *conv_graphs; /* conv_graph.c */
    gan_cache *cache;                        /* conv_cache.h; NULL: none */
    bool tunes;                              /* conv_tune.h */
    void *staging;                           /* pinned, for host copies */
    size_t staging_bytes;
    int processors;  /* streaming multiprocessors: launchers size their grids by it */
    bool early;      /* early.c */
    bool resident;   /* cooperative launches are possible, and wanted */
    bool phased;     /* so are those with phases by all blocks */
    int cache_bytes; /* of its L2 */
} gan_cuda_device;

static inline gan_cuda_device *gan_cuda(gan_device *device) { return (gan_cuda_device *)device; }

/* Whether kernels may read and write x in whole vectors: variables lie at any multiple of an
 * element. */
static inline bool gan_cuda_aligned(const gan_array *x) { return (uintptr_t)x->data % 16 == 0; }

/* Turns a library's status into ours, with a message naming the library's call and, for `node`, its
 * op and shapes; `node` may be NULL. */
gan_status gan_cuda_failed(cudaError_t error, const char *call, const gan_node *node);
gan_status gan_cublas_failed(cublasStatus_t error, const char *call, const gan_node *node);
gan_status gan_cudnn_failed(cudnnStatus_t error, const char *call, const gan_node *node);

#define GAN_CUDA_TRY(node, expression)                                                             \
    do {                                                                                           \
        cudaError_t gan_cuda_error_ = (expression);                                                \
        if (gan_cuda_error_ != cudaSuccess)                                                        \
            return gan_cuda_failed(gan_cuda_error_, #expression, node);                            \
    } while (0)
#define GAN_CUBLAS_TRY(node, expression)                                                           \
    do {                                                                                           \
        cublasStatus_t gan_cublas_error_ = (expression);                                           \
        if (gan_cublas_error_ != CUBLAS_STATUS_SUCCESS)                                            \
            return gan_cublas_failed(gan_cublas_error_, #expression, node);                        \
    } while (0)
#define GAN_CUDNN_TRY(node, expression)                                                            \
    do {                                                                                           \
        cudnnStatus_t gan_cudnn_error_ = (expression);                                             \
        if (gan_cudnn_error_ != CUDNN_STATUS_SUCCESS)                                              \
            return gan_cudnn_failed(gan_cudnn_error_, #expression, node);                          \
    } while (0)

/* Refuses arrays of other types than f32: call->in from `first` up to but not including `end`, and
 * the result of what has one. */
gan_status gan_cuda_require_f32(const gan_call *call, int first, int end);

/* Refuses results and operands of 2^31 elements and more: kernels count them in 31 bits. */
gan_status gan_cuda_require_31_bits(const gan_call *call);

/* Makes the device current for the calling thread. */
gan_status gan_cuda_enter(gan_device *device);

/* src/cuda/download.c */
gan_status gan_cuda_begin_download(gan_device *device, gan_download *download, const void *from,
                                   size_t bytes);
gan_status gan_cuda_end_download(gan_device *device, gan_download *download);
void gan_cuda_release_download(gan_device *device, gan_download *download);

/* src/cuda/record.c: a program as a captured graph. */
gan_status gan_cuda_record_calls(gan_device *device, int n_calls, const gan_call *calls,
                                 const gan_branches *branches, int unroll, void **record);
gan_status gan_cuda_replay(gan_device *device, void *record);
void gan_cuda_release_record(gan_device *device, void *record);

/* src/cuda/early.c: as gan_calls_run(), into the graph that the stream captures, where launches of
 * our own may begin while those ahead of them run. gan_cuda_find_early() refuses what the device
 * cannot do. */
gan_status gan_cuda_find_early(gan_cuda_device *d, const gan_device_options *options);
gan_status gan_cuda_capture_early(gan_cuda_device *d, int n_calls, const gan_call *calls);

/* src/cuda/branches.c: puts calls into the graph that the stream captures, `unroll` times, each
 * after those it has to wait for. */
gan_status gan_cuda_capture_branches(gan_cuda_device *d, const gan_call *calls,
                                     const gan_branches *branches, int unroll);

/* src/cuda/joined.c: small calls as tasks of one launch: what a call takes of it, and its tasks, at
 * most GAN_LAUNCH_TASK_PIECES; how many. joined_launch.c: the launch. */
gan_join gan_cuda_joins(const gan_node *node);
struct gan_launch_task;
struct gan_launch_joined_args;
int gan_cuda_tasks(const gan_call *call, struct gan_launch_task *task);
gan_status gan_cuda_run_joined(gan_device *device, int n, const gan_call *calls);

/* What a product, or batch norm's pair, takes of such a launch as a phase of its own; or 0. */
int gan_cuda_phase(const gan_device *device, int n, gan_node *const *calls);

/* Whether two calls are one launch: as norm.c says, or conv_direct.c. */
bool gan_cuda_pairs(const gan_device *device, const gan_node *first, const gan_node *second);

/* src/cuda/norm.c: batch norm's statistics with what goes on from them as one launch: whether two
 * calls are such, whether a sum can be formed there, whether calls that are joined are such a
 * launch; the launch; what of it a prepared call costs otherwise. */
bool gan_cuda_norm_pairs(const gan_device *device, const gan_node *first, const gan_node *second);
bool gan_cuda_forms(const gan_node *sum, const gan_node *moments);
bool gan_cuda_is_pair(const gan_call *calls);
gan_status gan_cuda_run_pair(gan_device *device, int n, const gan_call *calls);

/* As gan_cuda_phase() has them; false: it is not aligned, and runs by itself. */
bool gan_cuda_norm_is_phase(const gan_device *device, int n, gan_node *const *calls);
bool gan_cuda_norm_add(const gan_device *device, int n, const gan_call *calls,
                       struct gan_launch_joined_args *to);
void gan_cuda_pair_cost(const gan_device *device, const gan_call *call, gan_cost *cost);

/* src/cuda/cost.c: how many launches a prepared call makes, and what they move beside its operands
 * and result. */
void gan_cuda_cost(const gan_device *device, const gan_call *call, gan_cost *cost);

/* src/cuda/matmul.c: whether a prepared product applies its program itself. */
bool gan_cuda_matmul_is_own(const gan_call *call);

/* Whether what follows it there was compiled ahead, at aligned addresses; else it is interpreted. */
bool gan_cuda_matmul_is_known(const gan_call *call);

/* As gan_cuda_phase() has it. */
bool gan_cuda_matmul_is_phase(const gan_node *node);
void gan_cuda_matmul_add(const gan_call *call, struct gan_launch_joined_args *to);

/* Whether a product is small enough to be made by the kernel that spreads it. */
bool gan_cuda_matmul_spreads(const gan_node *node);

/* src/cuda/batch_norm.c: whether a prepared batch norm is one launch with what follows it. */
bool gan_cuda_batch_norm_is_joined(const gan_call *call);

/* Whether what follows batch norm is nothing, relu or leaky_relu: its row of base/pointwise.def, or
 * -1, and its k. */
bool gan_cuda_batch_norm_follower(const gan_node *node, int *fn, float *k);

/* src/cuda/conv.c: whether a prepared convolution copies images into a frame, or out of one, and
 * whether it is made by kernels of our own, and whether it applies its program itself. */
bool gan_cuda_conv_is_framed(const gan_call *call);
bool gan_cuda_conv_is_direct(const gan_call *call);
bool gan_cuda_conv_is_fused(const gan_call *call);

/* Whether the second of its two results is a launch of its own. */
bool gan_cuda_conv_is_apart(const gan_call *call);

/* Two calls as one launch: gan_cuda_conv_direct_pairs(). */
bool gan_cuda_conv_is_both(const gan_call *calls);
gan_status gan_cuda_conv_run_both(gan_device *device, const gan_call *calls);

#endif
