/* pointwise and broadcast: a program over the operands, tile by tile. */
#include <stdlib.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/program.h"

enum { TILES = 16 }; /* that a thread takes at a time */

static void release(gan_device *device, gan_call *call) {
    (void)device;
    free(call->state);
    call->state = NULL;
}

static gan_status prepare(gan_device *device, gan_call *call) {
    GAN_TRY(gan_cpu_require_f32(call, 0));
    gan_cpu_program *p = malloc(sizeof *p);
    if (!p) return gan_fail(GAN_ERROR_MEMORY, "cpu: no memory for a program");
    call->state = p;
    gan_status status = gan_cpu_program_bind(p, device, call->node->program, call->out.shape, 0,
                                             call->n_in, call->in, 0);
    if (status != GAN_OK) release(device, call);
    return status;
}

static gan_status run(gan_device *device, const gan_call *call) {
    const gan_cpu_program *p = call->state;
    float *y = call->out.data;
    const int64_t chunks = (p->n_tiles + TILES - 1) / TILES;
#pragma omp parallel num_threads(device->threads) if (p->size >= GAN_CPU_SERIAL)
    {
        gan_cpu_scratch scratch;
        gan_cpu_scratch_begin(&scratch, p, gan_cpu_program_capacity(p));
#pragma omp for schedule(static)
        for (int64_t chunk = 0; chunk < chunks; chunk++) {
            const int64_t end = (chunk + 1) * TILES < p->n_tiles ? (chunk + 1) * TILES : p->n_tiles;
            for (int64_t t = chunk * TILES; t < end; t++) {
                int64_t length, start = gan_cpu_program_tile_start(p, t, &length);
                gan_cpu_program_range(p, &scratch, call->in, start, length, y + start);
            }
        }
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_pointwise = {run, prepare, release};
const gan_kernel gan_cpu_broadcast = {run, prepare, release};
