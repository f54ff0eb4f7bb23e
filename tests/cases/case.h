/* The cases: small graphs over every op, built once here and run by every test on every device.
 *
 * A family is one file: a number of cases and a function that builds the i-th. Values are drawn
 * from a generator seeded by the case's name and kept away from poles; a smooth case keeps them
 * away from kinks too, so that difference quotients of it mean something.
 */
#ifndef GANC_TESTS_CASES_CASE_H
#define GANC_TESTS_CASES_CASE_H

#include "graph/graph.h"

enum { CASE_INPUTS = 96, CASE_VARIABLES = 40, CASE_OUTPUTS = 40, CASE_NAME = 128 };

typedef struct case_input {
    gan_node *node;
    double *value;
    bool wrt;    /* differentiable by it */
    bool linear; /* the outputs are linear in it, the other inputs kept */
} case_input;

typedef struct case_variable {
    const gan_variable *variable;
    double *value; /* at the start */
} case_variable;

typedef struct test_case {
    char name[CASE_NAME];
    gan_store *store;
    gan_graph *g;
    uint64_t random;
    case_input input[CASE_INPUTS];
    case_variable variable[CASE_VARIABLES];
    gan_node *output[CASE_OUTPUTS];
    int n_inputs, n_variables, n_outputs;
    bool smooth; /* may be checked by differences */
    bool scaled; /* tolerances are relative to the largest element: gradients, where terms cancel */
    double looser;   /* factor on the ops' tolerances: long sums, deep chains; 1 when not set */
    int built_nodes; /* how many nodes the case itself made, before gradients were added */
} test_case;

typedef struct case_family {
    const char *name;
    int (*count)(void);
    void (*build)(test_case *t, int i);
} case_family;

/* ---- running through them ---- */

int case_count(void);
void case_open(test_case *t, int i); /* stops the program when the graph has an error */
void case_close(test_case *t);

/* ---- for builders ---- */

void case_title(test_case *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

double case_random(test_case *t);                                 /* uniform in [0, 1) */
int64_t case_random_int(test_case *t, int64_t low, int64_t high); /* in low..high */

/* f32 inputs that outputs can be differentiated by. */
gan_node *case_uniform(test_case *t, gan_shape shape, double low, double high);
/* In [low, high], and the part after the point in [from, to]: away from integers, and from inputs
 * with another such part. */
gan_node *case_apart(test_case *t, gan_shape shape, double low, double high, double from,
                     double to);
/* No two elements alike: for maxima. */
gan_node *case_distinct(test_case *t, gan_shape shape);
/* Small whole numbers with many ties; not differentiable. */
gan_node *case_whole(test_case *t, gan_shape shape, int64_t low, int64_t high);
gan_node *case_indices(test_case *t, gan_shape shape, int64_t low, int64_t high); /* i32 */

/* Declares the last input, or operands of it, one that the outputs are linear in. */
gan_node *case_linear(test_case *t, gan_node *input);

/* A variable with values of its own at the start. */
gan_node *case_variable_uniform(test_case *t, gan_role role, const char *name, gan_shape shape,
                                double low, double high);
gan_node *case_counter(test_case *t, const char *name, int64_t start);
gan_node *case_bytes(test_case *t, const char *name, gan_shape shape); /* u8 data */

gan_node *case_output(test_case *t, gan_node *node);
void case_not_smooth(test_case *t);

/* "2x3x5" of a shape, for titles. */
const char *case_shape_text(gan_shape shape, char text[64]);

/* ---- the families ---- */

extern const case_family cases_pointwise, cases_pointwise_ties, cases_broadcasting, cases_cast,
    cases_reduce, cases_broadcast, cases_layout, cases_permute, cases_gather, cases_concat,
    cases_matmul, cases_conv, cases_fold, cases_pool, cases_norm, cases_loss, cases_random,
    cases_data, cases_update, cases_optimizer, cases_order, cases_fusion, cases_epilogue,
    cases_chain, cases_game, cases_view, cases_half, cases_conv_epilogue, cases_maxout,
    cases_phases, cases_head, cases_phased, cases_conv_gradients;

#endif
