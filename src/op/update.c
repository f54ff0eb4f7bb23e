/* Effects: what a run leaves behind in variables. */
#include <stdlib.h>

#include "graph/store.h"
#include "op/rules.h"

/* ---- rules ---- */

/* Operand i has the type and shape of operand 0. */
static bool check_like_first(gan_node *node, int i, const char *name) {
    const gan_node *a = node->in[0], *b = node->in[i];
    if (a->dtype == b->dtype && gan_shape_equal(a->shape, b->shape)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s is %s; expected %s", name, GAN_TEXT(b),
                          GAN_TEXT(a));
}

bool gan_assign_infer(gan_node *node) {
    return gan_check_variable(node, 0, "the target") && check_like_first(node, 1, "the value");
}

bool gan_advance_infer(gan_node *node) {
    return gan_check_variable(node, 0, "the counter") && gan_check_counter(node, 0);
}

bool gan_moving_average_infer(gan_node *node) {
    return gan_check_variable(node, 0, "the average") &&
           gan_check_dtype(node, 0, "the average", GAN_F32) &&
           check_like_first(node, 1, "the value") && gan_check_scalar(node, 2, "decay");
}

bool gan_record_infer(gan_node *node) {
    if (node->n_in < 2)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "expected a ring and a counter");
    if (!gan_check_variable(node, 0, "the ring") ||
        !gan_check_dtype(node, 0, "the ring", GAN_F32) || !gan_check_rank(node, 0, "the ring", 2) ||
        !gan_check_counter(node, 1))
        return false;
    const int64_t *ring = node->in[0]->shape.dim;
    if (ring[0] < 1 || ring[1] != node->n_in - 2)
        return gan_node_error(
            node, GAN_ERROR_SHAPE, "%d values into a ring of %lld rows of %lld; expected (R,%d)",
            node->n_in - 2, (long long)ring[0], (long long)ring[1], node->n_in - 2);
    if (node->attr.record.every < 1)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "every %lld iterations; expected >= 1",
                              (long long)node->attr.record.every);
    for (int i = 2; i < node->n_in; i++)
        if (!gan_check_scalar(node, i, "a value")) return false;
    return true;
}

bool gan_power_iteration_infer(gan_node *node) {
    const gan_node *u = node->in[0], *v = node->in[1], *w = node->in[2];
    static const char *const name[] = {"u", "v", "w"};
    for (int i = 0; i < 3; i++)
        if (!gan_check_dtype(node, i, name[i], GAN_F32)) return false;
    if (!gan_check_variable(node, 0, "u") || !gan_check_variable(node, 1, "v")) return false;
    int64_t rest = 1;
    for (int i = 1; i < w->shape.rank; i++) rest *= w->shape.dim[i];
    if (w->shape.rank < 1 || !gan_shape_equal(u->shape, gan_shape1(w->shape.dim[0])) ||
        !gan_shape_equal(v->shape, gan_shape1(rest)))
        return gan_node_error(node, GAN_ERROR_SHAPE,
                              "u is %s and v %s; expected (out) and (rest) of w %s", GAN_TEXT(u),
                              GAN_TEXT(v), GAN_TEXT(w));
    return true;
}

bool gan_pack_infer(gan_node *node) {
    int64_t total = 0;
    for (int i = 0; i < node->n_in; i++) {
        if (!gan_check_dtype(node, i, "a gradient", GAN_F32)) return false;
        total += (gan_shape_size(node->in[i]->shape) + 15) / 16 * 16;
    }
    node->dtype = GAN_F32;
    node->shape = gan_shape1(total);
    return true;
}

/* Operands 0 to n-1 are flat vectors of one length, the first `written` variables. */
static bool check_flat(gan_node *node, int n, int written) {
    static const char *const name[] = {"operand 0", "operand 1", "operand 2", "operand 3"};
    if (!gan_check_dtype(node, 0, name[0], GAN_F32) || !gan_check_rank(node, 0, name[0], 1))
        return false;
    for (int i = 0; i < n; i++)
        if (!check_like_first(node, i, name[i]) ||
            (i < written && !gan_check_variable(node, i, name[i])))
            return false;
    return true;
}

bool gan_adam_infer(gan_node *node) {
    const double b1 = node->attr.adam.beta1, b2 = node->attr.adam.beta2, eps = node->attr.adam.eps;
    if (!check_flat(node, 4, 3) || !gan_check_scalar(node, 4, "rate") ||
        !gan_check_counter(node, 5))
        return false;
    if (!(b1 >= 0 && b1 < 1 && b2 >= 0 && b2 < 1 && eps >= 0))
        return gan_node_error(node, GAN_ERROR_ARGUMENT,
                              "beta1 %g, beta2 %g, eps %g; expected in [0,1), [0,1), >= 0", b1, b2,
                              eps);
    if (node->attr.adam.per_iteration >= 0 && node->attr.adam.offset >= 0) return true;
    return gan_node_error(
        node, GAN_ERROR_ARGUMENT, "%lld updates an iteration from %lld; expected >= 0",
        (long long)node->attr.adam.per_iteration, (long long)node->attr.adam.offset);
}

bool gan_momentum_infer(gan_node *node) {
    return check_flat(node, 3, 2) && gan_check_scalar(node, 3, "rate") &&
           gan_check_scalar(node, 4, "momentum");
}

