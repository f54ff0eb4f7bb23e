/* Types in lowering. */
#ifndef GANC_GRAPH_PLAN_CAST_H
#define GANC_GRAPH_PLAN_CAST_H

#include "graph/plan.h"

/* Copies of weights in bf16. */
typedef struct gan_plan_half {
    int n;
    bool *keeps;     /* by id of the graph that is lowered: a cast that reads the copy that updates
                        keep, or an update that keeps it */
    gan_node **cast; /* flat vectors of weights in bf16 that are made where they are read */
    int n_casts, capacity;
} gan_plan_half;

/* What has been converted already, so that it is converted once. */
typedef struct gan_plan_casts {
    gan_node **wide; /* by id of a bf16 node: its f32 copy */
    int capacity;
    bool *narrow;    /* by id of the graph that is lowered: a concatenation that is read as bf16 */
    gan_node **part; /* casts to bf16 of what is computed */
    int n_parts, part_capacity;
    gan_plan_half half;
} gan_plan_casts;

void gan_plan_casts_close(gan_plan_casts *casts);

/* A new cast. */
gan_node *gan_plan_cast_to(gan_graph *to, gan_node *x, gan_dtype dtype);

/* What stands for the cast of x: x itself where it has the type already, or where the cast undoes a
 * widening one; a piece of the group's vector for a weight; a cast of x that is there already. NULL
 * when a cast is needed, or after an error of `to`. */
gan_node *gan_plan_cast(gan_plan_casts *casts, gan_graph *to, const gan_node *cast, gan_node *x);

/* `node`, just added to `to`, as the device can compute it: itself, or the same in f32 with casts
 * of its bf16 operands before and of its result after it. NULL after an error of `to`. */
gan_node *gan_plan_typed(gan_plan_casts *casts, gan_graph *to, gan_node *node,
                         const gan_plan_options *options);

/* ---- plan_narrow.c ---- */

/* Finds the concatenations of f32 values that nobody reads but casts to bf16. False: no memory. */
bool gan_plan_narrow_open(gan_plan_casts *casts, const gan_graph *from, const bool *live);
void gan_plan_narrow_close(gan_plan_casts *casts);

/* One of these, of `in`: in bf16, each part cast by itself. NULL when `node` is none, or after an
 * error of `to`. */
gan_node *gan_plan_narrow(gan_plan_casts *casts, gan_graph *to, const gan_node *node,
                          gan_node *const *in);

/* A cast of x to bf16 that is there already, or NULL. */
gan_node *gan_plan_narrow_part(const gan_plan_casts *casts, const gan_node *x);

/* Remembers `cast`, which may be NULL or another node, for that. */
void gan_plan_narrow_keep(gan_plan_casts *casts, gan_node *cast);

/* ---- plan_half.c ---- */

/* The weight of a flat group that `cast` converts to bf16; NULL: it is no such cast. */
gan_variable *gan_plan_cast_weight(const gan_node *cast);

/* Finds the casts of `from` for which updates keep a copy, and these updates. stale[id]: a cast
 * that is read after a later update, so that it has to be computed. False: no memory. */
bool gan_plan_half_open(gan_plan_half *half, const gan_graph *from, const bool *live,
                        const bool *stale);
void gan_plan_half_close(gan_plan_half *half);

/* `update` over the operands `in`, with the copy that it keeps; NULL when it keeps none, or after
 * an error of `to`. */
gan_node *gan_plan_keep_half(const gan_plan_half *half, gan_graph *to, const gan_node *update,
                             gan_node *const *in);

/* The piece of a copy that is the weight of `cast`; NULL after an error of `to`. */
gan_node *gan_plan_half_weight(gan_plan_half *half, gan_graph *to, const gan_node *cast);

/* Lists the casts that make the copies which updates keep. */
gan_status gan_plan_refresh(gan_plan *plan);

#endif
