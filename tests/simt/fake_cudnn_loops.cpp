/* The three convolutions as loops over all pairs that a filter joins. */
#include <cuda_bf16.h>

#include <cstring>
#include <vector>

#include "fake_cudnn.h"

namespace simt {

namespace {

/* What a tensor core takes of an f32: the 10 bits behind the first, the others cut off. */
float tensor_float(float x) {
    unsigned bits;
    memcpy(&bits, &x, sizeof bits);
    bits &= ~0x1fffu;
    memcpy(&x, &bits, sizeof bits);
    return x;
}

std::vector<double> read(const void *data, cudnnDataType_t type, cudnnMathType_t math, size_t n) {
    std::vector<double> out(n);
    for (size_t i = 0; i < n; i++) {
        if (type == CUDNN_DATA_BFLOAT16) {
            out[i] = double(__bfloat162float(static_cast<const __nv_bfloat16 *>(data)[i]));
        } else {
            const float x = static_cast<const float *>(data)[i];
            out[i] = double(math == CUDNN_FMA_MATH ? x : tensor_float(x));
        }
    }
    return out;
}

void write(void *data, cudnnDataType_t type, const std::vector<double> &sum, float alpha,
           float beta) {
    for (size_t i = 0; i < sum.size(); i++) {
        double value = double(alpha) * sum[i];
        if (type == CUDNN_DATA_BFLOAT16) {
            __nv_bfloat16 *p = static_cast<__nv_bfloat16 *>(data) + i;
            if (beta != 0.0f) value += double(beta * __bfloat162float(*p));
            *p = __float2bfloat16_rn(float(value));
        } else {
            float *p = static_cast<float *>(data) + i;
            if (beta != 0.0f) value += double(beta * *p);
            *p = float(value);
        }
    }
}

size_t size(const cudnnTensorStruct &t) {
    return size_t(t.n) * size_t(t.h) * size_t(t.w) * size_t(t.c);
}
size_t size(const cudnnFilterStruct &f) {
    return size_t(f.k) * size_t(f.r) * size_t(f.s) * size_t(f.c);
}

/* Calls `joined(x, w, y)` with the places of the first channel of every x and w that meet in a y.
 */
template <class F>
void each_join(const convolution &v, F joined) {
    const size_t channels = size_t(v.x.c), filters = size_t(v.w.k);
    for (int n = 0; n < v.y.n; n++)
        for (int p = 0; p < v.y.h; p++)
            for (int q = 0; q < v.y.w; q++)
                for (int r = 0; r < v.w.r; r++)
                    for (int s = 0; s < v.w.s; s++) {
                        const int h = p * v.how.stride_h - v.how.pad_h + r * v.how.dilation_h;
                        const int w = q * v.how.stride_w - v.how.pad_w + s * v.how.dilation_w;
                        if (h < 0 || h >= v.x.h || w < 0 || w >= v.x.w) continue;
                        const size_t x = size_t((n * v.x.h + h) * v.x.w + w) * channels;
                        const size_t y = size_t((n * v.y.h + p) * v.y.w + q) * filters;
                        for (size_t k = 0; k < filters; k++)
                            joined(x,
                                   (size_t(v.w.r * v.w.s) * k + size_t(r * v.w.s + s)) * channels,
                                   y + k);
                    }
}

} // namespace

void convolve(const convolution &v, direction d, const void *x, const void *w, const void *y,
              void *result, float alpha, float beta) {
    const size_t channels = size_t(v.x.c);
    std::vector<double> xs(size(v.x)), ws(size(v.w)), ys(size(v.y));
    if (d != direction::data) xs = read(x, v.x.type, v.how.math, xs.size());
    if (d != direction::filter) ws = read(w, v.w.type, v.how.math, ws.size());
    if (d != direction::forward) ys = read(y, v.y.type, v.how.math, ys.size());
    switch (d) {
    case direction::forward:
        each_join(v, [&](size_t i, size_t j, size_t k) {
            double sum = 0;
            for (size_t c = 0; c < channels; c++) sum += xs[i + c] * ws[j + c];
            ys[k] += sum;
        });
        return write(result, v.y.type, ys, alpha, beta);
    case direction::data:
        each_join(v, [&](size_t i, size_t j, size_t k) {
            for (size_t c = 0; c < channels; c++) xs[i + c] += ys[k] * ws[j + c];
        });
        return write(result, v.x.type, xs, alpha, beta);
    case direction::filter:
        each_join(v, [&](size_t i, size_t j, size_t k) {
            for (size_t c = 0; c < channels; c++) ws[j + c] += ys[k] * xs[i + c];
        });
        return write(result, v.w.type, ws, alpha, beta);
    }
}

} // namespace simt
