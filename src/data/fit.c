/* Images to another size or number of channels. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "ganc/data.h"

enum { LARGEST = 4096 };

/* ---- pad or crop ---- */

static void pad_one(uint8_t *to, const uint8_t *from, const gan_dataset *d, int64_t size) {
    const int64_t c = d->channels;
    const int64_t rows = d->height < size ? d->height : size,
                  columns = d->width < size ? d->width : size;
    const int64_t from_y = (d->height - rows) / 2, from_x = (d->width - columns) / 2;
    const int64_t to_y = (size - rows) / 2, to_x = (size - columns) / 2;
    for (int64_t y = 0; y < rows; y++)
        memcpy(to + ((to_y + y) * size + to_x) * c, from + ((from_y + y) * d->width + from_x) * c,
               (size_t)(columns * c));
}

/* ---- scale ---- */

/* Output element i is the sum over j < taps of weight[i * taps + j] times input first[i] + j. */
typedef struct filter {
    int64_t taps;
    int64_t *first;
    float *weight;
} filter;

static void filter_free(filter *f) {
    free(f->first);
    free(f->weight);
}

/* Shrinking, an output covers `from / to` inputs and is their mean; growing, it lies between two.
 */
static gan_status filter_make(filter *f, int64_t from, int64_t to) {
    const double step = (double)from / (double)to;
    f->taps = from > to ? (int64_t)ceil(step) + 1 : from == to ? 1 : 2;
    if (f->taps > from) f->taps = from;
    f->first = calloc((size_t)to, sizeof *f->first);
    f->weight = calloc((size_t)(to * f->taps), sizeof *f->weight);
    if (!f->first || !f->weight) return gan_fail(GAN_ERROR_MEMORY, "scaling images: out of memory");
    for (int64_t i = 0; i < to; i++) {
        const double begin = (double)i * step, middle = begin + step / 2 - 0.5;
        int64_t first = (int64_t)floor(from > to ? begin : fmax(middle, 0));
        if (first > from - f->taps) first = from - f->taps;
        f->first[i] = first;
        for (int64_t j = 0; j < f->taps; j++) {
            const double at = (double)(first + j);
            double weight = 1;
            if (from > to)
                weight = fmax(0, fmin(begin + step, at + 1) - fmax(begin, at)) / step;
            else if (f->taps == 2)
                weight = fmax(0, 1 - fabs(fmin(fmax(middle, 0), (double)(from - 1)) - at));
            f->weight[i * f->taps + j] = (float)weight;
        }
    }
    return GAN_OK;
}

/* Rows first, into `wide` (side, size, channels), then columns. */
static void scale_one(uint8_t *to, const uint8_t *from, const gan_dataset *d, int64_t size,
                      int64_t side, const filter *f, float *wide) {
    const int64_t c = d->channels, top = (d->height - side) / 2, left = (d->width - side) / 2;
    for (int64_t y = 0; y < side; y++) {
        const uint8_t *row = from + ((top + y) * d->width + left) * c;
        for (int64_t x = 0; x < size; x++)
            for (int64_t k = 0; k < c; k++) {
                float sum = 0;
                for (int64_t j = 0; j < f->taps; j++)
                    sum += f->weight[x * f->taps + j] * (float)row[(f->first[x] + j) * c + k];
                wide[(y * size + x) * c + k] = sum;
            }
    }
    const int64_t stride = size * c;
    for (int64_t y = 0; y < size; y++)
        for (int64_t x = 0; x < stride; x++) {
            float sum = 0;
            for (int64_t j = 0; j < f->taps; j++)
                sum += f->weight[y * f->taps + j] * wide[(f->first[y] + j) * stride + x];
            to[y * stride + x] = sum < 255.0f ? (uint8_t)(sum + 0.5f) : 255;
        }
}

static gan_status scale_all(uint8_t *to, const gan_dataset *d, int64_t size) {
    const int64_t side = d->height < d->width ? d->height : d->width;
    const int64_t in = d->height * d->width * d->channels, out = size * size * d->channels;
    filter f = {0};
    gan_status status = filter_make(&f, side, size);
    float *wide = malloc((size_t)(side * size * d->channels) * sizeof *wide);
    if (status == GAN_OK && !wide)
        status = gan_fail(GAN_ERROR_MEMORY, "scaling images: out of memory");
    for (int64_t i = 0; status == GAN_OK && i < d->count; i++)
        scale_one(to + i * out, d->images + i * in, d, size, side, &f, wide);
    free(wide);
    filter_free(&f);
    return status;
}

gan_status gan_dataset_fit(gan_dataset *d, int64_t size, gan_fit fit) {
    if (size < 1 || size > LARGEST)
        return gan_fail(GAN_ERROR_ARGUMENT,
                        "data set '%s': image size %" PRId64 ", expected 1 to %d", d->name, size,
                        LARGEST);
    if (d->height == size && d->width == size) return GAN_OK;
    if (d->count > (int64_t)(PTRDIFF_MAX / (LARGEST * LARGEST * 4LL)))
        return gan_fail(GAN_ERROR_ARGUMENT, "data set '%s': too many images", d->name);
    const int64_t in = d->height * d->width * d->channels, out = size * size * d->channels;
    uint8_t *images = calloc((size_t)d->count, (size_t)out);
    if (!images)
        return gan_fail(GAN_ERROR_MEMORY,
                        "data set '%s': no memory for %" PRId64 " images of %" PRId64 "x%" PRId64,
                        d->name, d->count, size, size);
    gan_status status = GAN_OK;
    if (fit == GAN_FIT_RESIZE)
        status = scale_all(images, d, size);
    else
        for (int64_t i = 0; i < d->count; i++)
            pad_one(images + i * out, d->images + i * in, d, size);
    if (status != GAN_OK) {
        free(images);
        return status;
    }
    free(d->images);
    d->images = images;
    d->height = d->width = size;
    return GAN_OK;
}

/* ---- channels ---- */

gan_status gan_dataset_convert(gan_dataset *d, int64_t channels) {
    if (channels != 1 && channels != 3)
        return gan_fail(GAN_ERROR_ARGUMENT, "data set '%s': %" PRId64 " channels, expected 1 or 3",
                        d->name, channels);
    if (channels == d->channels) return GAN_OK;
    const int64_t pixels = d->count * d->height * d->width;
    uint8_t *images = calloc((size_t)pixels, (size_t)channels);
    if (!images) return gan_fail(GAN_ERROR_MEMORY, "data set '%s': out of memory", d->name);
    if (channels == 3)
        for (int64_t i = 0; i < pixels; i++) memset(images + 3 * i, d->images[i], 3);
    else
        for (int64_t i = 0; i < pixels; i++) {
            const uint8_t *p = d->images + 3 * i;
            images[i] = (uint8_t)((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
        }
    free(d->images);
    d->images = images;
    d->channels = channels;
    return GAN_OK;
}
