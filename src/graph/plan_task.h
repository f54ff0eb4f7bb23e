/* Lowering for devices that run small calls as tasks of one launch. */
#ifndef GANC_GRAPH_PLAN_TASK_H
#define GANC_GRAPH_PLAN_TASK_H

#include "graph/plan.h"

/* What a node over the operands `in` of `to` becomes where that can be such a task while the node
 * cannot, or would have to wait for one: a row times a matrix, or a matrix times a column, which
 * are sums over the matrix's rows or columns; a mini-batch of shuffled indices, which finds them
 * itself. NULL when it stays as it is, or after an error of `to`. */
gan_node *gan_plan_task(gan_graph *to, const gan_node *node, gan_node *const *in,
                        const gan_plan_options *options);

#endif
