/* Variables as nodes of a graph. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "graph/graph.h"

static gan_node *node_of(gan_graph *g, gan_variable *v) {
    if (!v) { /* the store has set the thread's message */
        char text[512];
        strncpy(text, gan_last_error(), sizeof text - 1);
        text[sizeof text - 1] = 0;
        return gan_graph_error(g, GAN_ERROR_ARGUMENT, "%s", text);
    }
    for (int i = 0; i < g->n_nodes; i++)
        if (g->node[i]->op == GAN_OP_variable && g->node[i]->attr.variable.variable == v)
            return g->node[i];
    gan_attr attr = {.variable = {v}};
    return gan_named(gan_leaf_create(g, GAN_OP_variable, v->dtype, v->shape, &attr), "%s", v->name);
}

gan_node *gan_variable_node(gan_graph *g, gan_role role, const char *name, gan_dtype dtype,
                            gan_shape shape, gan_init init) {
    if (!g || g->status != GAN_OK) return NULL;
    return node_of(g, gan_store_declare(g->store, role, name, dtype, shape, init));
}

gan_node *gan_flat_variables(gan_graph *g, gan_role role, const char *group) {
    if (!g || g->status != GAN_OK) return NULL;
    return node_of(g, gan_store_flat(g->store, role, group));
}

int gan_group_weights(gan_graph *g, const char *group, gan_node **out, int capacity) {
    if (!g || g->status != GAN_OK) return 0;
    int n = 0;
    for (size_t i = 0; i < g->store->n_variables; i++) {
        gan_variable *v = g->store->variable[i];
        if (v->arena->role != GAN_WEIGHT || strcmp(v->arena->group, group) != 0) continue;
        if (n < capacity) out[n] = node_of(g, v);
        n++;
    }
    return n;
}
