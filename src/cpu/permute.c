/* permute: rows where the last axis stays last, else transposed blocks. */
#include <string.h>

#include "cpu/device.h"
#include "cpu/kernels.h"

/* Axes of the result that stay neighbours are one; strides are of the operand, in elements. */
typedef struct axes {
    int rank;
    int64_t length[GAN_MAX_RANK], stride[GAN_MAX_RANK];
} axes;

static axes collapse(const gan_call *call) {
    int64_t stride[GAN_MAX_RANK];
    int64_t step = 1;
    for (int i = call->in[0].shape.rank - 1; i >= 0; i--) {
        stride[i] = step;
        step *= call->in[0].shape.dim[i];
    }
    axes a = {0};
    for (int i = 0; i < call->out.shape.rank; i++) {
        const int64_t length = call->out.shape.dim[i],
                      s = stride[call->node->attr.permute.order[i]];
        if (length == 1) continue;
        if (a.rank > 0 && a.stride[a.rank - 1] == s * length) {
            a.length[a.rank - 1] *= length;
            a.stride[a.rank - 1] = s;
        } else {
            a.length[a.rank] = length;
            a.stride[a.rank++] = s;
        }
    }
    if (a.rank == 0) {
        a.length[0] = a.stride[0] = 1;
        a.rank = 1;
    }
    return a;
}

/* y[r·ys + c] = x[r + c·xs] for `rows` × `columns` elements. */
#define TRANSPOSE(type)                                                                            \
    static void transpose_##type(void *y_, int64_t ys, const void *x_, int64_t xs, int64_t rows,   \
                                 int64_t columns) {                                                \
        type *y = y_;                                                                              \
        const type *x = x_;                                                                        \
        for (int64_t r = 0; r < rows; r++)                                                         \
            for (int64_t c = 0; c < columns; c++) y[r * ys + c] = x[r + c * xs];                   \
    }
TRANSPOSE(uint8_t)
TRANSPOSE(uint16_t)
TRANSPOSE(uint32_t)
TRANSPOSE(uint64_t)

typedef void transpose(void *y, int64_t ys, const void *x, int64_t xs, int64_t rows,
                       int64_t columns);

static transpose *transpose_of(size_t size) {
    return size == 1   ? transpose_uint8_t
           : size == 2 ? transpose_uint16_t
           : size == 4 ? transpose_uint32_t
                       : transpose_uint64_t;
}

enum { BLOCK = 32 };

/* Where position `i` of the axes but `without` and the last begins, in the operand and in the
 * result. */
static void starts(const axes *a, int without, int64_t i, int64_t *from, int64_t *to) {
    int64_t out = a->length[a->rank - 1];
    *from = *to = 0;
    for (int k = a->rank - 2; k >= 0; k--) {
        if (k != without) {
            const int64_t at = i % a->length[k];
            i /= a->length[k];
            *from += at * a->stride[k];
            *to += at * out;
        }
        out *= a->length[k];
    }
}

static gan_status run(gan_device *device, const gan_call *call) {
    const axes a = collapse(call);
    const int64_t size = gan_shape_size(call->out.shape),
                  bytes = (int64_t)gan_dtype_size(call->out.dtype);
    const int last = a.rank - 1;
    const char *x = call->in[0].data;
    char *y = call->out.data;
    if (size == 0) return GAN_OK;
    if (a.stride[last] == 1) {
        const int64_t n = a.length[last], rows = size / n;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (size >= GAN_CPU_SERIAL)
        for (int64_t r = 0; r < rows; r++) {
            int64_t from, to;
            starts(&a, -1, r, &from, &to);
            memcpy(y + to * bytes, x + from * bytes, (size_t)(n * bytes));
        }
        return GAN_OK;
    }
    int p = 0; /* the axis that lies along the operand's rows */
    while (a.stride[p] != 1) p++;
    int64_t pitch = 1; /* of it in the result */
    for (int k = p + 1; k <= last; k++) pitch *= a.length[k];
    transpose *move = transpose_of((size_t)bytes);
    const int64_t blocks = (a.length[p] + BLOCK - 1) / BLOCK;
    const int64_t items = size / (a.length[p] * a.length[last]) * blocks;
#pragma omp parallel for num_threads(device->threads) schedule(static) if (size >= GAN_CPU_SERIAL)
    for (int64_t item = 0; item < items; item++) {
        int64_t from, to;
        starts(&a, p, item / blocks, &from, &to);
        const int64_t r = item % blocks * BLOCK,
                      rows = a.length[p] - r < BLOCK ? a.length[p] - r : BLOCK;
        for (int64_t c = 0; c < a.length[last]; c += BLOCK) {
            const int64_t columns = a.length[last] - c < BLOCK ? a.length[last] - c : BLOCK;
            move(y + (to + r * pitch + c) * bytes, pitch,
                 x + (from + r + c * a.stride[last]) * bytes, a.stride[last], rows, columns);
        }
    }
    return GAN_OK;
}

const gan_kernel gan_cpu_permute = {run, NULL, NULL};
