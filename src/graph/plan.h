/* The plan: a graph made ready for one device.
 *
 * Lowering copies what is live into a graph of its own, replaces ops that the device has no kernel
 * for by their expansion (plan_lower.c), puts casts around kernels that do not take bfloat16
 * (plan_cast.c), lets updates keep the weights in bf16 (plan_half.c) and batches be written in it
 * (plan_narrow.c), and gives the gradients of batch norm the derivative of what follows it
 * (plan_norm.c); where small calls are joined, some products become sums and mini-batches find
 * their own indices (plan_task.c). What all passes over a network sum up or fold alike they share
 * (plan_share.c). Fusion merges pointwise chains, broadcasts, prologues and epilogues (plan_fuse.c,
 * plan_maxout.c, plan_outer.c, plan_pair.c, plan_wide.c), leaves some sums to those who normalise
 * them (plan_sum.c), and has updates read gradients in pieces (plan_pieces.c). Ordering keeps the
 * effects in their order and computes values as late as they are needed (plan_order.c). Joining
 * puts small calls that run as one launch side by side (plan_join.c). Placing gives every value a
 * place in one arena by its lifetime (plan_place.c).
 */
#ifndef GANC_GRAPH_PLAN_H
#define GANC_GRAPH_PLAN_H

#include "graph/graph.h"

/* Where a node's value is. */
typedef struct gan_place {
    enum { GAN_PLACE_NONE, GAN_PLACE_ARENA, GAN_PLACE_VARIABLE } kind;
    const gan_variable *variable;
    size_t offset; /* bytes from the start of the plan's arena, or of the variable */
} gan_place;

/* Whether calls of a node can be of one launch with others. */
typedef struct gan_join {
    int room;    /* what it takes of a launch's; 0: the call is a launch by itself */
    bool spread; /* it runs beside the other calls of its phase, not after some and before others */
} gan_join;

typedef struct gan_plan_options {
    bool (*supported)(const void *context, gan_op_id op); /* the device has a kernel */
    /* That kernel takes this node's types; NULL: it takes any. Where not, casts go around it. */
    bool (*takes)(const void *context, const gan_node *node);
    gan_join (*joins)(const void *context, const gan_node *node); /* NULL: nothing is joined */
    int join_room;                                                /* of a launch */
    /* Whether a call that is a launch by itself is one with a later one, of any size, which it comes
     * directly before then; NULL: none is. Asked only where `joins` is not NULL. */
    bool (*pairs)(const void *context, const gan_node *first, const gan_node *second);
    /* Whether a pair that begins with these moments can form the sum that they are of: a program of
     * the addition alone, whose second operand is repeated. Fusion leaves such a sum as it is, and
     * the three are one launch. It goes by types and shapes; NULL: none can. */
    bool (*forms)(const void *context, const gan_node *sum, const gan_node *moments);
    /* Room of a launch that calls which are one launch, a large one or a pair, take as a phase of one
     * with joined calls or others such; 0: they cannot be one. NULL: none can. */
    int (*phase)(const void *context, int n, gan_node *const *calls);
    const void *context;
    /* Small values have bytes of their own, the smallest first, as far as these suffice: what is
     * not written over can be read while others are computed. */
    size_t apart_bytes;
    bool keep_apart; /* every value has bytes of its own, followed by GAN_PLAN_GAP unused ones
                        (tests) */
} gan_plan_options;

enum { GAN_PLAN_ALIGN = 256, GAN_PLAN_GAP = 256 };

typedef struct gan_plan {
    gan_graph *graph; /* the lowered and fused copy */
    gan_node **order; /* the calls */
    int *stage;       /* of each call, growing; calls of one stage are one launch */
    int *phase;       /* of each call within its stage, growing from 0 */
    int *chain; /* of each call within its phase, from 0: what depends on each other has one; -1:
                   spread */
    int n_launches;
    gan_place *place; /* by node id of the copy */
    size_t arena_bytes;
    gan_node **copy_of; /* by node id of the source graph: outputs and inputs; NULL when not live */
    int n_source;
    /* Casts of flat weights that are no calls: their results are the copies in bf16 that updates
     * keep (arena->half), to be made where these are not current before a run. */
    gan_node **refresh;
    int n_refresh;
} gan_plan;

gan_status gan_plan_create(gan_plan **out, const gan_graph *source,
                           const gan_plan_options *options);
void gan_plan_destroy(gan_plan *plan);

/* The steps, in this order. */
gan_status gan_plan_lower(gan_plan *plan, const gan_graph *source, const gan_plan_options *options);
gan_status gan_plan_fuse(gan_plan *plan, const gan_plan_options *options);
gan_status gan_plan_order(gan_plan *plan);
gan_status gan_plan_join(gan_plan *plan, const gan_plan_options *options);

/* ---- plan_phase.c ---- */

/* Makes launches that come directly behind each other phases of one. */
gan_status gan_plan_phase(gan_plan *plan, const gan_plan_options *options);
gan_status gan_plan_place(gan_plan *plan, const gan_plan_options *options);

/* Whether the device forms `sum`, which `moments` are of, in their launch. */
bool gan_plan_is_formed(const gan_plan_options *options, const gan_node *sum,
                        const gan_node *moments);

/* live[id]: an effect or output needs the node. Freed by the caller; NULL when memory is exhausted.
 */
bool *gan_plan_live(const gan_graph *g);

#endif
