#ifndef GANC_GRAPH_DUMP_H
#define GANC_GRAPH_DUMP_H

#include "graph/op.h"

/* "conv2d+add+leaky_relu": an op with the functions fused into it. */
void gan_node_text(const gan_node *node, char *text, size_t size);

#endif
