/* Elements that move. */
#include "reference/family.h"

void ref_op_reshape(const ref_call *c) {
    for (int64_t i = 0; i < gan_shape_size(c->node->shape); i++) c->out[i] = c->in[0][i];
}

void ref_op_permute(const ref_call *c) {
    for (int64_t e = 0; e < gan_shape_size(c->node->shape); e++) {
        int64_t to[GAN_MAX_RANK], from[GAN_MAX_RANK];
        ref_index(c->node->shape, e, to);
        for (int i = 0; i < c->node->shape.rank; i++) from[c->node->attr.permute.order[i]] = to[i];
        c->out[e] = c->in[0][ref_position(ref_shape(c, 0), from)];
    }
}

void ref_op_concat(const ref_call *c) {
    const int axis = c->node->attr.concat.axis;
    int64_t start = 0;
    for (int k = 0; k < c->node->n_in; k++) {
        for (int64_t e = 0; e < gan_shape_size(ref_shape(c, k)); e++) {
            int64_t index[GAN_MAX_RANK];
            ref_index(ref_shape(c, k), e, index);
            index[axis] += start;
            c->out[ref_position(c->node->shape, index)] = c->in[k][e];
        }
        start += ref_shape(c, k).dim[axis];
    }
}

void ref_op_slice(const ref_call *c) {
    for (int64_t e = 0; e < gan_shape_size(c->node->shape); e++) {
        int64_t index[GAN_MAX_RANK];
        ref_index(c->node->shape, e, index);
        index[c->node->attr.slice.axis] += c->node->attr.slice.start;
        c->out[e] = c->in[0][ref_position(ref_shape(c, 0), index)];
    }
}

void ref_op_pad(const ref_call *c) {
    for (int64_t e = 0; e < gan_shape_size(ref_shape(c, 0)); e++) {
        int64_t index[GAN_MAX_RANK];
        ref_index(ref_shape(c, 0), e, index);
        index[c->node->attr.pad.axis] += c->node->attr.pad.before;
        c->out[ref_position(c->node->shape, index)] = c->in[0][e];
    }
}

/* Elements of one row of a table. */
static int64_t row_size(gan_shape table) {
    int64_t n = 1;
    for (int i = 1; i < table.rank; i++) n *= table.dim[i];
    return n;
}

void ref_op_gather(const ref_call *c) {
    const int64_t width = row_size(ref_shape(c, 0)), rows = ref_shape(c, 0).dim[0];
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 1)); i++) {
        const int64_t row = (int64_t)c->in[1][i];
        for (int64_t j = 0; j < width; j++)
            c->out[i * width + j] = row >= 0 && row < rows ? c->in[0][row * width + j] : 0;
    }
}

void ref_op_scatter_add(const ref_call *c) {
    const int64_t width = row_size(c->node->shape), rows = c->node->shape.dim[0];
    for (int64_t i = 0; i < gan_shape_size(ref_shape(c, 1)); i++) {
        const int64_t row = (int64_t)c->in[1][i];
        if (row < 0 || row >= rows) continue;
        for (int64_t j = 0; j < width; j++) c->out[row * width + j] += c->in[0][i * width + j];
    }
}
