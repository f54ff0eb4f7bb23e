/* The handle and descriptors of the cuDNN stand-in: NHWC, KRSC, cross-correlation, f32 sums. */
#include "fake_cudnn.h"

#include <cstdarg>
#include <cstdio>

using namespace simt;

cudnnStatus_t simt::dnn_refuse(cudnnStatus_t status, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("simt: cuDNN: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    return status;
}

namespace {

template <class T>
cudnnStatus_t create(T **out) {
    runtime_lock lock;
    *out = new T;
    counts.handles++;
    return CUDNN_STATUS_SUCCESS;
}

template <class T>
cudnnStatus_t destroy(T *it) {
    runtime_lock lock;
    if (!it) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    delete it;
    counts.handles--;
    return CUDNN_STATUS_SUCCESS;
}

bool known(cudnnDataType_t type) { return type == CUDNN_DATA_FLOAT || type == CUDNN_DATA_BFLOAT16; }

} // namespace

cudnnStatus_t cudnnCreate(cudnnHandle_t *out) {
    runtime_lock lock;
    if (usable() || forbidden_in_capture("cudnnCreate")) return CUDNN_STATUS_NOT_INITIALIZED;
    *out = new cudnnContext{current_device()};
    counts.handles++;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle) { return destroy(handle); }

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream) {
    if (!handle) return CUDNN_STATUS_NOT_INITIALIZED;
    handle->stream = stream;
    return CUDNN_STATUS_SUCCESS;
}

size_t cudnnGetVersion() { return machine.cudnn ? machine.cudnn : CUDNN_VERSION; }

const char *cudnnGetErrorString(cudnnStatus_t status) {
    switch (int(status) / 1000 * 1000) {
    case CUDNN_STATUS_SUCCESS:
        return "CUDNN_STATUS_SUCCESS";
    case 1000:
        return "CUDNN_STATUS_NOT_INITIALIZED";
    case CUDNN_STATUS_BAD_PARAM:
        return "CUDNN_STATUS_BAD_PARAM";
    case CUDNN_STATUS_NOT_SUPPORTED:
        return "CUDNN_STATUS_NOT_SUPPORTED";
    case CUDNN_STATUS_EXECUTION_FAILED:
        return "CUDNN_STATUS_EXECUTION_FAILED";
    default:
        return "CUDNN_STATUS_INTERNAL_ERROR";
    }
}

/* ---- tensors ---- */

cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t *out) { return create(out); }
cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t t) { return destroy(t); }

cudnnStatus_t cudnnSetTensor4dDescriptor(cudnnTensorDescriptor_t t, cudnnTensorFormat_t format,
                                         cudnnDataType_t type, int n, int c, int h, int w) {
    if (!t) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (format != CUDNN_TENSOR_NHWC)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT,
                          "tensor format %d: images are NHWC here", int(format));
    if (!known(type))
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "tensor type %d", int(type));
    if (n < 1 || c < 1 || h < 1 || w < 1)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "tensor of n %d, c %d, h %d, w %d", n, c, h, w);
    t->set = true, t->type = type, t->n = n, t->h = h, t->w = w, t->c = c;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetTensor4dDescriptorEx(cudnnTensorDescriptor_t t, cudnnDataType_t type, int n,
                                           int c, int h, int w, int n_stride, int c_stride,
                                           int h_stride, int w_stride) {
    if (c_stride != 1 || w_stride != c || h_stride != w * c || n_stride != h * w * c)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT,
                          "strides n %d, c %d, h %d, w %d: not NHWC without gaps", n_stride,
                          c_stride, h_stride, w_stride);
    return cudnnSetTensor4dDescriptor(t, CUDNN_TENSOR_NHWC, type, n, c, h, w);
}

/* ---- filters ---- */

cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t *out) { return create(out); }
cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t f) { return destroy(f); }

cudnnStatus_t cudnnSetFilter4dDescriptor(cudnnFilterDescriptor_t f, cudnnDataType_t type,
                                         cudnnTensorFormat_t format, int k, int c, int r, int s) {
    if (!f) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (format != CUDNN_TENSOR_NHWC)
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_LAYOUT,
                          "filter format %d: filters are KRSC here", int(format));
    if (!known(type))
        return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "filter type %d", int(type));
    if (k < 1 || c < 1 || r < 1 || s < 1)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "filter of k %d, c %d, r %d, s %d", k, c, r, s);
    f->set = true, f->type = type, f->k = k, f->r = r, f->s = s, f->c = c;
    return CUDNN_STATUS_SUCCESS;
}

/* ---- convolutions ---- */

cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t *out) {
    return create(out);
}
cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t c) {
    return destroy(c);
}

cudnnStatus_t cudnnSetConvolution2dDescriptor(cudnnConvolutionDescriptor_t c, int pad_h, int pad_w,
                                              int stride_h, int stride_w, int dilation_h,
                                              int dilation_w, cudnnConvolutionMode_t mode,
                                              cudnnDataType_t compute) {
    if (!c) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (mode != CUDNN_CROSS_CORRELATION)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM,
                          "mode %d: a convolution does not flip its filter here", int(mode));
    if (compute != CUDNN_DATA_FLOAT)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "compute type %d: sums are to be f32",
                          int(compute));
    if (pad_h < 0 || pad_w < 0 || stride_h < 1 || stride_w < 1 || dilation_h < 1 || dilation_w < 1)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "pad %d, %d, stride %d, %d, dilation %d, %d",
                          pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w);
    c->set = true, c->compute = compute, c->math = CUDNN_DEFAULT_MATH;
    c->pad_h = pad_h, c->pad_w = pad_w, c->stride_h = stride_h, c->stride_w = stride_w;
    c->dilation_h = dilation_h, c->dilation_w = dilation_w;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t c, cudnnMathType_t math) {
    if (!c) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (!c->set)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "math type before the convolution is described");
    c->math = math;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t c, int groups) {
    if (!c) return CUDNN_STATUS_BAD_PARAM_NULL_POINTER;
    if (groups != 1) return dnn_refuse(CUDNN_STATUS_NOT_SUPPORTED, "%d groups", groups);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnGetConvolution2dForwardOutputDim(cudnnConvolutionDescriptor_t c,
                                                    cudnnTensorDescriptor_t x,
                                                    cudnnFilterDescriptor_t f, int *n, int *k,
                                                    int *h, int *w) {
    if (!c || !x || !f || !c->set || !x->set || !f->set)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "a descriptor is missing or not set");
    const int r = (f->r - 1) * c->dilation_h + 1, s = (f->s - 1) * c->dilation_w + 1;
    *n = x->n;
    *k = f->k;
    *h = 1 + (x->h + 2 * c->pad_h - r) / c->stride_h;
    *w = 1 + (x->w + 2 * c->pad_w - s) / c->stride_w;
    if (x->c != f->c)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM_SHAPE_MISMATCH, "%d channels, the filter has %d",
                          x->c, f->c);
    if (x->h + 2 * c->pad_h < r || x->w + 2 * c->pad_w < s)
        return dnn_refuse(CUDNN_STATUS_BAD_PARAM, "the filter is larger than the padded image");
    return CUDNN_STATUS_SUCCESS;
}
