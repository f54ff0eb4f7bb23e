/* What changes variables; the values to change are in in[]. */
#include <math.h>
#include <stdlib.h>

#include "reference/family.h"

enum { LINE = 16 }; /* floats in 64 bytes: each weight of a flat group begins on one */

void ref_op_assign(const ref_call *c) {
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 0)); i++) c->in[0][i] = c->in[1][i];
}

void ref_op_advance(const ref_call *c) { c->in[0][0] += (double)c->node->attr.advance.by; }

void ref_op_moving_average(const ref_call *c) {
    const double decay = c->in[2][0];
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 0)); i++)
        c->in[0][i] = decay * c->in[0][i] + (1 - decay) * c->in[1][i];
}

void ref_op_record(const ref_call *c) {
    const int64_t rows = ref_shape(c, 0).dim[0], width = ref_shape(c, 0).dim[1];
    const int64_t counter = (int64_t)c->in[1][0], every = c->node->attr.record.every;
    if (counter % every != 0) return;
    for (int i = 2; i < c->node->n_in; i++)
        c->in[0][counter / every % rows * width + i - 2] = c->in[i][0];
}

/* x / (‖x‖ + eps), Miyato et al. 2018. */
static void normalise(double *x, int64_t n, double eps) {
    double norm = 0;
    for (int64_t i = 0; i < n; i++) norm += x[i] * x[i];
    for (int64_t i = 0; i < n; i++) x[i] /= sqrt(norm) + eps;
}

void ref_op_power_iteration(const ref_call *c) {
    double *u = c->in[0], *v = c->in[1];
    const double *w = c->in[2], eps = c->node->attr.eps.eps;
    const int64_t rows = gan_shape_size(ref_shape(c, 0)), columns = gan_shape_size(ref_shape(c, 1));
    for (int64_t j = 0; j < columns; j++) {
        v[j] = 0;
        for (int64_t i = 0; i < rows; i++) v[j] += w[i * columns + j] * u[i];
    }
    normalise(v, columns, eps);
    for (int64_t i = 0; i < rows; i++) {
        u[i] = 0;
        for (int64_t j = 0; j < columns; j++) u[i] += w[i * columns + j] * v[j];
    }
    normalise(u, rows, eps);
}

/* Behind `at` elements of out; returns how many there are then. */
static int64_t pack(const ref_call *c, int operand, double *out, int64_t at) {
    const int64_t n = gan_shape_size(ref_shape(c, operand));
    for (int64_t i = 0; i < n; i++) out[at + i] = c->in[operand][i];
    return at + (n + LINE - 1) / LINE * LINE;
}

void ref_op_pack(const ref_call *c) {
    int64_t at = 0;
    for (int k = 0; k < c->node->n_in; k++) at = pack(c, k, c->out, at);
}

/* Operand `first`, or the vector of which it and the last operands are the pieces. To be freed. */
static double *gradient(const ref_call *c, int first, int pieces) {
    const int64_t n = gan_shape_size(ref_shape(c, 0));
    double *whole = calloc((size_t)n + 1, sizeof *whole);
    REF_REQUIRE(whole);
    int64_t at = pack(c, first, whole, 0);
    for (int k = 1; k < pieces; k++) at = pack(c, c->node->n_in - pieces + k, whole, at);
    return whole;
}

/* The new weights rounded, where the plan has given the update a copy to keep. */
static void keep(const ref_call *c, int usual, int pieces) {
    const bool kept = c->node->n_in - (pieces ? pieces - 1 : 0) > usual;
    for (int64_t i = 0; kept && i < gan_shape_size(ref_shape(c, 0)); i++)
        c->in[usual][i] = ref_round_bf16(c->in[0][i]);
}

/* Kingma and Ba 2015, algorithm 1; t is the number of this update, from 1. */
void ref_op_adam(const ref_call *c) {
    const double b1 = c->node->attr.adam.beta1, b2 = c->node->attr.adam.beta2, rate = c->in[4][0];
    const double t = c->in[5][0] * (double)c->node->attr.adam.per_iteration +
                     (double)c->node->attr.adam.offset + 1;
    double *w = c->in[0], *m = c->in[1], *v = c->in[2];
    double *all = gradient(c, 3, c->node->attr.adam.pieces);
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 0)); i++) {
        const double g = all[i];
        m[i] = b1 * m[i] + (1 - b1) * g;
        v[i] = b2 * v[i] + (1 - b2) * g * g;
        w[i] -= rate * (m[i] / (1 - pow(b1, t))) /
                (sqrt(v[i] / (1 - pow(b2, t))) + c->node->attr.adam.eps);
    }
    free(all);
    keep(c, 6, c->node->attr.adam.pieces);
}

void ref_op_momentum(const ref_call *c) {
    const double rate = c->in[3][0], momentum = c->in[4][0];
    double *g = gradient(c, 2, c->node->attr.momentum.pieces);
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 0)); i++) {
        c->in[1][i] = momentum * c->in[1][i] - rate * g[i];
        c->in[0][i] += c->in[1][i];
    }
    free(g);
    keep(c, 5, c->node->attr.momentum.pieces);
}
