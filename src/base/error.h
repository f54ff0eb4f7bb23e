/* How the library reports a failure: a status with a thread-local message. */
#ifndef GANC_BASE_ERROR_H
#define GANC_BASE_ERROR_H

#include "ganc/status.h"

/* Sets the thread's message from a printf format and returns `status`, so that callers write
 * `return gan_fail(GAN_ERROR_IO, "%s: %s", path, strerror(errno));`. The message is cut at 1023
 * bytes. */
gan_status gan_fail(gan_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts "CONTEXT: " before the thread's message and returns `status`; for callers that know more. */
gan_status gan_fail_within(gan_status status, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Forwards a failure to the caller. */
#define GAN_TRY(expression)                                                                        \
    do {                                                                                           \
        gan_status gan_try_status_ = (expression);                                                 \
        if (gan_try_status_ != GAN_OK) return gan_try_status_;                                     \
    } while (0)

#endif
