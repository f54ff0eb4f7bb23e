/* Batch norm's gradients with the derivative of the activation that follows it. */
#ifndef GANC_GRAPH_PLAN_NORM_H
#define GANC_GRAPH_PLAN_NORM_H

#include "graph/op.h"

enum { GAN_PLAN_NORM_OPERANDS = 6 };

/* Of batch_norm_sums and batch_norm_grad whose dy is that of batch_norm times the derivative of a
 * (leaky) ReLU of its result: makes *out the same node with dy as it came to the activation, whose
 * derivative the node then takes from x (attr.norm.slope); *out's operands are put into `in`. False
 * for all others, which are left as they are. */
bool gan_plan_norm(gan_node *out, gan_node *in[GAN_PLAN_NORM_OPERANDS], const gan_node *node);

#endif
