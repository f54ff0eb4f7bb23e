/* Picture files made by libpng alone, without the library under test. */
#ifndef GANC_TESTS_SUPPORT_PICTURES_H
#define GANC_TESTS_SUPPORT_PICTURES_H

#include <stdint.h>

/* A PNG scratch(NAME) of any of libpng's types. `rows` are packed as PNG packs them, `row_bytes`
 * each; `palette` (entries × r, g, b, alpha) for PNG_COLOR_TYPE_PALETTE, else NULL. */
typedef struct png_file {
    int type, depth, interlace;
    uint32_t height, width;
    const uint8_t *rows;
    uint32_t row_bytes;
    const uint8_t (*palette)[4];
    int entries;
} png_file;

void put_png(const char *name, const png_file *file);

/* The same of 8 bits, grey (1) or RGB (3), every pixel `value`. */
void put_plain_png(const char *name, uint32_t height, uint32_t width, int channels, uint8_t value);

#endif
