#include "io/picture.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "io/png.h"

gan_status gan_picture_check(const char *name, uint32_t height, uint32_t width, uint64_t needed,
                             uint64_t held) {
    if (needed > GAN_PNG_LIMIT)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: a picture of %" PRIu32 "x%" PRIu32
                        " pixels is too large; expected at most 2^30 bytes",
                        name, width, height);
    if (needed > held)
        return gan_fail(GAN_ERROR_FORMAT,
                        "%s: is cut off or damaged: its header says %" PRIu32 "x%" PRIu32
                        " pixels, more than its bytes can hold",
                        name, width, height);
    return GAN_OK;
}

gan_status gan_picture_decode(gan_picture *out, const void *bytes, size_t size, const char *name) {
    static const uint8_t png[] = {0x89, 'P', 'N', 'G'}, jpeg[] = {0xff, 0xd8, 0xff};
    *out = (gan_picture){0};
    if (size == 0) return gan_fail(GAN_ERROR_FORMAT, "%s: is empty, expected a picture", name);
    if (size >= sizeof png && memcmp(bytes, png, sizeof png) == 0)
        return gan_png_decode(out, bytes, size, name);
    if (size >= sizeof jpeg && memcmp(bytes, jpeg, sizeof jpeg) == 0)
        return gan_jpeg_decode(out, bytes, size, name);
    return gan_fail(GAN_ERROR_FORMAT, "%s: neither a PNG nor a JPEG file", name);
}

gan_status gan_picture_read(gan_picture *out, const char *path) {
    char *bytes;
    size_t size;
    *out = (gan_picture){0};
    GAN_TRY(gan_file_read(&bytes, &size, path, GAN_PNG_LIMIT));
    const gan_status status = gan_picture_decode(out, bytes, size, path);
    free(bytes);
    return status;
}
