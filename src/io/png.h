/* Pixels to a PNG file. */
#ifndef GANC_IO_PNG_H
#define GANC_IO_PNG_H

#include <stdint.h>

#include "base/error.h"

enum { GAN_PNG_LIMIT = 1 << 30 }; /* bytes of pixels, written or read */

/* Writes (height, width, channels), channels 1 or 3, sides in [1, 2^20]. */
gan_status gan_png_write(const char *path, const uint8_t *pixels, int64_t height, int64_t width,
                         int64_t channels);

#endif
