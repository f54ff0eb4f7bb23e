/* Plans of small networks, and where their calls are. */
#ifndef GANC_TESTS_SUPPORT_PLANNED_H
#define GANC_TESTS_SUPPORT_PLANNED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "graph/plan.h"

/* Every op has a kernel but those that exist to be expanded. */
static inline bool most(const void *context, gan_op_id op) {
    (void)context;
    return op != GAN_OP_batch_norm && op != GAN_OP_logits_loss && op != GAN_OP_logits_loss_grad;
}

static inline gan_plan *make_plan(const gan_graph *g) {
    gan_plan *plan;
    gan_plan_options options = {.supported = most};
    assert_int_equal(gan_plan_create(&plan, g, &options), GAN_OK);
    return plan;
}

static inline int position_of(const gan_plan *plan, gan_op_id op) {
    for (int i = 0; i < plan->n_launches; i++)
        if (plan->order[i]->op == op) return i;
    return -1;
}

static inline gan_node *weight(gan_graph *g, const char *name, gan_shape shape) {
    return gan_variable_node(g, GAN_WEIGHT, name, GAN_F32, shape,
                             (gan_init){GAN_INIT_NORMAL, 0, .1f});
}

static inline gan_node *layer(gan_graph *g, gan_node *x, const char *name, int64_t out) {
    char text[64];
    int64_t in = gan_node_shape(x).dim[1];
    snprintf(text, sizeof text, "%s/weight", name);
    gan_node *w = weight(g, text, gan_shape2(out, in));
    snprintf(text, sizeof text, "%s/bias", name);
    gan_node *b = weight(g, text, gan_shape1(out));
    return gan_leaky_relu(g, gan_add(g, gan_matmul(g, x, w, false, true), b), .2);
}

static inline gan_node *mean_square(gan_graph *g, gan_node *x) {
    return gan_mean(g, gan_square(g, x));
}

#endif
