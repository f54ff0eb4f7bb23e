/* What the norms have in common. */
#ifndef GANC_NN_NORM_H
#define GANC_NN_NORM_H

#include "ganc/nn.h"

/* y·gamma + beta a channel, y (…, C) in f32: weights gamma and beta (C), or in a scope with
 * condition_norm (classes, C), each row of y taking its class's. */
gan_node *gan_norm_affine(gan_scope *scope, gan_node *y, const gan_norm_options *options);

/* The norms; `scope` is the layer's own. */
gan_node *gan_norm_batch(gan_scope *scope, gan_node *x, const gan_norm_options *options);
gan_node *gan_norm_layer(gan_scope *scope, gan_node *x, const gan_norm_options *options);
gan_node *gan_norm_instance(gan_scope *scope, gan_node *x, const gan_norm_options *options);
gan_node *gan_norm_group(gan_scope *scope, gan_node *x, const gan_norm_options *options);
gan_node *gan_norm_pixel(gan_scope *scope, gan_node *x, const gan_norm_options *options);
gan_node *gan_norm_virtual(gan_scope *scope, gan_node *x, const gan_norm_options *options);

static inline int64_t gan_channels(const gan_node *x) {
    const gan_shape s = gan_node_shape(x);
    return s.rank ? s.dim[s.rank - 1] : 1;
}

#endif
