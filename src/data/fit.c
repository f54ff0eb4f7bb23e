/* Images of a set to another size or number of channels. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "data/scale.h"

enum { LARGEST = 4096 };

static gan_status scale_all(uint8_t *to, const gan_dataset *d, gan_scaler *scaler) {
    const int64_t in = d->height * d->width * d->channels;
    const int64_t out = scaler->height * scaler->width * d->channels;
    gan_status status = GAN_OK;
    for (int64_t i = 0; status == GAN_OK && i < d->count; i++)
        status = gan_scaler_run(scaler, to + i * out, d->images + i * in, d->height, d->width,
                                d->channels);
    gan_scaler_free(scaler);
    return status;
}

gan_status gan_dataset_fit(gan_dataset *d, int64_t height, int64_t width, gan_fit fit, int border) {
    if (height < 1 || height > LARGEST || width < 1 || width > LARGEST)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data set '%s': image size %" PRId64 "x%" PRId64 ", expected 1 to %d",
                        d->name, height, width, LARGEST);
    if (border < 0 || border > 255)
        return gan_fail(GAN_ERROR_ARGUMENT, "data set '%s': border %d, expected 0 to 255", d->name,
                        border);
    if (d->height == height && d->width == width) return GAN_OK;
    if (d->count > (int64_t)(PTRDIFF_MAX / (LARGEST * LARGEST * 4LL)))
        return gan_fail(GAN_ERROR_ARGUMENT, "data set '%s': too many images", d->name);
    uint8_t *images = calloc((size_t)d->count, (size_t)(height * width * d->channels));
    if (!images)
        return gan_fail(GAN_ERROR_MEMORY,
                        "data set '%s': no memory for %" PRId64 " images of %" PRId64 "x%" PRId64,
                        d->name, d->count, height, width);
    gan_scaler scaler = {.height = height, .width = width, .fit = fit, .border = (uint8_t)border};
    const gan_status status = scale_all(images, d, &scaler);
    if (status != GAN_OK) {
        free(images);
        return status;
    }
    free(d->images);
    d->images = images;
    d->height = height;
    d->width = width;
    return GAN_OK;
}

gan_status gan_dataset_convert(gan_dataset *d, int64_t channels) {
    if (channels != 1 && channels != 3)
        return gan_fail(GAN_ERROR_ARGUMENT, "data set '%s': %" PRId64 " channels, expected 1 or 3",
                        d->name, channels);
    if (channels == d->channels) return GAN_OK;
    const int64_t pixels = d->count * d->height * d->width;
    if (channels == 1) gan_colour_to_grey(d->images, pixels);
    uint8_t *images = realloc(d->images, (size_t)(pixels * channels));
    if (!images && channels == 3)
        return gan_fail(GAN_ERROR_MEMORY, "data set '%s': out of memory", d->name);
    if (images) d->images = images;
    if (channels == 3) gan_grey_to_colour(d->images, pixels);
    d->channels = channels;
    return GAN_OK;
}
