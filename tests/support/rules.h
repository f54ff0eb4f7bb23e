/* What a device says of itself when a plan is made, for tests of plans: rules of gan_plan_options.
 */
#ifndef GANC_TESTS_SUPPORT_RULES_H
#define GANC_TESTS_SUPPORT_RULES_H

#include "graph/plan.h"

/* Has a kernel for every op. */
static inline bool every_op(const void *context, gan_op_id op) {
    return (void)context, (void)op, true;
}

/* Has one for those that cannot be expanded. */
static inline bool primitive_op(const void *context, gan_op_id op) {
    return (void)context, !gan_op_table[op].expand;
}

/* Takes, and joins, whatever comes. */
static inline bool takes_all(const void *context, const gan_node *node) {
    return (void)context, (void)node, true;
}

static inline gan_join joins_all(const void *context, const gan_node *node) {
    return (void)context, (void)node, (gan_join){1, true};
}

static inline gan_join joins_pointwise(const void *context, const gan_node *node) {
    (void)context;
    return (gan_join){node->op == GAN_OP_pointwise, false};
}

/* moments and the batch_norm that takes them are one launch. */
static inline bool norm_pairs(const void *context, const gan_node *first, const gan_node *second) {
    (void)context;
    return first->op == GAN_OP_moments && second->op == GAN_OP_batch_norm && second->in[1] == first;
}

#endif
