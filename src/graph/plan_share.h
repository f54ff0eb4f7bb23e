/* Equal values in lowering. */
#ifndef GANC_GRAPH_PLAN_SHARE_H
#define GANC_GRAPH_PLAN_SHARE_H

#include "graph/graph.h"

/* The sum, maximum, folded filter or concatenation of one in `to` that has the value of `node`,
 * just added to it; else `node`, which may be NULL. */
gan_node *gan_plan_share(const gan_graph *to, gan_node *node);

#endif
