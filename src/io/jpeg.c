/* JPEG by libjpeg. Orientation tags and colour profiles are not applied. */
#include <stdio.h>

#include "io/picture.h"

#ifndef GANC_HAVE_JPEG

gan_status gan_jpeg_decode(gan_picture *out, const void *bytes, size_t size, const char *name) {
    (void)bytes;
    (void)size;
    *out = (gan_picture){0};
    return gan_fail(GAN_ERROR_FORMAT, "%s: is a JPEG file, and this ganc was built without libjpeg",
                    name);
}

#else

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>

#include "io/png.h"

/* No coding of 8x8 coefficients takes less than a bit of a file's every 512 pixels; what a picture
 * of many scans costs in time is bounded by their number. */
enum { HIGHEST_RATIO = 8 * 512 * 3, MOST_SCANS = 100 };

typedef struct source {
    struct jpeg_error_mgr manager; /* first, so that libjpeg's pointer is also ours */
    struct jpeg_progress_mgr progress;
    struct jpeg_decompress_struct jpeg;
    jmp_buf leave;
    const char *name;
    gan_status status;
    size_t size;
    uint8_t *pixels;
} source;

static void give_up(source *s, const char *text) {
    if (s->status == GAN_OK)
        s->status = gan_fail(GAN_ERROR_FORMAT, "%s: damaged JPEG file: %s", s->name, text);
    longjmp(s->leave, 1);
}

static void on_error(j_common_ptr jpeg) {
    source *s = (source *)(void *)jpeg->err;
    char text[JMSG_LENGTH_MAX];
    s->manager.format_message(jpeg, text);
    if (s->manager.msg_code == JERR_OUT_OF_MEMORY)
        s->status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", s->name);
    give_up(s, text);
}

/* Warnings are where libjpeg would go on with pixels of its own making; some are harmless. */
static void on_message(j_common_ptr jpeg, int level) {
    source *s = (source *)(void *)jpeg->err;
    const int code = s->manager.msg_code;
    if (level >= 0 || code == JWRN_EXTRANEOUS_DATA || code == JWRN_JFIF_MAJOR ||
        code == JWRN_ADOBE_XFORM || code == JWRN_TOO_MUCH_DATA)
        return;
    if (code == JWRN_JPEG_EOF) give_up(s, "it ends too early");
    on_error(jpeg);
}

static void on_progress(j_common_ptr jpeg) {
    source *s = (source *)(void *)jpeg->err;
    if (s->jpeg.input_scan_number > MOST_SCANS) give_up(s, "it has more than 100 scans");
}

/* Grey stays grey, what has three channels becomes RGB. */
static void choose_colours(source *s) {
    switch (s->jpeg.jpeg_color_space) {
    case JCS_GRAYSCALE:
        s->jpeg.out_color_space = JCS_GRAYSCALE;
        return;
    case JCS_YCbCr:
    case JCS_RGB:
        s->jpeg.out_color_space = JCS_RGB;
        return;
    case JCS_CMYK:
    case JCS_YCCK:
        s->status =
            gan_fail(GAN_ERROR_FORMAT, "%s: is a CMYK JPEG file, expected grey or colour", s->name);
        break;
    default:
        s->status = gan_fail(GAN_ERROR_FORMAT,
                             "%s: is a JPEG file of %d channels, expected 1 (grey) or 3 (colour)",
                             s->name, s->jpeg.num_components);
    }
    give_up(s, "colours");
}

static void decode(source *s, const void *bytes) {
    struct jpeg_decompress_struct *jpeg = &s->jpeg;
    if (setjmp(s->leave)) return;
    jpeg_create_decompress(jpeg);
    jpeg->progress = &s->progress;
    jpeg_mem_src(jpeg, bytes, (unsigned long)s->size);
    jpeg_read_header(jpeg, TRUE);
    choose_colours(s);
    const uint64_t row = (uint64_t)jpeg->image_width * (jpeg->num_components == 1 ? 1 : 3);
    s->status = gan_picture_check(s->name, jpeg->image_height, jpeg->image_width,
                                  row * jpeg->image_height, (uint64_t)s->size * HIGHEST_RATIO);
    if (s->status != GAN_OK) give_up(s, "too large");
    jpeg_start_decompress(jpeg);
    s->pixels = malloc((size_t)(row * jpeg->output_height));
    if (!s->pixels) {
        s->status = gan_fail(GAN_ERROR_MEMORY, "%s: out of memory", s->name);
        give_up(s, "out of memory");
    }
    while (jpeg->output_scanline < jpeg->output_height) {
        JSAMPROW at = s->pixels + row * jpeg->output_scanline;
        jpeg_read_scanlines(jpeg, &at, 1);
    }
    jpeg_finish_decompress(jpeg);
}

gan_status gan_jpeg_decode(gan_picture *out, const void *bytes, size_t size, const char *name) {
    *out = (gan_picture){0};
    source s = {.name = name, .status = GAN_OK, .size = size};
    s.jpeg.err = jpeg_std_error(&s.manager);
    s.manager.error_exit = on_error;
    s.manager.emit_message = on_message;
    s.progress.progress_monitor = on_progress;
    decode(&s, bytes);
    if (s.status == GAN_OK)
        *out = (gan_picture){s.pixels, s.jpeg.output_height, s.jpeg.output_width,
                             s.jpeg.output_components};
    else
        free(s.pixels);
    jpeg_destroy_decompress(&s.jpeg);
    return s.status;
}

#endif
