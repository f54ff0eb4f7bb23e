/* Losses straight from logits, in forms that neither overflow nor lose the tail. A loss is a mean:
 * each block sums its part, and where there are several, a second launch of one block sums those.
 */
#include "kernels/common.cuh"
#include "kernels/launch_loss.h"

namespace {

enum { BLOCK = 512, WARPS = BLOCK / 32 };

/* ---- kernels ---- */

/* The block's total goes to partial[block], or, from the only block, to the loss. */
__device__ __forceinline__ void give_total(float sum, float *loss, float *partial, float scale) {
    sum = block_reduce<BLOCK>(sum, Sum());
    if (threadIdx.x != 0) return;
    if (gridDim.x == 1)
        *loss = sum * scale;
    else
        partial[blockIdx.x] = sum;
}

/* One block: loss = scale · Σ partial (n). */
__global__ void __launch_bounds__(BLOCK)
    total_kernel(float *loss, const float *partial, int n, float scale) {
    GPU_WAIT();
    float sum = 0.0f;
    for (int i = int(threadIdx.x); i < n; i += BLOCK) sum += partial[i];
    sum = block_reduce<BLOCK>(sum, Sum());
    if (threadIdx.x == 0) *loss = sum * scale;
}

struct Logits {
    const float *logits;
    int64_t n;
    float target, scale; // scale: 1/n
    float *loss, *partial, *gradient;
};

/* Each thread takes V logits at a time, the grid's threads side by side. */
template <int V>
__global__ void __launch_bounds__(BLOCK) logits_kernel(const Logits a) {
    GPU_WAIT();
    float sum = 0.0f;
    const int64_t step = int64_t(gridDim.x) * BLOCK * V;
    for (int64_t i = (int64_t(blockIdx.x) * BLOCK + threadIdx.x) * V; i < a.n; i += step) {
        float s[V], d[V];
        load_floats(s, a.logits + i);
#pragma unroll
        for (int k = 0; k < V; k++) {
            const float e = expf(-fabsf(s[k])); // in [0, 1]
            sum += fmaxf(s[k], 0.0f) + log1pf(e) - a.target * s[k];
            d[k] = ((s[k] < 0.0f ? e : 1.0f) / (1.0f + e) - a.target) * a.scale;
        }
        if (a.gradient) store_floats(a.gradient + i, d);
    }
    if (a.loss) give_total(sum, a.loss, a.partial, a.scale);
}

struct Rows {
    const float *logits;   // (rows, classes)
    const int32_t *labels; // (rows)
    int rows, classes;
    int lanes;   // to a row: a power of two, at most 32
    float scale; // 1/rows
    float *loss, *partial, *gradient;
};

/* The largest number of a row and Σ exp(x - it), over the row's lanes; all lanes of the warp take
 * part. */
__device__ __forceinline__ void exp_sum(const Rows &a, const float *x, bool there, int lane,
                                        float &most, float &sum) {
    most = -INFINITY;
    if (there)
        for (int k = lane; k < a.classes; k += a.lanes) most = fmaxf(most, x[k]);
    most = warp_reduce(most, Max(), a.lanes);
    sum = 0.0f;
    if (there)
        for (int k = lane; k < a.classes; k += a.lanes) sum += expf(x[k] - most);
    sum = warp_reduce(sum, Sum(), a.lanes);
}

/* Rows are dealt to groups of lanes, all groups of the grid in turn. */
template <bool GRADIENT>
__global__ void __launch_bounds__(BLOCK) softmax_kernel(const Rows a) {
    GPU_WAIT();
    const int lane = int(threadIdx.x) & (a.lanes - 1), per_warp = 32 / a.lanes;
    const int within = (int(threadIdx.x) & 31) / a.lanes; // which of the warp's rows
    const int64_t step = int64_t(gridDim.x) * WARPS * per_warp;
    int64_t first = (int64_t(blockIdx.x) * WARPS + (threadIdx.x >> 5)) * per_warp;
    float total = 0.0f;
    for (; first < a.rows; first += step) {
        const int64_t row = first + within;
        const bool there = row < a.rows;
        const float *x = a.logits + row * a.classes;
        float most, sum;
        exp_sum(a, x, there, lane, most, sum);
        if (!there) continue;
        const int label = a.labels[row];
        if (GRADIENT) {
            float *y = a.gradient + row * a.classes;
            const float factor = a.scale / sum;
            for (int k = lane; k < a.classes; k += a.lanes)
                y[k] = expf(x[k] - most) * factor - (k == label ? a.scale : 0.0f);
        } else if (lane == 0) {
            total += logf(sum) - (label >= 0 && label < a.classes ? x[label] - most : 0.0f);
        }
    }
    if (!GRADIENT) give_total(total, a.loss, a.partial, a.scale);
}

/* ---- launchers ---- */

int64_t limited(int64_t blocks, int64_t most) {
    return blocks < 1 ? 1 : blocks > most ? most : blocks;
}

/* One block does up to 16 Ki logits; of more, each at least 8 Ki. */
int64_t logits_blocks(int64_t n) {
    return n <= (1 << 14) ? 1 : limited(ceil_div(n, 1 << 13), 1024);
}

int64_t softmax_blocks(int64_t rows, int64_t classes) {
    return rows * classes <= (1 << 14)
               ? 1
               : limited(ceil_div(rows * classes, 1 << 13), limited(rows, 1024));
}

cudaError_t total(float *loss, const float *partial, int64_t n, float scale, cudaStream_t stream) {
    GPU_LAUNCH(total_kernel, dim3(1), dim3(BLOCK), stream, loss, partial, int(n), scale);
    return cudaGetLastError();
}

/* Without the loss there is nothing to bring together. */
int64_t gradient_blocks(int64_t n) { return limited(ceil_div(n, 4 * BLOCK), 1024); }

Rows rows_of(const gan_launch_softmax_loss_args *s) {
    Rows a = {};
    a.logits = s->logits, a.labels = s->labels;
    a.rows = int(s->rows), a.classes = int(s->classes);
    a.lanes = 1;
    while (a.lanes < 32 && a.lanes < a.classes) a.lanes *= 2;
    a.scale = 1.0f / float(s->rows);
    return a;
}

} // namespace

