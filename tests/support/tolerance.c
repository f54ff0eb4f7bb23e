#include "support/tolerance.h"

#include <stdlib.h>

#include "graph/plan.h"

/* Operands of cases are around 1. Rounding is 6e-8 an operation; sums of hundreds of terms of
 * either sign stay far below the tolerances given, and cases of longer ones say so. Ops that are
 * not here round nothing. */
static const tolerance of_op[GAN_OP_COUNT] = {
    [GAN_OP_constant] = {0, 1e-7},
    [GAN_OP_pointwise] = {2e-6, 4e-6},
    [GAN_OP_sum] = {5e-6, 4e-6},
    [GAN_OP_scatter_add] = {2e-6, 2e-6},
    [GAN_OP_matmul] = {5e-6, 5e-6},
    [GAN_OP_conv2d] = {1e-5, 5e-6},
    [GAN_OP_conv2d_grad_input] = {1e-5, 5e-6},
    [GAN_OP_conv2d_grad_weight] = {1e-5, 5e-6},
    [GAN_OP_fold] = {1e-6, 1e-6},
    [GAN_OP_fold_adjoint] = {1e-6, 1e-6},
    [GAN_OP_average_pool] = {1e-6, 1e-6},
    [GAN_OP_average_pool_adjoint] = {1e-6, 1e-6},
    [GAN_OP_max_pool_adjoint] = {1e-6, 1e-6},
    [GAN_OP_moments] = {2e-6, 5e-6},
    [GAN_OP_batch_norm] = {5e-6, 5e-6},
    [GAN_OP_batch_norm_sums] = {2e-5, 5e-6},
    [GAN_OP_batch_norm_grad] = {1e-5, 5e-6},
    [GAN_OP_logits_loss] = {1e-6, 4e-6},
    [GAN_OP_logits_loss_grad] = {1e-7, 4e-6},
    [GAN_OP_softmax_loss] = {2e-6, 4e-6},
    [GAN_OP_softmax_loss_grad] = {1e-6, 4e-6},
    [GAN_OP_random] = {1e-5, 2e-6}, /* sine and cosine of angles up to 2·pi in f32 */
    [GAN_OP_minibatch] = {2e-7, 2e-7},
    [GAN_OP_moving_average] = {1e-6, 1e-6},
    [GAN_OP_record] = {0, 1e-7},
    [GAN_OP_power_iteration] = {2e-6, 1e-5},
    [GAN_OP_adam] = {2e-6, 2e-5},
    [GAN_OP_momentum] = {2e-6, 2e-6},
};

tolerance case_tolerance(const test_case *t) {
    tolerance most = {0, 0};
    bool *live = gan_plan_live(t->g);
    for (int i = 0; live && i < t->g->n_nodes; i++) {
        const tolerance one = of_op[t->g->node[i]->op];
        if (!live[i]) continue;
        if (one.absolute > most.absolute) most.absolute = one.absolute;
        if (one.relative > most.relative) most.relative = one.relative;
    }
    free(live);
    return (tolerance){most.absolute * t->looser, most.relative * t->looser};
}
