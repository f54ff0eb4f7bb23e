/* Sums, maxima and broadcasts: `axes` keep length 1. */
#include <math.h>

#include "reference/family.h"

/* The position in the reduced array that an element of the whole belongs to. */
static int64_t reduced_position(gan_shape out, const int64_t *index) {
    int64_t at[GAN_MAX_RANK];
    for (int i = 0; i < out.rank; i++) at[i] = out.dim[i] == 1 ? 0 : index[i];
    return ref_position(out, at);
}

void ref_op_sum(const ref_call *c) {
    const gan_shape whole = c->node->attr.reduce.in_shape;
    for (int64_t e = 0; e < gan_shape_size(whole); e++) {
        int64_t index[GAN_MAX_RANK];
        ref_index(whole, e, index);
        c->out[reduced_position(c->node->shape, index)] += c->in[0][e];
    }
}

void ref_op_max(const ref_call *c) {
    const gan_shape whole = c->node->attr.reduce.in_shape;
    for (int64_t i = 0; i < gan_shape_size(c->node->shape); i++) c->out[i] = -INFINITY;
    for (int64_t e = 0; e < gan_shape_size(whole); e++) {
        int64_t index[GAN_MAX_RANK];
        ref_index(whole, e, index);
        double *to = &c->out[reduced_position(c->node->shape, index)];
        if (c->in[0][e] > *to) *to = c->in[0][e];
    }
}

void ref_op_broadcast(const ref_call *c) {
    for (int64_t e = 0; e < gan_shape_size(c->node->shape); e++) {
        int64_t index[GAN_MAX_RANK];
        ref_index(c->node->shape, e, index);
        c->out[e] = c->in[0][reduced_position(ref_shape(c, 0), index)];
    }
}
