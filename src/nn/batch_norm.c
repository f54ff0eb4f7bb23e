/* Batch normalisation as a layer: batch statistics in training, running ones in evaluation. */
#include <math.h>

#include "graph/op.h"
#include "nn/norm.h"

/* Row `which` (0 mean, 1 variance) of group i, as (channels). */
static gan_node *row(gan_graph *g, gan_node *moments, int64_t i, int which, int64_t channels) {
    gan_node *group = gan_reshape(g, gan_slice(g, moments, 0, i, 1), gan_shape2(2, channels));
    return gan_reshape(g, gan_slice(g, group, 0, which, 1), gan_shape1(channels));
}

/* running = keep·running + (1 - keep)·factor·row for every group in turn, as one moving average:
 * its decay is keep^groups, its value the groups' weighted mean. */
static void move(gan_graph *g, gan_node *running, gan_node *moments, int which, double factor,
                 double keep, int groups) {
    const double all = 1 - pow(keep, groups);
    const int64_t channels = gan_shape_size(gan_node_shape(running));
    gan_node *value = NULL;
    for (int i = 0; i < groups; i++) {
        const double weight = factor * (1 - keep) * pow(keep, groups - 1 - i) / all;
        gan_node *part = row(g, moments, i, which, channels);
        if (weight != 1) part = gan_scale(g, part, weight);
        value = value ? gan_add(g, value, part) : part;
    }
    gan_moving_average(g, running, value, gan_constant(g, 1 - all, gan_shape0()));
}

gan_node *gan_norm_batch(gan_scope *s, gan_node *x, const gan_norm_options *o) {
    gan_graph *g = gan_scope_graph(s);
    const gan_scope_settings *settings = gan_scope_get(s);
    const double momentum = o->momentum > 0 ? o->momentum : 0.1, eps = o->eps > 0 ? o->eps : 1e-5;
    const gan_shape shape = gan_node_shape(x);
    x = gan_scope_activation(s, x); /* its statistics and what they do to it are f32 inside */
    const int64_t c = gan_channels(x);
    const gan_shape each = gan_shape1(c);
    if (settings->reference)
        return gan_graph_error(
            g, GAN_ERROR_ARGUMENT,
            "%s: batch norm in a pass with %lld rows of a reference batch, which "
            "virtual batch norm alone takes",
            gan_scope_name(s), (long long)settings->reference);
    gan_node *gamma = NULL, *beta = NULL;
    if (!settings->condition_norm) {
        gamma = gan_scope_weight(s, "gamma", each, o->gamma ? *o->gamma : gan_init_constant(1));
        beta = gan_scope_weight(s, "beta", each, o->beta ? *o->beta : gan_init_constant(0));
    }
    gan_node *mean = gan_scope_statistic(s, "running_mean", each, gan_init_constant(0));
    gan_node *variance = gan_scope_statistic(s, "running_variance", each, gan_init_constant(1));
    gan_node *moments, *y;
    if (settings->training) {
        y = gan_batch_norm_training(g, x, settings->groups, gamma, beta, eps, &moments);
        if (settings->update_statistics && moments) {
            const double n = (double)(gan_shape_size(shape) / c / settings->groups);
            move(g, mean, moments, 0, 1, 1 - momentum, settings->groups);
            move(g, variance, moments, 1, n > 1 ? n / (n - 1) : 1, 1 - momentum, settings->groups);
        }
    } else {
        gan_node *rows[2] = {gan_reshape(g, mean, gan_shape3(1, 1, c)),
                             gan_reshape(g, variance, gan_shape3(1, 1, c))};
        y = gan_batch_norm(g, x, gan_concat(g, 1, 2, rows), gamma, beta, eps);
    }
    if (!settings->condition_norm) return y;
    return gan_scope_activation(s, gan_norm_affine(s, gan_cast(g, y, GAN_F32), o));
}

gan_node *gan_layer_batch_norm(gan_scope *scope, const char *name, gan_node *x,
                               const gan_norm_options *options) {
    gan_scope *s = gan_scope_enter(scope, "%s", name);
    const gan_norm_options o = options ? *options : (gan_norm_options){0};
    return s && x ? gan_norm_batch(s, x, &o) : NULL;
}
