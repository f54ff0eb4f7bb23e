#include "io/png.h"

#include <png.h>

#include "io/atomic.h"

/* What libpng's callbacks see. */
typedef struct sink {
    gan_atomic *file;
    const char *path;
    gan_status status; /* the first failure, whose message is the one to keep */
} sink;

static void on_error(png_structp png, png_const_charp text) {
    sink *s = png_get_error_ptr(png);
    if (s->status == GAN_OK)
        s->status = gan_fail(GAN_ERROR_IO, "%s: cannot write: %s", s->path, text);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static void on_write(png_structp png, png_bytep bytes, png_size_t size) {
    sink *s = png_get_io_ptr(png);
    s->status = gan_atomic_write(s->file, bytes, size);
    if (s->status != GAN_OK) png_error(png, "write failed");
}

static void on_flush(png_structp png) {
    (void)png;
}

static void encode(png_structp png, png_infop info, sink *s, const uint8_t *pixels, uint32_t height,
                   uint32_t width, uint32_t channels) {
    if (setjmp(png_jmpbuf(png))) return;
    png_set_write_fn(png, s, on_write, on_flush);
    png_set_IHDR(png, info, width, height, 8,
                 channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (uint32_t y = 0; y < height; y++) png_write_row(png, pixels + (size_t)y * width * channels);
    png_write_end(png, info);
}

gan_status gan_png_write(const char *path, const uint8_t *pixels, int64_t height, int64_t width,
                         int64_t channels) {
    sink s = {.path = path, .status = GAN_OK};
    GAN_TRY(gan_atomic_open(&s.file, path));
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &s, on_error, on_warning);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (info)
        encode(png, info, &s, pixels, (uint32_t)height, (uint32_t)width, (uint32_t)channels);
    else if (s.status == GAN_OK)
        s.status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", path);
    png_destroy_write_struct(&png, &info);
    if (s.status == GAN_OK) return gan_atomic_commit(s.file);
    gan_atomic_abandon(s.file);
    return s.status;
}
