#include "train/sequences.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "ganc/io.h"

enum { CELL = 6 }; /* pixels a symbol, either way */

static gan_status no_memory(int64_t count) {
    return gan_fail(GAN_ERROR_MEMORY, "no memory for %lld sequences", (long long)count);
}

/* The numbers of the symbols, the caller's to free; NULL when memory is exhausted. */
static int32_t *numbers(const float *samples, int64_t places, int64_t symbols) {
    int32_t *number = malloc((size_t)(places > 0 ? places : 1) * sizeof *number);
    for (int64_t i = 0; number && i < places; i++) {
        number[i] = 0;
        for (int64_t k = 1; k < symbols; k++)
            if (samples[i * symbols + k] > samples[i * symbols + number[i]]) number[i] = (int32_t)k;
    }
    return number;
}

gan_status gan_sequences_judge(double *violations, int64_t *distinct, const float *samples,
                               int64_t count, const gan_grammar *grammar) {
    int32_t *symbols = numbers(samples, count * grammar->length, grammar->symbols);
    if (!symbols) return no_memory(count);
    *violations = gan_grammar_violations(grammar, symbols, count);
    const gan_status status = gan_grammar_distinct(distinct, grammar, symbols, count);
    free(symbols);
    return status;
}

gan_status gan_sequences_write(const char *path, const float *samples, int64_t count,
                               const gan_grammar *grammar) {
    const int64_t line = grammar->length + 1;
    int32_t *symbols = numbers(samples, count * grammar->length, grammar->symbols);
    char *text = malloc((size_t)(count * line) + 1);
    gan_status status = symbols && text ? GAN_OK : no_memory(count);
    for (int64_t i = 0; i < count && status == GAN_OK; i++) {
        gan_grammar_text(grammar, symbols + i * grammar->length, text + i * line);
        text[i * line + line - 1] = '\n'; /* where the text's zero was */
    }
    if (status == GAN_OK) status = gan_file_write(path, text, (size_t)(count * line));
    free(symbols);
    free(text);
    return status;
}

/* Symbol k of n: hues around the circle, every other one darker. */
static void colour_of(uint8_t rgb[3], int64_t k, int64_t n) {
    const double hue = 6.283185307179586 * (double)k / (double)n, value = k % 2 ? 0.62 : 1;
    for (int c = 0; c < 3; c++) {
        const double wave = 0.5 + 0.5 * cos(hue - 2.0943951023931953 * c);
        rgb[c] = (uint8_t)(255 * value * (0.15 + 0.85 * wave) + 0.5);
    }
}

gan_status gan_sequences_paint(const char *png, const float *samples, int64_t count, int64_t length,
                               int64_t symbols, int64_t columns) {
    const int64_t wide = length * CELL;
    int32_t *symbol = numbers(samples, count * length, symbols);
    uint8_t *pixels = malloc((size_t)(count * CELL * wide * 3));
    gan_status status = symbol && pixels ? GAN_OK : no_memory(count);
    for (int64_t i = 0; i < count * CELL * wide && status == GAN_OK; i++) {
        const int64_t strip = i / (CELL * wide), place = i % wide / CELL;
        colour_of(pixels + 3 * i, symbol[strip * length + place], symbols);
    }
    if (columns == 0) columns = (int64_t)fmax(1, round(sqrt((double)count / (double)length)));
    const gan_images images = {.pixels = pixels,
                               .dtype = GAN_U8,
                               .count = count,
                               .height = CELL,
                               .width = wide,
                               .channels = 3};
    if (status == GAN_OK) status = gan_png_write_grid(png, &images, columns);
    free(symbol);
    free(pixels);
    return status;
}
