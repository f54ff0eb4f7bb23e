/* Devices as the command line names them, and as messages do. */
#include <stdio.h>

#include "cli.h"

const char *device_text(const gan_device_info *info) {
    static char text[288];
    if (info->threads)
        snprintf(text, sizeof text, "%.15s (%.127s, %d thread%s)", info->kind, info->name,
                 info->threads, info->threads == 1 ? "" : "s");
    else
        snprintf(text, sizeof text, "%.15s:%d (%.127s)", info->kind, info->index, info->name);
    return text;
}

int open_device(const usage *u, gan_device **out, const char *name,
                const gan_device_options *options) {
    const gan_status status = gan_device_open(out, name, options);
    if (status == GAN_OK) return -1;
    return status == GAN_ERROR_ARGUMENT ? wrong_usage(u, "%s", gan_last_error()) : failed();
}