/* ---- builders ---- */

void gan_assign(gan_graph *g, gan_node *variable, gan_node *value) {
    gan_node_create(g, GAN_OP_assign, 2, (gan_node *[]){variable, value}, NULL, NULL);
}

void gan_advance(gan_graph *g, gan_node *counter, int64_t by) {
    gan_node_create(g, GAN_OP_advance, 1, &counter, &(gan_attr){.advance = {by}}, NULL);
}

void gan_moving_average(gan_graph *g, gan_node *average, gan_node *value, gan_node *decay) {
    gan_node_create(g, GAN_OP_moving_average, 3, (gan_node *[]){average, value, decay}, NULL, NULL);
}

void gan_record(gan_graph *g, gan_node *ring, gan_node *counter, int64_t every, int n,
                gan_node *const *values) {
    gan_node **in = malloc((size_t)(n + 2) * sizeof *in);
    if (!in) {
        gan_graph_error(g, GAN_ERROR_MEMORY, "record: out of memory");
        return;
    }
    in[0] = ring;
    in[1] = counter;
    for (int i = 0; i < n; i++) in[i + 2] = values[i];
    gan_node_create(g, GAN_OP_record, n + 2, in, &(gan_attr){.record = {every}}, NULL);
    free(in);
}

void gan_power_iteration(gan_graph *g, gan_node *u, gan_node *v, gan_node *w, double eps) {
    gan_node_create(g, GAN_OP_power_iteration, 3, (gan_node *[]){u, v, w},
                    &(gan_attr){.eps = {eps}}, NULL);
}

/* The gradients in the order of the group's weights, in `packed`; false after an error. */
static bool in_order(gan_graph *g, const char *op, const char *group, int n, gan_node *const *wrt,
                     gan_node *const *grad, int n_weights, gan_node *const *weight,
                     gan_node **packed) {
    for (int j = 0; j < n_weights; j++) {
        const char *name = weight[j]->attr.variable.variable->name;
        packed[j] = NULL;
        for (int i = 0; i < n; i++) {
            if (wrt[i] != weight[j]) continue;
            if (packed[j])
                return gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s: weight %s is given twice", op,
                                       name);
            packed[j] = grad[i];
        }
        if (!packed[j])
            return gan_graph_error(g, GAN_ERROR_ARGUMENT,
                                   "%s: weight %s of group %s has no gradient", op, name, group);
        if (packed[j]->dtype != GAN_F32 || !gan_shape_equal(packed[j]->shape, weight[j]->shape))
            return gan_graph_error(g, GAN_ERROR_SHAPE,
                                   "%s: the gradient of weight %s is %s; expected %s", op, name,
                                   GAN_TEXT(packed[j]), GAN_TEXT(weight[j]));
    }
    if (n == n_weights) return true;
    return gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s: %d gradients for the %d weights of group %s",
                           op, n, n_weights, group);
}

/* The gradients of all weights of a group as one vector with the layout of the weights. */
static gan_node *pack(gan_graph *g, const char *op, const char *group, int n, gan_node *const *wrt,
                      gan_node *const *grad) {
    const int n_weights = gan_group_weights(g, group, NULL, 0);
    if (!g || gan_graph_status(g) != GAN_OK) return NULL;
    if (n_weights == 0)
        return gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s: group %s has no weights", op, group);
    gan_node **weight = malloc(2 * (size_t)n_weights * sizeof *weight), *packed = NULL;
    if (!weight) return gan_graph_error(g, GAN_ERROR_MEMORY, "%s: out of memory", op);
    gan_group_weights(g, group, weight, n_weights);
    if (in_order(g, op, group, n, wrt, grad, n_weights, weight, weight + n_weights))
        packed = gan_node_create(g, GAN_OP_pack, n_weights, weight + n_weights, NULL, NULL);
    free(weight);
    return packed;
}

void gan_adam(gan_graph *g, const char *group, int n, gan_node *const *wrt, gan_node *const *grad,
              const gan_adam_options *options) {
    gan_node *packed = pack(g, "adam", group, n, wrt, grad);
    if (!packed) return;
    gan_node *in[] = {
        gan_flat_variables(g, GAN_WEIGHT, group),
        gan_flat_variables(g, GAN_FIRST_MOMENT, group),
        gan_flat_variables(g, GAN_SECOND_MOMENT, group),
        packed,
        options->rate,
        options->counter,
    };
    const gan_attr attr = {.adam = {.beta1 = options->beta1,
                                    .beta2 = options->beta2,
                                    .eps = options->eps,
                                    .per_iteration = options->per_iteration,
                                    .offset = options->offset}};
    gan_node_create(g, GAN_OP_adam, 6, in, &attr, NULL);
}

void gan_momentum(gan_graph *g, const char *group, int n, gan_node *const *wrt,
                  gan_node *const *grad, gan_node *rate, gan_node *momentum) {
    gan_node *packed = pack(g, "momentum", group, n, wrt, grad);
    if (!packed) return;
    gan_node *in[] = {
        gan_flat_variables(g, GAN_WEIGHT, group),
        gan_flat_variables(g, GAN_FIRST_MOMENT, group),
        packed,
        rate,
        momentum,
    };
    gan_node_create(g, GAN_OP_momentum, 5, in, NULL, NULL);
}
