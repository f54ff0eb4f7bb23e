/* Losses straight from logits, in forms that neither overflow nor lose the tail of a sigmoid. */
#include "op/rules.h"

/* A loss is one number: the gradient with respect to logits is its own op times the incoming
 * scalar. */
static void scaled(gan_node *node, gan_node *grad, gan_node *dy, gan_node **dx) {
    gan_graph *g = node->graph;
    dx[0] = gan_mul(g, grad, gan_cast(g, dy, node->in[0]->dtype));
}

/* ---- logits_loss: E[softplus(s) - t·s] ---- */

bool gan_logits_loss_infer(gan_node *node) {
    if (!gan_check_float(node, 0, "logits")) return false;
    node->dtype = GAN_F32;
    node->shape = gan_shape0();
    if (gan_shape_size(node->in[0]->shape) > 0) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "mean of no logits; expected at least one");
}

void gan_logits_loss_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    if (!need[0]) return;
    gan_node *grad =
        gan_node_create(node->graph, GAN_OP_logits_loss_grad, 1, node->in, &node->attr, NULL);
    scaled(node, grad, dy, dx);
}

gan_node *gan_logits_loss_expand(gan_node *node) {
    gan_graph *g = node->graph;
    gan_node *s = gan_cast(g, node->in[0], GAN_F32);
    const double target = node->attr.logits_loss.target;
    gan_node *loss = gan_softplus(g, s);
    if (target < 0.0 || target > 0.0) loss = gan_sub(g, loss, gan_scale(g, s, target));
    return gan_mean(g, loss);
}

/* (sigma(s) - t) / n */
gan_node *gan_logits_loss_grad_expand(gan_node *node) {
    gan_graph *g = node->graph;
    gan_node *s = gan_cast(g, node->in[0], GAN_F32);
    gan_node *d = gan_shift(g, gan_sigmoid(g, s), -node->attr.logits_loss.target);
    return gan_cast(g, gan_scale(g, d, 1.0 / (double)gan_shape_size(s->shape)), node->dtype);
}

gan_node *gan_logits_loss(gan_graph *g, gan_node *logits, double target) {
    return gan_node_create(g, GAN_OP_logits_loss, 1, &logits, &(gan_attr){.logits_loss = {target}},
                           NULL);
}

/* ---- softmax_loss: E[logsumexp(l) - l_label] ---- */

static bool check_labels(gan_node *node) {
    const gan_shape l = node->in[0]->shape;
    if (!gan_check_float(node, 0, "logits") || !gan_check_rank(node, 0, "logits", 2) ||
        !gan_check_dtype(node, 1, "labels", GAN_I32))
        return false;
    if (l.dim[0] < 1 || l.dim[1] < 1)
        return gan_node_error(node, GAN_ERROR_SHAPE,
                              "no logits; expected at least one row and one class");
    if (gan_shape_equal(node->in[1]->shape, gan_shape1(l.dim[0]))) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "labels are %s; expected i32(%lld)",
                          GAN_TEXT(node->in[1]), (long long)l.dim[0]);
}

bool gan_softmax_loss_infer(gan_node *node) {
    node->dtype = GAN_F32;
    node->shape = gan_shape0();
    return check_labels(node);
}

bool gan_softmax_loss_grad_infer(gan_node *node) {
    node->dtype = node->in[0]->dtype;
    node->shape = node->in[0]->shape;
    return check_labels(node);
}

void gan_softmax_loss_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    if (!need[0]) return;
    scaled(node, gan_node_create(node->graph, GAN_OP_softmax_loss_grad, 2, node->in, NULL, NULL),
           dy, dx);
}

/* l - max(l): softmax does not change with the shift, so no gradient needs to flow through the
 * maximum. */
static gan_node *shifted(gan_node *node) {
    gan_graph *g = node->graph;
    gan_node *l = gan_cast(g, node->in[0], GAN_F32);
    return gan_sub(g, l, gan_stop_gradient(g, gan_max_axes(g, l, 1u << 1)));
}

static gan_node *one_hot_labels(gan_node *node) {
    return gan_one_hot(node->graph, node->in[1], node->in[0]->shape.dim[1]);
}

gan_node *gan_softmax_loss_expand(gan_node *node) {
    gan_graph *g = node->graph;
    gan_node *z = shifted(node);
    gan_node *chosen = gan_sum_axes(g, gan_mul(g, z, one_hot_labels(node)), 1u << 1);
    return gan_mean(g, gan_sub(g, gan_log(g, gan_sum_axes(g, gan_exp(g, z), 1u << 1)), chosen));
}

/* (softmax(l) - one_hot(label)) / m */
gan_node *gan_softmax_loss_grad_expand(gan_node *node) {
    gan_graph *g = node->graph;
    gan_node *e = gan_exp(g, shifted(node));
    gan_node *p = gan_div(g, e, gan_sum_axes(g, e, 1u << 1));
    gan_node *d =
        gan_scale(g, gan_sub(g, p, one_hot_labels(node)), 1.0 / (double)node->shape.dim[0]);
    return gan_cast(g, d, node->dtype);
}

gan_node *gan_softmax_loss(gan_graph *g, gan_node *logits, gan_node *labels) {
    return gan_node_create(g, GAN_OP_softmax_loss, 2, (gan_node *[]){logits, labels}, NULL, NULL);
}
