#include "support/pictures.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <png.h>

#include "support/scratch.h"

static void write_rows(png_structp png, png_infop info, FILE *stream, const png_file *file) {
    if (setjmp(png_jmpbuf(png))) fail_msg("libpng cannot write the picture");
    png_init_io(png, stream);
    png_set_IHDR(png, info, file->width, file->height, file->depth, file->type, file->interlace,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    if (file->palette) {
        png_color colours[256];
        png_byte alphas[256];
        for (int i = 0; i < file->entries; i++) {
            const uint8_t *p = file->palette[i];
            colours[i] = (png_color){p[0], p[1], p[2]};
            alphas[i] = p[3];
        }
        png_set_PLTE(png, info, colours, file->entries);
        png_set_tRNS(png, info, alphas, file->entries, NULL);
    }
    png_write_info(png, info);
    const int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (uint32_t y = 0; y < file->height; y++)
            png_write_row(png, file->rows + (size_t)y * file->row_bytes);
    png_write_end(png, NULL);
}

void put_png(const char *name, const png_file *file) {
    FILE *stream = fopen(scratch(name), "wb");
    assert_non_null(stream);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    assert_non_null(info);
    write_rows(png, info, stream, file);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(stream), 0);
}

void put_plain_png(const char *name, uint32_t height, uint32_t width, int channels, uint8_t value) {
    const size_t row = (size_t)width * (size_t)channels;
    uint8_t *rows = malloc(row * height);
    assert_non_null(rows);
    memset(rows, value, row * height);
    put_png(name, &(png_file){.type = channels == 1 ? PNG_COLOR_TYPE_GRAY : PNG_COLOR_TYPE_RGB,
                              .depth = 8,
                              .height = height,
                              .width = width,
                              .rows = rows,
                              .row_bytes = (uint32_t)row});
    free(rows);
}
