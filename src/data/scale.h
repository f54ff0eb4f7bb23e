/* One picture to another size. */
#ifndef GANC_DATA_SCALE_H
#define GANC_DATA_SCALE_H

#include <stdint.h>

#include "base/error.h"
#include "ganc/data.h"

/* Output element i is the sum over j < taps of weight[i * taps + j] times input first[i] + j. */
typedef struct gan_filter {
    int64_t from, to, taps;
    int64_t *first;
    float *weight;
} gan_filter;

/* A job for many pictures; what it allocates is kept from one to the next. Set the first part, the
 * rest is zero. */
typedef struct gan_scaler {
    int64_t height, width; /* wanted */
    gan_fit fit;
    uint8_t border;

    gan_filter rows, columns;
    float *wide;
    int64_t wide_size;
} gan_scaler;

/* Format: from (height, width, channels), to (scaler->height, scaler->width, channels). The only
 * error is memory. */
gan_status gan_scaler_run(gan_scaler *scaler, uint8_t *to, const uint8_t *from, int64_t height,
                          int64_t width, int64_t channels);
void gan_scaler_free(gan_scaler *scaler);

/* (pixels, 1) to (pixels, 3) in place, and back (Rec. 601 luma). */
void gan_grey_to_colour(uint8_t *pixels, int64_t count);
void gan_colour_to_grey(uint8_t *pixels, int64_t count);

#endif
