/* matmul: (a, b), rank 2 or 3, by cuBLAS; small ones that a program follows by a kernel of our own,
 * which saves the launch for the program. */
#include <limits.h>
#include <stdlib.h>

#include "base/error.h"
#include "cuda/device.h"
#include "cuda/kernels.h"
#include "cuda/program.h"

/* Row-major y (m,n) = op(a)·op(b) is, seen by columns, yᵀ = op(b)ᵀ·op(a)ᵀ: the same bytes with the
 * factors exchanged and no transposition that was not asked for. */
typedef struct product {
    int m, n, k, batch;
    cublasOperation_t a, b;
    int lda, ldb;
    cudaDataType_t from, to;
    cublasComputeType_t compute; /* sums are f32 in all of them; tensor float only by its name */
    bool own;                    /* not cuBLAS's */
    int pieces;                  /* elements of the program for each of the product */
    gan_cuda_epilogue epilogue;
} product;

/* Above this the library's kernel is faster by more than a launch. */
static const int64_t most_flops = (int64_t)1 << 29;
enum { MOST_INNER = 4096 };
/* What a grid holds of tiles down, and of products. */
enum { MOST_ROWS = 32 * 65535, MOST_BATCH = 65535 };

bool gan_cuda_matmul_spreads(const gan_node *node) {
    const gan_shape s = gan_matmul_shape(node), a = node->in[0]->shape;
    const int64_t k = a.dim[node->attr.transpose.a ? 0 : 1];
    return node->in[0]->dtype == node->in[1]->dtype && k > 0 && k <= MOST_INNER &&
           s.dim[0] <= MOST_ROWS && 2 * gan_shape_size(s) * k <= most_flops;
}

static bool is_own(const product *p, const gan_call *call) {
    const int64_t flops = 2 * gan_shape_size(gan_matmul_shape(call->node)) * p->k;
    return p->epilogue.active && call->in[0].dtype == call->in[1].dtype && flops <= most_flops &&
           p->k <= MOST_INNER && p->m <= MOST_ROWS && p->batch <= MOST_BATCH &&
           p->epilogue.program.launch.n_slots < GAN_LAUNCH_SLOTS;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    (void)device;
    const gan_shape a = call->in[0].shape, out = gan_matmul_shape(call->node);
    const bool ta = call->node->attr.transpose.a, tb = call->node->attr.transpose.b;
    const int64_t m = out.dim[out.rank - 2], n = out.dim[out.rank - 1],
                  k = a.dim[a.rank - (ta ? 2 : 1)];
    const int64_t batch = out.rank == 3 ? out.dim[0] : 1;
    if (m > INT_MAX || n > INT_MAX || k > INT_MAX || batch > INT_MAX)
        return gan_fail(GAN_ERROR_ARGUMENT, "matmul: device cuda takes axes of less than 2^31");
    product *p = malloc(sizeof *p);
    if (!p) return gan_fail(GAN_ERROR_MEMORY, "matmul: out of memory");
    call->state = p;
    p->m = (int)m;
    p->n = (int)n;
    p->k = (int)k;
    p->batch = (int)batch;
    p->a = ta ? CUBLAS_OP_T : CUBLAS_OP_N;
    p->b = tb ? CUBLAS_OP_T : CUBLAS_OP_N;
    p->lda = ta ? p->m : p->k;
    p->ldb = tb ? p->k : p->n;
    const bool half = call->in[0].dtype == GAN_BF16;
    p->from = half ? CUDA_R_16BF : CUDA_R_32F;
    p->to = call->out.dtype == GAN_BF16 ? CUDA_R_16BF : CUDA_R_32F;
    p->compute = half               ? CUBLAS_COMPUTE_32F
                 : call->node->tf32 ? CUBLAS_COMPUTE_32F_FAST_TF32
                                    : CUBLAS_COMPUTE_32F;
    GAN_TRY(gan_cuda_epilogue_prepare(&p->epilogue, call));
    p->own = is_own(p, call);
    call->scratch = !p->own;
    p->pieces = gan_matmul_is_spread(call->node) ? (int)call->out.shape.dim[out.rank] : 1;
    if (p->own || p->pieces == 1) return GAN_OK;
    return gan_fail(GAN_ERROR_DEVICE, "matmul: device cuda does not spread such a product");
}

/* The library works in memory that calls of other lanes do not touch. */
static gan_status take_lane(gan_cuda_device *d, const gan_call *call) {
    if (d->blas_lane == call->lane) return GAN_OK;
    GAN_CUBLAS_TRY(call->node, cublasSetWorkspace(d->blas, d->lane[call->lane].blas_workspace,
                                                  GAN_CUDA_BLAS_WORKSPACE));
    d->blas_lane = call->lane;
    return GAN_OK;
}

