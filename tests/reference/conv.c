/* Cross-correlation and its two adjoints, as one sum over all (n,p,q,k,r,s,c) that touch. */
#include "reference/family.h"

typedef struct terms {
    gan_shape x, w, y; /* (N,H,W,C), (K,R,S,C), (N,P,Q,K) */
    gan_window window;
} terms;

/* Calls `add` for every product x[n,h,w,c]·w[k,r,s,c] that is part of y[n,p,q,k]. */
static void each_term(const terms *t, const ref_call *c,
                      void (*add)(const ref_call *c, int64_t x, int64_t w, int64_t y)) {
    for (int64_t y = 0; y < gan_shape_size(t->y); y++) {
        int64_t iy[GAN_MAX_RANK];
        ref_index(t->y, y, iy);
        for (int64_t r = 0; r < t->w.dim[1]; r++)
            for (int64_t s = 0; s < t->w.dim[2]; s++) {
                const int64_t h = iy[1] * t->window.stride_h + r - t->window.top;
                const int64_t w = iy[2] * t->window.stride_w + s - t->window.left;
                if (h < 0 || h >= t->x.dim[1] || w < 0 || w >= t->x.dim[2]) continue;
                for (int64_t i = 0; i < t->x.dim[3]; i++)
                    add(c, ref_at4(t->x, iy[0], h, w, i), ref_at4(t->w, iy[3], r, s, i), y);
            }
    }
}

static void add_y(const ref_call *c, int64_t x, int64_t w, int64_t y) {
    c->out[y] += c->in[0][x] * c->in[1][w];
}
static void add_x(const ref_call *c, int64_t x, int64_t w, int64_t y) {
    c->out[x] += c->in[0][y] * c->in[1][w];
}
static void add_w(const ref_call *c, int64_t x, int64_t w, int64_t y) {
    c->out[w] += c->in[0][x] * c->in[1][y];
}

void ref_op_conv2d(const ref_call *c) {
    const gan_shape y = gan_conv_shape(c->node);
    each_term(&(terms){ref_shape(c, 0), ref_shape(c, 1), y, c->node->attr.window}, c, add_y);
}

void ref_op_conv2d_grad_input(const ref_call *c) {
    each_term(&(terms){c->node->shape, ref_shape(c, 1), ref_shape(c, 0), c->node->attr.window}, c,
              add_x);
}

void ref_op_conv2d_grad_weight(const ref_call *c) {
    each_term(&(terms){ref_shape(c, 0), c->node->shape, ref_shape(c, 1), c->node->attr.window}, c,
              add_w);
}
