/* Descriptors of cuDNN's graph API. */
#ifndef GANC_CUDA_CONV_DESCRIPTOR_H
#define GANC_CUDA_CONV_DESCRIPTOR_H

#include "cuda/device.h"

#define GAN_CUDNN_FORWARD(expression)                                                              \
    do {                                                                                           \
        const cudnnStatus_t gan_cudnn_status_ = (expression);                                      \
        if (gan_cudnn_status_ != CUDNN_STATUS_SUCCESS) return gan_cudnn_status_;                   \
    } while (0)

/* Descriptors that refer to each other live and die together. */
typedef struct gan_cuda_bag {
    cudnnBackendDescriptor_t *d;
    int n, capacity;
} gan_cuda_bag;

/* A new one, the bag's. */
cudnnStatus_t gan_cuda_bag_create(gan_cuda_bag *b, cudnnBackendDescriptorType_t type,
                                  cudnnBackendDescriptor_t *out);

/* Destroys all that are in it. */
void gan_cuda_bag_empty(gan_cuda_bag *b);

/* Sets an attribute to a descriptor. */
cudnnStatus_t gan_cuda_descriptor_refer(cudnnBackendDescriptor_t d,
                                        cudnnBackendAttributeName_t name,
                                        cudnnBackendDescriptor_t value);

#endif
