#include "data/scale.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* ---- filters ---- */

static void filter_free(gan_filter *f) {
    free(f->first);
    free(f->weight);
    *f = (gan_filter){0};
}

/* An output covers `from / to` inputs and is their mean. */
static void fill_box(gan_filter *f) {
    const double step = (double)f->from / (double)f->to;
    for (int64_t i = 0; i < f->to; i++) {
        const double begin = (double)i * step;
        int64_t first = (int64_t)floor(begin);
        if (first > f->from - f->taps) first = f->from - f->taps;
        f->first[i] = first;
        for (int64_t j = 0; j < f->taps; j++) {
            const double at = (double)(first + j);
            const double covered = fmin(begin + step, at + 1) - fmax(begin, at);
            f->weight[i * f->taps + j] = (float)(fmax(0, covered) / step);
        }
    }
}

static int64_t clamp(int64_t v, int64_t low, int64_t high) {
    return v < low ? low : v > high ? high : v;
}

/* An output lies between two inputs; a cubic through these and their neighbours (Catmull-Rom; Keys
 * 1981 with a = -1/2). Beyond the ends the last input is repeated. */
static void fill_cubic(gan_filter *f) {
    const double step = (double)f->from / (double)f->to;
    for (int64_t i = 0; i < f->to; i++) {
        const double middle = ((double)i + 0.5) * step - 0.5, t = middle - floor(middle);
        const double w[4] = {((-0.5 * t + 1) * t - 0.5) * t, (1.5 * t - 2.5) * t * t + 1,
                             ((-1.5 * t + 2) * t + 0.5) * t, (0.5 * t - 0.5) * t * t};
        const int64_t base = (int64_t)floor(middle) - 1;
        const int64_t first = clamp(base, 0, f->from - f->taps);
        f->first[i] = first;
        for (int64_t j = 0; j < 4; j++)
            f->weight[i * f->taps + clamp(base + j, 0, f->from - 1) - first] += (float)w[j];
    }
}

static gan_status filter_make(gan_filter *f, int64_t from, int64_t to) {
    if (f->from == from && f->to == to) return GAN_OK;
    filter_free(f);
    const int64_t taps = from > to ? (from + to - 1) / to + 1 : from == to ? 1 : 4;
    f->taps = taps < from ? taps : from;
    f->first = calloc((size_t)to, sizeof *f->first);
    f->weight = calloc((size_t)(to * f->taps), sizeof *f->weight);
    if (!f->first || !f->weight) {
        filter_free(f);
        return gan_fail(GAN_ERROR_MEMORY, "scaling images: out of memory");
    }
    f->from = from;
    f->to = to;
    if (from >= to)
        fill_box(f);
    else
        fill_cubic(f);
    return GAN_OK;
}

/* ---- what goes where ---- */

/* The part of the picture that is taken, and where its image lies in the result. */
typedef struct frame {
    int64_t from_y, from_x, rows, columns; /* of the picture */
    int64_t to_y, to_x, height, width;     /* of the result */
} frame;

