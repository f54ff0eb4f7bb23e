/* Filters of a convolution together with a mean over 2x2, or with upsampling before it. */
#include "reference/family.h"

/* Every tap (r, s) of w is part of four taps of the folded filter. A mean's place p takes what the
 * convolution's places 2p + a take, tap r of them being r + a further on. Upsampled, place h takes
 * by tap r what is at p where h + r - top = 2p + a: as the transposed convolution has it, by tap
 * h - 2p + (rows - 1 - top), which is rows - 1 + a - r. */
static void visit(const ref_call *c, gan_shape w, gan_shape folded, bool adjoint) {
    const bool up = c->node->attr.fold.up;
    for (int64_t e = 0; e < 4 * gan_shape_size(w); e++) {
        int64_t at[GAN_MAX_RANK];
        ref_index(w, e / 4, at);
        const int64_t a = e % 4 / 2, b = e % 2;
        const int64_t large =
            up ? ref_at4(folded, at[3], w.dim[1] - 1 + a - at[1], w.dim[2] - 1 + b - at[2], at[0])
               : ref_at4(folded, at[0], at[1] + a, at[2] + b, at[3]);
        const double share = up ? 1 : 0.25;
        if (adjoint)
            c->out[e / 4] += share * c->in[0][large];
        else
            c->out[large] += share * c->in[0][e / 4];
    }
}

void ref_op_fold(const ref_call *c) { visit(c, ref_shape(c, 0), c->node->shape, false); }

void ref_op_fold_adjoint(const ref_call *c) { visit(c, c->node->shape, ref_shape(c, 0), true); }
