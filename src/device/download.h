/* Downloads that leave the host free: what the device has at one point of its work, while it works
 * on. */
#ifndef GANC_DEVICE_DOWNLOAD_H
#define GANC_DEVICE_DOWNLOAD_H

#include "device/backend.h"

/* Memory of the host that a device copies to, kept for the next time. Starts as zeros. */
struct gan_download {
    void *data;      /* valid from gan_download_end() to the next gan_download_begin() */
    size_t capacity; /* bytes */
    void *mark;      /* the backend's own: when the copy is done */
};

/* Queues a copy of `bytes` bytes behind the runs so far. The device's memory may be written again
 * by runs that are queued later. On a device that runs nothing behind the host's back, it copies.
 */
gan_status gan_download_begin(gan_download *download, gan_device *device, const void *from,
                              size_t bytes);

/* Waits for the copy, not for what has been queued since. */
gan_status gan_download_end(gan_download *download, gan_device *device);

/* Gives everything back; a copy that is under way is waited for. */
void gan_download_close(gan_download *download, gan_device *device);

#endif
