/* Noise and mini-batches. */
#include "base/philox.h"

#include <string.h>

#include "cpu/device.h"
#include "cpu/kernels.h"
#include "cpu/simd.h"

static uint64_t counter_of(const gan_array *a) { return (uint64_t) * (const int64_t *)a->data; }

/* ---- random ---- */

enum { PIECE = 4 * GAN_CPU_RANDOM_GROUPS };

/* Numbers 0 … count-1 of a block into y; a block that the array cuts off goes through a copy. */
static void fill(gan_cpu_random_fill *loop, void *y, const gan_call *call, uint64_t t,
                 int64_t block, int64_t count, float a, float b) {
    const uint32_t stream = call->node->attr.random.stream;
    const uint64_t group = (uint64_t)block * GAN_CPU_RANDOM_GROUPS;
    const int64_t groups = (count + 3) / 4;
    if (count % 4 == 0) {
        loop(y, call->seed, stream, t, group, groups, a, b);
        return;
    }
    uint32_t copy[PIECE];
    loop(copy, call->seed, stream, t, group, groups, a, b);
    memcpy(y, copy, 4 * (size_t)count);
}

static gan_status run_random(gan_device *device, const gan_call *call) {
    const gan_cpu_random_loops *loops = gan_cpu_simd_of(device)->random;
    const gan_random_kind kind = call->node->attr.random.kind;
    gan_cpu_random_fill *loop = kind == GAN_RANDOM_NORMAL    ? loops->normal
                                : kind == GAN_RANDOM_UNIFORM ? loops->uniform
                                                             : loops->bits;
    const float a = (float)call->node->attr.random.a, b = (float)call->node->attr.random.b;
    const uint64_t t = counter_of(&call->in[0]);
    const uint64_t n = kind == GAN_RANDOM_INDEX ? (uint64_t)call->node->attr.random.a : 0;
    const int64_t size = gan_shape_size(call->out.shape), blocks = (size + PIECE - 1) / PIECE;
    uint32_t *y = call->out.data; /* f32 or i32: four bytes */
#pragma omp parallel for num_threads(device->threads)                                              \
    schedule(static) if (size >= GAN_CPU_SERIAL / 4)
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t start = block * PIECE, count = size - start < PIECE ? size - start : PIECE;
        fill(loop, y + start, call, t, block, count, a, b);
        if (kind == GAN_RANDOM_INDEX)
            for (int64_t i = start; i < start + count; i++)
                y[i] = (uint32_t)((uint64_t)y[i] * n >> 32);
    }
    return GAN_OK;
}

/* ---- mini-batches ---- */

static gan_status run_shuffled_index(gan_device *device, const gan_call *call) {
    (void)device;
    const uint64_t n = (uint64_t)call->node->attr.shuffle.n;
    const uint64_t first =
        counter_of(&call->in[0]) * (uint64_t)call->node->attr.shuffle.per_iteration +
        (uint64_t)call->node->attr.shuffle.offset;
    int32_t *y = call->out.data;
    const int64_t count = call->out.shape.dim[0];
    for (int64_t i = 0; i < count; i++) {
        const uint64_t p = first + (uint64_t)i;
        y[i] = (int32_t)gan_philox_permute(call->seed, call->node->attr.shuffle.stream, p / n, n,
                                           p % n);
    }
    return GAN_OK;
}

/* Reverses the order of the pixels of rows. */
static void mirror(float *x, int64_t rows, int64_t width, int64_t channels) {
    for (int64_t r = 0; r < rows; r++, x += width * channels)
        for (int64_t i = 0, j = width - 1; i < j; i++, j--)
            for (int64_t c = 0; c < channels; c++) {
                const float kept = x[i * channels + c];
                x[i * channels + c] = x[j * channels + c];
                x[j * channels + c] = kept;
            }
}

static gan_status run_minibatch(gan_device *device, const gan_call *call) {
    const gan_shape data = call->in[0].shape;
    const int64_t m = call->in[1].shape.dim[0], size = data.dim[1] * data.dim[2] * data.dim[3];
    const uint8_t *x = call->in[0].data;
    const int32_t *index = call->in[1].data;
    const uint64_t t = counter_of(&call->in[2]);
    const float scale = (float)call->node->attr.minibatch.scale,
                shift = (float)call->node->attr.minibatch.shift;
    const uint32_t stream = call->node->attr.minibatch.stream;
    const gan_cpu_cast_loops *loops = gan_cpu_simd_of(device)->cast;
    float *out = call->out.data;
#pragma omp parallel for num_threads(device->threads)                                              \
    schedule(static) if (m * size >= GAN_CPU_SERIAL)
    for (int64_t i = 0; i < m; i++) {
        float *y = out + i * size;
        if (index[i] < 0 || index[i] >= data.dim[0]) { /* no such example: zeros, as gather gives */
            memset(y, 0, sizeof *y * (size_t)size);
            continue;
        }
        loops->bytes(y, x + index[i] * size, size, scale, shift);
        if (!call->node->attr.minibatch.flip) continue;
        const gan_philox4 bits =
            gan_philox(call->seed, gan_philox_subsequence(stream, (uint64_t)i / 4), t);
        if (bits.v[i % 4] & 1u) mirror(y, data.dim[1], data.dim[2], data.dim[3]);
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_random = {run_random, NULL, NULL};
const gan_kernel gan_cpu_shuffled_index = {run_shuffled_index, NULL, NULL};
const gan_kernel gan_cpu_minibatch = {run_minibatch, NULL, NULL};
