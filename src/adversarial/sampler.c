/* Samples in evaluation mode, by the weights themselves or by their moving average. */
#include "graph/graph.h"

#include "ganc/adversarial.h"

/* Overlays every weight of the generator with its average, which the group's flat vector declares.
 */
static void use_averages(gan_graph *g, gan_scope *scope) {
    gan_flat_variables(g, GAN_AVERAGE, "generator");
    const int n = gan_group_weights(g, "generator", NULL, 0);
    gan_node **weight = gan_graph_alloc(g, (size_t)n * sizeof *weight + 1);
    if (!weight) return;
    gan_group_weights(g, "generator", weight, n);
    for (int i = 0; i < n; i++) {
        const gan_variable *v = weight[i]->attr.variable.variable;
        gan_scope_overlay(scope, weight[i],
                          gan_variable_node(g, GAN_AVERAGE, v->name, v->dtype, v->shape, v->init));
    }
}

gan_node *gan_sampler_build(gan_graph *g, const gan_model *model, const gan_model_options *networks,
                            gan_node *z, bool average) {
    if (!g || !model || !networks || !z) return NULL;
    gan_scope *scope = gan_scope_create(g, "generator", NULL);
    if (average) {
        /* Only to declare the weights where the store is new; no effect needs these nodes. */
        model->generator(scope, z, networks);
        use_averages(g, scope);
    }
    return gan_named(model->generator(scope, z, networks), "samples");
}
