/* Types in lowering. */
#ifndef GANC_GRAPH_PLAN_CAST_H
#define GANC_GRAPH_PLAN_CAST_H

#include "graph/plan.h"

/* What has been converted already, so that it is converted once. */
typedef struct gan_plan_casts {
    gan_node **wide; /* by id of a bf16 node: its f32 copy */
    int capacity;
    gan_node **half; /* flat vectors of weights in bf16 */
    int n_half, half_capacity;
} gan_plan_casts;

void gan_plan_casts_close(gan_plan_casts *casts);

/* What stands for the cast of x: x itself where it has the type already, or where the cast undoes a
 * widening one; a piece of the group's vector for a weight. NULL when a cast is needed, or after an
 * error of `to`. */
gan_node *gan_plan_cast(gan_plan_casts *casts, gan_graph *to, const gan_node *cast, gan_node *x);

/* `node`, just added to `to`, as the device can compute it: itself, or the same in f32 with casts
 * of its bf16 operands before and of its result after it. NULL after an error of `to`. */
gan_node *gan_plan_typed(gan_plan_casts *casts, gan_graph *to, gan_node *node,
                         const gan_plan_options *options);

#endif
