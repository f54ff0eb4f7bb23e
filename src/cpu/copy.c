#include "cpu/copy.h"

#include <string.h>

#include "cpu/device.h"

enum { PIECE = 64 * 1024 }; /* bytes that a thread moves at a time */

void gan_cpu_copy(const gan_device *device, void *to, const void *from, size_t bytes) {
    if (to == from || bytes == 0) return;
    const int64_t pieces = ((int64_t)bytes + PIECE - 1) / PIECE;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (pieces > 1)
    for (int64_t i = 0; i < pieces; i++) {
        const size_t start = (size_t)i * PIECE;
        memcpy((char *)to + start, (const char *)from + start,
               bytes - start < PIECE ? bytes - start : PIECE);
    }
}

/* Rows of one word are too short for a call each. */
static void copy_words(char *to, int64_t to_pitch, const char *from, int64_t from_pitch,
                       int64_t rows) {
    for (int64_t r = 0; r < rows; r++) memcpy(to + r * to_pitch, from + r * from_pitch, 4);
}

static void copy_some(char *to, int64_t to_pitch, const char *from, int64_t from_pitch,
                      int64_t rows, int64_t bytes) {
    if (!from) {
        for (int64_t r = 0; r < rows; r++) memset(to + r * to_pitch, 0, (size_t)bytes);
    } else if (bytes == 4) {
        copy_words(to, to_pitch, from, from_pitch, rows);
    } else {
        for (int64_t r = 0; r < rows; r++)
            memcpy(to + r * to_pitch, from + r * from_pitch, (size_t)bytes);
    }
}

void gan_cpu_copy_rows(const gan_device *device, void *to, int64_t to_pitch, const void *from,
                       int64_t from_pitch, int64_t rows, int64_t bytes) {
    if (rows <= 0 || bytes <= 0) return;
    if (from && to_pitch == bytes && from_pitch == bytes) {
        gan_cpu_copy(device, to, from, (size_t)(rows * bytes));
        return;
    }
    const int64_t step = bytes < PIECE ? PIECE / bytes : 1, pieces = (rows + step - 1) / step;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (pieces > 1)
    for (int64_t i = 0; i < pieces; i++) {
        const int64_t r = i * step, n = rows - r < step ? rows - r : step;
        copy_some((char *)to + r * to_pitch, to_pitch,
                  from ? (const char *)from + r * from_pitch : NULL, from_pitch, n, bytes);
    }
}
