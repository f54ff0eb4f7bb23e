/* What an element of fold and fold_adjoint sums, for their kernels. */
#ifndef GANC_GRAPH_FOLD_H
#define GANC_GRAPH_FOLD_H

#include "graph/op.h"

/* out (i,r,s,j) = scale · Σ over a, b in {0,1} of in (i,h,w,j), with turned in (j,h,w,i),
 * h = first_h + step·r + a, w = first_w + step·s + b, where there is such a tap. */
typedef struct gan_fold_sums {
    int64_t i, r, s, j, h, w; /* lengths */
    int64_t first_h, first_w, step;
    bool turned;
    float scale;
} gan_fold_sums;

static inline gan_fold_sums gan_fold_sums_of(const gan_node *node) {
    const int64_t *in = node->in[0]->shape.dim, *out = node->shape.dim;
    const bool up = node->attr.fold.up, adjoint = node->op == GAN_OP_fold_adjoint;
    gan_fold_sums f = {.i = out[0], .r = out[1], .s = out[2], .j = out[3], .h = in[1], .w = in[2]};
    /* Up turns filters about: taps from the last one of w on, backwards. */
    f.first_h = up ? (adjoint ? f.r : f.h) - 1 : adjoint ? 0 : -1;
    f.first_w = up ? (adjoint ? f.s : f.w) - 1 : adjoint ? 0 : -1;
    f.step = up ? -1 : 1;
    f.turned = up;
    f.scale = up ? 1.0f : 0.25f;
    return f;
}

#endif
