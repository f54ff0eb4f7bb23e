/* Positions along an axis. */
#include "adversarial/play.h"
#include "graph/graph.h"

gan_node *gan_play_range(gan_graph *g, int64_t n) {
    const char *name = gan_arena_printf(g->memory, "range/%lld", (long long)n);
    return gan_variable_node(g, GAN_DATA, name, GAN_F32, gan_shape1(n), gan_init_range(0, 1));
}
