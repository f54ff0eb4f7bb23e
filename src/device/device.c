/* Opening, listing and describing devices. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "device/backend.h"

static const gan_backend *find_backend(const char *kind, size_t length) {
    for (int i = 0; i < gan_backend_count; i++)
        if (strlen(gan_backends[i]->name) == length &&
            memcmp(gan_backends[i]->name, kind, length) == 0)
            return gan_backends[i];
    return NULL;
}

/* Not by passing over a device that refuses what is asked of it. */
static gan_status open_best(gan_device **out, const gan_device_options *options) {
    for (int i = 0; i < gan_backend_count; i++) {
        if (gan_backends[i]->count() <= 0) continue;
        const gan_status status = gan_backends[i]->open(out, 0, options);
        if (status == GAN_OK || status == GAN_ERROR_ARGUMENT) return status;
    }
    return gan_fail_within(GAN_ERROR_DEVICE, "no device can be used");
}

gan_status gan_device_open(gan_device **out, const char *name, const gan_device_options *options) {
    static const gan_device_options defaults = {0};
    *out = NULL;
    if (!options) options = &defaults;
    if (options->pdl && options->branches)
        return gan_fail(GAN_ERROR_ARGUMENT, "pdl and branches are given; choose one of them");
    if (!name || strcmp(name, "auto") == 0) return open_best(out, options);
    const char *colon = strchr(name, ':');
    size_t length = colon ? (size_t)(colon - name) : strlen(name);
    int index = 0;
    if (colon) {
        char *end;
        long n = strtol(colon + 1, &end, 10);
        if (end == colon + 1 || *end || n < 0 || n > 1 << 20)
            return gan_fail(GAN_ERROR_ARGUMENT, "device '%s': expected cpu, cuda or cuda:N", name);
        index = (int)n;
    }
    const gan_backend *backend = find_backend(name, length);
    if (!backend) {
        if (length == 4 && memcmp(name, "cuda", 4) == 0)
            return gan_fail(GAN_ERROR_DEVICE,
                            "device '%s': this build has no CUDA; configure with -DGANC_CUDA=ON",
                            name);
        return gan_fail(GAN_ERROR_ARGUMENT, "device '%s': expected cpu, cuda or cuda:N", name);
    }
    if (options->plan_only) {
        GAN_TRY(backend->open(out, index, options));
        (*out)->plan_only = true;
        return GAN_OK;
    }
    int n = backend->count();
    if (n <= 0) return gan_fail_within(GAN_ERROR_DEVICE, "device '%s'", name);
    if (index >= n)
        return gan_fail(GAN_ERROR_DEVICE,
                        "device '%s': this machine has %d of this kind, numbered from 0", name, n);
    return backend->open(out, index, options);
}

void gan_device_close(gan_device *device) {
    if (device) device->backend->close(device);
}

int gan_device_list(gan_device_info *out, int capacity) {
    int n = 0;
    for (int i = 0; i < gan_backend_count; i++) {
        int count = gan_backends[i]->count();
        for (int j = 0; j < count; j++) {
            if (n < capacity && gan_backends[i]->describe(j, &out[n]) != GAN_OK) continue;
            n++;
        }
    }
    return n;
}

/* No device bounds what is only planned. */
static gan_status describe_plan(const gan_device *device, gan_device_info *out) {
    *out = (gan_device_info){.index = device->index, .memory_free = SIZE_MAX};
    snprintf(out->kind, sizeof out->kind, "%s", device->backend->name);
    snprintf(out->name, sizeof out->name, "none, planned only");
    return GAN_OK;
}

gan_status gan_device_describe(const gan_device *device, gan_device_info *out) {
    if (device->plan_only) return describe_plan(device, out);
    GAN_TRY(device->backend->describe(device->index, out));
    out->threads = device->threads;
    return GAN_OK;
}

void gan_device_absence(const char *kind, char *text, size_t size) {
    const gan_backend *backend = find_backend(kind, strlen(kind));
    if (!backend)
        snprintf(text, size, "this build has no %s device", kind);
    else if (backend->count() > 0)
        snprintf(text, size, "%s", "");
    else
        snprintf(text, size, "%s", gan_last_error());
}

gan_status gan_device_synchronize(gan_device *device) {
    return device->backend->synchronize(device);
}
