/* What the parts of the convolution by phases share; conv_phases.c says how it works. */
#ifndef GANC_CPU_CONV_PHASES_H
#define GANC_CPU_CONV_PHASES_H

#include "cpu/conv.h"
#include "cpu/device.h"
#include "cpu/simd.h"

enum {
    GAN_CPU_POINTS = 9, /* products a tile, point = 3·row + column; a row of them at a time */
    GAN_CPU_PHASES = 4, /* phase = 2·row + column */
    GAN_CPU_PAD = 16,   /* floats between rows, so that they do not share a few sets of the cache */
};

/* How the work is cut; everything follows from shapes and the width of strips. */
typedef struct gan_cpu_phases_cut {
    const gan_cpu_product_loops *loops;
    int64_t strip;
    int64_t across, down; /* tiles in a row of an image, rows of tiles in it */
    int64_t rows, tiles;  /* rows of tiles a task, or a step of dw, takes, and the tiles in them */
    int64_t inner, outer; /* channels summed over (y: of all phases), and of the result */
    int64_t strips;       /* of outer; dw: of c */
    int64_t line;         /* pixels of a line */
    int64_t parts, part_rows; /* dw: rows of tiles cut into parts, */
    int64_t bands, band;      /* and filters into bands */
    /* of a worker, floats */
    int64_t line_size, factor_size, other_size, product_size; /* of three points: factor, other */
    int64_t filters_size; /* of transformed filters, or of a part of dw */
} gan_cpu_phases_cut;

typedef struct gan_cpu_phases {
    const gan_cpu_conv *v;
    gan_cpu_phases_cut z;
    const gan_call *call;
    const float *a, *b;
    float *out, *filters, *workers;
} gan_cpu_phases;

/* A worker's. */
typedef struct gan_cpu_phases_memory {
    float *line, *factor, *other, *product;
} gan_cpu_phases_memory;

gan_cpu_phases_memory gan_cpu_phases_memory_of(const gan_cpu_phases *x, int slot);

/* The line of rows of phase `row` of x, for a row of points, under a row of tiles. */
void gan_cpu_phases_line(const gan_cpu_phases *x, int64_t tile_row, int row, int points,
                         float *line);

/* A row of tiles' factors for three points, `size` apart: windows of three pixels of the line, from
 * pixel `from` on, `apart` within a window and `step` between windows; channels c0 … c0+w-1 of n.
 */
void gan_cpu_phases_factors(const gan_cpu_phases_cut *z, const float *line, int64_t n, int64_t c0,
                            int64_t w, int64_t from, int64_t apart, int64_t step, float *to,
                            int64_t pitch, int64_t size);

/* conv_phases_dw.c */
bool gan_cpu_phases_dw(const gan_device *device, gan_cpu_phases *x);

#endif
