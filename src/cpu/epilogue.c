#include <string.h>

#include "base/error.h"
#include "cpu/device.h"
#include "cpu/program.h"

gan_status gan_cpu_epilogue_prepare(gan_cpu_epilogue *e, const gan_device *device,
                                    const gan_call *call) {
    e->active = call->node->program != NULL;
    e->first = gan_op_of(call->node)->arity;
    if (!e->active) return GAN_OK;
    return gan_cpu_program_bind(&e->program, device, call->node->program, call->out.shape, 1,
                                call->n_in - e->first, call->in + e->first, GAN_CPU_CUT_LAST);
}

/* From this width on a row is a tile of its own. */
enum { WIDE = 256 };

void gan_cpu_epilogue_block(const gan_cpu_epilogue *e, const gan_call *call, float *block,
                            int64_t ld, int64_t r0, int64_t r1, int64_t c0, int64_t c1) {
    if (!e->active || r0 >= r1 || c0 >= c1) return;
    const gan_array *operand = call->in + e->first;
    const int64_t width = c1 - c0, most = e->program.tile;
    const int64_t w = width < most ? width : most;
    const bool dense = ld == width;
    int64_t rows = !dense && w >= WIDE ? 1 : most / w;
    if (rows > r1 - r0) rows = r1 - r0;

    gan_cpu_scratch scratch;
    _Alignas(64) float tile[GAN_CPU_TILE];
    gan_cpu_scratch_begin(&scratch, &e->program, rows * w);
    for (int64_t r = r0; r < r1; r += rows) {
        const int64_t n = r1 - r < rows ? r1 - r : rows;
        for (int64_t c = 0; c < width; c += w) {
            const int64_t m = width - c < w ? width - c : w;
            float *from = block + (r - r0) * ld + c;
            float *to = n == 1 || dense ? from : tile;
            if (to == tile)
                for (int64_t i = 0; i < n; i++)
                    memcpy(tile + i * m, from + i * ld, sizeof *tile * (size_t)m);
            const float *given = to;
            gan_cpu_program_tile(&e->program, &scratch, operand, &given, r, n, c0 + c, m, to);
            if (to == tile)
                for (int64_t i = 0; i < n; i++)
                    memcpy(from + i * ld, tile + i * m, sizeof *tile * (size_t)m);
        }
    }
}

void gan_cpu_epilogue_all(const gan_cpu_epilogue *e, const gan_device *device,
                          const gan_call *call) {
    if (!e->active || e->program.size == 0) return;
    const int64_t columns = e->program.columns, rows = e->program.rows;
    float *y = call->out.data;
    if (e->program.size < GAN_CPU_SERIAL) {
        gan_cpu_epilogue_block(e, call, y, columns, 0, rows, 0, columns);
        return;
    }
    int64_t step = GAN_CPU_PIECE / 2 / columns;
    if (step < 1) step = 1;
#pragma omp parallel for num_threads(device->threads) schedule(static)
    for (int64_t r = 0; r < rows; r += step)
        gan_cpu_epilogue_block(e, call, y + r * columns, columns, r,
                               r + step < rows ? r + step : rows, 0, columns);
}
