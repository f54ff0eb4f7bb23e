/* The reference: a graph evaluated node by node in double precision, from the definitions in
 * ganc/graph.h and the papers. It shares no formula with src/op, src/cpu or kernels, plans nothing
 * and reuses nothing, so that it can be believed by reading it.
 *
 * Nodes run in the order of their creation, effects among them, which is the order that
 * ganc/graph.h promises: a node sees the updates of variables added before it and none added after
 * it.
 */
#ifndef GANC_TESTS_REFERENCE_H
#define GANC_TESTS_REFERENCE_H

#include "graph/op.h"

typedef struct reference reference;

/* Prepares to evaluate all nodes of a finished graph. Variables start at zero. */
reference *ref_create(const gan_graph *graph);
void ref_destroy(reference *r);

/* The value of an input; the caller fills it before a run. One double an element, whatever the
 * type. */
double *ref_input_values(reference *r, const gan_node *input);

/* The present value of a variable, to read or to set. */
double *ref_variable_values(reference *r, const gan_variable *variable);

/* One iteration: every node, effects included. */
void ref_run(reference *r);

/* The same for the launches of a plan, in their order: a value is computed when it is launched, and
 * views show their operands' bytes at every moment. Leaves are those of the plan's own graph. */
void ref_run_plan(reference *r, gan_node *const *launches, int n);

/* Only what `node` depends on, and no effects: for difference quotients. */
void ref_run_to(reference *r, const gan_node *node);

/* The value that the last run gave a node. */
const double *ref_value(const reference *r, const gan_node *node);

/* ---- pieces that tests use on their own ---- */

/* Philox4x32-10 of a four-word counter under a two-word key. */
void ref_philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* The nearest bfloat16, ties to even. */
double ref_round_bf16(double x);

#endif
