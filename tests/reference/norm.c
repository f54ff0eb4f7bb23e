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
    return (c->in[0][i * channels + j] - mean) / sqrt(variance + c->node->attr.norm.eps);
}

void ref_op_batch_norm(const ref_call *c) {
    const int64_t channels = channels_of(ref_shape(c, 0));
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 0)) / channels; i++)
        for (int64_t j = 0; j < channels; j++)
            c->out[i * channels + j] = normalised(c, i, j) * c->in[2][j] + c->in[3][j];
}

/* dy (operand 2) as it comes to batch norm's result: less where an activation bends. */
static double incoming(const ref_call *c, int64_t i, int64_t j) {
    const int64_t channels = channels_of(ref_shape(c, 0));
    const double dy = c->in[2][i * channels + j], slope = c->node->attr.norm.slope;
    const bool bent = normalised(c, i, j) * c->in[3][j] + c->in[4][j] <= 0;
    return bent ? slope * dy : dy;
}

void ref_op_batch_norm_sums(const ref_call *c) {
    const int64_t channels = channels_of(ref_shape(c, 0)), groups = c->node->shape.dim[0];
    const int64_t rows = gan_shape_size(ref_shape(c, 0)) / channels;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            const double dy = incoming(c, i, j);
            c->out[place(rows, groups, channels, i, 0, j)] += dy;
            c->out[place(rows, groups, channels, i, 1, j)] += dy * normalised(c, i, j);
        }
}

/* Ioffe and Szegedy 2015, section 3: dx through x itself, the variance and the mean. */
void ref_op_batch_norm_grad(const ref_call *c) {
    const int64_t channels = channels_of(ref_shape(c, 0)), groups = ref_shape(c, 1).dim[0];
    const int64_t rows = gan_shape_size(ref_shape(c, 0)) / channels;
    const double count = (double)(rows / groups);
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < channels; j++) {
            const int64_t first = place(rows, groups, channels, i, 0, j), second = first + channels;
            const double deviation = sqrt(c->in[1][second] + c->node->attr.norm.eps);
            const double d_hat = c->in[3][j] * incoming(c, i, j);
            const double d_mean = -c->in[3][j] * c->in[5][first] / deviation;
            const double d_variance = -c->in[3][j] * c->in[5][second] / (2 * deviation * deviation);
            c->out[i * channels + j] =
                d_hat / deviation + d_mean / count +
                d_variance * 2 * (c->in[0][i * channels + j] - c->in[1][first]) / count;
        }
}
