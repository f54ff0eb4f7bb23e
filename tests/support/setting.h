/* A graph to plan: with its store, and without either. */
#ifndef GANC_TESTS_SUPPORT_SETTING_H
#define GANC_TESTS_SUPPORT_SETTING_H

#include "graph/plan.h"

typedef struct setting {
    gan_store *store;
    gan_graph *g;
} setting;

setting open_setting(void);

/* Frees it, and a plan made of it, which may be NULL. */
void close_setting(setting s, gan_plan *plan);

/* The counter of iterations, from 0. */
gan_node *add_counter(gan_graph *g);

/* Updates the n weights of group "d" by Adam, once an iteration. */
void add_adam(gan_graph *g, gan_node *counter, int n, gan_node *const *w, gan_node *const *grad);

/* How many launches of a plan are of an op. */
int launches_of(const gan_plan *plan, gan_op_id op);

#endif
