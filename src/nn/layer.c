/* Layers with a weight and a bias: linear, maxout, convolution and its transpose. */
#include <stddef.h>

#include "graph/op.h"
#include "nn/scope.h"
#include "nn/weight.h"

static const gan_layer_options plain = {0};

/* The weight, f32. Outputs lie along `out_axis`; the matrix for spectral norm is (rows, everything
 * else). */
static gan_node *f32_weight(gan_scope *s, gan_shape shape, int out_axis, int64_t rows,
                            int64_t fan_in, int64_t fan_out, const gan_layer_options *o) {
    const gan_weight_form form = {.shape = shape,
                                  .out_axis = out_axis,
                                  .rows = rows,
                                  .fan_in = fan_in,
                                  .init =
                                      o->weight ? *o->weight : gan_init_xavier(fan_in, fan_out)};
    return gan_layer_weight(s, form, o);
}

/* As the product takes it. */
static gan_node *weight_of(gan_scope *s, gan_shape shape, int out_axis, int64_t rows,
                           int64_t fan_in, int64_t fan_out, const gan_layer_options *o) {
    return gan_scope_activation(s, f32_weight(s, shape, out_axis, rows, fan_in, fan_out, o));
}

static gan_node *filters(gan_scope *s, int64_t channels, int size, int64_t c,
                         const gan_layer_options *o) {
    const int64_t area = (int64_t)size * size;
    return f32_weight(s, gan_shape4(channels, size, size, c), 0, channels, c * area,
                      channels * area, o);
}

/* What a layer makes of its product: the bias is added in f32, which costs nothing where the two
 * are one launch, and keeps its gradient f32. */
static gan_node *finish(gan_scope *s, gan_node *y, int64_t units, int64_t fan_in,
                        const gan_layer_options *o) {
    gan_graph *g = gan_scope_graph(s);
    y = gan_scope_product(s, y);
    if (o->no_bias || !y) return y;
    const double spread = gan_scope_get(s)->bias;
    const gan_init init = o->bias      ? *o->bias
                          : spread > 0 ? gan_init_spread(spread, fan_in)
                                       : gan_init_constant(0);
    gan_node *bias = gan_scope_weight(s, "bias", gan_shape1(units), init);
    return gan_scope_activation(s, gan_add(g, gan_cast(g, y, GAN_F32), bias));
}

gan_node *gan_layer_linear(gan_scope *scope, const char *name, gan_node *x, int64_t units,
                           const gan_layer_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_layer_options *o = options ? options : &plain;
    const gan_shape in = gan_node_shape(x);
    const int64_t rows = in.rank > 0 ? in.dim[0] : 1;
    const int64_t fan_in = rows ? gan_shape_size(in) / rows : 0;
    if (in.rank != 2) x = gan_reshape(g, x, gan_shape2(rows, fan_in));
    gan_node *w = weight_of(s, gan_shape2(units, fan_in), 0, units, fan_in, units, o);
    x = gan_scope_activation(s, x);
    return finish(s, gan_matmul(g, x, w, false, true), units, fan_in, o);
}

gan_node *gan_layer_maxout(gan_scope *scope, const char *name, gan_node *x, int64_t units,
                           int64_t pieces, const gan_layer_options *options) {
    gan_node *y = gan_layer_linear(scope, name, x, units * pieces, options);
    if (!y) return NULL;
    gan_graph *g = gan_scope_graph(scope);
    const int64_t rows = gan_node_shape(y).dim[0];
    y = gan_max_axes(g, gan_reshape(g, y, gan_shape3(rows, units, pieces)), 1u << 2);
    return gan_reshape(g, y, gan_shape2(rows, units));
}

gan_node *gan_layer_conv2d(gan_scope *scope, const char *name, gan_node *x, int64_t channels,
                           int size, gan_window window, const gan_layer_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x) return NULL;
    const gan_layer_options *o = options ? options : &plain;
    const gan_shape in = gan_node_shape(x);
    const int64_t c = in.dim[in.rank - 1];
    gan_node *w = gan_scope_activation(s, filters(s, channels, size, c, o));
    x = gan_scope_activation(s, x);
    return finish(s, gan_conv2d(gan_scope_graph(s), x, w, window), channels, size * size * c, o);
}

/* ---- a convolution and a change of size at once ---- */

/* Whether x is maps, with an even number of places where they are to halve. */
static bool check_maps(gan_scope *s, const gan_node *x, int size, bool halve) {
    const gan_shape in = gan_node_shape(x);
    const bool even = in.rank == 4 && in.dim[1] % 2 == 0 && in.dim[2] % 2 == 0;
    if (in.rank == 4 && size % 2 == 1 && (even || !halve)) return true;
    gan_graph_error(gan_scope_graph(s), GAN_ERROR_SHAPE,
                    "%s: filters of %d over %s; expected an odd size, and maps (m, height, width, "
                    "channels)%s",
                    gan_scope_name(s), size,
                    gan_shape_text((char[GAN_SHAPE_TEXT]){0}, gan_node_dtype(x), in),
                    halve ? " of an even height and width" : "");
    return false;
}

gan_node *gan_layer_conv2d_up(gan_scope *scope, const char *name, gan_node *x, int64_t channels,
                              int size, const gan_layer_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x || !check_maps(s, x, size, false)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_layer_options *o = options ? options : &plain;
    const gan_shape in = gan_node_shape(x);
    gan_node *w = gan_fold_up(g, filters(s, channels, size, in.dim[3], o), gan_scope_dtype(s));
    x = gan_scope_activation(s, x);
    const gan_window window = gan_window_same(2, size / 2);
    return finish(s, gan_conv2d_grad_input(g, x, w, 2 * in.dim[1], 2 * in.dim[2], window), channels,
                  size * size * in.dim[3], o);
}

gan_node *gan_layer_conv2d_down(gan_scope *scope, const char *name, gan_node *x, int64_t channels,
                                int size, const gan_layer_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x || !check_maps(s, x, size, true)) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_layer_options *o = options ? options : &plain;
    const int64_t c = gan_node_shape(x).dim[3];
    gan_node *w = gan_fold_down(g, filters(s, channels, size, c, o), gan_scope_dtype(s));
    x = gan_scope_activation(s, x);
    return finish(s, gan_conv2d(g, x, w, gan_window_same(2, size / 2)), channels, size * size * c,
                  o);
}

gan_node *gan_layer_conv2d_transpose(gan_scope *scope, const char *name, gan_node *x,
                                     int64_t channels, int size, gan_window window, int64_t height,
                                     int64_t width, const gan_layer_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x) return NULL;
    const gan_layer_options *o = options ? options : &plain;
    const gan_shape in = gan_node_shape(x);
    const int64_t c = in.dim[in.rank - 1], area = (int64_t)size * size;
    gan_node *w = weight_of(s, gan_shape4(c, size, size, channels), 3, c * area, c * area,
                            channels * area, o);
    x = gan_scope_activation(s, x);
    gan_node *y = gan_conv2d_grad_input(gan_scope_graph(s), x, w, height, width, window);
    return finish(s, y, channels, c * area, o);
}
