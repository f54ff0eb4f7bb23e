/* Losses from logits, by their definitions: cross-entropy of a sigmoid and of a softmax. */
#include <math.h>

#include "reference/family.h"

/* -log sigma(s), for either sign of s without cancellation or overflow. */
static double minus_log_sigmoid(double s) { return s > 0 ? log1p(exp(-s)) : log1p(exp(s)) - s; }

void ref_op_logits_loss(const ref_call *c) {
    const double t = c->node->attr.logits_loss.target;
    const int64_t n = gan_shape_size(ref_shape(c, 0));
    for (int64_t i = 0; i < n; i++) {
        const double s = c->in[0][i];
        c->out[0] += (t * minus_log_sigmoid(s) + (1 - t) * minus_log_sigmoid(-s)) / (double)n;
    }
}

void ref_op_logits_loss_grad(const ref_call *c) {
    const int64_t n = gan_shape_size(ref_shape(c, 0));
    for (int64_t i = 0; i < n; i++)
        c->out[i] =
            (exp(-minus_log_sigmoid(c->in[0][i])) - c->node->attr.logits_loss.target) / (double)n;
}

/* log of the sum of exp over a row. */
static double log_sum_exp(const double *row, int64_t classes) {
    double top = -INFINITY, sum = 0;
    for (int64_t j = 0; j < classes; j++) top = fmax(top, row[j]);
    for (int64_t j = 0; j < classes; j++) sum += exp(row[j] - top);
    return top + log(sum);
}

void ref_op_softmax_loss(const ref_call *c) {
    const int64_t rows = ref_shape(c, 0).dim[0], classes = ref_shape(c, 0).dim[1];
    for (int64_t i = 0; i < rows; i++) {
        const double *row = c->in[0] + i * classes;
        c->out[0] += (log_sum_exp(row, classes) - row[(int64_t)c->in[1][i]]) / (double)rows;
    }
}

void ref_op_softmax_loss_grad(const ref_call *c) {
    const int64_t rows = ref_shape(c, 0).dim[0], classes = ref_shape(c, 0).dim[1];
    for (int64_t i = 0; i < rows; i++) {
        const double *row = c->in[0] + i * classes, total = log_sum_exp(row, classes);
        for (int64_t j = 0; j < classes; j++)
            c->out[i * classes + j] =
                (exp(row[j] - total) - ((double)j == c->in[1][i])) / (double)rows;
    }
}