static gan_status multiply(gan_device *device, const gan_call *call, const product *p) {
    const float one = 1, zero = 0;
    gan_cuda_device *d = gan_cuda(device);
    const void *a = call->in[0].data, *b = call->in[1].data;
    void *y = call->out.data;
    GAN_TRY(take_lane(d, call));
    if (p->k == 0) {
        const size_t bytes =
            (size_t)gan_shape_size(call->out.shape) * gan_dtype_size(call->out.dtype);
        GAN_CUDA_TRY(call->node, cudaMemsetAsync(y, 0, bytes, d->stream));
    } else if (p->batch == 1) {
        GAN_CUBLAS_TRY(call->node, cublasGemmEx(d->blas, p->b, p->a, p->n, p->m, p->k, &one, b,
                                                p->from, p->ldb, a, p->from, p->lda, &zero, y,
                                                p->to, p->n, p->compute, CUBLAS_GEMM_DEFAULT));
    } else {
        const long long k = p->k, a_step = p->m * k, b_step = k * p->n,
                        y_step = (long long)p->m * p->n;
        GAN_CUBLAS_TRY(call->node, cublasGemmStridedBatchedEx(
                                       d->blas, p->b, p->a, p->n, p->m, p->k, &one, b, p->from,
                                       p->ldb, b_step, a, p->from, p->lda, a_step, &zero, y, p->to,
                                       p->n, y_step, p->batch, p->compute, CUBLAS_GEMM_DEFAULT));
    }
    return GAN_OK;
}

static gan_launch_product_args args_of(const gan_call *call, const product *p) {
    const bool follows = p->epilogue.active;
    return (gan_launch_product_args){
        .a = call->in[0].data,
        .b = call->in[1].data,
        .y = call->out.data,
        .bf16 = call->in[0].dtype == GAN_BF16,
        .y_bf16 = call->out.dtype == GAN_BF16,
        .transpose_a = call->node->attr.transpose.a,
        .transpose_b = call->node->attr.transpose.b,
        .batch = p->batch,
        .m = p->m,
        .n = p->n,
        .k = p->k,
        .pieces = p->pieces,
        .with_program = follows,
        .raw_input = follows ? gan_cuda_epilogue_raw(&p->epilogue) : -1,
        .program = follows ? gan_cuda_epilogue_at(&p->epilogue, call) : (gan_launch_program){0},
    };
}

static gan_status run_own(gan_device *device, const gan_call *call, const product *p) {
    const gan_launch_product_args a = args_of(call, p);
    GAN_CUDA_TRY(call->node, gan_launch_product(&a, gan_cuda(device)->stream));
    return GAN_OK;
}

/* Beside batch norm, which waits for it, or it for that: what the library's kernel would save is
 * less than a launch, or not much more. */
bool gan_cuda_matmul_is_phase(const gan_node *node) {
    enum { MOST_STEPS = 512 };
    const int64_t most = (int64_t)1 << 31;
    if (node->op != GAN_OP_matmul || node->program || node->n_in != 2 || node->shape.rank != 2 ||
        node->in[0]->dtype != GAN_BF16 || node->in[1]->dtype != GAN_BF16 ||
        (node->attr.transpose.a && node->attr.transpose.b))
        return false;
    const int64_t k = node->in[0]->shape.dim[node->attr.transpose.a ? 0 : 1];
    return k > 0 && k <= MOST_STEPS && 2 * k * gan_shape_size(node->shape) <= most;
}

void gan_cuda_matmul_add(const gan_call *call, gan_launch_joined_args *to) {
    const gan_launch_product_args a = args_of(call, call->state);
    gan_launch_joined_product(to, &a);
}

bool gan_cuda_matmul_is_known(const gan_call *call) {
    const gan_launch_product_args a = args_of(call, call->state);
    return gan_launch_product_is_known(&a);
}

bool gan_cuda_matmul_is_own(const gan_call *call) {
    const product *p = call->state;
    return p->own;
}

static gan_status run(gan_device *device, const gan_call *call) {
    const product *p = call->state;
    if (gan_shape_size(call->out.shape) == 0) return GAN_OK;
    if (p->own) return run_own(device, call, p);
    GAN_TRY(multiply(device, call, p));
    return gan_cuda_epilogue_run(&p->epilogue, device, call);
}

static void release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

const gan_kernel gan_cuda_matmul = {run, prepare, release};
