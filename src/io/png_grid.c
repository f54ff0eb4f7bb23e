/* Many images in one picture. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ganc/io.h"
#include "io/png.h"

enum { GAP = 2, LONGEST_SIDE = 1 << 20 };

static gan_status check(const char *path, const gan_images *im) {
    if (im->count < 1 || im->height < 1 || im->width < 1)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: %lld images of %lldx%lld: nothing to draw", path,
                        (long long)im->count, (long long)im->height, (long long)im->width);
    if (im->channels != 1 && im->channels != 3)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: images have %lld channels, expected 1 or 3", path,
                        (long long)im->channels);
    if (im->dtype != GAN_U8 && im->dtype != GAN_F32)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: images must be u8 or f32", path);
    if (im->dtype == GAN_F32 && !(im->low < im->high && isfinite(im->high - im->low)))
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: value range [%g, %g] is empty", path,
                        (double)im->low, (double)im->high);
    return GAN_OK;
}

static uint8_t grey_level(float value, float low, float high) {
    float t = (value - low) / (high - low) * 255.0f;
    if (!(t > 0)) return 0; /* NaN too */
    return t < 255.0f ? (uint8_t)(t + 0.5f) : 255;
}

static void draw(uint8_t *canvas, size_t stride, const gan_images *im, int64_t index) {
    const size_t row = (size_t)(im->width * im->channels),
                 first = (size_t)index * (size_t)im->height * row;
    for (size_t y = 0; y < (size_t)im->height; y++) {
        uint8_t *to = canvas + y * stride;
        if (im->dtype == GAN_U8) {
            memcpy(to, (const uint8_t *)im->pixels + first + y * row, row);
            continue;
        }
        const float *from = (const float *)im->pixels + first + y * row;
        for (size_t x = 0; x < row; x++) to[x] = grey_level(from[x], im->low, im->high);
    }
}

gan_status gan_png_write_grid(const char *path, const gan_images *im, int64_t columns) {
    GAN_TRY(check(path, im));
    if (columns < 0)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: %lld columns, expected at least 1", path,
                        (long long)columns);
    if (columns == 0) columns = (int64_t)ceil(sqrt((double)im->count));
    if (columns > im->count) columns = im->count;
    const int64_t rows = (im->count + columns - 1) / columns;

    if (im->height > LONGEST_SIDE || im->width > LONGEST_SIDE || rows > LONGEST_SIDE ||
        columns > LONGEST_SIDE)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: the picture would be too large", path);
    const int64_t height = rows * (im->height + GAP) + GAP,
                  width = columns * (im->width + GAP) + GAP;
    if (height > LONGEST_SIDE || width > LONGEST_SIDE ||
        height * width > GAN_PNG_LIMIT / im->channels)
        return gan_fail(GAN_ERROR_ARGUMENT, "%s: the picture would be %lldx%lld, too large", path,
                        (long long)width, (long long)height);

    const size_t stride = (size_t)(width * im->channels);
    uint8_t *canvas = calloc((size_t)height, stride);
    if (!canvas) return gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    for (int64_t i = 0; i < im->count; i++) {
        const size_t y = (size_t)(GAP + i / columns * (im->height + GAP));
        const size_t x = (size_t)((GAP + i % columns * (im->width + GAP)) * im->channels);
        draw(canvas + y * stride + x, stride, im, i);
    }
    gan_status status = gan_png_write(path, canvas, height, width, im->channels);
    free(canvas);
    return status;
}
