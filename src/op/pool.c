/* Pooling: average and its adjoint; maximum, its adjoint, and the selection that is the adjoint's
 * adjoint. */
#include "op/rules.h"

/* ---- rules ---- */

/* The pooled map of images (N,H,W,C), or false after an error. */
static bool pooled(gan_node *node, gan_shape x, gan_shape *y) {
    const gan_window w = node->attr.pool.window;
    if (!gan_check_window(node, w)) return false;
    const int64_t p = gan_check_places(node, "height", x.dim[1], w.top, w.bottom,
                                       node->attr.pool.size_h, w.stride_h);
    if (p < 0) return false;
    const int64_t q = gan_check_places(node, "width", x.dim[2], w.left, w.right,
                                       node->attr.pool.size_w, w.stride_w);
    *y = gan_shape4(x.dim[0], p, q, x.dim[3]);
    return q >= 0;
}

static bool check_image(gan_node *node, int i, const char *name) {
    return gan_check_float(node, i, name) && gan_check_rank(node, i, name, 4);
}

bool gan_average_pool_infer(gan_node *node) {
    node->dtype = node->in[0]->dtype;
    return check_image(node, 0, "x") && pooled(node, node->in[0]->shape, &node->shape);
}

bool gan_average_pool_adjoint_infer(gan_node *node) {
    if (!check_image(node, 0, "dy")) return false;
    const int64_t *dy = node->in[0]->shape.dim;
    gan_shape y = {0};
    node->dtype = node->in[0]->dtype;
    node->shape = gan_shape4(dy[0], node->attr.pool.height, node->attr.pool.width, dy[3]);
    if (!pooled(node, node->shape, &y)) return false;
    if (dy[1] == y.dim[1] && dy[2] == y.dim[2]) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "dy is %lld x %lld; expected %lld x %lld",
                          (long long)dy[1], (long long)dy[2], (long long)y.dim[1],
                          (long long)y.dim[2]);
}

bool gan_max_pool_infer(gan_node *node) {
    const gan_window w = node->attr.pool.window;
    const int h = node->attr.pool.size_h, v = node->attr.pool.size_w;
    node->dtype = node->in[0]->dtype;
    if (!check_image(node, 0, "x") || !pooled(node, node->in[0]->shape, &node->shape)) return false;
    if (w.top < h && w.bottom < h && w.left < v && w.right < v) return true;
    /* Such a window could lie in the padding alone, where there is no maximum. */
    return gan_node_error(node, GAN_ERROR_ARGUMENT,
                          "padding as wide as the window (%d,%d); expected less", h, v);
}

/* The second operand has x's type; it has the shape of the pooled map or, for a selection, of x. */
static bool check_second(gan_node *node, const char *name, gan_shape expected) {
    const gan_node *dy = node->in[1];
    if (!gan_check_dtype(node, 1, name, node->in[0]->dtype)) return false;
    if (gan_shape_equal(dy->shape, expected)) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s is %s; expected %s", name, GAN_TEXT(dy),
                          gan_shape_text((char[GAN_SHAPE_TEXT]){0}, dy->dtype, expected));
}

bool gan_max_pool_adjoint_infer(gan_node *node) {
    if (!gan_max_pool_infer(node) || !check_second(node, "dy", node->shape)) return false;
    node->shape = node->in[0]->shape;
    return true;
}

bool gan_max_pool_select_infer(gan_node *node) {
    return gan_max_pool_infer(node) && check_second(node, "dx", node->in[0]->shape);
}

void gan_average_pool_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_attr attr = node->attr;
    attr.pool.height = node->in[0]->shape.dim[1];
    attr.pool.width = node->in[0]->shape.dim[2];
    if (need[0])
        dx[0] = gan_node_create(node->graph, GAN_OP_average_pool_adjoint, 1, &dy, &attr, NULL);
}

void gan_average_pool_adjoint_gradient(gan_node *node, gan_node *dz, const bool *need,
                                       gan_node **dx) {
    if (need[0])
        dx[0] = gan_node_create(node->graph, GAN_OP_average_pool, 1, &dz, &node->attr, NULL);
}

void gan_max_pool_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_node *in[] = {node->in[0], dy};
    if (need[0])
        dx[0] = gan_node_create(node->graph, GAN_OP_max_pool_adjoint, 2, in, &node->attr, NULL);
}

/* Linear in the second operand; where the maxima are does not change with x, almost everywhere. */
void gan_max_pool_adjoint_gradient(gan_node *node, gan_node *dz, const bool *need, gan_node **dx) {
    gan_node *in[] = {node->in[0], dz};
    if (need[1])
        dx[1] = gan_node_create(node->graph, GAN_OP_max_pool_select, 2, in, &node->attr, NULL);
}

void gan_max_pool_select_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_node *in[] = {node->in[0], dy};
    if (need[1])
        dx[1] = gan_node_create(node->graph, GAN_OP_max_pool_adjoint, 2, in, &node->attr, NULL);
}

/* ---- builders ---- */

static gan_node *pool(gan_graph *g, gan_op_id op, gan_node *x, int size_h, int size_w,
                      gan_window window) {
    const gan_attr attr = {.pool = {.window = window, .size_h = size_h, .size_w = size_w}};
    return gan_node_create(g, op, 1, &x, &attr, NULL);
}

gan_node *gan_average_pool(gan_graph *g, gan_node *x, int size_h, int size_w, gan_window window) {
    return pool(g, GAN_OP_average_pool, x, size_h, size_w, window);
}

gan_node *gan_max_pool(gan_graph *g, gan_node *x, int size_h, int size_w, gan_window window) {
    return pool(g, GAN_OP_max_pool, x, size_h, size_w, window);
}

gan_node *gan_upsample(gan_graph *g, gan_node *x, int factor) {
    if (!gan_check_given(g, "upsample", x)) return NULL;
    if (x->shape.rank != 4 || factor < 1)
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "upsample: %s by %d; expected 4 axes and a factor >= 1", GAN_TEXT(x),
                               factor);
    const int64_t n = x->shape.dim[0], h = x->shape.dim[1], w = x->shape.dim[2],
                  c = x->shape.dim[3];
    x = gan_reshape(g, x, gan_shape_of(6, (int64_t[]){n, h, 1, w, 1, c}));
    x = gan_broadcast(g, x, gan_shape_of(6, (int64_t[]){n, h, factor, w, factor, c}));
    return gan_reshape(g, x, gan_shape4(n, h * factor, w * factor, c));
}
