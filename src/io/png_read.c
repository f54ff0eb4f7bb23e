#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "ganc/io.h"
#include "io/picture.h"
#include "io/png.h"

/* deflate makes at most 1032 bytes of one; libpng's own buffers are small. */
enum { SIGNATURE = 8, HIGHEST_RATIO = 1040 };

typedef struct source {
    const char *name;
    const uint8_t *bytes;
    size_t size, at;
    gan_status status;
    png_bytep pixels; /* as libpng gives them, up to four channels */
    png_bytep *rows;
    uint32_t height, width;
    int channels;
} source;

static void on_error(png_structp png, png_const_charp text) {
    source *s = png_get_error_ptr(png);
    if (s->status == GAN_OK)
        s->status = gan_fail(GAN_ERROR_FORMAT, "%s: damaged PNG file: %s", s->name, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_read(png_structp png, png_bytep to, png_size_t size) {
    source *s = png_get_io_ptr(png);
    if (size > s->size - s->at) {
        s->status = gan_fail(GAN_ERROR_FORMAT, "%s: damaged PNG file: it ends too early", s->name);
        png_error(png, "read failed");
    }
    memcpy(to, s->bytes + s->at, size);
    s->at += size;
}

static void decode(png_structp png, png_infop info, source *s) {
    if (setjmp(png_jmpbuf(png))) return;
    png_set_read_fn(png, s, on_read);
    /* The sizes are judged below, with a message of our own. */
    png_set_user_limits(png, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    png_read_info(png, info);
    s->height = png_get_image_height(png, info);
    s->width = png_get_image_width(png, info);
    const uint64_t packed = (uint64_t)png_get_rowbytes(png, info) * s->height;
    s->status =
        gan_picture_check(s->name, s->height, s->width, packed, (uint64_t)s->size * HIGHEST_RATIO);
    if (s->status != GAN_OK) png_error(png, "too large");
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, info);
    s->channels = png_get_channels(png, info);
    const size_t row = png_get_rowbytes(png, info);
    s->status =
        gan_picture_check(s->name, s->height, s->width, (uint64_t)row * s->height, GAN_PNG_LIMIT);
    if (s->status != GAN_OK || row != (size_t)s->width * (size_t)s->channels)
        png_error(png, "the picture is too large");
    s->pixels = malloc(row * s->height);
    s->rows = malloc(s->height * sizeof *s->rows);
    if (!s->pixels || !s->rows) {
        s->status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", s->name);
        png_error(png, "out of memory");
    }
    for (uint32_t y = 0; y < s->height; y++) s->rows[y] = s->pixels + (size_t)y * row;
    png_read_image(png, s->rows);
    png_read_end(png, NULL);
}

/* Drops the alpha channel, in place, as over a white page. */
static void flatten(source *s) {
    if (s->channels != 2 && s->channels != 4) return;
    const size_t count = (size_t)s->width * s->height, from = (size_t)s->channels, to = from - 1;
    for (size_t i = 0; i < count; i++) {
        const unsigned alpha = s->pixels[i * from + to];
        for (size_t c = 0; c < to; c++) {
            const unsigned v = s->pixels[i * from + c];
            s->pixels[i * to + c] = (uint8_t)((v * alpha + 255 * (255 - alpha) + 127) / 255);
        }
    }
    s->channels = (int)to;
}

static gan_status read_png(source *s) {
    if (s->size < SIGNATURE || png_sig_cmp(s->bytes, 0, SIGNATURE) != 0)
        return gan_fail(GAN_ERROR_FORMAT, "%s: not a PNG file", s->name);
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, s, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info)
        decode(png, info, s);
    else if (s->status == GAN_OK)
        s->status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", s->name);
    png_destroy_read_struct(&png, &info, NULL);
    return s->status;
}

gan_status gan_png_decode(gan_picture *out, const void *bytes, size_t size, const char *name) {
    *out = (gan_picture){0};
    source s = {.name = name, .bytes = bytes, .size = size, .status = GAN_OK};
    const gan_status status = read_png(&s);
    free(s.rows);
    if (status != GAN_OK) {
        free(s.pixels);
        return status;
    }
    flatten(&s);
    *out = (gan_picture){s.pixels, s.height, s.width, s.channels};
    return GAN_OK;
}

gan_status gan_png_read(gan_picture *out, const char *path) {
    char *bytes;
    size_t size;
    *out = (gan_picture){0};
    GAN_TRY(gan_file_read(&bytes, &size, path, GAN_PNG_LIMIT));
    const gan_status status = gan_png_decode(out, bytes, size, path);
    free(bytes);
    return status;
}

void gan_png_free(gan_picture *picture) {
    free(picture->pixels);
    *picture = (gan_picture){0};
}
