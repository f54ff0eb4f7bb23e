/* Any bytes as a picture, PNG or JPEG: what is read has pixels for all its sides, and no more than
 * so few bytes can ask for. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "io/picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 1 << 12 }; /* bytes: keeps what a picture of many pixels costs within bounds */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gan_picture p;
    if (size > LARGEST) return 0;
    if (gan_picture_decode(&p, data, size, "fuzz") != GAN_OK) {
        if (p.pixels || !*gan_last_error() || strchr(gan_last_error(), '\n')) abort();
        return 0;
    }
    if (p.height < 1 || p.width < 1 || (p.channels != 1 && p.channels != 3)) abort();
    unsigned sum = 0;
    for (int64_t i = 0; i < p.height * p.width * p.channels; i++) sum += p.pixels[i];
    volatile unsigned seen = sum; /* every pixel is read, for the sanitizer to see */
    (void)seen;
    gan_png_free(&p);
    return 0;
}
