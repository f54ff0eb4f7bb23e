/* Devices as the command line names them, and as messages do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Where what was found out about a GPU is kept: $GANC_CACHE, of which "" is nowhere, else as the
 * XDG base directories say. NULL where that does not fit. */
static const char *cache_folder(char *to, size_t size) {
    const char *own = getenv("GANC_CACHE"), *base = getenv("XDG_CACHE_HOME");
    if (own) return own;
    const bool xdg = base && *base == '/'; /* others are to be ignored */
    if (!xdg) base = getenv("HOME");
    if (!base || !*base) return NULL;
    const int n = snprintf(to, size, "%s%s/ganc", base, xdg ? "" : "/.cache");
    return n > 0 && (size_t)n < size ? to : NULL;
}

static bool is_set(const gan_settings *settings, const char *flag) {
    char value[32];
    gan_settings_get(settings, flag, value, sizeof value);
    return strcmp(value, "true") == 0;
}

gan_device_options device_options_of(const gan_settings *settings) {
    char threads[32];
    gan_settings_get(settings, "threads", threads, sizeof threads);
    return (gan_device_options){.threads = (int)strtol(threads, NULL, 10),
                                .branches = is_set(settings, "branches"),
                                .pdl = is_set(settings, "pdl"),
                                .tune = is_set(settings, "tune")};
}

int open_device(const usage *u, gan_device **out, const char *name,
                const gan_device_options *options) {
    char folder[4096];
    gan_device_options with = options ? *options : (gan_device_options){0};
    with.cache = cache_folder(folder, sizeof folder);
    const gan_status status = gan_device_open(out, name, &with);
    if (status == GAN_OK) return -1;
    return status == GAN_ERROR_ARGUMENT ? wrong_usage(u, "%s", gan_last_error()) : failed();
}
