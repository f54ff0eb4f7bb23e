/* Downloads that leave the host free, on devices that work behind its back, and others on the rest.
 */
#include "device/download.h"

#include <stdlib.h>

#include "base/error.h"

static gan_status reserve(gan_download *download, size_t bytes) {
    if (bytes <= download->capacity) return GAN_OK;
    void *data = realloc(download->data, bytes);
    if (!data) return gan_fail(GAN_ERROR_MEMORY, "download: no memory for %zu bytes", bytes);
    download->data = data;
    download->capacity = bytes;
    return GAN_OK;
}

gan_status gan_download_begin(gan_download *download, gan_device *device, const void *from,
                              size_t bytes) {
    const gan_backend *backend = device->backend;
    if (backend->begin_download) return backend->begin_download(device, download, from, bytes);
    GAN_TRY(reserve(download, bytes));
    return backend->download(device, download->data, from, bytes);
}

gan_status gan_download_end(gan_download *download, gan_device *device) {
    const gan_backend *backend = device->backend;
    return backend->end_download ? backend->end_download(device, download) : GAN_OK;
}

void gan_download_close(gan_download *download, gan_device *device) {
    if (device->backend->release_download)
        device->backend->release_download(device, download);
    else
        free(download->data);
    *download = (gan_download){0};
}
