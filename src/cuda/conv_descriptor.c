#include "cuda/conv_descriptor.h"

#include <stdlib.h>

cudnnStatus_t gan_cuda_bag_create(gan_cuda_bag *b, cudnnBackendDescriptorType_t type,
                                  cudnnBackendDescriptor_t *out) {
    if (b->n == b->capacity) {
        const int capacity = b->capacity ? 2 * b->capacity : 32;
        cudnnBackendDescriptor_t *d = realloc(b->d, (size_t)capacity * sizeof *d);
        if (!d) return CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED;
        b->d = d;
        b->capacity = capacity;
    }
    GAN_CUDNN_FORWARD(cudnnBackendCreateDescriptor(type, out));
    b->d[b->n++] = *out;
    return CUDNN_STATUS_SUCCESS;
}

void gan_cuda_bag_empty(gan_cuda_bag *b) {
    while (b->n > 0) cudnnBackendDestroyDescriptor(b->d[--b->n]);
    free(b->d);
    *b = (gan_cuda_bag){0};
}

cudnnStatus_t gan_cuda_descriptor_refer(cudnnBackendDescriptor_t d,
                                        cudnnBackendAttributeName_t name,
                                        cudnnBackendDescriptor_t value) {
    return cudnnBackendSetAttribute(d, name, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &value);
}
