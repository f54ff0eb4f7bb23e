/* The activations by name. */
#include <string.h>

#include "ganc/nn.h"

static gan_node *relu(gan_graph *g, gan_node *x, double slope) {
    (void)slope;
    return gan_relu(g, x);
}

static gan_node *tangent(gan_graph *g, gan_node *x, double slope) {
    (void)slope;
    return gan_tanh(g, x);
}

static gan_node *sigmoid(gan_graph *g, gan_node *x, double slope) {
    (void)slope;
    return gan_sigmoid(g, x);
}

static gan_node *linear(gan_graph *g, gan_node *x, double slope) {
    (void)g;
    (void)slope;
    return x;
}

static const gan_activation table[] = {
    {"relu", relu},     {"leaky_relu", gan_leaky_relu}, {"tanh", tangent}, {"sigmoid", sigmoid},
    {"linear", linear},
};

size_t gan_activation_count(void) { return sizeof table / sizeof *table; }

const gan_activation *gan_activation_at(size_t index) {
    return index < gan_activation_count() ? &table[index] : NULL;
}

const gan_activation *gan_activation_find(const char *name) {
    for (size_t i = 0; i < gan_activation_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}
