/* The rows of the table of models; a model is a file. */
#ifndef GANC_MODEL_MODEL_H
#define GANC_MODEL_MODEL_H

#include "ganc/nn.h"

extern const gan_model gan_model_mlp, gan_model_maxout, gan_model_dcgan, gan_model_infogan,
    gan_model_sngan, gan_model_resnet, gan_model_sagan, gan_model_progressive, gan_model_completion,
    gan_model_toy, gan_model_toy_tanh, gan_model_sequence;

/* `wanted`, or `own` where it is 0. */
static inline int64_t gan_features(int64_t wanted, int64_t own) {
    return wanted > 0 ? wanted : own;
}

/* h, the input of the last hidden layer of a model that is `inner`, with minibatch discrimination
 * where the options have it there. */
gan_node *gan_inner_minibatch(gan_scope *scope, gan_node *h, const gan_model_options *options);

#define GAN_LEAKY_SLOPE 0.2

/* Dropout where `keep` asks for it; 0 is no dropout. */
static inline gan_node *gan_drop(gan_scope *scope, gan_node *x, double keep) {
    return keep != 0 ? gan_layer_dropout(scope, x, keep) : x;
}

/* The last z_late of the z_dim noise values, which enter at a later layer. */
typedef struct gan_noise {
    gan_scope *scope;
    gan_node *late; /* (m, z_late); NULL where there is none */
    int64_t layer;
} gan_noise;

/* z without its late part, for a network whose layers after the first are 1 … `layers`. */
gan_node *gan_noise_split(gan_noise *noise, gan_scope *scope, gan_node *z,
                          const gan_model_options *options, int layers);

/* x as layer `layer` takes it: with the late noise as more channels, where it belongs there. */
gan_node *gan_noise_join(const gan_noise *noise, int layer, gan_node *x);

/* ---- stacks of fully connected layers; stack.c ---- */

/* What follows a hidden layer and the scope's norm, if it has one: a leaky rectifier, the weights
 * being He's at the start, or tanh, being Xavier's. */
typedef enum gan_hidden { GAN_HIDDEN_LEAKY, GAN_HIDDEN_TANH } gan_hidden;

/* `layers`, at most 3, hidden layers of `width`, "hidden1" on, and a linear one, "output", of
 * `units`, with dropout and late noise as the options have them. */
gan_node *gan_stack_generator(gan_scope *scope, gan_node *z, const gan_model_options *options,
                              gan_hidden hidden, int layers, const int64_t *width, int64_t units);

/* `layers`, at most 3, such layers, with D's dropout and spectral norm. */
gan_node *gan_stack_features(gan_scope *scope, gan_node *x, const gan_model_options *options,
                             gan_hidden hidden, int layers, const int64_t *width);

#endif
