/* Leaves, and the wall that no gradient passes. */
#include "op/rules.h"

bool gan_same_infer(gan_node *node) {
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    return true;
}

gan_node *gan_constant(gan_graph *g, double value, gan_shape shape) {
    return gan_leaf_create(g, GAN_OP_constant, GAN_F32, shape, &(gan_attr){.constant = {value}});
}

gan_node *gan_stop_gradient(gan_graph *g, gan_node *x) {
    return gan_node_create(g, GAN_OP_stop_gradient, 1, &x, NULL, NULL);
}
