/* Pictures of any file type, decoded from memory. */
#ifndef GANC_IO_PICTURE_H
#define GANC_IO_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "ganc/io.h"

/* Decodes PNG or JPEG, whichever the first bytes say, as gan_png_read() does: (height, width,
 * channels), 1 or 3 of them, transparency laid on white. Messages call it `name`. Format error when
 * it is neither, damaged, of a kind that is not read, or when its header asks for more than 2^30
 * bytes or for more than so few bytes can hold: nothing is allocated then. Free with
 * gan_png_free(). */
gan_status gan_picture_decode(gan_picture *out, const void *bytes, size_t size, const char *name);

/* The same from a file. I/O error. */
gan_status gan_picture_read(gan_picture *out, const char *path);

/* By type. */
gan_status gan_png_decode(gan_picture *out, const void *bytes, size_t size, const char *name);
gan_status gan_jpeg_decode(gan_picture *out, const void *bytes, size_t size, const char *name);

/* Format error unless a picture of (height, width, channels) is of a size that can be read. `held`
 * is the largest number of bytes of pixels that a file of that many bytes can hold. */
gan_status gan_picture_check(const char *name, uint32_t height, uint32_t width, uint64_t needed,
                             uint64_t held);

#endif
