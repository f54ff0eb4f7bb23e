/* Status codes and the message of the last error.
 *
 * Every ganc function that can fail returns a gan_status. The message that belongs to the last failure
 * of the calling thread is read with gan_last_error(); it is one line and names the file, key, op or
 * shape concerned, what was given and what was expected. The library never prints and never exits.
 */
#ifndef GANC_STATUS_H
#define GANC_STATUS_H

#if defined(__GNUC__)
#define GAN_API __attribute__((visibility("default")))
#else
#define GAN_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum gan_status {
    GAN_OK = 0,
    GAN_ERROR_ARGUMENT,    /* a value that the function does not accept */
    GAN_ERROR_SHAPE,       /* operands whose shapes or types do not go together */
    GAN_ERROR_FORMAT,      /* a file that is not what it should be */
    GAN_ERROR_IO,          /* the system refused to open, read or write */
    GAN_ERROR_MEMORY,      /* host or device memory is exhausted */
    GAN_ERROR_DEVICE,      /* a device is absent, too old or failed */
    GAN_ERROR_NOT_FINITE,  /* a loss became infinite or not a number */
    GAN_ERROR_INTERRUPTED, /* stopped on request; what was done is saved */
} gan_status;

/* The message of the calling thread's last failure; "" when there was none. The text is owned by the
 * library and valid until the thread's next failure. */
GAN_API const char *gan_last_error(void);

/* The name of a status ("ok", "shape error", ...), a constant string. */
GAN_API const char *gan_status_name(gan_status status);

/* The library's version, "MAJOR.MINOR.PATCH". */
GAN_API const char *gan_version(void);

#ifdef __cplusplus
}
#endif
#endif
