/* Matrix products. */
#ifndef GANC_CPU_GEMM_H
#define GANC_CPU_GEMM_H

#include "cpu/program.h"

/* c (m,n) = op(a)·op(b) + beta·c, op = transpose where asked, everything row-major with the given
 * row pitches, on the calling thread alone when called from a task. beta 0 does not read c. False
 * when the library ran out of memory. */
bool gan_cpu_gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k,
                  const float *a, int64_t lda, const float *b, int64_t ldb, float beta, float *c,
                  int64_t ldc);

/* A dense product, batched, cut into tiles by its shape: op(a)·op(b), (batch,m,k)·(batch,k,n). */
typedef struct gan_cpu_product {
    bool transpose_a, transpose_b;
    int64_t batch, m, n, k;
    int64_t tile_m, tile_n; /* of the result */
    int64_t chunks,
        chunk_k;    /* a long k is cut into chunks, whose results are added in a fixed order */
    bool by_strips; /* by our own inner loop, else by a library */
} gan_cpu_product;

gan_cpu_product gan_cpu_product_plan(bool transpose_a, bool transpose_b, int64_t batch, int64_t m,
                                     int64_t n, int64_t k);

/* Bytes of workspace that a run on so many threads needs. */
size_t gan_cpu_product_workspace(const gan_cpu_product *product, int threads);

/* The epilogue of `call`, which may be NULL, follows each tile. False when a library failed. */
bool gan_cpu_product_run(const gan_device *device, const gan_cpu_product *product, const float *a,
                         const float *b, float *c, void *workspace,
                         const gan_cpu_epilogue *epilogue, const gan_call *call);

/* The way of gemm_strips.c: whether it is to be taken, with its cut; and its part of the above. */
bool gan_cpu_strips_plan(gan_cpu_product *product);
size_t gan_cpu_strips_workspace(const gan_cpu_product *product, int threads);
bool gan_cpu_strips_run(const gan_device *device, const gan_cpu_product *product, const float *a,
                        const float *b, float *c, void *workspace, const gan_cpu_epilogue *epilogue,
                        const gan_call *call);

/* c[i] = sum over j < parts of part[j·size + i], added as a tree; clobbers part; c may
 * be part. */
bool gan_cpu_sum_parts(const gan_device *device, int64_t parts, int64_t size, float *part,
                       float *c);

#endif
