/* The part of cuBLAS that src/cuda calls: naive loops behind strict checks. Column-major, as there.
 */
#include <cublas_v2.h>
#include <cuda_bf16.h>

#include <cstdarg>
#include <cstdio>
#include <vector>

#include "runtime.h"

struct cublasContext {
    int device;
    cudaStream_t stream = nullptr;
    void *workspace = nullptr;
    cublasMath_t math = CUBLAS_DEFAULT_MATH;
};

namespace {

using namespace simt;

cublasStatus_t refused(cublasStatus_t status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
cublasStatus_t refused(cublasStatus_t status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("simt: cuBLAS: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}

struct matrix {
    const void *data;
    cudaDataType type;
    int rows, columns; /* as stored */
    int ld;
    long long stride;
    bool transposed;
};

struct product { /* C = alpha op(A) op(B) + beta C, for each of a batch */
    matrix a, b, c;
    int m, n, k, batch;
    float alpha, beta;
};

size_t size_of(cudaDataType type) { return type == CUDA_R_16BF ? 2 : 4; }

float load(const matrix &x, size_t at) {
    return x.type == CUDA_R_16BF ? __bfloat162float(static_cast<const __nv_bfloat16 *>(x.data)[at])
                                 : static_cast<const float *>(x.data)[at];
}

void store(const matrix &x, size_t at, float value) {
    void *data = const_cast<void *>(x.data);
    if (x.type == CUDA_R_16BF)
        static_cast<__nv_bfloat16 *>(data)[at] = __float2bfloat16_rn(value);
    else
        static_cast<float *>(data)[at] = value;
}

/* op(X) of one matrix of the batch as columns without gaps. */
std::vector<double> unpack(const matrix &x, int rows, int columns, int item) {
    std::vector<double> out(size_t(rows) * size_t(columns));
    const size_t first = size_t(x.stride) * size_t(item), ld = size_t(x.ld);
    for (size_t j = 0; j < size_t(columns); j++)
        for (size_t i = 0; i < size_t(rows); i++)
            out[j * size_t(rows) + i] =
                double(load(x, first + (x.transposed ? i * ld + j : j * ld + i)));
    return out;
}

void multiply(const product &p) {
    const size_t m = size_t(p.m), n = size_t(p.n), k = size_t(p.k);
    std::vector<double> sum(m);
    for (int item = 0; item < p.batch; item++) {
        const std::vector<double> a = unpack(p.a, p.m, p.k, item), b = unpack(p.b, p.k, p.n, item);
        const size_t first = size_t(p.c.stride) * size_t(item);
        for (size_t j = 0; j < n; j++) {
            sum.assign(m, 0.0);
            for (size_t l = 0; l < k; l++)
                for (size_t i = 0; i < m; i++) sum[i] += a[l * m + i] * b[j * k + l];
            for (size_t i = 0; i < m; i++) {
                const size_t at = first + j * size_t(p.c.ld) + i;
                /* beta = 0: C need not hold numbers */
                store(p.c, at,
                      float(double(p.alpha) * sum[i] +
                            (p.beta == 0.0f ? 0.0 : double(p.beta * load(p.c, at)))));
            }
        }
    }
}

size_t extent(const matrix &x, int batch) {
    if (x.rows == 0 || x.columns == 0 || batch == 0) return 0;
    return (size_t(x.stride) * size_t(batch - 1) + size_t(x.ld) * size_t(x.columns - 1) +
            size_t(x.rows)) *
           size_of(x.type);
}

bool overlap(const matrix &x, const matrix &y, int batch) {
    const char *a = static_cast<const char *>(x.data), *b = static_cast<const char *>(y.data);
    return a < b + extent(y, batch) && b < a + extent(x, batch);
}

cublasStatus_t check_matrix(const char *name, const matrix &x, int batch) {
    if (x.type != CUDA_R_32F && x.type != CUDA_R_16BF)
        return refused(CUBLAS_STATUS_NOT_SUPPORTED, "%s has type %d", name, int(x.type));
    if (x.ld < (x.rows > 1 ? x.rows : 1))
        return refused(CUBLAS_STATUS_INVALID_VALUE, "ld%s is %d, with %d rows", name, x.ld, x.rows);
    if (x.stride < 0)
        return refused(CUBLAS_STATUS_INVALID_VALUE, "stride of %s is %lld", name, x.stride);
    if (extent(x, batch) && !x.data)
        return refused(CUBLAS_STATUS_INVALID_VALUE, "%s is NULL", name);
    if (reinterpret_cast<uintptr_t>(x.data) % size_of(x.type))
        return refused(CUBLAS_STATUS_INVALID_VALUE, "%s is not aligned", name);
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t run(cublasHandle_t h, const product &p) {
    runtime_lock lock;
    if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (usable()) return CUBLAS_STATUS_EXECUTION_FAILED;
    if (!h->stream) return refused(CUBLAS_STATUS_INVALID_VALUE, "the handle has no stream");
    if (!h->workspace)
        return refused(CUBLAS_STATUS_INVALID_VALUE, "the handle has no workspace for capture");
    if (p.m < 0 || p.n < 0 || p.k < 0 || p.batch < 0)
        return refused(CUBLAS_STATUS_INVALID_VALUE, "m %d, n %d, k %d, batch %d", p.m, p.n, p.k,
                       p.batch);
    for (auto row :
         {std::make_pair("a", &p.a), std::make_pair("b", &p.b), std::make_pair("c", &p.c)})
        if (cublasStatus_t status = check_matrix(row.first, *row.second, p.batch)) return status;
    if (p.a.type != p.b.type || (p.a.type == CUDA_R_32F && p.c.type != CUDA_R_32F))
        return refused(CUBLAS_STATUS_NOT_SUPPORTED, "types of a, b, c: %d, %d, %d", int(p.a.type),
                       int(p.b.type), int(p.c.type));
    if (p.batch > 1 && size_t(p.c.stride) < size_t(p.c.ld) * size_t(p.n) - size_t(p.c.ld - p.m))
        return refused(CUBLAS_STATUS_INVALID_VALUE, "the results of a batch overlap");
    if (overlap(p.a, p.c, p.batch) || overlap(p.b, p.c, p.batch))
        return refused(CUBLAS_STATUS_INVALID_VALUE, "the result overlaps an operand");
    const int device = device_of(h->stream);
    if (device != h->device)
        return refused(CUBLAS_STATUS_INVALID_VALUE, "the stream is another device's");
    expect_device_memory("cuBLAS: a", p.a.data, extent(p.a, p.batch), device);
    expect_device_memory("cuBLAS: b", p.b.data, extent(p.b, p.batch), device);
    expect_device_memory("cuBLAS: c", p.c.data, extent(p.c, p.batch), device);
    return submit(h->stream, {"cuBLAS product", [p] { multiply(p); }})
               ? CUBLAS_STATUS_EXECUTION_FAILED
               : CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t gemm(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n,
                    int k, const void *alpha, const void *a, cudaDataType a_type, int lda,
                    long long a_stride, const void *b, cudaDataType b_type, int ldb,
                    long long b_stride, const void *beta, void *c, cudaDataType c_type, int ldc,
                    long long c_stride, int batch) {
    if (!alpha || !beta) return refused(CUBLAS_STATUS_INVALID_VALUE, "alpha or beta is NULL");
    if ((ta != CUBLAS_OP_N && ta != CUBLAS_OP_T) || (tb != CUBLAS_OP_N && tb != CUBLAS_OP_T))
        return refused(CUBLAS_STATUS_INVALID_VALUE, "operations %d, %d", int(ta), int(tb));
    const bool at = ta == CUBLAS_OP_T, bt = tb == CUBLAS_OP_T;
    return run(h, {{a, a_type, at ? k : m, at ? m : k, lda, a_stride, at},
                   {b, b_type, bt ? n : k, bt ? k : n, ldb, b_stride, bt},
                   {c, c_type, m, n, ldc, c_stride, false},
                   m,
                   n,
                   k,
                   batch,
                   *static_cast<const float *>(alpha),
                   *static_cast<const float *>(beta)});
}

/* The pedantic one gives up the library's fast algorithms for no digit of a real product. */
cublasStatus_t check_compute(cublasComputeType_t compute) {
    if (compute == CUBLAS_COMPUTE_32F || compute == CUBLAS_COMPUTE_32F_FAST_TF32)
        return CUBLAS_STATUS_SUCCESS;
    return refused(CUBLAS_STATUS_NOT_SUPPORTED, "compute type %d: sums are to be f32, and fast",
                   int(compute));
}

} // namespace

/* ---- the handle ---- */

cublasStatus_t cublasCreate_v2(cublasHandle_t *out) {
    runtime_lock lock;
    if (usable() || forbidden_in_capture("cublasCreate")) return CUBLAS_STATUS_NOT_INITIALIZED;
    *out = new cublasContext{current_device()};
    counts.handles++;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasDestroy_v2(cublasHandle_t h) {
    runtime_lock lock;
    if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
    delete h;
    counts.handles--;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasGetProperty(libraryPropertyType type, int *value) {
    if (type != MAJOR_VERSION && type != MINOR_VERSION && type != PATCH_LEVEL)
        return CUBLAS_STATUS_INVALID_VALUE;
    *value = type == MAJOR_VERSION   ? CUBLAS_VER_MAJOR
             : type == MINOR_VERSION ? CUBLAS_VER_MINOR
                                     : CUBLAS_VER_PATCH;
    return CUBLAS_STATUS_SUCCESS;
}

/* The real one forgets the workspace with the stream. */
cublasStatus_t cublasSetStream_v2(cublasHandle_t h, cudaStream_t stream) {
    if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
    h->stream = stream;
    h->workspace = nullptr;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetWorkspace_v2(cublasHandle_t h, void *workspace, size_t bytes) {
    runtime_lock lock;
    if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
    if (reinterpret_cast<uintptr_t>(workspace) % 256)
        return refused(CUBLAS_STATUS_INVALID_VALUE, "the workspace is not aligned to 256 bytes");
    expect_device_memory("cublasSetWorkspace", workspace, bytes, h->device);
    h->workspace = workspace;
    return CUBLAS_STATUS_SUCCESS;
}

cublasStatus_t cublasSetMathMode(cublasHandle_t h, cublasMath_t mode) {
    if (!h) return CUBLAS_STATUS_NOT_INITIALIZED;
    h->math = mode;
    return CUBLAS_STATUS_SUCCESS;
}

const char *cublasGetStatusString(cublasStatus_t status) {
    switch (status) {
    case CUBLAS_STATUS_SUCCESS:
        return "the library is fine";
    case CUBLAS_STATUS_NOT_INITIALIZED:
        return "the library is not initialized";
    case CUBLAS_STATUS_ALLOC_FAILED:
        return "memory allocation failed";
    case CUBLAS_STATUS_INVALID_VALUE:
        return "invalid value";
    case CUBLAS_STATUS_EXECUTION_FAILED:
        return "execution failed";
    case CUBLAS_STATUS_NOT_SUPPORTED:
        return "not supported";
    default:
        return "unknown error";
    }
}

/* ---- products ---- */

cublasStatus_t cublasSgemm_v2(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m,
                              int n, int k, const float *alpha, const float *a, int lda,
                              const float *b, int ldb, const float *beta, float *c, int ldc) {
    return gemm(h, ta, tb, m, n, k, alpha, a, CUDA_R_32F, lda, 0, b, CUDA_R_32F, ldb, 0, beta, c,
                CUDA_R_32F, ldc, 0, 1);
}

cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t h, cublasOperation_t ta,
                                         cublasOperation_t tb, int m, int n, int k,
                                         const float *alpha, const float *a, int lda,
                                         long long a_stride, const float *b, int ldb,
                                         long long b_stride, const float *beta, float *c, int ldc,
                                         long long c_stride, int batch) {
    return gemm(h, ta, tb, m, n, k, alpha, a, CUDA_R_32F, lda, a_stride, b, CUDA_R_32F, ldb,
                b_stride, beta, c, CUDA_R_32F, ldc, c_stride, batch);
}

cublasStatus_t cublasGemmEx(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m,
                            int n, int k, const void *alpha, const void *a, cudaDataType a_type,
                            int lda, const void *b, cudaDataType b_type, int ldb, const void *beta,
                            void *c, cudaDataType c_type, int ldc, cublasComputeType_t compute,
                            cublasGemmAlgo_t) {
    if (cublasStatus_t status = check_compute(compute)) return status;
    return gemm(h, ta, tb, m, n, k, alpha, a, a_type, lda, 0, b, b_type, ldb, 0, beta, c, c_type,
                ldc, 0, 1);
}

cublasStatus_t cublasGemmStridedBatchedEx(cublasHandle_t h, cublasOperation_t ta,
                                          cublasOperation_t tb, int m, int n, int k,
                                          const void *alpha, const void *a, cudaDataType a_type,
                                          int lda, long long a_stride, const void *b,
                                          cudaDataType b_type, int ldb, long long b_stride,
                                          const void *beta, void *c, cudaDataType c_type, int ldc,
                                          long long c_stride, int batch,
                                          cublasComputeType_t compute, cublasGemmAlgo_t) {
    if (cublasStatus_t status = check_compute(compute)) return status;
    return gemm(h, ta, tb, m, n, k, alpha, a, a_type, lda, a_stride, b, b_type, ldb, b_stride, beta,
                c, c_type, ldc, c_stride, batch);
}