extern "C" size_t gan_launch_logits_loss_workspace(int64_t n) {
    const int64_t blocks = logits_blocks(n);
    return blocks == 1 ? 0 : sizeof(float) * size_t(blocks);
}

extern "C" cudaError_t gan_launch_logits_loss(const gan_launch_logits_loss_args *l,
                                              cudaStream_t stream) {
    if (l->n == 0) return cudaSuccess;
    const int64_t blocks = l->loss ? logits_blocks(l->n) : gradient_blocks(l->n);
    float *partial = static_cast<float *>(l->workspace);
    const Logits a = {l->logits, l->n,    l->target,  1.0f / float(l->n),
                      l->loss,   partial, l->gradient};
    if (vector_width(l->logits, l->n, 4, 4) == 4 && vector_width(l->gradient, l->n, 4, 4) == 4)
        GPU_LAUNCH(logits_kernel<4>, dim3(unsigned(blocks)), dim3(BLOCK), stream, a);
    else
        GPU_LAUNCH(logits_kernel<1>, dim3(unsigned(blocks)), dim3(BLOCK), stream, a);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess || !l->loss || blocks == 1) return error;
    return total(l->loss, partial, blocks, a.scale, stream);
}

extern "C" size_t gan_launch_softmax_loss_workspace(const gan_launch_softmax_loss_args *s) {
    const int64_t blocks = softmax_blocks(s->rows, s->classes);
    return blocks == 1 ? 0 : sizeof(float) * size_t(blocks);
}

extern "C" cudaError_t gan_launch_softmax_loss(float *loss, const gan_launch_softmax_loss_args *s,
                                               cudaStream_t stream) {
    if (s->rows == 0) return cudaSuccess;
    const int64_t blocks = softmax_blocks(s->rows, s->classes);
    Rows a = rows_of(s);
    a.loss = loss, a.partial = static_cast<float *>(s->workspace);
    GPU_LAUNCH(softmax_kernel<false>, dim3(unsigned(blocks)), dim3(BLOCK), stream, a);
    const cudaError_t error = cudaGetLastError();
    if (error != cudaSuccess || blocks == 1) return error;
    return total(loss, a.partial, blocks, a.scale, stream);
}

extern "C" cudaError_t gan_launch_softmax_loss_grad(float *gradient,
                                                    const gan_launch_softmax_loss_args *s,
                                                    cudaStream_t stream) {
    if (s->rows == 0 || s->classes == 0) return cudaSuccess;
    Rows a = rows_of(s);
    a.gradient = gradient;
    const int64_t rows_a_block = WARPS * (32 / a.lanes);
    GPU_LAUNCH(softmax_kernel<true>, dim3(unsigned(limited(ceil_div(s->rows, rows_a_block), 4096))),
               dim3(BLOCK), stream, a);
    return cudaGetLastError();
}
