/* Copies to the host that nobody waits for until they are needed: pinned memory and an event. */
#include "base/error.h"
#include "cuda/device.h"
#include "device/download.h"

/* A power of two, for pinning memory is slow and waits for the device. */
static gan_status reserve(gan_download *download, size_t bytes) {
    if (bytes <= download->capacity) return GAN_OK;
    size_t capacity = 4096;
    while (capacity < bytes) capacity *= 2;
    if (download->data) GAN_CUDA_TRY(NULL, cudaFreeHost(download->data));
    download->data = NULL;
    download->capacity = 0;
    GAN_CUDA_TRY(NULL, cudaMallocHost(&download->data, capacity));
    download->capacity = capacity;
    return GAN_OK;
}

gan_status gan_cuda_begin_download(gan_device *device, gan_download *download, const void *from,
                                   size_t bytes) {
    const cudaStream_t stream = gan_cuda(device)->stream;
    GAN_TRY(gan_cuda_enter(device));
    GAN_TRY(reserve(download, bytes));
    if (!download->mark) {
        cudaEvent_t event;
        GAN_CUDA_TRY(NULL, cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
        download->mark = event;
    }
    if (bytes)
        GAN_CUDA_TRY(NULL,
                     cudaMemcpyAsync(download->data, from, bytes, cudaMemcpyDeviceToHost, stream));
    GAN_CUDA_TRY(NULL, cudaEventRecord(download->mark, stream));
    return GAN_OK;
}

gan_status gan_cuda_end_download(gan_device *device, gan_download *download) {
    GAN_TRY(gan_cuda_enter(device));
    if (download->mark) GAN_CUDA_TRY(NULL, cudaEventSynchronize(download->mark));
    return GAN_OK;
}

void gan_cuda_release_download(gan_device *device, gan_download *download) {
    cudaSetDevice(device->index);
    if (download->mark) {
        cudaEventSynchronize(download->mark);
        cudaEventDestroy(download->mark);
    }
    if (download->data) cudaFreeHost(download->data);
}
