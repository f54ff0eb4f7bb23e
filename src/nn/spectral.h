/* Spectral normalisation of a weight. */
#ifndef GANC_NN_SPECTRAL_H
#define GANC_NN_SPECTRAL_H

#include "ganc/nn.h"

/* `weight` divided by its largest singular value as a (rows, columns) matrix of its elements in
 * order. The vectors are the scope's statistics u (rows) and v (columns). */
gan_node *gan_spectral_weight(gan_scope *scope, gan_node *weight, int64_t rows, int64_t columns);

#endif
