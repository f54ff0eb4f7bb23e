/* pointwise and broadcast: a program over the operands, tile by tile. */
#include <stdlib.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/program.h"
#include "cpu/simd.h"

enum { TILES = 16 }; /* that a thread takes at a time */

static void release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    gan_cpu_program *p = malloc(sizeof *p);
    if (!p) return gan_fail(GAN_ERROR_MEMORY, "cpu: no memory for a program");
    call->state = p;
    gan_status status = gan_cpu_program_bind(p, device, call->node->program, call->out.shape, 0,
                                             call->n_in, call->in, 0);
    if (status != GAN_OK) release(device, call);
    return status;
}

/* Tiles t0 … t1-1; `narrow`: into bf16, where the result is. */
static void run_tiles(const gan_cpu_program *p, gan_cpu_scratch *scratch, const gan_call *call,
                      gan_cpu_conversion *narrow, int64_t t0, int64_t t1) {
    float *y = call->out.data;
    uint16_t *half = call->out.data;
    int64_t block = t0 / p->tiles_per_row, part = t0 - block * p->tiles_per_row;
    for (int64_t t = t0; t < t1; t++) {
        const int64_t r = block * p->tile_rows, c = part * p->tile_columns;
        const int64_t n = p->rows - r < p->tile_rows ? p->rows - r : p->tile_rows;
        const int64_t w = p->columns - c < p->tile_columns ? p->columns - c : p->tile_columns;
        const int64_t at = r * p->columns + c;
        const float *value =
            gan_cpu_program_tile(p, scratch, call->in, NULL, r, n, c, w, narrow ? NULL : y + at);
        if (narrow) narrow(half + at, value, n * w);
        if (++part == p->tiles_per_row) {
            part = 0;
            block++;
        }
    }
}

static gan_status run(gan_device *device, const gan_call *call) {
    const gan_cpu_program *p = call->state;
    const int64_t chunks = (p->n_tiles + TILES - 1) / TILES;
    gan_cpu_conversion *narrow =
        call->out.dtype == GAN_BF16 ? gan_cpu_simd_of(device)->cast->cast[GAN_F32][GAN_BF16] : NULL;
#pragma omp parallel num_threads(device->threads) if (p->size >= GAN_CPU_SERIAL)
    {
        gan_cpu_scratch scratch;
        gan_cpu_scratch_begin(&scratch, p, gan_cpu_program_capacity(p));
#pragma omp for schedule(static)
        for (int64_t i = 0; i < chunks; i++) {
            const int64_t end = (i + 1) * TILES;
            run_tiles(p, &scratch, call, narrow, i * TILES, end < p->n_tiles ? end : p->n_tiles);
        }
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_pointwise = {run, prepare, release};
const gan_kernel gan_cpu_broadcast = {run, prepare, release};
