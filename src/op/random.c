/* Noise and mini-batches: functions of the store's seed, a stream of their own, and a counter. */
#include "op/rules.h"

/* ---- noise ---- */

bool gan_random_infer(gan_node *node) {
    const double a = node->attr.random.a, b = node->attr.random.b;
    if (!gan_check_counter(node, 0) || !gan_check_shape(node, node->attr.random.shape))
        return false;
    node->shape = node->attr.random.shape;
    node->dtype = node->attr.random.kind == GAN_RANDOM_INDEX ? GAN_I32 : GAN_F32;
    switch (node->attr.random.kind) {
    case GAN_RANDOM_UNIFORM:
        if (a <= b) return true;
        return gan_node_error(node, GAN_ERROR_ARGUMENT,
                              "uniform from %g to %g; expected low <= high", a, b);
    case GAN_RANDOM_NORMAL:
        if (b >= 0) return true;
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "normal of deviation %g; expected >= 0", b);
    case GAN_RANDOM_INDEX:
        if (a >= 1 && a <= INT32_MAX) return true;
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "index below %.0f; expected 1 to %d", a,
                              INT32_MAX);
    }
    return gan_node_error(node, GAN_ERROR_ARGUMENT, "unknown kind %d", (int)node->attr.random.kind);
}

static gan_node *draw(gan_graph *g, gan_node *counter, gan_shape shape, gan_random_kind kind,
                      double a, double b) {
    if (!gan_check_given(g, "random", counter)) return NULL;
    const gan_attr attr = {.random = {kind, gan_graph_stream(g), a, b, shape}};
    return gan_node_create(g, GAN_OP_random, 1, &counter, &attr, NULL);
}

gan_node *gan_random_uniform(gan_graph *g, gan_node *counter, gan_shape shape, double low,
                             double high) {
    return draw(g, counter, shape, GAN_RANDOM_UNIFORM, low, high);
}

gan_node *gan_random_normal(gan_graph *g, gan_node *counter, gan_shape shape, double mean,
                            double deviation) {
    return draw(g, counter, shape, GAN_RANDOM_NORMAL, mean, deviation);
}

gan_node *gan_random_index(gan_graph *g, gan_node *counter, gan_shape shape, int64_t n) {
    return draw(g, counter, shape, GAN_RANDOM_INDEX, (double)n, 0.0);
}

/* ---- mini-batches ---- */

bool gan_shuffled_index_infer(gan_node *node) {
    const int64_t n = node->attr.shuffle.n, count = node->attr.shuffle.count;
    if (!gan_check_counter(node, 0)) return false;
    if (n < 1 || n > INT32_MAX)
        return gan_node_error(node, GAN_ERROR_ARGUMENT, "of %lld examples; expected 1 to %d",
                              (long long)n, INT32_MAX);
    if (count < 0 || node->attr.shuffle.per_iteration < 0 || node->attr.shuffle.offset < 0)
        return gan_node_error(node, GAN_ERROR_ARGUMENT,
                              "%lld positions, %lld an iteration, from %lld; expected >= 0",
                              (long long)count, (long long)node->attr.shuffle.per_iteration,
                              (long long)node->attr.shuffle.offset);
    node->dtype = GAN_I32;
    node->shape = gan_shape1(count);
    return true;
}

gan_node *gan_shuffled_index(gan_graph *g, gan_node *counter, int64_t n, int64_t count,
                             int64_t per_iteration, int64_t offset, uint32_t stream) {
    const gan_attr attr = {.shuffle = {stream, n, count, per_iteration, offset}};
    return gan_node_create(g, GAN_OP_shuffled_index, 1, &counter, &attr, NULL);
}

bool gan_minibatch_infer(gan_node *node) {
    if (!gan_check_dtype(node, 0, "data", GAN_U8) || !gan_check_rank(node, 0, "data", 4) ||
        !gan_check_dtype(node, 1, "index", GAN_I32) || !gan_check_rank(node, 1, "index", 1) ||
        !gan_check_counter(node, 2))
        return false;
    node->dtype = GAN_F32;
    node->shape = node->in[0]->shape;
    node->shape.dim[0] = node->in[1]->shape.dim[0];
    return true;
}

gan_node *gan_minibatch(gan_graph *g, gan_node *data, gan_node *index, gan_node *counter,
                        double scale, double shift, bool flip) {
    if (!g) return NULL;
    const gan_attr attr = {
        .minibatch = {.stream = gan_graph_stream(g), .scale = scale, .shift = shift, .flip = flip}};
    return gan_node_create(g, GAN_OP_minibatch, 3, (gan_node *[]){data, index, counter}, &attr,
                           NULL);
}
