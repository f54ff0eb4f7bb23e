/* The inside of a graph. */
#ifndef GANC_GRAPH_GRAPH_H
#define GANC_GRAPH_GRAPH_H

#include "base/arena.h"
#include "graph/op.h"
#include "graph/store.h"

struct gan_graph {
    gan_arena *memory;
    gan_store *store;
    gan_node **node; /* in order of creation: node[i]->id == i */
    int n_nodes, capacity;
    gan_node **output; /* marked by gan_output() */
    int n_outputs, output_capacity;
    uint32_t next_stream;
    gan_status status; /* the first error */
    const char *message;
};

/* Zeroed memory that lives as long as the graph; NULL, with the graph's error set, when exhausted.
 */
void *gan_graph_alloc(gan_graph *g, size_t size);

/* Appends a node without asking infer: leaves, and the plan's copies. `in` is copied. */
gan_node *gan_node_append(gan_graph *g, const gan_node *model, gan_node *const *in);

/* The variable or computed node whose bytes `node` shows: follows views. */
gan_node *gan_node_base(gan_node *node);

/* Whether the node shows its operand's bytes: a view op, or a slice of leading rows. Then *offset
 * is where in the operand's bytes it begins. `offset` may be NULL. */
bool gan_node_is_view(const gan_node *node, size_t *offset);

/* Whether effect `effect` writes bytes of variable `v` (flat variables overlap their arena's
 * members). */
bool gan_effect_writes(const gan_node *effect, const gan_variable *v);

/* Whether it writes bytes of a variable that `node` takes. */
bool gan_effect_touches(const gan_node *effect, const gan_node *node);

/* Whether an effect with an id above `after` and below `before` writes bytes of `v`. */
bool gan_graph_writes(const gan_graph *g, const gan_variable *v, int after, int before);

/* Bytes of a node's value. */
size_t gan_node_bytes(const gan_node *node);

#endif
