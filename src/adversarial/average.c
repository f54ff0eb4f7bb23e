/* Moving averages of a network's weights, and passes that read them in place of the weights. */
#include "adversarial/play.h"
#include "graph/graph.h"

void gan_play_average(gan_play *play, const char *group, double most) {
    gan_graph *g = play->g;
    if (!(most > 0)) return;
    gan_node *n = gan_play_time(play);
    gan_node *decay = gan_div(g, n, gan_shift(g, n, 10));
    decay = gan_minimum(g, decay, gan_constant(g, most, gan_shape0()));
    gan_moving_average(g, gan_flat_variables(g, GAN_AVERAGE, group),
                       gan_flat_variables(g, GAN_WEIGHT, group), decay);
}

gan_scope *gan_averaged_scope(gan_graph *g, const char *group, const gan_scope_settings *settings) {
    gan_scope *scope = gan_scope_create(g, group, settings);
    gan_flat_variables(g, GAN_AVERAGE, group);
    const int n = gan_group_weights(g, group, NULL, 0);
    gan_node **weight = gan_graph_alloc(g, (size_t)n * sizeof *weight + 1);
    if (!weight) return scope;
    gan_group_weights(g, group, weight, n);
    for (int i = 0; i < n; i++) {
        const gan_variable *v = weight[i]->attr.variable.variable;
        gan_scope_overlay(scope, weight[i],
                          gan_variable_node(g, GAN_AVERAGE, v->name, v->dtype, v->shape, v->init));
    }
    return scope;
}
