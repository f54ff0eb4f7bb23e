/* Convolution, closed under differentiation as {forward, grad-input, grad-weight}.
 *
 * All three are faces of one trilinear form Σ dy[n,p,q,k]·x[n,h,w,c]·w[k,r,s,c] over the places
 * where h = p·stride - top + r, w = q·stride - left + s; the gradient of each in an operand is one
 * of the others.
 */
#include "op/rules.h"

/* ---- rules ---- */

/* Checks two images or filters of a product: 4 axes each, one type. */
static bool check_pair(gan_node *node, const char *first, const char *second) {
    return gan_check_float(node, 0, first) &&
           gan_check_dtype(node, 1, second, node->in[0]->dtype) &&
           gan_check_rank(node, 0, first, 4) && gan_check_rank(node, 1, second, 4) &&
           gan_check_window(node, node->attr.window);
}

static bool check_length(gan_node *node, const char *what, int64_t given, int64_t expected) {
    if (given == expected) return true;
    return gan_node_error(node, GAN_ERROR_SHAPE, "%s is %lld; expected %lld", what,
                          (long long)given, (long long)expected);
}

/* The places (P, Q) of filters of (rows, columns) over images of (height, width). */
static bool check_map(gan_node *node, int64_t height, int64_t width, int64_t rows, int64_t columns,
                      int64_t *p, int64_t *q) {
    const gan_window w = node->attr.window;
    *p = gan_check_places(node, "height", height, w.top, w.bottom, rows, w.stride_h);
    if (*p >= 0) *q = gan_check_places(node, "width", width, w.left, w.right, columns, w.stride_w);
    return *p >= 0 && *q >= 0;
}

bool gan_conv2d_infer(gan_node *node) {
    const int64_t *x = node->in[0]->shape.dim, *w = node->in[1]->shape.dim;
    int64_t p = 0, q = 0;
    if (!check_pair(node, "x", "w") || !check_length(node, "the channels of w", w[3], x[3]) ||
        !check_map(node, x[1], x[2], w[1], w[2], &p, &q))
        return false;
    node->dtype = node->in[0]->dtype;
    node->shape = gan_shape4(x[0], p, q, w[0]);
    return true;
}

bool gan_conv2d_grad_input_infer(gan_node *node) {
    const int64_t *dy = node->in[0]->shape.dim, *w = node->in[1]->shape.dim;
    const int64_t height = node->attr.conv.height, width = node->attr.conv.width;
    int64_t p = 0, q = 0;
    if (!check_pair(node, "dy", "w") || !check_length(node, "the filters of w", w[0], dy[3]) ||
        !check_map(node, height, width, w[1], w[2], &p, &q) ||
        !check_length(node, "the height of dy", dy[1], p) ||
        !check_length(node, "the width of dy", dy[2], q))
        return false;
    node->dtype = node->in[0]->dtype;
    node->shape = gan_shape4(dy[0], height, width, w[3]);
    return true;
}

bool gan_conv2d_grad_weight_infer(gan_node *node) {
    const int64_t *x = node->in[0]->shape.dim, *dy = node->in[1]->shape.dim;
    const int64_t rows = node->attr.conv.height, columns = node->attr.conv.width;
    int64_t p = 0, q = 0;
    if (!check_pair(node, "x", "dy") || !check_length(node, "the number of dy", dy[0], x[0]) ||
        !check_map(node, x[1], x[2], rows, columns, &p, &q) ||
        !check_length(node, "the height of dy", dy[1], p) ||
        !check_length(node, "the width of dy", dy[2], q))
        return false;
    node->dtype = node->in[0]->dtype;
    node->shape = gan_shape4(dy[3], rows, columns, x[3]);
    return true;
}

/* The sizes that a gradient makes are always taken from the operand it belongs to, hence exact
 * where the stride does not divide the image. */
static gan_node *grad_input(gan_node *node, gan_node *dy, gan_node *w, const gan_node *x) {
    return gan_conv2d_grad_input(node->graph, dy, w, x->shape.dim[1], x->shape.dim[2],
                                 node->attr.window);
}

static gan_node *grad_weight(gan_node *node, gan_node *x, gan_node *dy, const gan_node *w) {
    return gan_conv2d_grad_weight(node->graph, x, dy, w->shape.dim[1], w->shape.dim[2],
                                  node->attr.window);
}

void gan_conv2d_gradient(gan_node *node, gan_node *dy, const bool *need, gan_node **dx) {
    gan_node *x = node->in[0], *w = node->in[1];
    if (need[0]) dx[0] = grad_input(node, dy, w, x);
    if (need[1]) dx[1] = grad_weight(node, x, dy, w);
}

void gan_conv2d_grad_input_gradient(gan_node *node, gan_node *dz, const bool *need, gan_node **dx) {
    gan_node *dy = node->in[0], *w = node->in[1];
    if (need[0]) dx[0] = gan_conv2d(node->graph, dz, w, node->attr.window);
    if (need[1]) dx[1] = grad_weight(node, dz, dy, w);
}

void gan_conv2d_grad_weight_gradient(gan_node *node, gan_node *dw, const bool *need,
                                     gan_node **dx) {
    gan_node *x = node->in[0], *dy = node->in[1];
    if (need[0]) dx[0] = grad_input(node, dy, dw, x);
    if (need[1]) dx[1] = gan_conv2d(node->graph, x, dw, node->attr.window);
}

/* ---- builders ---- */

gan_window gan_window_same(int stride, int padding) {
    return (gan_window){stride, stride, padding, padding, padding, padding};
}

gan_node *gan_conv2d(gan_graph *g, gan_node *x, gan_node *w, gan_window window) {
    return gan_node_create(g, GAN_OP_conv2d, 2, (gan_node *[]){x, w},
                           &(gan_attr){.conv = {window, 0, 0}}, NULL);
}

gan_node *gan_conv2d_grad_input(gan_graph *g, gan_node *dy, gan_node *w, int64_t height,
                                int64_t width, gan_window window) {
    return gan_node_create(g, GAN_OP_conv2d_grad_input, 2, (gan_node *[]){dy, w},
                           &(gan_attr){.conv = {window, height, width}}, NULL);
}

gan_node *gan_conv2d_grad_weight(gan_graph *g, gan_node *x, gan_node *dy, int64_t rows,
                                 int64_t columns, gan_window window) {
    return gan_node_create(g, GAN_OP_conv2d_grad_weight, 2, (gan_node *[]){x, dy},
                           &(gan_attr){.conv = {window, rows, columns}}, NULL);
}
