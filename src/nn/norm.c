/* The norms by name, and the layer that is whichever of them was chosen. */
#include "nn/norm.h"

#include <string.h>

#include "graph/op.h"

static gan_node *none(gan_scope *s, gan_node *x, const gan_norm_options *o) {
    (void)s;
    (void)o;
    return x;
}

static const gan_norm table[] = {
    {"batch", "statistics of a channel over the batch (Ioffe and Szegedy 2015)", true,
     gan_norm_batch},
    {"layer", "statistics of an example (Ba et al. 2016)", true, gan_norm_layer},
    {"instance", "statistics of a channel of an example (Ulyanov et al. 2016)", true,
     gan_norm_instance},
    {"group", "statistics of a group of channels of an example (Wu and He 2018)", true,
     gan_norm_group},
    {"pixel", "each pixel's channels to length one (Karras et al. 2018)", false, gan_norm_pixel},
    {"virtual", "statistics of a fixed reference batch and the example (Salimans et al. 2016)",
     true, gan_norm_virtual},
    {"none", "nothing", false, none},
};

size_t gan_norm_count(void) { return sizeof table / sizeof *table; }

const gan_norm *gan_norm_at(size_t index) {
    return index < gan_norm_count() ? &table[index] : NULL;
}

const gan_norm *gan_norm_find(const char *name) {
    for (size_t i = 0; i < gan_norm_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

const gan_norm *gan_scope_norm(const gan_scope *scope, const char *own) {
    const gan_norm *chosen = scope ? gan_scope_get(scope)->norm : NULL;
    return chosen ? chosen : gan_norm_find(own);
}

gan_node *gan_layer_norm(gan_scope *scope, const char *name, gan_node *x, const char *own,
                         const gan_norm_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    if (!s || !x) return NULL;
    const gan_norm *norm = gan_scope_norm(s, own);
    const gan_norm_options o = options ? *options : (gan_norm_options){0};
    if (norm) return norm->apply(s, x, &o);
    return gan_graph_error(gan_scope_graph(s), GAN_ERROR_ARGUMENT, "%s: norm '%s' is unknown",
                           gan_scope_name(s), own);
}

/* ---- gain and bias ---- */

/* (rows, C) of a table (classes, C), as rows of y. */
static gan_node *of_class(gan_graph *g, gan_node *condition, gan_node *table_of, gan_shape y) {
    gan_shape shape = y;
    for (int i = 1; i + 1 < shape.rank; i++) shape.dim[i] = 1;
    return gan_reshape(g, gan_matmul(g, condition, table_of, false, false), shape);
}

gan_node *gan_norm_affine(gan_scope *s, gan_node *y, const gan_norm_options *o) {
    if (!s || !y) return NULL;
    gan_graph *g = gan_scope_graph(s);
    const gan_scope_settings *settings = gan_scope_get(s);
    const int64_t c = gan_channels(y);
    const gan_init one = o->gamma ? *o->gamma : gan_init_constant(1);
    const gan_init zero = o->beta ? *o->beta : gan_init_constant(0);
    if (!settings->condition_norm) {
        gan_node *gamma = gan_scope_weight(s, "gamma", gan_shape1(c), one);
        gan_node *beta = gan_scope_weight(s, "beta", gan_shape1(c), zero);
        return gan_add(g, gan_mul(g, y, gamma), beta);
    }
    const gan_shape shape = gan_node_shape(y), given = gan_node_shape(settings->condition);
    if (!settings->condition || given.rank != 2 || given.dim[0] != shape.dim[0])
        return gan_graph_error(g, GAN_ERROR_SHAPE,
                               "%s: conditional norm of %lld rows; expected a condition "
                               "(%lld,classes), given %s",
                               gan_scope_name(s), (long long)shape.dim[0], (long long)shape.dim[0],
                               settings->condition
                                   ? gan_shape_text((char[GAN_SHAPE_TEXT]){0}, GAN_F32, given)
                                   : "none");
    const gan_shape each = gan_shape2(given.dim[1], c);
    gan_node *gamma =
        of_class(g, settings->condition, gan_scope_weight(s, "gamma", each, one), shape);
    gan_node *beta =
        of_class(g, settings->condition, gan_scope_weight(s, "beta", each, zero), shape);
    return gan_add(g, gan_mul(g, y, gamma), beta);
}
