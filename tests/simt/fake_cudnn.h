/* What the files of the cuDNN stand-in share. */
#pragma once

#include <cudnn.h>

#include "runtime.h"

struct cudnnContext {
    int device;
    cudaStream_t stream = nullptr;
};

struct cudnnTensorStruct { /* NHWC without gaps */
    bool set = false;
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    int n = 0, h = 0, w = 0, c = 0;
};

struct cudnnFilterStruct { /* KRSC without gaps */
    bool set = false;
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    int k = 0, r = 0, s = 0, c = 0;
};

struct cudnnConvolutionStruct {
    bool set = false;
    cudnnDataType_t compute = CUDNN_DATA_FLOAT;
    cudnnMathType_t math = CUDNN_DEFAULT_MATH;
    int pad_h = 0, pad_w = 0, stride_h = 0, stride_w = 0, dilation_h = 0, dilation_w = 0;
};

namespace simt {

/* Says why on stderr. */
cudnnStatus_t dnn_refuse(cudnnStatus_t status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

struct convolution { /* y = conv(x, w), or one of its adjoints */
    cudnnTensorStruct x, y;
    cudnnFilterStruct w;
    cudnnConvolutionStruct how;
};

enum class direction { forward, data, filter };

/* Which of `x`, `y`, `w` it computes from the two others, in double, then result = alpha·it +
 * beta·result. */
void convolve(const convolution &c, direction d, const void *x, const void *w, const void *y,
              void *result, float alpha, float beta);

} // namespace simt
