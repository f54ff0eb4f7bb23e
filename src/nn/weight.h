/* The weight of a layer under the rule that the layer or its scope has for it. */
#ifndef GANC_NN_WEIGHT_H
#define GANC_NN_WEIGHT_H

#include "ganc/nn.h"

/* What a rule needs to know of a weight. */
typedef struct gan_weight_form {
    gan_shape shape;
    int out_axis;   /* along which the outputs lie */
    int64_t rows;   /* of the matrix that spectral norm takes it for */
    int64_t fan_in; /* inputs that an output sums */
    gan_init init;
    double gain; /* of the equalised learning rate */
} gan_weight_form;

/* The scope's weight "weight". NULL after an error, among them two rules at once. */
gan_node *gan_layer_weight(gan_scope *scope, gan_weight_form form,
                           const gan_layer_options *options);

#endif
