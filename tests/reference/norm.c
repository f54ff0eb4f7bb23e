/* Batch normalisation by its definition: Ioffe and Szegedy 2015, algorithm 1, in groups of rows. */
#include <math.h>

#include "reference/family.h"

/* The place of row `i`, channel `j` of `rows` in moments (groups, 2, C). */
static int64_t place(int64_t rows, int64_t groups, int64_t channels, int64_t i, int which,
                     int64_t j) {
    return (i / (rows / groups) * 2 + which) * channels + j;
}

static int64_t channels_of(gan_shape x) { return x.dim[x.rank - 1]; }

void ref_op_moments(const ref_call *c) {
    const int64_t channels = channels_of(ref_shape(c, 0)), groups = c->node->shape.dim[0];
    const int64_t rows = gan_shape_size(ref_shape(c, 0)) / channels, part = rows / groups;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++)
            c->out[place(rows, groups, channels, i, 0, j)] +=
                c->in[0][i * channels + j] / (double)part;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            const double d =
                c->in[0][i * channels + j] - c->out[place(rows, groups, channels, i, 0, j)];
            c->out[place(rows, groups, channels, i, 1, j)] += d * d / (double)part;
        }
}

/* (x - mean) / sqrt(variance + eps) of one element. */
static double normalised(const ref_call *c, int64_t i, int64_t j) {
    const int64_t channels = channels_of(ref_shape(c, 0)), groups = ref_shape(c, 1).dim[0];
    const int64_t rows = gan_shape_size(ref_shape(c, 0)) / channels;
    const double mean = c->in[1][place(rows, groups, channels, i, 0, j)];
    const double variance = c->in[1][place(rows, groups, channels, i, 1, j)];
    return (c->in[0][i * channels + j] - mean) / sqrt(variance + c->node->attr.eps.eps);
}

void ref_op_batch_norm(const ref_call *c) {
    const int64_t channels = channels_of(ref_shape(c, 0));
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 0)) / channels; i++)
        for (int64_t j = 0; j < channels; j++)
            c->out[i * channels + j] = normalised(c, i, j) * c->in[2][j] + c->in[3][j];
}

void ref_op_batch_norm_sums(const ref_call *c) {
    const int64_t channels = channels_of(ref_shape(c, 0)), groups = c->node->shape.dim[0];
    const int64_t rows = gan_shape_size(ref_shape(c, 0)) / channels;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            const double dy = c->in[2][i * channels + j];
            c->out[place(rows, groups, channels, i, 0, j)] += dy;
            c->out[place(rows, groups, channels, i, 1, j)] += dy * normalised(c, i, j);
        }
}
