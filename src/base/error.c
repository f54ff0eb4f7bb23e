#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char message[1024];

const char *gan_last_error(void) { return message; }

/* A message quotes names and texts from files; what they hold must not break its line. */
static void make_one_line(void) {
    for (char *c = message; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = '?';
}

gan_status gan_fail(gan_status status, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    make_one_line();
    return status;
}

gan_status gan_fail_within(gan_status status, const char *format, ...) {
    char inner[sizeof message];
    memcpy(inner, message, sizeof inner);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < sizeof message)
        snprintf(message + n, sizeof message - (size_t)n, ": %.960s", inner);
    return status;
}

const char *gan_status_name(gan_status status) {
    static const char *const names[] = {
        [GAN_OK] = "ok",
        [GAN_ERROR_ARGUMENT] = "argument error",
        [GAN_ERROR_SHAPE] = "shape error",
        [GAN_ERROR_FORMAT] = "format error",
        [GAN_ERROR_IO] = "input/output error",
        [GAN_ERROR_MEMORY] = "out of memory",
        [GAN_ERROR_DEVICE] = "device error",
        [GAN_ERROR_NOT_FINITE] = "not finite",
        [GAN_ERROR_INTERRUPTED] = "interrupted",
    };
    unsigned i = (unsigned)status;
    return i < sizeof names / sizeof *names ? names[i] : "unknown status";
}

const char *gan_version(void) { return GANC_VERSION; }
