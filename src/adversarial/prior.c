/* Where noise comes from, and points of a mixture. */
#include <string.h>

#include "ganc/adversarial.h"

static gan_node *normal(gan_graph *g, gan_node *counter, gan_shape shape) {
    return gan_random_normal(g, counter, shape, 0, 1);
}

static gan_node *uniform(gan_graph *g, gan_node *counter, gan_shape shape) {
    return gan_random_uniform(g, counter, shape, -1, 1);
}

static gan_node *unit_uniform(gan_graph *g, gan_node *counter, gan_shape shape) {
    const double root3 = 1.7320508075688772;
    return gan_random_uniform(g, counter, shape, -root3, root3);
}

static const gan_prior table[] = {
    {"normal", "N(0, 1)", normal},
    {"uniform", "uniform in (-1, 1)", uniform},
    {"unit-uniform", "uniform with variance 1, in (-sqrt 3, sqrt 3), as in 2014", unit_uniform},
};

size_t gan_prior_count(void) { return sizeof table / sizeof *table; }

const gan_prior *gan_prior_at(size_t index) {
    return index < gan_prior_count() ? &table[index] : NULL;
}

const gan_prior *gan_prior_find(const char *name) {
    for (size_t i = 0; i < gan_prior_count(); i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

gan_node *gan_mixture_points(gan_graph *g, gan_node *counter, gan_node *centres, double deviation,
                             int64_t count) {
    const gan_shape shape = gan_node_shape(centres);
    gan_node *which = gan_random_index(g, counter, gan_shape1(count), shape.dim[0]);
    gan_node *noise = gan_random_normal(g, counter, gan_shape2(count, shape.dim[1]), 0, deviation);
    return gan_add(g, gan_gather(g, centres, which), noise);
}
