/* Windows over images. Padding counts as zeros in a mean and not at all in a maximum. */
#include <math.h>

#include "reference/family.h"

/* Position in x (N,H,W,C) of place (r,s) of the window of output element `y`; -1 in the padding. */
static int64_t place(const gan_node *node, gan_shape x, gan_shape y_shape, int64_t y, int64_t r,
                     int64_t s) {
    const gan_window *window = &node->attr.pool.window;
    int64_t i[GAN_MAX_RANK];
    ref_index(y_shape, y, i);
    const int64_t h = i[1] * window->stride_h + r - window->top,
                  w = i[2] * window->stride_w + s - window->left;
    if (h < 0 || h >= x.dim[1] || w < 0 || w >= x.dim[2]) return -1;
    return ref_at4(x, i[0], h, w, i[3]);
}

void ref_op_average_pool(const ref_call *c) {
    const int size_h = c->node->attr.pool.size_h, size_w = c->node->attr.pool.size_w;
    for (int64_t y = 0; y < gan_shape_size(c->node->shape); y++)
        for (int r = 0; r < size_h; r++)
            for (int s = 0; s < size_w; s++) {
                const int64_t x = place(c->node, ref_shape(c, 0), c->node->shape, y, r, s);
                if (x >= 0) c->out[y] += c->in[0][x] / (double)(size_h * size_w);
            }
}

void ref_op_average_pool_adjoint(const ref_call *c) {
    const int size_h = c->node->attr.pool.size_h, size_w = c->node->attr.pool.size_w;
    for (int64_t y = 0; y < gan_shape_size(ref_shape(c, 0)); y++)
        for (int r = 0; r < size_h; r++)
            for (int s = 0; s < size_w; s++) {
                const int64_t x = place(c->node, c->node->shape, ref_shape(c, 0), y, r, s);
                if (x >= 0) c->out[x] += c->in[0][y] / (double)(size_h * size_w);
            }
}

/* Position in x of the first maximum, rows before columns, of the window of output element `y`. */
static int64_t first_maximum(const ref_call *c, gan_shape y_shape, int64_t y) {
    int64_t best = -1;
    for (int r = 0; r < c->node->attr.pool.size_h; r++)
        for (int s = 0; s < c->node->attr.pool.size_w; s++) {
            const int64_t x = place(c->node, ref_shape(c, 0), y_shape, y, r, s);
            if (x >= 0 && (best < 0 || c->in[0][x] > c->in[0][best])) best = x;
        }
    return best;
}

void ref_op_max_pool(const ref_call *c) {
    for (int64_t y = 0; y < gan_shape_size(c->node->shape); y++) {
        const int64_t x = first_maximum(c, c->node->shape, y);
        c->out[y] = x >= 0 ? c->in[0][x] : -INFINITY;
    }
}

void ref_op_max_pool_adjoint(const ref_call *c) {
    for (int64_t y = 0; y < gan_shape_size(ref_shape(c, 1)); y++) {
        const int64_t x = first_maximum(c, ref_shape(c, 1), y);
        if (x >= 0) c->out[x] += c->in[1][y];
    }
}

void ref_op_max_pool_select(const ref_call *c) {
    for (int64_t y = 0; y < gan_shape_size(c->node->shape); y++) {
        const int64_t x = first_maximum(c, c->node->shape, y);
        c->out[y] = x >= 0 ? c->in[1][x] : 0;
    }
}
