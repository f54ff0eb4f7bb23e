/* power_iteration: v = wᵀu/‖wᵀu‖, then u = wv/‖wv‖; a norm below eps divides as eps. */
#include <math.h>
#include <string.h>

#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

enum { COLUMNS = 256 }; /* to a task */

static void normalise(const gan_cpu_reduce_loops *loops, float *x, int64_t n, double eps) {
    double squares = 0;
    for (int64_t i = 0; i < n; i += GAN_CPU_TILE) {
        const int64_t length = n - i < GAN_CPU_TILE ? n - i : GAN_CPU_TILE;
        squares += (double)loops->dot(x + i, x + i, length);
    }
    const double norm = sqrt(squares);
    const float factor = (float)(1 / (norm > eps ? norm : eps));
    for (int64_t i = 0; i < n; i++) x[i] *= factor;
}

static gan_status run(gan_device *device, const gan_call *call) {
    const int64_t rows = gan_shape_size(call->in[0].shape),
                  columns = gan_shape_size(call->in[1].shape);
    const int64_t blocks = (columns + COLUMNS - 1) / COLUMNS;
    const bool parallel = rows * columns >= GAN_CPU_SERIAL;
    const gan_cpu_reduce_loops *loops = gan_cpu_simd_of(device)->reduce;
    const double eps = call->node->attr.eps.eps;
    float *u = call->in[0].data, *v = call->in[1].data;
    const float *w = call->in[2].data;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (parallel)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t c = block * COLUMNS, n = columns - c < COLUMNS ? columns - c : COLUMNS;
        memset(v + c, 0, sizeof *v * (size_t)n);
        for (int64_t r = 0; r < rows; r++) loops->add_scaled(v + c, u[r], w + r * columns + c, n);
    }
    normalise(loops, v, columns, eps);
#pragma omp parallel for num_threads(device->threads) schedule(static) if (parallel)
    for (int64_t r = 0; r < rows; r++) u[r] = loops->dot(w + r * columns, v, columns);
    normalise(loops, u, rows, eps);
    return GAN_OK;
}

const gan_kernel gan_cpu_power_iteration = {run, NULL, NULL};