static int64_t ratio(int64_t a, int64_t b, int64_t c) { /* a·b / c, rounded, at least 1 */
    const int64_t r = (2 * a * b + c) / (2 * c);
    return r > 0 ? r : 1;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

static frame place(const gan_scaler *s, int64_t h, int64_t w) {
    frame f = {.rows = h, .columns = w, .height = s->height, .width = s->width};
    const bool wider = w * s->height > h * s->width;
    switch (s->fit) {
    case GAN_FIT_PAD:
        f.rows = f.height = least(h, s->height);
        f.columns = f.width = least(w, s->width);
        break;
    case GAN_FIT_RESIZE:
        if (wider)
            f.columns = ratio(h, s->width, s->height);
        else
            f.rows = ratio(w, s->height, s->width);
        break;
    case GAN_FIT_CONTAIN:
        if (wider)
            f.height = ratio(h, s->width, w);
        else
            f.width = ratio(w, s->height, h);
        break;
    case GAN_FIT_STRETCH:
        break;
    }
    f.from_y = (h - f.rows) / 2;
    f.from_x = (w - f.columns) / 2;
    f.to_y = (s->height - f.height) / 2;
    f.to_x = (s->width - f.width) / 2;
    return f;
}

/* ---- pixels ---- */

/* Loops whose lengths are known where it is called: most sets are of one kind. */
static inline void mix_row(float *to, const uint8_t *from, const gan_filter *filter, int64_t taps,
                           int64_t c) {
    for (int64_t x = 0; x < filter->to; x++) {
        const float *weight = filter->weight + x * taps;
        const uint8_t *at = from + filter->first[x] * c;
        for (int64_t k = 0; k < c; k++) {
            float sum = 0;
            for (int64_t j = 0; j < taps; j++) sum += weight[j] * (float)at[j * c + k];
            to[x * c + k] = sum;
        }
    }
}

/* A row of `filter->to` pixels. */
static void scale_row(float *to, const uint8_t *from, const gan_filter *filter, int64_t c) {
    if (filter->taps == 4 && c == 1)
        mix_row(to, from, filter, 4, 1);
    else if (filter->taps == 4 && c == 3)
        mix_row(to, from, filter, 4, 3);
    else
        mix_row(to, from, filter, filter->taps, c);
}

/* Without a branch, so that compilers vectorise it. */
static uint8_t to_byte(float v) {
    const float positive = v > 0 ? v : 0, bounded = positive < 255.0f ? positive : 255.0f;
    return (uint8_t)(int32_t)(bounded + 0.5f);
}

static inline void mix_column(uint8_t *to, const float *from, const float *weight, int64_t taps,
                              int64_t stride) {
    for (int64_t x = 0; x < stride; x++) {
        float sum = 0;
        for (int64_t j = 0; j < taps; j++) sum += weight[j] * from[j * stride + x];
        to[x] = to_byte(sum);
    }
}

/* A row of the result from `taps` rows of `stride` values. */
static void scale_column(uint8_t *to, const float *from, const float *weight, int64_t taps,
                         int64_t stride) {
    if (taps == 4)
        mix_column(to, from, weight, 4, stride);
    else
        mix_column(to, from, weight, taps, stride);
}

/* Along the rows first, into `wide` (rows, width, channels), then along the columns. */
static gan_status scale(gan_scaler *s, uint8_t *to, const uint8_t *from, const frame *f, int64_t w,
                        int64_t c) {
    GAN_TRY(filter_make(&s->columns, f->columns, f->width));
    GAN_TRY(filter_make(&s->rows, f->rows, f->height));
    const int64_t stride = f->width * c, needed = f->rows * stride;
    if (needed > s->wide_size) {
        free(s->wide);
        s->wide = malloc((size_t)needed * sizeof *s->wide);
        s->wide_size = s->wide ? needed : 0;
        if (!s->wide) return gan_fail(GAN_ERROR_MEMORY, "scaling images: out of memory");
    }
    for (int64_t y = 0; y < f->rows; y++)
        scale_row(s->wide + y * stride, from + ((f->from_y + y) * w + f->from_x) * c, &s->columns,
                  c);
    for (int64_t y = 0; y < f->height; y++) {
        const float *weight = s->rows.weight + y * s->rows.taps;
        const float *at = s->wide + s->rows.first[y] * stride;
        uint8_t *row = to + ((f->to_y + y) * s->width + f->to_x) * c;
        scale_column(row, at, weight, s->rows.taps, stride);
    }
    return GAN_OK;
}

gan_status gan_scaler_run(gan_scaler *s, uint8_t *to, const uint8_t *from, int64_t height,
                          int64_t width, int64_t c) {
    const frame f = place(s, height, width);
    if (f.height != s->height || f.width != s->width)
        memset(to, s->border, (size_t)(s->height * s->width * c));
    if (f.rows != f.height || f.columns != f.width) return scale(s, to, from, &f, width, c);
    for (int64_t y = 0; y < f.height; y++)
        memcpy(to + ((f.to_y + y) * s->width + f.to_x) * c,
               from + ((f.from_y + y) * width + f.from_x) * c, (size_t)(f.width * c));
    return GAN_OK;
}

void gan_scaler_free(gan_scaler *s) {
    filter_free(&s->rows);
    filter_free(&s->columns);
    free(s->wide);
    *s = (gan_scaler){0};
}

/* ---- channels ---- */

void gan_grey_to_colour(uint8_t *pixels, int64_t count) {
    for (int64_t i = count - 1; i >= 0; i--) memset(pixels + 3 * i, pixels[i], 3);
}

void gan_colour_to_grey(uint8_t *pixels, int64_t count) {
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *p = pixels + 3 * i;
        pixels[i] = (uint8_t)((299 * p[0] + 587 * p[1] + 114 * p[2] + 500) / 1000);
    }
}
