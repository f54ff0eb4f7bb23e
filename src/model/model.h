/* The rows of the table of models; a model is a file. */
#ifndef GANC_MODEL_MODEL_H
#define GANC_MODEL_MODEL_H

#include "ganc/nn.h"

extern const gan_model gan_model_mlp, gan_model_maxout, gan_model_dcgan, gan_model_resnet,
    gan_model_toy;

/* `wanted`, or `own` where it is 0. */
static inline int64_t gan_features(int64_t wanted, int64_t own) {
    return wanted > 0 ? wanted : own;
}

/* A linear layer, the scope's norm if it has one, and a leaky rectifier, with He's initial weights.
 */
gan_node *gan_leaky_layer(gan_scope *scope, const char *name, gan_node *x, int64_t units,
                          bool spectral_norm);

#define GAN_LEAKY_SLOPE 0.2

#endif
